# SPDX-License-Identifier: 0BSD
# Runs what sql/CLUSTERS.md shows for one engine, in an empty folder. Prints
# what is wrong, and exits with 1 if anything is.
#
#   tclsh page.tcl ROOT BUILD FOLDER ENGINE ?PORT AS-IN-THE-PAGE...?

set ports [lassign $argv root build folder engine]
source $root/tool/example.tcl

file delete -force $folder
file mkdir $folder
file link -symbolic $folder/sql $root/sql
file link -symbolic $folder/build $build
set fd [open $root/sql/CLUSTERS.md]
fconfigure $fd -encoding utf-8
set text [read $fd]
close $fd

set section ""
foreach row [split $text \n] {
  regexp {^## (.*)$} $row - section
  append sections([string tolower $section]) $row \n
}
foreach heading [list "the texts" $engine] {
  foreach {info - rows} [example::fences $sections($heading)] {
    if {$info ne "sh"} continue
    set rows [lmap row $rows { string map $ports $row }]
    set wrong [example::sh $rows $folder]
    if {$wrong ne ""} {
      puts "$heading: $wrong"
      exit 1
    }
  }
}
