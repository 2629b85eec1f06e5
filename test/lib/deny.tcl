# SPDX-License-Identifier: 0BSD
# An authorizer that denies, and an interrupt, during a change of the schema
# that must be all or nothing. For test/*deny.test.
#
#   do_deny_test NAME TABLES SQL
#
# TABLES makes the database. SQL is disturbed: at every point with DENY_EVERY=1,
# else at some points. The SQL in `connect` is run on each connection first.

source $world::home/test/lib/state.tcl

# The kinds: `once`, the n-th call of the authorizer denies; `on`, all calls
# from there on deny, except for the end of a transaction; `interrupt`, at every
# tenth instruction; `ends`, at each of the first and of the last instructions;
# `call`, sqlite3_interrupt() is called at the n-th call of the authorizer, and
# also ends everything that is compiled or begun after it.
proc ask {code args} {
  set isEnd [expr {$code in {SQLITE_TRANSACTION SQLITE_SAVEPOINT}}]
  incr ::count
  lappend ::asked $code
  if {$::kind eq "call"} {
    if {$::count == $::fatal} { db interrupt }
    return SQLITE_OK
  }
  if {$::kind eq "once"} {
    set no [expr {$::count == $::fatal}]
  } else {
    set no [expr {$::count >= $::fatal && $::fatal && !$isEnd}]
  }
  if {$no} { return SQLITE_DENY }
  return SQLITE_OK
}
proc tick {} { expr {[incr ::count] == $::fatal} }

# Runs SQL, disturbed at point n. Returns {rc result}, and sets ::count to the
# number of points.
proc hindered {sql n} {
  set ::count 0
  set ::fatal $n
  set ::asked {}
  switch $::kind {
    interrupt { db progress 10 tick }
    ends { db progress 1 tick }
    default { db auth ask }
  }
  set rc [catch { db eval $sql } result]
  db auth {}
  db progress 0 {}
  list $rc $result
}
proc prepared {before} {
  db_restore_and_reopen
  interlock_load db
  db eval {SELECT * FROM sqlite_master}
  db eval $::connect
  db eval $before
  set ::before [state db]
}
proc is_open {} { catch { db eval {SAVEPOINT x; RELEASE x; BEGIN; ROLLBACK} } }

# The texts of the errors. SQLite 3.34 has other texts for a denial inside
# another statement, and for a denial to connect the table.
set clean {not authorized|prohibited|interrupted|authorization denied|}
append clean {no such table: versioned_tables}
# It has no text for a denial inside ALTER TABLE.
if {[sqlite_number] < 3035000} { append clean {|^SQL logic error$} }
# Any version has this one if it may not compile the SELECT behind SET (...) =.
append clean {|^\d+ columns assigned \d+ values(?: \(not repaired: |$)}

# An interrupt that comes when everything is done changes nothing, but the
# statement still reports that it was interrupted. SQLite's own statements do
# the same (the test `own`). This is so from one of the last instructions on.
proc is_done {i} {
  global kind count doneAt n
  if {$kind eq "interrupt" && $i < $n} { return 0 }
  if {$kind eq "ends" && $i < $n - 10} { return 0 }
  expr {$kind in {interrupt ends} && [info exists doneAt]}
}

# Up to which point the transaction of the user must go on. A function undoes
# its work by a savepoint. In a statement that writes, each step is undone by
# itself, but not if that is denied as well, nor after a table was made, nor, in
# SQLite 3.34, a column. An interrupt in a statement that writes ends the
# transaction.
proc goes_on {name asked} {
  global kind
  if {$kind in {interrupt ends call}} { return 0 }
  if {![string match table-* $name]} { return [llength $asked] }
  set ends {SQLITE_CREATE_TABLE}
  if {[sqlite_number] < 3035000} { lappend ends SQLITE_ALTER_TABLE }
  if {$kind eq "on"} {
    lappend ends SQLITE_CREATE_TRIGGER SQLITE_DROP_TRIGGER SQLITE_ALTER_TABLE
  }
  set point 0
  foreach code $asked {
    incr point
    if {$code in $ends} break
  }
  return $point
}

proc judged {r where i} {
  global first before after doneAt goesOn
  lassign $r rc result
  set isOpen [is_open]
  set now [state db]
  if {$rc && ![regexp $::clean $result]} {
    return "the error is $result"
  }
  if {$rc && $now eq $after && $after ne $before && ![info exists doneAt]} {
    set doneAt $i
  }
  if {!$rc || [is_done $i]} {
    set expected $after
  } else {
    set expected [expr {$isOpen ? $before : $first}]
  }
  if {$now ne $expected} {
    return "$rc {$result} $isOpen: [state_differ $expected $now]"
  }
  if {$where eq "auto" ? $isOpen : !$isOpen && $i <= $goesOn} {
    return "transaction: $isOpen"
  }
  if {$isOpen} { db eval COMMIT }
  sqlite3 db2 test.db
  set seen [state db2]
  db2 close
  set expected [state_shared $expected]
  if {$seen ne $expected} { return "seen: [state_differ $expected $seen]" }
}

# Those of the n points that are tried: without DENY_EVERY about five.
proc points {kind n} {
  set every [info exists ::env(DENY_EVERY)]
  set step [expr {$every ? 1 : $n/5 + 1}]
  set end [expr {$every ? 60 : 5}]
  set points {}
  for {set i 1} {$i <= $n} {incr i} {
    if {$kind eq "ends" ? $i <= $end || $i > $n - $end
        : $i % $step == 1 % $step || $kind eq "interrupt" && $i == $n} {
      lappend points $i
    }
  }
  return $points
}
# SQL that each connection runs first.
set connect {}
proc do_deny_test {name tables sql} {
  global first after kind count n doneAt goesOn asked connect
  reset_db
  interlock_load db
  db eval {CREATE TABLE other(x)}
  db eval $tables
  db_save_and_close
  prepared {}
  set first [state db]
  foreach {where before} {
    auto {}
    begin {BEGIN; INSERT INTO other VALUES('mine')}
    savepoint {BEGIN; INSERT INTO other VALUES('mine'); SAVEPOINT s}
  } {
    foreach kind {once on interrupt ends call} {
      prepared $before
      set r [hindered $sql 0]
      set n $count
      set after [state db]
      set goesOn [goes_on $name $asked]
      unset -nocomplain doneAt
      set bad {}
      foreach i [points $kind $n] {
        prepared $before
        set what [judged [hindered $sql $i] $where $i]
        if {$what ne ""} { lappend bad $i $what }
      }
      do_test $name-$where-$kind [list list [lindex $r 0] $bad] {0 {}}
    }
  }
}
