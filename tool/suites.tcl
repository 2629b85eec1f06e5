# SPDX-License-Identifier: 0BSD
# The suites of test/suites: tests that others wrote, with Interlock below them.
#
#   tclsh tool/suites.tcl ?SUITE...?
#
# One line a suite, and what is not as list.tcl of test/suites says. The last
# line is `N passed, N failed`.
#
# INTERLOCK_BUILD is the folder of all that is made, instead of build/.

namespace eval suites {
  variable home [file dirname [file dirname [file normalize [info script]]]]
  variable build $home/build
  if {[info exists ::env(INTERLOCK_BUILD)]} {
    set build $::env(INTERLOCK_BUILD)
  }
  variable all {}          ;# name -> dict, as in the list
  variable seconds 600     ;# that one suite may take, with what it gets
}
source $suites::home/tool/csource.tcl

# The command of the list that describes a suite.
proc suites::suite {name about} {
  variable all
  dict set all $name $about
}

# Runs a suite. Returns what it has printed. What it gets is shared by the
# suites that run the same command.
proc suites::run {about} {
  variable home
  variable build
  variable seconds
  set command [dict get $about run]
  set folder [file join $build suites [regsub -all {[^\w.]+} \
    [join [lrange [split $command /] 1 end]] -]]
  file mkdir $folder
  set env [list SRC=$home/test/suites INTERLOCK=$build/interlock \
    "OPTIONS=[dict get $about options]"]
  catch {
    exec env {*}$env timeout $seconds sh -c "cd '$folder' && $command" \
      </dev/null 2>@1
  } output
  return $output
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

proc suites::main {names} {
  variable all
  variable home
  set nPassed 0
  set nFailed 0
  set page [csource::slurp $home/sql/RECIPES.md]
  source $home/test/suites/list.tcl
  foreach name $names {
    if {![dict exists $all $name]} {
      puts stderr "suites: no such suite: $name"
      exit 2
    }
  }
  dict for {name about} $all {
    if {[llength $names] && $name ni $names} continue
    set output [run $about]
    set bad [judge $name $about $output $page]
    if {[llength $bad]} {
      incr nFailed
      puts "FAIL $name"
      foreach line $bad { puts "  $line" }
    } else {
      incr nPassed
      puts "ok   $name: [dict get $about passed] passed,\
        [regexp -all -line {^~failed } $output] known to fail"
    }
  }
  puts "$nPassed passed, $nFailed failed"
  exit [expr {$nFailed > 0}]
}
namespace eval suites { main $::argv }
