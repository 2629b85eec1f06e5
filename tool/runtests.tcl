# SPDX-License-Identifier: 0BSD
# Run test files, in one world or several.
#
#   tclsh tool/runtests.tcl ?OPTION...? ?FILE...?
#
#   -world NAME...   comma-separated worlds, or `all`; quick if left out
#   -jobs N          files at a time, not counting those that mostly wait
#                    (tool/worlds.tcl); default: one more than there are cores,
#                    since every file waits now and then, but at most 3
#   -timeout S       seconds for a file, instead of the world's
#   -out DIR         for logs and scratch folders, instead of build/
#   -list            list the worlds and the files
#   -table           print the table of test/README.md
#   -readme          write it there (`make reference` does)
#
# A FILE is the name of a file in test/, with or without .test, or a path. Each
# file runs in a process and a process session of its own, in a folder of its
# own under build/scratch/, which is kept if the file fails. Its output goes to
# build/log/WORLD/. A file passes if its last lines say so, if it ended by
# itself with the exit status that they mean, if it left no process behind, and
# if no sanitizer complained. SEED and other variables of the environment reach
# the tests. The last line is `N passed, N failed`, and how many were skipped
# because this machine lacks what they need.

namespace eval runtests {
  variable home [file dirname [file dirname [file normalize [info script]]]]
  # The folder of all that is made: INTERLOCK_BUILD, or build/.
  variable build $home/build
  if {[info exists ::env(INTERLOCK_BUILD)]} {
    set build $::env(INTERLOCK_BUILD)
  }
  variable out $build
  variable jobs {}      ;# what is still to run: {world file}...
  variable running 0
  variable busy 0       ;# of those, without the ones that mostly wait
  variable done 0       ;# vwait
  variable sum {passed 0 failed 0}
  variable skipped 0    ;# files
  variable omitted 0    ;# single tests
  variable again {}     ;# how to run what failed
}
source $runtests::home/tool/worlds.tcl

# ---- what there is --------------------------------------------------------

