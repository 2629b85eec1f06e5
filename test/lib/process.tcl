# SPDX-License-Identifier: 0BSD
# Other processes for tests. They run the same program as this one (tclsh or
# SQLite's testfixture), have the words of test/lib/world.tcl, and get their
# commands over pipes.
#
#   process NAME ?FILE?   start one and make the command NAME for it; with a
#                         FILE it has `db` open on it, the extension loaded
#   NAME eval SCRIPT      run a script there: its result, or its error
#   NAME sql SQL          the same for `db eval SQL`
#   NAME start SCRIPT     begin a script and do not wait for it
#   NAME running          1 until what was started has ended
#   NAME wait ?MS?        its result, or its error
#   NAME pid
#   NAME signal STOP      any signal
#   NAME kill             SIGKILL, and wait until it has ended
#   NAME close            let it end by itself; an error if it ends badly
#
# Every wait is bounded: past the world's patience the process is killed and
# the word raises an error. A message is its length in bytes, a line feed,
# and a script, or for the answer the list {rc result}.

namespace eval process {
  variable harness [file join [file dirname [file normalize [info script]]] \
                      harness.tcl]
  variable all {}       ;# names of those that run
  variable channel      ;# name -> pipe
  variable unread       ;# name -> bytes of an answer that have come
  variable event 0      ;# written when a pipe or a timer has something
}

# ---- the side of the test -------------------------------------------------

proc process {name {file ""}} {
  if {$name in $process::all} { process::close $name }
  process::launch $name
  interp alias {} ::$name {} ::process::call $name
  if {[in_testfixture]} {
    # Where SQLite's lock bytes are: testfixture moves them.
    process::eval $name \
      [list sqlite3_test_control_pending_byte $::sqlite_pending_byte]
  }
  if {$file ne ""} {
    process::eval $name [list interlock_open db [file normalize $file]]
  }
  return $name
}

proc process::launch {name} {
  variable harness
  variable all
  variable channel
  variable unread
  set channel($name) [open |[list [info nameofexecutable] $harness process \
                               2>@stderr] r+]
  fconfigure $channel($name) -translation binary -blocking 0
  set unread($name) ""
  lappend all $name
}

proc process::call {name word args} {
  if {$word ni {eval sql start running wait pid signal kill close}} {
    error "process $name: no such word: $word"
  }
  $word $name {*}$args
}

proc process::eval {name script} {
  start $name $script
  wait $name
}
proc process::sql {name sql} {
  eval $name [list db eval $sql]
}
proc process::start {name script} {
  variable channel
  set bytes [encoding convertto utf-8 $script]
  puts -nonewline $channel($name) "[string length $bytes]\n$bytes"
  flush $channel($name)
}

# The answer as {rc result}, or an empty list if it has not come completely.
proc process::answer {name} {
  variable channel
  variable unread
  append unread($name) [read $channel($name)]
  set n [string first \n $unread($name)]
  if {$n > 0} {
    set end [expr {$n + [string range $unread($name) 0 $n-1]}]
    if {[string length $unread($name)] > $end} {
      set bytes [string range $unread($name) $n+1 $end]
      set unread($name) [string range $unread($name) $end+1 end]
      return [encoding convertfrom utf-8 $bytes]
    }
  }
  if {[eof $channel($name)]} {
    gone $name
    error "process $name: ended without an answer"
  }
  return {}
}
proc process::running {name} {
  variable unread
  variable channel
  set got [answer $name]
  if {$got eq ""} { return 1 }
  # `wait` reads the answer again.
  set bytes [encoding convertto utf-8 $got]
  set unread($name) "[string length $bytes]\n$bytes$unread($name)"
  return 0
}
proc process::wait {name {ms ""}} {
  if {$ms eq ""} { set ms $::world::patience }
  set end [expr {[clock milliseconds] + $ms}]
  while {[set got [answer $name]] eq ""} {
    if {![await $name $end]} {
      kill $name
      error "process $name: no answer within $ms ms"
    }
  }
  lassign $got rc result
  return -code [expr {$rc == 1}] $result
}
# Waits until the process writes something. Returns 1, or 0 when the time is
# over.
proc process::await {name end} {
  variable channel
  variable event
  set ms [expr {$end - [clock milliseconds]}]
  if {$ms <= 0} { return 0 }
  set timer [after $ms [list set ::process::event late]]
  fileevent $channel($name) readable [list set ::process::event come]
  vwait ::process::event
  after cancel $timer
  fileevent $channel($name) readable {}
  return [expr {$event eq "come"}]
}

proc process::pid {name} {
  variable channel
  ::pid $channel($name)
}
proc process::signal {name signal} {
  # With a Turkish locale kill does not know CONT.
  exec env LC_ALL=C kill -$signal [pid $name]
  if {$signal eq "STOP"} { stopped $name }
}
# Waits until all threads of the process stand still, a moment after the signal.
proc process::stopped {name} {
  set end [expr {[clock milliseconds] + $::world::patience}]
  set running 1
  while {$running && [clock milliseconds] < $end} {
    set running 0
    foreach path [glob -nocomplain /proc/[pid $name]/task/*/stat] {
      if {[catch { set fd [open $path] }]} continue
      if {[regexp {^\d+ \(.*\) ([A-Z])} [read $fd] - state]
          && $state ni {T t Z X}} { set running 1 }
      chan close $fd
    }
    if {$running} { after 1 }
  }
}
proc process::kill {name} {
  signal $name KILL
  gone $name
  return ""
}
proc process::close {name} {
  variable channel
  variable all
  if {$name ni $all} return
  chan close $channel($name) write
  set end [expr {[clock milliseconds] + $::world::patience}]
  while {[read $channel($name)] ne "" || ![eof $channel($name)]} {
    if {![await $name $end]} {
      kill $name
      error "process $name: does not end"
    }
  }
  if {[set bad [gone $name]] ne ""} { error "process $name: $bad" }
}
# Frees everything that belongs to a process that ends or has ended. Returns how
# the process ended, if that is an error.
proc process::gone {name} {
  variable all
  variable channel
  fconfigure $channel($name) -blocking 1
  set failed [catch { chan close $channel($name) } message]
  set all [lsearch -all -inline -not -exact $all $name]
  interp alias {} ::$name {}
  return [expr {$failed ? $message : ""}]
}
# For finish_test. A process that ends with an error is a failure.
proc process::closeAll {} {
  variable all
  foreach name $all {
    if {[catch { close $name } message]} {
      do_test process-$name-ends [list error $message] {}
    }
  }
}

# ---- the side of the process ----------------------------------------------

proc process::serve {} {
  # The pipe is for answers, so the output of a script goes to stderr.
  rename ::puts ::process::put
  proc ::puts {args} {
    set last [lindex $args end]
    switch -- [llength $args],[lindex $args 0] {
      1,$last { ::process::put stderr $last }
      2,-nonewline { ::process::put -nonewline stderr $last }
      default { ::process::put {*}$args }
    }
  }
  foreach pipe {stdin stdout} { fconfigure $pipe -translation binary }
  while {[gets stdin length] > 0} {
    set script [encoding convertfrom utf-8 [read stdin $length]]
    set rc [catch { uplevel #0 $script } result]
    set bytes [encoding convertto utf-8 [list $rc $result]]
    ::process::put -nonewline stdout "[string length $bytes]\n$bytes"
    flush stdout
  }
  exit 0
}
