# SPDX-License-Identifier: 0BSD
# What versioned tables cost, as ratios: builds test/bench.c against the
# system's SQLite, runs it, and says on which machine.
#
#   tclsh tool/bench.tcl LIBRARY ?OPTION ...? ?NAME ...?
#
# Options and names go to the program; without a name it runs all of them.

namespace eval bench {
  variable home [file dirname [file dirname [file normalize [info script]]]]
}

# The first line of a file that matches, and in it the first bracket.
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

proc bench::main {argv} {
  variable home
  set folder $home/build/bench
  file mkdir $folder
  exec gcc -std=c11 -O2 -Wall -Wextra -o $folder/bench $home/test/bench.c \
      -lsqlite3 >@ stdout 2>@ stderr
  puts "SQLite [exec sqlite3 --version]"
  puts "[machine]; CPU time, medians of repetitions in turn"
  flush stdout
  exec nice $folder/bench [file normalize [lindex $argv 0]] $folder \
      {*}[lrange $argv 1 end] >@ stdout 2>@ stderr
}

bench::main $argv