# The head of a test file: {what worlds}. what is its first sentence; worlds
# are the patterns of a line `# Worlds: PATTERN...`, or *.
proc runtests::head {file} {
  set fd [open $file]
  fconfigure $fd -encoding utf-8
  set words {}
  set worlds *
  while {[gets $fd line] >= 0} {
    if {[string match *SPDX* $line]} continue
    if {[regexp {^# Worlds: (.*)$} $line - worlds]} continue
    if {![regexp {^# (.*)$} $line - text]} break
    lappend words {*}[split $text]
  }
  close $fd
  if {"Worlds:" in $words} { error "$file: `Worlds:` must begin a line" }
  set what [join $words]
  regexp {^(.*?[.:])(?: |$)} $what - what
  return [list [string trimright $what .:] $worlds]
}
proc runtests::files {} {
  variable home
  lsort [glob -nocomplain $home/test/*.test]
}
# The same, those that take longest first.
proc runtests::ordered {files} {
  variable home
  set early [lmap name $worlds::early { file join $home test $name.test }]
  concat [lmap file $early { if {$file ni $files} continue; set file }] \
      [lmap file $files { if {$file in $early} continue; set file }]
}
proc runtests::find {name} {
  variable home
  foreach path [list $name $home/test/$name $home/test/$name.test] {
    if {[file isfile $path]} { return [file normalize $path] }
  }
  error "no such test file: $name"
}
proc runtests::runsIn {file world} {
  foreach pattern [lindex [head $file] 1] {
    # Only files that name them run in these.
    if {$world in {c posix} && $pattern ne $world} continue
    if {[string match $pattern $world]} { return 1 }
  }
  return 0
}

proc runtests::listAll {} {
  foreach {name -} $worlds::all {
    set about [join [dict get [worlds::get $name] about]]
    puts [format "%-8s %s" $name $about]
  }
  puts ""
  foreach file [files] {
    lassign [head $file] what worlds
    puts [format "%-16s %s" [file rootname [file tail $file]] $what]
  }
}
# The table at the end of test/README.md; test/runner.test compares.
proc runtests::table {} {
  set lines {"| file | what | worlds |" |---|---|---|}
  foreach file [files] {
    lassign [head $file] what worlds
    if {$worlds eq "*"} { set worlds all }
    lappend lines "| [file tail $file] | $what | $worlds |"
  }
  return [join $lines \n]\n
}
proc runtests::readme {} {
  variable home
  set fd [open $home/test/README.md r+]
  fconfigure $fd -encoding utf-8
  set text [read $fd]
  set start [string first "| file | what | worlds |" $text]
  if {$start < 0} { error "test/README.md has lost its table" }
  set text [string range $text 0 $start-1][table]
  seek $fd 0
  puts -nonewline $fd $text
  chan truncate $fd
  close $fd
}

# ---- one world made ready -------------------------------------------------

# Builds SQLite as the worlds need it, several at a time, since one after the
# other would take minutes. A build that fails here fails again in `prepare`,
# which prints the reason. `static` is built only there: it needs the
# amalgamation.
proc runtests::prebuild {worlds} {
  variable home
  variable out
  set things {}
  foreach world $worlds {
    dict with world { lappend things $program $sqlite {*}$also }
  }
  set things [lsearch -all -inline -not -regexp [lsort -unique $things] \
                {^(tclsh|static|)$}]
  if {[llength $things] < 2} return
  file mkdir $out/log
  catch {
    exec [info nameofexecutable] $home/tool/sqlite.tcl {*}$things \
      >& $out/log/sqlite.build
  }
}

# Builds what a world needs. Returns the parts of its command, and its
# environment.
proc runtests::prepare {world} {
  variable home
  variable build
  variable out
  dict with world {
    set log $out/log/$name.build
    file mkdir [file dirname $log]
    # make takes no path with a space in it.
    if {$build ne "$home/build"} { lappend make B=$build }
    exec make -s -C $home {*}$make >& $log
    foreach part {program sqlite} {
      set value [set $part]
      if {$value ni {tclsh ""}} {
        set $part [exec [info nameofexecutable] $home/tool/sqlite.tcl $value \
                     2>> $log]
      }
    }
    foreach thing $also {
      exec [info nameofexecutable] $home/tool/sqlite.tcl $thing 2>> $log
    }
    if {$program eq "tclsh"} { set program [info nameofexecutable] }
    if {[info exists ::env(INTERLOCK_LIB)] && $name eq "quick"} {
      set library $::env(INTERLOCK_LIB)
    }
    foreach variable [dict keys $env] {
      if {[info exists ::env($variable)]} { dict unset env $variable }
    }
    lappend env INTERLOCK_WORLD $name INTERLOCK_JOURNAL $journal \
      INTERLOCK_BUILD $build \
      INTERLOCK_LIB [file join $build $library] INTERLOCK_SQLITE $sqlite \
      INTERLOCK_STATIC $static INTERLOCK_PATIENCE $patience
    if {[string match testfixture* [file tail $program]]} {
      lappend env INTERLOCK_TESTER \
        [exec [info nameofexecutable] $home/tool/sqlite.tcl tester]
    }
  }
  return [list $program $env]
}

# ---- one file -------------------------------------------------------------

# Whether a file keeps a processor busy (`waiting` in tool/worlds.tcl).
proc runtests::isBusy {job} {
  return [expr {[dict get $job name] ni $::worlds::waiting}]
}
proc runtests::start {world program env file} {
  variable out
  variable running
  variable busy
  set name [file rootname [file tail $file]]
  set log $out/log/[dict get $world name]/$name.log
  set scratch $out/scratch/[dict get $world name]-$name-[pid]
  # In a container a runner before this one may have had the same process id.
  file delete -force $scratch
  file mkdir [file dirname $log] $scratch
  lappend env INTERLOCK_SCRATCH $scratch TMPDIR $scratch
  set assign {}
  foreach {variable value} $env { lappend assign $variable=$value }
  # The file gets a process session of its own, so that all processes that it
  # starts can be ended.
  set pipe [open |[list env -C $scratch {*}$assign setsid $program $file \
                    < /dev/null 2>@1] r]
  fconfigure $pipe -blocking 0 -translation binary
  variable run$pipe
  set job [dict create world $world file $file name $name log $log \
             scratch $scratch output "" status "" pid [pid $pipe] \
             start [clock milliseconds]]
  dict set job timer [after [expr {1000*[dict get $world timeout]}] \
                        [list runtests::late $pipe]]
  set run$pipe $job
  incr running
  incr busy [isBusy $job]
  fileevent $pipe readable [list runtests::hear $pipe]
}
proc runtests::late {pipe} {
  variable run$pipe
  dict set run$pipe status "timed out"
  endSession [dict get [set run$pipe] pid]
}
# The processes of a process session, without zombies.
proc runtests::session {leader} {
  set found {}
  foreach path [glob -nocomplain /proc/\[0-9\]*/stat] {
    # The process may end at any moment, also between the two.
    if {[catch { set fd [open $path] }]} continue
    set gone [catch { read $fd } stat]
    close $fd
    if {$gone} continue
    set fields [string range $stat [string last ) $stat]+2 end]
    lassign $fields state parent group session
    if {$session eq $leader && $state ne "Z"} {
      lappend found [lindex $stat 0]
    }
  }
  return $found
}
proc runtests::endSession {leader} {
  foreach pid [session $leader] { catch { exec kill -KILL $pid } }
}
proc runtests::hear {pipe} {
  variable run$pipe
  variable running
  variable busy
  dict append run$pipe output [read $pipe]
  if {![eof $pipe]} return
  set job [set run$pipe]
  unset run$pipe
  after cancel [dict get $job timer]
  fconfigure $pipe -blocking 1
  set bad [catch { close $pipe } - options]
  if {[dict get $job status] eq ""} {
    dict set job status [howEnded $bad $options]
    # A child that was just signaled may need a moment to end.
    set left [session [dict get $job pid]]
    for {set i 0} {$i < 500 && $left ne ""} {incr i} {
      after 10
      set left [session [dict get $job pid]]
    }
    if {$left ne ""} {
      endSession [dict get $job pid]
      dict set job status "left processes behind"
    }
  }
  dict set job ms [expr {[clock milliseconds] - [dict get $job start]}]
  incr running -1
  incr busy -[isBusy $job]
  judge $job
  next
}
# How a file ended: "" after exit status 0 or 1, which the counts explain,
# otherwise a text.
proc runtests::howEnded {bad options} {
  if {!$bad} { return "" }
  set code [dict get $options -errorcode]
  switch -- [lindex $code 0] {
    CHILDSTATUS { return "exit [lindex $code 2]" }
    CHILDKILLED { return "killed by [lindex $code 2]" }
    default { return $code }
  }
}

# The result of a file, {passed failed why}, from what it printed and how it
# ended.
proc runtests::verdict {output status leakCheck} {
  set why {}
  set counts [regexp -all -inline -line {^(\d+) errors out of (\d+) tests} \
                $output]
  lassign [lrange $counts end-2 end] - errors tests
  if {$counts eq ""} {
    lassign {0 0} errors tests
    lappend why "did not run to its end"
  } elseif {$errors > 0} {
    lappend why "$errors errors"
  } elseif {$leakCheck && ![string match "*All memory allocations freed -\
 no leaks*" $output]} {
    lappend why "leaks"
  }
  set skipped [regexp -line {^Skipped: } $output]
  if {$tests == 0 && !$skipped} { lappend why "ran no test" }
  if {[regexp {(?:Address|Thread|Leak)Sanitizer|: runtime error: } $output]} {
    lappend why "sanitizer"
  }
  if {$status ne "" && !($status eq "exit 1" && $errors > 0)} {
    lappend why $status
  }
  set failed [expr {$errors > 0 ? $errors : [llength $why] > 0}]
  set passed [expr {$skipped ? 0 : max(0, $tests - $errors)}]
  return [list $passed $failed [join $why ", "]]
}

proc runtests::judge {job} {
  variable home
  variable sum
  variable skipped
  variable omitted
  variable again
  dict with job {
    set worldName [dict get $world name]
    # Another file is written and renamed, so that two runs at once do not mix.
    set fd [open $log.[pid] w]
    fconfigure $fd -translation binary
    puts -nonewline $fd $output
    close $fd
    file rename -force $log.[pid] $log
    set leakCheck [string match testfixture* [dict get $world program]]
    lassign [verdict $output $status $leakCheck] passed failed why
    dict incr sum passed $passed
    dict incr sum failed $failed
    set note $why
    incr skipped [regexp -line {^Skipped: .*} $output note]
    set omits [regexp -all -inline -line {^Omitted: (.*)$} $output]
    incr omitted [expr {[llength $omits]/2}]
    if {$note eq "" && $omits ne ""} { set note "omitted: [lindex $omits 1]" }
    if {[llength $omits] > 2} { append note ", and others" }
    puts [format "%-12s %-18s %6d passed %5d failed %7.1f s  %s" \
            $worldName $name $passed $failed [expr {$ms/1000.0}] $note]
    if {$failed} {
      set lines {}
      foreach line [split $output \n] {
        if {[regexp {^(!|Error:|invalid|.*Sanitizer|.*runtime error)} $line]} {
          lappend lines "    [string range $line 0 199]"
        }
      }
      if {$lines eq ""} { set lines [lrange [split $output \n] end-8 end] }
      puts [join [lrange $lines 0 11] \n]
      # Again at the end: of a long run often only that is kept.
      lappend again "tclsh tool/runtests.tcl -world $worldName\
 [expr {[file dirname $file] eq "$home/test" ? $name : $file}]
    $log
[join [lrange $lines 0 5] \n]"
    } else {
      file delete -force $scratch
    }
    flush stdout
  }
}

# Removes the scratch folders of runners that have ended.
proc runtests::sweep {} {
  variable out
  foreach dir [glob -nocomplain -type d $out/scratch/*] {
    regexp {\d+$} $dir pid
    if {![file exists /proc/$pid]} { file delete -force $dir }
  }
}

# ---- all of them ----------------------------------------------------------

proc runtests::next {} {
  variable jobs
  variable running
  variable busy
  variable parallel
  variable done
  while {$busy < $parallel && [llength $jobs]} {
    set jobs [lassign $jobs job]
    start {*}$job
  }
  if {$running == 0} { set done 1 }
}
proc runtests::cores {} {
  if {[catch { exec nproc } n]} { return 1 }
  return $n
}

proc runtests::main {argv} {
  variable home
  variable jobs
  variable parallel [expr {min(2, [cores]) + 1}]
  variable sum
  variable again
  variable out
  set names quick
  set timeout ""
  while {[string match -* [lindex $argv 0]]} {
    set argv [lassign $argv option]
    switch -- $option {
      -list { listAll; return 0 }
      -table { puts -nonewline [table]; return 0 }
      -readme { readme; return 0 }
      -world { set argv [lassign $argv names] }
      -jobs { set argv [lassign $argv parallel] }
      -timeout { set argv [lassign $argv timeout] }
      -out {
        set argv [lassign $argv out]
        set out [file normalize $out]
      }
      default { error "no such option: $option; see the head of $::argv0" }
    }
  }
  sweep
  if {$names eq "all"} { set names [join $worlds::full ,] }
  set given [lmap name $argv { find $name }]
  set worlds [lmap name [split $names ,] { worlds::get $name }]
  prebuild $worlds
  foreach world $worlds {
    set name [dict get $world name]
    if {$timeout ne ""} { dict set world timeout $timeout }
    set files $given
    if {$files eq ""} { set files [ordered [files]] }
    set files [lmap file $files {
      if {![runsIn $file $name]} continue
      set file
    }]
    if {$files eq ""} {
      puts "$name: no file for this world"
      continue
    }
    if {[catch { prepare $world } ready]} {
      dict incr sum failed
      puts "$name: cannot be made ready: $ready"
      catch { puts [exec tail -n 12 $out/log/$name.build] }
      lappend again "tclsh tool/runtests.tcl -world $name
    $out/log/$name.build"
      continue
    }
    foreach file $files { lappend jobs [list $world {*}$ready $file] }
  }
  next
  if {$jobs ne "" || $runtests::running} { vwait runtests::done }
  if {$again ne ""} {
    puts "\nAgain, one at a time:"
    foreach line $again { puts "  $line" }
  }
  variable skipped
  if {[dict get $sum passed] + [dict get $sum failed] + $skipped == 0} {
    puts "no test ran"
    return 1
  }
  variable omitted
  set missing ""
  if {$skipped} { append missing ", $skipped files skipped" }
  if {$omitted} { append missing ", $omitted tests omitted" }
  dict with sum { puts "$passed passed, $failed failed$missing" }
  return [expr {[dict get $sum failed] > 0}]
}

if {[info exists argv0]
    && [file normalize $argv0] eq [file normalize [info script]]} {
  fconfigure stdout -buffering line
  if {[catch { runtests::main $argv } result]} {
    puts stderr "runtests: $result"
    exit 2
  }
  exit $result
}
