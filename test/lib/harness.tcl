# SPDX-License-Identifier: 0BSD
# The harness: every test file begins with
#
#   source [file join [file dirname [file normalize [info script]]] lib \
#             harness.tcl]
#
# and ends with finish_test. Under plain tclsh this file defines those words of
# SQLite's own tester.tcl that the tests use, with the same meaning and the same
# output. Inside SQLite's testfixture it sources tester.tcl instead.
# test/README.md lists the words.
#
# A test runs in a folder of its own, which tool/runtests.tcl makes. A test
# that is run by hand gets one here, and is started again inside it.

source [file join [file dirname [file normalize [info script]]] world.tcl]
source $world::home/test/lib/process.tcl

# ---- run by hand ----------------------------------------------------------

namespace eval harness {
  variable byHand [expr {![info exists ::env(INTERLOCK_SCRATCH)]}]
  variable scratch $world::build/scratch/by-hand-[pid]
}
if {[lindex $argv 0] eq "process"} {
  # This is a process of test/lib/process.tcl.
  world::wrap
  process::serve
}
if {$harness::byHand} {
  set argv0 [file normalize $argv0]
  set env(INTERLOCK_SCRATCH) $harness::scratch
  file mkdir $harness::scratch
  cd $harness::scratch
  rename exit harness::exit
  proc exit {{code 0}} {
    cd $::world::home
    if {$code == 0} { file delete -force $::harness::scratch }
    harness::exit $code
  }
  if {[catch { source $argv0 }]} {
    puts stderr $errorInfo
  } else {
    puts stderr "$argv0: ended without finish_test"
  }
  exit 1
}

# Ends a test file that means nothing in this world, and prints why.
proc needs {condition reason} {
  if {[uplevel 1 [list expr $condition]]} return
  puts "Skipped: needs $reason"
  finish_test
}

# Reports a test that cannot run on this machine as omitted. Only in `make test`
# may something be missing that tool/deps installs; elsewhere that is a failure.
proc skip_test {name reason} {
  puts "Omitted: $name: needs $reason"
  if {[world] eq "quick"} return
  do_test $name [list error "needs $reason"] {}
}

# A program as a test: it must end in time with exit status 0. Prints its
# output. Exit status 77 means that the program could not run.
proc do_program_test {name seconds args} {
  set result [harness::program $seconds $args]
  if {$result eq "ends with 77"} {
    skip_test $name "what it says above"
    return
  }
  do_test $name [list string cat $result] passes
}
proc harness::program {seconds command} {
  set failed [catch {
    exec timeout --kill-after=5 $seconds {*}$command 2>@1
  } output options]
  puts "\n$output"
  if {!$failed} { return passes }
  set status [lindex [dict get $options -errorcode] end]
  return [expr {$status == 124 ? "timed out" : "ends with $status"}]
}

# Deletes the files that tester.tcl leaves.
proc harness::forget {} {
  catch { db close }
  foreach file [glob -nocomplain test.db*] { forcedelete $file }
}

# ---- in SQLite's testfixture ----------------------------------------------

if {[in_testfixture]} {
  set testdir $env(INTERLOCK_TESTER)
  source $testdir/tester.tcl
  source $testdir/lock_common.tcl
  source $testdir/malloc_common.tcl
  world::wrap
  rename reset_db harness::reset_db
  proc reset_db {} {
    harness::forget
    harness::reset_db
  }
  rename finish_test harness::finish_test
  proc finish_test {} {
    process::closeAll
    harness::finish_test
  }
  # The processes of do_multiclient_test have the words of this project as well.
  rename launch_testfixture harness::launch_testfixture
  proc launch_testfixture {{program ""}} {
    set pipe [harness::launch_testfixture $program]
    testfixture $pipe [list source $world::home/test/lib/world.tcl]
    testfixture $pipe world::wrap
    return $pipe
  }
  reset_db
  return
}

# ---- the words of tester.tcl ----------------------------------------------

world::wrap

namespace eval harness {
  variable count 0
  variable failed {}
}

proc forcedelete {args} {
  foreach file $args { file delete -force -- $file }
}
proc forcecopy {from to} { file copy -force -- $from $to }
proc reset_db {} {
  harness::forget
  sqlite3 db test.db
}
proc db_delete_and_reopen {{file test.db}} {
  harness::forget
  sqlite3 db $file
}
proc faultsim_delete_and_reopen {{file test.db}} { db_delete_and_reopen $file }
proc db_save {} {
  foreach file [glob -nocomplain sv_test.db*] { forcedelete $file }
  foreach file [glob -nocomplain test.db*] { forcecopy $file sv_$file }
}
proc db_save_and_close {} {
  db_save
  catch { db close }
  return ""
}
proc db_restore {} {
  foreach file [glob -nocomplain test.db*] { forcedelete $file }
  foreach file [glob -nocomplain sv_test.db*] {
    forcecopy $file [string range $file 3 end]
  }
}
proc db_restore_and_reopen {{file test.db}} {
  catch { db close }
  db_restore
  sqlite3 db $file
}

proc execsql {sql {db db}} { uplevel 1 [list $db eval $sql] }
proc catchsql {sql {db db}} {
  set rc [catch { uplevel 1 [list $db eval $sql] } result]
  list $rc $result
}

