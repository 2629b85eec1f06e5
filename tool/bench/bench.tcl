# SPDX-License-Identifier: 0BSD
# What versioned tables, locks and turns cost: builds the programs of this
# folder that are listed below against the system's SQLite, runs them, and
# prints on which machine.
#
#   tclsh tool/bench/bench.tcl LIBRARY ?OPTION VALUE ...? ?NAME ...?
#   tclsh tool/bench/bench.tcl -build FOLDER     only builds them, into a folder
#
# Names select parts of them, without one all are run. tool/bench/runner.h has
# the options that all programs know, the head of each program its own; an
# option goes to the programs that know it.

namespace eval bench {
  variable home [file dirname [file normalize [info script]]]
}

# What the brackets of a pattern match in the first line of a file that it
# matches.
proc bench::grep {file pattern} {
  if {[catch { open $file } fd]} { return unknown }
  set found unknown
  while {[gets $fd line] >= 0} {
    if {[regexp $pattern $line - found]} break
  }
  close $fd
  return $found
}

proc bench::machine {} {
  set cpu [grep /proc/cpuinfo {^model name\s*: (.*)}]
  set load [grep /proc/loadavg {^(\S+)}]
  return "$cpu, [exec nproc] CPUs, load $load when it began"
}

# The programs, in the order in which they run.
namespace eval bench {
  variable programs {tables lock turn wait notify updates queue beside}
}

# The files of a program: its own, and that of each header which one of them
# includes.
proc bench::sources {program} {
  variable home
  set files $program.c
  for {set i 0} {$i < [llength $files]} {incr i} {
    set fd [open $home/[lindex $files $i]]
    foreach {- name} [regexp -all -inline {#include "(\w+)\.h"} [read $fd]] {
      if {"$name.c" ni $files} { lappend files $name.c }
    }
    close $fd
  }
  return [lmap file $files { string cat $home/ $file }]
}

# Builds a program. Returns its path.
proc bench::build {program folder} {
  exec gcc -std=c11 -O2 -Wall -Wextra -o $folder/$program \
    {*}[sources $program] -lsqlite3 -lpthread >@ stdout 2>@ stderr
  return $folder/$program
}

# Splits arguments into a dict of options and a list of names.
proc bench::arguments {argv} {
  set options [dict create]
  set names {}
  while {[llength $argv]} {
    set argv [lassign $argv word]
    if {[string match -* $word]} {
      if {![llength $argv]} { error "no value for $word" }
      set argv [lassign $argv value]
      dict set options $word $value
    } else {
      lappend names $word
    }
  }
  return [list $options $names]
}

# What each program is to run: a list of program, its options and its names.
# `has` is a list of program, its parts and its options.
proc bench::plan {has argv} {
  lassign [arguments $argv] options names
  set plan {}
  set parts {}
  set known {}
  foreach {program its knows} $has {
    lappend parts {*}$its
    lappend known {*}$knows
    set wanted [lmap name $names {
      if {$name ni $its} continue
      set name
    }]
    if {[llength $names] && ![llength $wanted]} continue
    lappend plan $program [dict filter $options script {name -} {
      expr {$name in $knows}
    }] $wanted
  }
  foreach {words allowed} [list $names $parts [dict keys $options] $known] {
    foreach word $words {
      if {$word ni $allowed} {
        error "$word? Allowed are [lsort -unique $allowed]"
      }
    }
  }
  return $plan
}

proc bench::main {argv} {
  variable home
  variable programs
  if {[lindex $argv 0] eq "-build"} {
    foreach program $programs { build $program [lindex $argv 1] }
    return
  }
  set folder [file dirname [file dirname $home]]/build/bench
  if {[info exists ::env(INTERLOCK_BUILD)]} {
    set folder $::env(INTERLOCK_BUILD)/bench
  }
  file mkdir $folder
  set has {}
  foreach program $programs {
    lassign [split [exec [build $program $folder] -list] \n] parts options
    lappend has $program $parts $options
  }
  set library [file normalize [lindex $argv 0]]
  set plan [plan $has [lrange $argv 1 end]]
  puts "SQLite [exec sqlite3 --version]"
  puts "[machine]; CPU time, medians of repetitions in turn"
  flush stdout
  foreach {program options names} $plan {
    exec nice $folder/$program $library $folder {*}$options {*}$names \
      >@ stdout 2>@ stderr
  }
}

if {[info exists argv0]
    && [file normalize $argv0] eq [file normalize [info script]]} {
  if {[catch { bench::main $argv } message]} {
    puts stderr "bench: $message"
    exit 1
  }
}
