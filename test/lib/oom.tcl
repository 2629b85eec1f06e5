# SPDX-License-Identifier: 0BSD
# Which allocations of a script fail one after the other. For testfixture.
#
#   set points [oom_points BODY ?MANY? ?FEW? ?FIRST?]
#
# All numbers of allocations that BODY makes, and the one after the last, at
# which nothing fails any more. Without FAULT_EVERY=1 the first FIRST of them
# (9), the last three, and MANY others (100) at equal distances, or FEW (12) in
# a sanitized build, where each costs many times as much.

needs {[in_testfixture]} "SQLite's testfixture"

set sanitized [string match asan* [world]]

proc oom_points {body {many 100} {few 12} {first 9}} {
  sqlite3_memdebug_fail 10000000 -repeat 0
  uplevel 1 $body
  set n [expr {10000000 - [sqlite3_memdebug_pending]}]
  sqlite3_memdebug_fail -1
  set step [expr {$n/($::sanitized ? $few : $many) + 1}]
  if {[info exists ::env(FAULT_EVERY)]} { set step 1 }
  set points {}
  for {set i 1} {$i <= $n+1} {incr i} {
    if {$i > $first && $i < $n-2 && $i % $step} continue
    lappend points $i
  }
  return $points
}
