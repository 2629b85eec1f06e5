# SPDX-License-Identifier: 0BSD
# Check: the extension exports its entry points and nothing else. SQLite
# opens extensions RTLD_GLOBAL: any other exported name could be taken for
# another extension's.

namespace eval check {
  # The documented entry points.
  variable entryPoints {
    sqlite3_interlock_init sqlite3_interlockauto_init sqlite3_extension_init
  }
}

proc check::symbols {root} {
  variable entryPoints
  set so $root/build/interlock.so
  if {![file exists $so]} { return [list "build/interlock.so: not built"] }
  set problems {}
  set found {}
  foreach row [split [exec nm -D --defined-only $so] \n] {
    lappend found [lindex $row 2]
  }
  foreach name $found {
    if {$name ni $entryPoints} {
      lappend problems "build/interlock.so: exports $name"
    }
  }
  foreach name $entryPoints {
    if {$name ni $found} {
      lappend problems "build/interlock.so: does not export $name"
    }
  }
  return $problems
}
