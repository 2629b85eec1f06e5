# SPDX-License-Identifier: 0BSD
# What versioned tables, locks and turns cost, as ratios: builds the programs
# of test/bench that are listed below against the system's SQLite, runs them,
# and prints on which machine.
#
#   tclsh tool/bench.tcl LIBRARY ?OPTION ...? ?NAME ...?
#
# Options and names go to each program; without a name it runs all it has.

namespace eval bench {
  variable home [file dirname [file dirname [file normalize [info script]]]]
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

# The programs of test/bench.
namespace eval bench {
  variable programs {bench benchlock benchturn benchwait benchnotify}
}

proc bench::main {argv} {
  variable home
  variable programs
  set folder $home/build/bench
  if {[info exists ::env(INTERLOCK_BUILD)]} {
    set folder $::env(INTERLOCK_BUILD)/bench
  }
  set library [file normalize [lindex $argv 0]]
  set args [lrange $argv 1 end]
  file mkdir $folder
  puts "SQLite [exec sqlite3 --version]"
  puts "[machine]; CPU time, medians of repetitions in turn"
  flush stdout
  foreach program $programs {
    exec gcc -std=c11 -O2 -Wall -Wextra -o $folder/$program \
        $home/test/bench/$program.c -lsqlite3 >@ stdout 2>@ stderr
    exec nice $folder/$program $library $folder {*}$args >@ stdout 2>@ stderr
  }
}

bench::main $argv
