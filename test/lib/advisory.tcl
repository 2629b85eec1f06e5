# SPDX-License-Identifier: 0BSD
# The words that tests of advisory locks share.
#
#   other                 another process: `other sql ...`
#   is_free KEY           1 if that process could have the lock, 0 if not
#   taken KEY             that process takes the lock, until `given KEY`
#   waits SQL ?DB?        `waits` if the lock functions in this SQL wait,
#                         `refused`, or its result or error
#   locks ?DB?            the locks: key, mode, scope and count of each

proc other_open {{file test.db}} {
  process other $file
  other sql {SELECT advisory_application('other')}
}
proc is_free {key} {
  if {![other sql "SELECT try_advisory_lock($key)"]} { return 0 }
  other sql "SELECT advisory_unlock($key)"
}
proc taken {key} { other sql "SELECT advisory_lock($key) > 0" }
proc given {key} { other sql "SELECT advisory_unlock($key)" }

# Whether a call waits. If so the call ends by its timeout.
proc waits {sql {db db}} {
  $db eval {SELECT advisory_lock_timeout(1)}
  set failed [catch { uplevel 1 [list $db eval $sql] } result]
  $db eval {SELECT advisory_lock_timeout(-1)}
  if {[string match {lock timeout:*} $result]} { return waits }
  if {[string match {lock wait refused:*} $result]} { return refused }
  return $result
}
proc locks {{db db}} {
  $db eval {
    SELECT key, mode, scope, count FROM advisory_locks
    ORDER BY granted DESC, 1, 2, 3
  }
}
