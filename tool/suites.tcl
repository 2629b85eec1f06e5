# SPDX-License-Identifier: 0BSD
# The suites of test/suites: tests that others wrote, with Interlock below them.
#
#   tclsh tool/suites.tcl ?-from FOLDER? ?SUITE...?
#
# One line a suite, and what is not as list.tcl of test/suites says. The last
# line is `N passed, N failed`, with how many were skipped, if any were: their
# version cannot be had here. With CI=true that is a failure, unless another
# version of the same suite has run. -from takes the list and the scripts from
# another folder.
#
# INTERLOCK_BUILD is the folder of all that is made, instead of build/.

namespace eval suites {
  variable home [file dirname [file dirname [file normalize [info script]]]]
  variable build $home/build
  if {[info exists ::env(INTERLOCK_BUILD)]} {
    set build $::env(INTERLOCK_BUILD)
  }
  variable all {}          ;# name -> dict, as in the list
  variable source $home/test/suites
  variable seconds 600     ;# that one suite may take, with what it gets
  variable jobs 2          ;# how many at a time
  variable nPassed 0
  variable nFailed 0
  variable skipped {}      ;# name -> why
}
source $suites::home/tool/csource.tcl

# The command of the list that describes a suite.
proc suites::suite {name about} {
  variable all
  dict set all $name [dict merge [list of $name] $about]
}

# The folder of a suite. What a suite gets is shared by those that run the same
# command, and stays there.
proc suites::folder {name} {
  variable all
  variable build
  set words [lrange [split [dict get $all $name run] /] 1 end]
  return [file join $build suites [regsub -all {[^\w.]+} [join $words] -]]
}

# Runs suites, some at a time, but only one in a folder. Each that ends is
# reported.
proc suites::runAll {names} {
  variable toDo $names
  variable busy {}         ;# folder -> the suite that runs there
  begin
  while {[dict size $busy]} { vwait suites::busy }
}
# Begins what can run now.
proc suites::begin {} {
  variable toDo
  variable busy
  variable jobs
  foreach name $toDo {
    set folder [folder $name]
    if {[dict size $busy] == $jobs} return
    if {[dict exists $busy $folder]} continue
    set toDo [lsearch -all -inline -not -exact $toDo $name]
    dict set busy $folder $name
    run $name $folder
  }
}
proc suites::run {name folder} {
  variable all
  variable source
  variable build
  variable seconds
  variable outputs
  file mkdir $folder
  set env [list SRC=$source INTERLOCK=$build/interlock \
    "OPTIONS=[dict get $all $name options]"]
  set script "cd '$folder' && [dict get $all $name run]"
  set pipe [open |[list env {*}$env timeout $seconds sh -c $script \
                     </dev/null 2>@1] r]
  fconfigure $pipe -blocking 0 -encoding utf-8
  set outputs($name) ""
  fileevent $pipe readable [list suites::readFrom $pipe $name $folder]
}
proc suites::readFrom {pipe name folder} {
  variable busy
  variable outputs
  append outputs($name) [read $pipe]
  if {![eof $pipe]} return
  fconfigure $pipe -blocking 1
  set status 0
  if {[catch { close $pipe } - options]} {
    set status [lindex [dict get $options -errorcode] 2]
  }
  if {$status == 124} {
    append outputs($name) "\nnot ended after $suites::seconds s"
  }
  if {$status == 101} {
    skip $name [lindex [split [string trim $outputs($name)] \n] end]
  } else {
    report $name $outputs($name)
  }
  dict unset busy $folder
  begin
}

# Does a name of the list stand for a test? Only `*` is special in it.
proc suites::stands {glob test} {
  return [string match [string map {\\ \\\\ [ \\[ ? \\?} $glob] $test]
}

# Returns the lines about a suite that is not as it should be.
proc suites::judge {name about output page} {
  set bad {}
  set failed [lmap {- test} [regexp -all -inline -line {^~failed (\S+)$} \
                             $output] { set test }]
  set known [dict keys [dict get $about fails]]
  foreach test $failed {
    set found 0
    foreach glob $known { incr found [stands $glob $test] }
    if {!$found} { lappend bad "fails: $test" }
  }
  foreach glob $known {
    set found 0
    foreach test $failed { incr found [stands $glob $test] }
    if {!$found} { lappend bad "passes, and list.tcl says not: $glob" }
    regexp {\w+} [lindex [split $glob .] end] word
    if {[dict get $about options] ne {} && [string first $word $page] < 0} {
      lappend bad "sql/RECIPES.md does not name $glob"
    }
  }
  set ns [regexp -all -inline -line {^~passed \d+$} $output]
  set n [expr [join [linsert [lmap line $ns { lindex $line 1 }] 0 0] +]]
  if {$n != [dict get $about passed]} {
    lappend bad "$n passed, and list.tcl says [dict get $about passed]"
  }
  set used [expr {[dict get $about options] eq {} ? {locks} : {declared}}]
  if {![regexp -line "^~$used \[1-9]" $output]} {
    lappend bad "it has not used Interlock: no line ~$used N"
  }
  if {[llength $bad]} { lappend bad [string range $output end-4000 end] }
  return $bad
}

proc suites::report {name output} {
  variable all
  variable page
  variable nPassed
  variable nFailed
  set bad [judge $name [dict get $all $name] $output $page]
  if {[llength $bad]} {
    incr nFailed
    puts "FAIL $name"
    foreach line $bad { puts "  $line" }
  } else {
    incr nPassed
    puts "ok   $name: [dict get $all $name passed] passed,\
      [regexp -all -line {^~failed } $output] known to fail"
  }
  flush stdout
}

# A suite that this machine cannot have, and the line that says why.
proc suites::skip {name why} {
  variable skipped
  dict set skipped $name $why
  puts "skip $name: $why"
  flush stdout
}
# In CI some version of each suite must have run.
proc suites::judgeSkips {names} {
  variable all
  variable skipped
  variable nFailed
  set ran {}
  foreach name $names {
    if {![dict exists $skipped $name]} { lappend ran [dict get $all $name of] }
  }
  foreach of [lsort -unique [lmap name [dict keys $skipped] {
    dict get $all $name of
  }]] {
    if {$of ni $ran} {
      puts "FAIL $of: in CI a version of it must run"
      incr nFailed
    }
  }
}

proc suites::main {names} {
  variable all
  variable home
  variable nPassed
  variable nFailed
  variable skipped
  variable source
  variable page [csource::slurp $home/sql/RECIPES.md]
  if {[lindex $names 0] eq "-from"} {
    set names [lassign $names - source]
    set source [file normalize $source]
  }
  source $source/list.tcl
  foreach name $names {
    if {![dict exists $all $name]} {
      puts stderr "suites: no such suite: $name"
      exit 2
    }
  }
  if {![llength $names]} { set names [dict keys $all] }
  runAll $names
  if {[info exists ::env(CI)] && $::env(CI) eq "true"} { judgeSkips $names }
  set last "$nPassed passed, $nFailed failed"
  if {[dict size $skipped]} { append last ", [dict size $skipped] skipped" }
  puts $last
  exit [expr {$nFailed || !$nPassed}]
}
namespace eval suites { main $::argv }
