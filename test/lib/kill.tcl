# SPDX-License-Identifier: 0BSD
# A process that is killed in the middle of a statement. For test/*kill.test.
#
#   do_kill_test NAME TABLES SQL ?LEAST?
#
# TABLES makes the database. The process runs SQL and kills itself from a
# callback of SQLite's: before its n-th statement, and at its n-th instruction.
# Without KILL_EVERY=1 not at each. The file must be whole, and as it was before
# or as it is after SQL. LEAST is how many statements there must be.

source $world::home/test/lib/state.tcl

# ---- another process ------------------------------------------------------

# In the child: runs SQL, and kills the process at the n-th event, or never if n
# is 0. Returns the number of events, and the error.
set there {
  proc event {args} {
    if {[incr ::count] == $::deadly} { exec kill -KILL [pid] }
    return 0
  }
  proc die {kind n sql} {
    # SQLite writes what does not fit into the cache at once, so that there is
    # something to recover.
    db eval {PRAGMA synchronous = OFF; PRAGMA cache_size = 2}
    set ::count 0
    set ::deadly $n
    if {$kind eq "statement"} { db trace event } else { db progress 20 event }
    set failed [catch { db eval $sql } message]
    set n $::count
    db trace {}
    db progress 0 {}
    list $n [expr {$failed ? $message : ""}]
  }
}
# In this process: returns the child's answer, or `killed`.
proc killed {kind n sql} {
  process child test.db
  child eval $::there
  child start [list die $kind $n $sql]
  if {[catch { child wait } result]} { return killed }
  child close
  return $result
}

# ---- one case -------------------------------------------------------------

proc look {} {
  sqlite3 db test.db
  set now [state db]
  set whole [db eval {PRAGMA integrity_check}]
  db close
  if {$whole ne "ok"} { return $whole }
  return $now
}
proc do_kill_test {name tables sql {least 10}} {
  reset_db
  interlock_load db
  db eval {CREATE TABLE other(x)}
  db eval $tables
  db_save_and_close
  set before [look]
  foreach {kind points} {statement 10 instruction 5} {
    db_restore
    lassign [killed $kind 0 $sql] n message
    set after [look]
    do_test $name-$kind-without [list list $message [expr {$n >= $least}] \
                                   [expr {$before ne $after}]] {{} 1 1}
    set step [expr {[info exists ::env(KILL_EVERY)] ? 1 : $n/$points + 1}]
    set bad {}
    set isBefore 0
    for {set i 1} {$i <= $n} {incr i $step} {
      db_restore
      if {[killed $kind $i $sql] ne "killed"} { lappend bad $i lives }
      set now [look]
      if {$now eq $before} {
        incr isBefore
      } elseif {$now ne $after} {
        lappend bad $i [state_differ $before $now]
      }
    }
    do_test $name-$kind [list list $bad [expr {$isBefore > 0}]] {{} 1}
  }
}
