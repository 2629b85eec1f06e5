# SPDX-License-Identifier: 0BSD
# Faults in what changes a schema, all or nothing: out of memory at each
# allocation, I/O errors, a full disk. For test/*fault.test, in testfixture.
#
#   fault NAME TABLES SQL ?auto|begin|savepoint ...?   memory
#   disk NAME TABLES SQL                               files
#
# TABLES makes the database; SQL meets the faults.
#
# FAULT_EVERY=1 as in test/lib/oom.tcl; FAULT_CASE=pattern takes some of the
# cases. In WAL mode only the files have faults: memory knows no journal.

source $world::home/test/lib/state.tcl
source $world::home/test/lib/oom.tcl

# ---- one case -------------------------------------------------------------

# The texts of the errors that a fault may cause. SQLite has error texts of its
# own while it loads an extension, and where it compiles a text that it keeps.
set clean {
  {out of memory} {disk I/O error} {database or disk is full}
  {unable to open database file} {interrupted}
}
proc is_clean {message} {
  set open [expr {![catch { sqlite3_get_autocommit db } auto] && !$auto}]
  if {[regsub {^transaction rolled back: } $message {} message] && $open} {
    return 0
  }
  foreach text $::clean { if {$message eq $text} { return 1 } }
  return 0
}

# The statements that are run before SQL.
set around {
  auto {}
  begin {BEGIN; INSERT INTO other VALUES('mine')}
  savepoint {
    BEGIN; INSERT INTO other VALUES('mine'); SAVEPOINT s;
    INSERT INTO other VALUES('mine too')
  }
}

# Opens a connection on the saved database and runs `before`. It reads the
# schema first, so that the faults meet Interlock's work and not SQLite's.
# Before that it runs `connect`, which attaches a file or makes temp tables.
proc ready {before lookaside} {
  db_restore_and_reopen
  if {!$lookaside} { sqlite3_db_config_lookaside db 0 0 0 }
  interlock_load db
  db eval $::connect
  db eval {SELECT * FROM sqlite_master}
  db eval $before
}

# Raises an error if the database is in a state that is not allowed after this
# result.
proc judge {rc result} {
  global first before after sql open
  set isOpen [expr {![sqlite3_get_autocommit db]}]
  if {$isOpen && !$open} { error "a transaction is left open" }
  if {$rc == 0} {
    if {$isOpen != $open} { error "the transaction is gone" }
    set expected $after
  } else {
    if {![is_clean $result]} { error "the error is: $result" }
    set expected [expr {$isOpen ? $before : $first}]
  }
  if {[state db] ne $expected} {
    error "$rc {$result}, transaction $isOpen:\
           [state_differ $expected [state db]]"
  }
  if {$isOpen} { db eval COMMIT }
  sqlite3 db2 test.db
  if {[file exists test.db2]} { db2 eval {ATTACH 'test.db2' AS aux} }
  set seen [state db2]
  set expected [state_shared $expected]
  set whole [db2 eval {PRAGMA integrity_check}]
  db2 close
  if {$seen ne $expected} {
    error "another sees [state_differ $expected $seen]"
  }
  if {$whole ne "ok"} { error $whole }
  if {$rc} {
    # The same SQL must work when there is no fault.
    db eval [expr {$open ? "BEGIN; $sql; COMMIT" : $sql}]
  }
}

# A sanitized build sees more of the memory that comes from the heap.
set lookasides [expr {$sanitized ? {0} : {0 1}}]
set firsts [expr {$sanitized ? 2 : 6}]

# One case; the head of this file describes the arguments. SQL in ::connect is
# run by each connection first.
set connect {}
proc fault {name tables sql args} {
  global around first before after open lookasides firsts
  if {[world_journal] eq "wal"} return
  if {[info exists ::env(FAULT_CASE)]
      && ![string match $::env(FAULT_CASE) $name]} return
  set ::sql $sql
  set only [expr {[llength $args] ? $args : $::sanitized ? {begin savepoint}
                  : {auto begin savepoint}}]
  reset_db
  interlock_load db
  if {[string match ATTACH* $::connect]} { db eval $::connect }
  db eval {CREATE TABLE other(x)}
  db eval $tables
  db_save_and_close
  foreach {where prelude} $around {
    if {$where ni $only} continue
    set open [expr {$prelude ne ""}]
    ready {} 1
    set first [state db]
    ready $prelude 1
    set before [state db]
    foreach lookaside $lookasides {
      ready $prelude $lookaside
      set points [oom_points { db eval $::sql } 10 3 $firsts]
      set after [state db]
      set prep [list ready $prelude $lookaside]
      foreach kind {oom-transient oom-persistent} {
        foreach i $points {
          do_faultsim_test $name-$where-$lookaside -faults $kind \
            -start $i -end $i -prep $prep -body { db eval $::sql } \
            -test { judge $testrc $testresult }
        }
      }
    }
  }
}

# ---- files ----------------------------------------------------------------

# After an error of the disk the next connection that opens the file shows what
# is in it.
proc judge_file {rc result nfail} {
  global first after
  if {$rc && ![is_clean $result]} { error "the error is: $result" }
  catch { db close }
  sqlite3 db test.db
  set now [state db]
  set whole [db eval {PRAGMA integrity_check}]
  db close
  if {$whole ne "ok"} { error $whole }
  if {$now ne $after && (!$rc || $now ne $first)} {
    error "$rc: [state_differ $first $now]"
  }
}
proc disk {name tables sql} {
  global first after
  if {[info exists ::env(FAULT_CASE)]
      && ![string match $::env(FAULT_CASE) disk-$name]} return
  set ::sql $sql
  reset_db
  interlock_load db
  db eval {CREATE TABLE other(x)}
  db eval $tables
  db_save_and_close
  ready {} 1
  set first [state db]
  db eval $sql
  set after [state db]
  # In rollback mode most calls of the file system are made by COMMIT.
  do_faultsim_test disk-$name -faults {ioerr* full cantopen*} -prep {
    catch { db close }
    db_restore
    sqlite3 db test.db
    interlock_load db
    db eval {PRAGMA cache_size = 2; SELECT * FROM sqlite_master}
  } -body { db eval $::sql } -test {
    judge_file $testrc $testresult $testnfail
  }
}
