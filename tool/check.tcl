# SPDX-License-Identifier: 0BSD
# The checks that keep the tree honest, one file each in tool/check/.
#
#   tclsh tool/check.tcl ?-root DIR? ?CHECK ...?
#
# A check is a procedure check::NAME that takes the root of a tree and
# returns a list of problems, `file:line: what`. test/check.test shows each
# of them trees that are wrong.

namespace eval check {
  variable all {
    layers symbols reference names layout prose functions stores scripts lint
  }
  variable home [file dirname [file normalize [info script]]]
}
source $check::home/layers.tcl
source $check::home/reference.tcl
foreach name $check::all { source $check::home/check/$name.tcl }

# Run one check. A check that fails to run is a problem as well.
proc check::problems {name root} {
  if {[catch {$name $root} result]} {
    return [list "check $name: $result"]
  }
  return $result
}

proc check::main {argv} {
  variable all
  variable home
  set root [file dirname $home]
  if {[lindex $argv 0] eq "-root"} {
    set root [file normalize [lindex $argv 1]]
    set argv [lrange $argv 2 end]
  }
  if {[llength $argv]} { set names $argv } else { set names $all }
  array set count {0 0 1 0}
  foreach name $names {
    set problems [problems $name $root]
    set bad [expr {[llength $problems] > 0}]
    incr count($bad)
    puts "[lindex {ok FAIL} $bad] $name"
    foreach problem $problems { puts "  $problem" }
  }
  puts "$count(0) checks passed, $count(1) failed"
  return $count(1)
}

if {[info exists argv0]
    && [file normalize $argv0] eq [file normalize [info script]]} {
  exit [expr {[check::main $argv] > 0}]
}
