# SPDX-License-Identifier: 0BSD
# Faults in what changes a schema, all or nothing: out of memory at each
# allocation, I/O errors, a full disk. For test/*fault.test, in testfixture.
#
#   fault NAME TABLES SQL ?auto|begin|savepoint ...?   memory
#   disk NAME TABLES SQL                               files
#
# TABLES makes the database, SQL is what is tried.
#
# Without FAULT_EVERY=1 only every n-th allocation fails, and the first and the
# last ones all; FAULT_CASE=pattern takes some of the cases.

source $world::home/test/lib/state.tcl
needs {[in_testfixture]} "SQLite's testfixture"

# ---- one case -------------------------------------------------------------

# What may be said of a fault. SQLite has words of its own while it loads an
# extension, and where it compiles text that it keeps.
set clean {
  {out of memory} {disk I/O error} {database or disk is full}
  {unable to open database file} {interrupted}
}
proc is_clean {message} {
  foreach text $::clean { if {$message eq $text} { return 1 } }
  return 0
}

# Where the statement is run: what comes before it.
set around {
  auto {}
  begin {BEGIN; INSERT INTO other VALUES('mine')}
  savepoint {
    BEGIN; INSERT INTO other VALUES('mine'); SAVEPOINT s;
    INSERT INTO other VALUES('mine too')
  }
}

# A fresh connection on the saved database, in the middle of `before`. The
# schema has been read: what is tried is our work. `connect` is what a
# connection does first: it attaches a file, or makes temp tables.
proc ready {before lookaside} {
  db_restore_and_reopen
  if {!$lookaside} { sqlite3_db_config_lookaside db 0 0 0 }
  interlock_load db
  db eval $::connect
  db eval {SELECT * FROM sqlite_master}
  db eval $before
}

# Raise an error if what is left is not what may be.
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
    # The same again, with no fault.
    db eval [expr {$open ? "BEGIN; $sql; COMMIT" : $sql}]
  }
}

# Memory: how often an allocation is asked for, and which of them are tried.
proc points {body} {
  sqlite3_memdebug_fail 10000000 -repeat 0
  eval $body
  set n [expr {10000000 - [sqlite3_memdebug_pending]}]
  sqlite3_memdebug_fail -1
  if {[info exists ::env(FAULT_EVERY)]} { return [list $n 1] }
  list $n [expr {$n/($::sanitized ? 5 : 16) + 1}]
}

# Sanitized, what one allocation costs is many times as much: fewer are tried,
# and only where all memory comes from the heap.
set sanitized [string match asan* [world]]
set lookasides [expr {$sanitized ? {0} : {0 1}}]
set firsts [expr {$sanitized ? 3 : 9}]

# The cases. `tables` makes the database, `sql` is what is tried.
set connect {}
proc fault {name tables sql args} {
  global around first before after open lookasides firsts
  if {[info exists ::env(FAULT_CASE)]
      && ![string match $::env(FAULT_CASE) $name]} return
  set ::sql $sql
  set only [expr {[llength $args] ? $args : {auto begin savepoint}}]
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
      lassign [points { db eval $::sql }] n step
      set after [state db]
      set prep [list ready $prelude $lookaside]
      foreach kind {oom-transient oom-persistent} {
        # The last one fails nothing; those before it come when all is done.
        for {set i 1} {$i <= $n+1} {incr i} {
          if {$i > $firsts && $i < $n-3 && $i % $step} continue
          do_faultsim_test $name-$where-$lookaside -faults $kind \
            -start $i -end $i -prep $prep -body { db eval $::sql } \
            -test { judge $testrc $testresult }
        }
      }
    }
  }
}

# ---- files ----------------------------------------------------------------

# What the file is after an error of the disk is known to who opens it next.
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
  # In rollback mode most of the files' life is in COMMIT.
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