# Whether a result matches what is expected: an exact text; /regexp/, with # for
# a number; /*glob*/ or *glob*. After a ~ in front it must not match.
proc harness::meets {expected result} {
  set is 1
  if {[regexp {^~(/.*/|\*.*\*)$} $expected - expected]} { set is 0 }
  if {[regexp {^/(\*.*)/$} $expected - glob]} {
    set ok [string match $glob $result]
  } elseif {[regexp {^/(.*)/$} $expected - pattern]} {
    set ok [regexp [string map {# {[-0-9.]+}} $pattern] $result]
  } elseif {[string match {[*]*[*]} $expected]} {
    set ok [string match $expected $result]
  } else {
    set ok [expr {$expected eq $result}]
  }
  expr {$ok == $is}
}

proc fix_testname {variable} {
  upvar 1 $variable name
  if {[info exists ::testprefix] && [string match {[0-9]*} $name]} {
    set name $::testprefix-$name
  }
}
proc do_test {name script expected} {
  fix_testname name
  incr harness::count
  puts -nonewline $name...
  flush stdout
  if {[catch { uplevel #0 $script } result]} {
    puts "\nError: $result"
    fail_test $name
  } elseif {[harness::meets $expected $result]} {
    puts " Ok"
  } else {
    puts "\n! $name expected: \[$expected\]\n! $name got:      \[$result\]"
    fail_test $name
  }
  flush stdout
}
proc fail_test {name} { lappend harness::failed $name }

# do_execsql_test ?-db DB? NAME SQL ?RESULT?
proc do_execsql_test {args} {
  set db db
  if {[lindex $args 0] eq "-db"} {
    set db [lindex $args 1]
    set args [lrange $args 2 end]
  }
  lassign $args name sql result
  fix_testname name
  uplevel 1 [list do_test $name [list execsql $sql $db] [list {*}$result]]
}
proc do_catchsql_test {name sql result} {
  fix_testname name
  uplevel 1 [list do_test $name [list catchsql $sql] $result]
}
proc integrity_check {name {db db}} {
  do_test $name [list execsql {PRAGMA integrity_check} $db] ok
}

# Run a script twice: with db2 and db3 in processes of their own, then in
# this one. code1..3 run Tcl where db, db2, db3 are, sql1..3 run SQL there,
# csql1..3 give {rc result}.
proc do_multiclient_test {variable script} {
  foreach round {1 2} {
    db_delete_and_reopen
    proc ::code1 {tcl} { uplevel #0 $tcl }
    if {$round == 1} {
      process multiclient2
      process multiclient3
      proc ::code2 {tcl} { multiclient2 eval $tcl }
      proc ::code3 {tcl} { multiclient3 eval $tcl }
    } else {
      proc ::code2 {tcl} { uplevel #0 $tcl }
      proc ::code3 {tcl} { uplevel #0 $tcl }
    }
    foreach n {1 2 3} db {db db2 db3} {
      if {$n > 1} { code$n [list sqlite3 $db test.db] }
      proc ::sql$n {sql} [format {code%d [list %s eval $sql]} $n $db]
      proc ::csql$n {sql} [format {list [catch { sql%d $sql } r] $r} $n]
    }
    uplevel 1 [list set $variable $round]
    uplevel 1 $script
    catch { code2 { db2 close } }
    catch { code3 { db3 close } }
    if {$round == 1} {
      multiclient2 close
      multiclient3 close
    }
    catch { db close }
  }
}

# The features of this SQLite, by the names that SQLite's tests use.
proc harness::options {} {
  foreach on {altertable autoinc autovacuum compound conflict fkey foreignkey
              incrblob integrityck json1 pragma schema_pragmas subquery
              tempdb trigger upsert utf16 vacuum view vtab wal windowfunc} {
    set ::sqlite_options($on) 1
  }
  foreach off {debug fts3 fts5 rtree memdebug session shared_cache stat4} {
    set ::sqlite_options($off) 0
  }
  sqlite3 harness_db :memory:
  foreach option [harness_db eval {PRAGMA compile_options}] {
    set name [string tolower [lindex [split $option =] 0]]
    if {[regexp {^omit_(.*)} $name - omitted]} {
      set ::sqlite_options($omitted) 0
    } else {
      regsub {^enable_} $name {} name
      set ::sqlite_options($name) 1
    }
  }
  harness_db close
}
harness::options
proc capable {expression} {
  regsub -all {\w+} $expression {$::sqlite_options(&)} expression
  expr $expression
}
proc ifcapable {expression script {else else} {otherwise ""}} {
  if {![capable $expression]} { set script $otherwise }
  set code [catch { uplevel 1 $script } result]
  return -code $code $result
}

proc finish_test {} {
  process::closeAll
  foreach db {db db1 db2 db3} { catch { $db close } }
  set errors [llength $harness::failed]
  puts "SQLite [sqlite3 -sourceid]"
  puts "$errors errors out of $harness::count tests in world [world]"
  if {$errors} { puts "!Failures on these tests: $harness::failed" }
  exit [expr {$errors > 0}]
}

reset_db
