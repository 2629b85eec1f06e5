# SPDX-License-Identifier: 0BSD
# Out of memory at allocations of a function or table of locks: a clean
# error, no lock left that was not there, no session left waiting. For
# test/*fault.test, in testfixture.
#
# Before the first `fault` there is a database in test.db, and a connection
# `watch` on it with the extension. FAULT_EVERY=1 as in test/lib/oom.tcl;
# FAULT_CASE=pattern takes some of the cases.

source $world::home/test/lib/oom.tcl

# ---- one case -------------------------------------------------------------

# The locks and requests in the database, as another connection sees them.
proc seen {} {
  watch eval {
    SELECT kind || ' ' || ifnull(object, ''), key, mode, scope, granted, count
    FROM advisory_locks
    WHERE session <> advisory_session() ORDER BY 1, 2, 3, 4, 5
  }
}
# Those of these rows that are still there after a rollback.
proc of_session {rows} {
  set left {}
  foreach {what key mode scope granted count} $rows {
    if {$scope ne "session"} continue
    lappend left $what $key $mode $scope $granted $count
  }
  return $left
}
# A new connection that has run `before`.
proc ready {before lookaside} {
  catch { db close }
  sqlite3 db test.db
  if {!$lookaside} { sqlite3_db_config_lookaside db 0 0 0 }
  interlock_load db
  db eval {SELECT * FROM sqlite_master}
  db eval $before
}

# Whether this is the error that the SQL has without a fault, too.
proc as_ever {result} {
  global clean
  expr {$clean ne "" && [string match $clean* $result]}
}
proc judge {rc result} {
  global before sql open may part clean first after
  set isOpen [expr {![sqlite3_get_autocommit db]}]
  if {$isOpen && !$open} { error "a transaction is left open" }
  set now [seen]
  if {$rc == 0 || [as_ever $result]} {
    if {$now ne $after} { error "now locked: $now, expected: $after" }
  } else {
    # An expected error has SQLite's text if there was no memory for
    # Interlock's.
    if {$result ne "out of memory" && !($clean ne "" && $result in {
        {database is locked} {database table is locked} {SQL logic error}})} {
      error "the error is: $result"
    }
    set expected [expr {$isOpen ? $first : [of_session $first]}]
    # With `frees`, the locks may have been released before the error.
    set done [expr {$isOpen ? $after : [of_session $after]}]
    if {$now ne $expected && !($may && $now eq $done)
        && !($part && [begins $now $done])} {
      error "after the error locked: $now, expected: $expected"
    }
    # The same SQL must work when there is no fault.
    if {$open && !$isOpen} { db eval BEGIN }
    if {[catch { db eval $sql } message] && ![as_ever $message]} {
      error "then: $message"
    }
  }
  if {![sqlite3_get_autocommit db]} { db eval ROLLBACK }
  if {[seen] ne [of_session [seen]]} { error "after ROLLBACK: [seen]" }
  db close
  if {[seen] ne ""} { error "left: [seen]" }
}
proc begins {list longer} {
  expr {$list eq [lrange $longer 0 [llength $list]-1]}
}

# fault NAME BEFORE SQL ?OPTION...?: `frees` if the SQL releases locks, or
# changes in another way what can be seen; `part` if it takes several locks, of
# which the first may be held after an error; `open` if it is run in a
# transaction that `before` opens; `new` if there is no lock file yet.
proc fault {name prelude body args} {
  global before sql open may part clean first after
  if {[info exists ::env(FAULT_CASE)]
      && ![string match $::env(FAULT_CASE) $name]} return
  set before $prelude
  set sql $body
  set may [expr {"frees" in $args}]
  set part [expr {"part" in $args}]
  set open [expr {"open" in $args}]
  set new [expr {"new" in $args}]
  foreach lookaside {0 1} {
    ready $before $lookaside
    set first [seen]
    set clean ""
    set points [oom_points {
      if {[catch { db eval $sql } message]} {
        set clean [lindex [split $message :] 0]:
      }
    }]
    if {$new} {
      for {set i 10} {$i <= 61} {incr i} { lappend points $i }
      set points [lsort -unique $points]
    }
    set after [seen]
    if {!$open && ![sqlite3_get_autocommit db]} { db eval ROLLBACK }
    set prep [list ready $before $lookaside]
    if {$new} {
      set prep "catch {db close}; catch {watch close}
        forcedelete test.db-interlock; interlock_open watch test.db; $prep"
    }
    foreach kind {oom-transient oom-persistent} {
      foreach i $points {
        do_faultsim_test $name-$lookaside -faults $kind -start $i -end $i \
          -prep $prep -body { db eval $::sql } \
          -test { judge $testrc $testresult }
      }
    }
    catch { db close }
  }
}
