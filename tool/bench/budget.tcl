# SPDX-License-Identifier: 0BSD
# What named operations may cost, in instructions: counts those of
# tool/bench/budget.c under valgrind's callgrind, and compares them with
# tool/bench/budget.txt. More than 3 % dearer is a failure.
#
#   tclsh tool/bench/budget.tcl LIBRARY ?-write? ?-budget FILE? ?NAME ...?
#
# What is counted are instructions inside of interlock.so and of SQLite's
# library, for a run of the operation. The C library is left out: which variant
# of memcpy it takes depends on the processor. What remains is the same on every
# machine with the same SQLite and the same compiler of interlock.so, so a
# budget belongs to these. On any other machine this says `no budget for this
# machine`, and counts as neither passed nor failed. -write stores what was
# counted as the budget of this machine; it keeps those of other machines.

namespace eval budget {
  variable home [file dirname [file normalize [info script]]]
  variable tolerance 3           ;# percent
}

# ---- counting --------------------------------------------------------------

# Reads the text of a file of callgrind: the operation's name, how often it was
# run, and a dict of the instructions in each object, by the object's file name.
# A line of costs after `calls=` is that of the called function, which is
# counted where its own lines are.
proc budget::counts {text} {
  set object ""
  set called 0
  set name ""
  set runs 1
  set costs [dict create]
  foreach row [split $text \n] {
    if {[regexp {^desc: Trigger: Client Request: (\S+) (\d+)} $row - name runs]
        || [regexp {^ob=(.*)} $row - object]} {
      continue
    } elseif {[string match calls=* $row]} {
      set called 1
    } elseif {[regexp {^\d+ (\d+)$} $row - cost]} {
      if {!$called} { dict incr costs [file tail $object] $cost }
      set called 0
    }
  }
  return [list $name $runs $costs]
}

# The instructions of one run, of all that is counted.
proc budget::perRun {runs costs} {
  set sum 0
  dict for {object cost} $costs {
    if {[regexp {^(?:interlock.*|libsqlite3)\.so} $object]} { incr sum $cost }
  }
  return [expr {$sum / $runs}]
}

# Builds the program and runs it under callgrind. Returns what it says of
# SQLite, and a dict of operations and instructions.
proc budget::measure {library folder names} {
  variable home
  file mkdir $folder
  foreach old [glob -nocomplain $folder/counts*] { file delete $old }
  exec gcc -std=gnu11 -O2 -Wall -Wextra -o $folder/budget $home/budget.c \
    -lsqlite3 2>@ stderr
  set said [exec valgrind --tool=callgrind --quiet --instr-atstart=no \
    --compress-strings=no --compress-pos=no \
    --callgrind-out-file=$folder/counts \
    $folder/budget $library $folder {*}$names 2>@ stderr]
  set found [dict create]
  foreach file [lsort -dictionary [glob -nocomplain $folder/counts.*]] {
    set fd [open $file]
    lassign [counts [read $fd]] name runs costs
    close $fd
    if {$name ne ""} { dict set found $name [perRun $runs $costs] }
  }
  return [list $said $found]
}

# What the counts depend on: the processor's instructions, the compilers of the
# library, SQLite's source and how it was built. The program has said
# what it knows of SQLite: version, source, options.
proc budget::machine {library said} {
  lassign [split $said \n] version source options
  set compilers {}
  foreach row [split [exec readelf -p .comment $library] \n] {
    if {[regexp {\]\s+(.*\S)} $row - one]} { lappend compilers $one }
  }
  set options [format %08x [zlib crc32 $options]]
  return "[exec uname -m]; [join [lsort -unique $compilers] " and "];\
    SQLite $version [string range $source 20 27] $options"
}

# ---- budgets ---------------------------------------------------------------

# Reads a file of budgets: a dict of machines, each a dict of operations.
proc budget::parse {text} {
  set all [dict create]
  set machine ""
  foreach row [split $text \n] {
    if {[regexp {^machine (.*)$} $row - machine]} {
      dict set all $machine [dict create]
    } elseif {[regexp {^(\w+) +(\d+)$} $row - name count]} {
      dict set all $machine $name $count
    } elseif {$row ne "" && ![string match "#*" $row]} {
      error "a line of the budget is neither `machine ...` nor `NAME COUNT`:\
        $row"
    }
  }
  return $all
}

proc budget::asText {all} {
  set text "# SPDX-License-Identifier: 0BSD\n"
  append text "# Instructions of each operation in tool/bench/budget.c.\n"
  append text "# `make check-budget WRITE=1` writes those of this machine.\n"
  foreach machine [lsort [dict keys $all]] {
    append text "\nmachine $machine\n"
    dict for {name count} [dict get $all $machine] {
      append text [format "%-26s %10d\n" $name $count]
    }
  }
  return $text
}

# Compares what was found with the budget. Returns a list of verdicts: ok,
# cheaper or FAIL, the operation, and the sentence.
proc budget::compare {budget found} {
  variable tolerance
  set verdicts {}
  dict for {name count} $found {
    if {![dict exists $budget $name]} {
      lappend verdicts FAIL $name "$count, has no budget"
      continue
    }
    set was [dict get $budget $name]
    set more [expr {double($count) / $was - 1}]
    set text "$count, the budget is $was: [format %+.1f [expr {$more*100}]] %"
    if {100 * $count > (100 + $tolerance) * $was} {
      lappend verdicts FAIL $name "dearer: $text"
    } elseif {100 * $count < (100 - $tolerance) * $was} {
      lappend verdicts cheaper $name $text
    } else {
      lappend verdicts ok $name $text
    }
  }
  foreach name [dict keys $budget] {
    if {![dict exists $found $name]} {
      lappend verdicts FAIL $name "has a budget, and was not counted"
    }
  }
  return $verdicts
}

# ---- the command -----------------------------------------------------------

proc budget::show {verdicts} {
  array set count {ok 0 cheaper 0 FAIL 0}
  foreach {verdict name text} $verdicts {
    incr count($verdict)
    puts [format "%-8s %-26s %s" $verdict $name $text]
  }
  if {$count(cheaper)} {
    puts "`make check-budget WRITE=1` stores what got cheaper."
  }
  puts "[expr {$count(ok) + $count(cheaper)}] passed, $count(FAIL) failed"
  return [expr {$count(FAIL) > 0}]
}

# Returns the exit status.
proc budget::run {library write file folder names} {
  set all [dict create]
  if {[file exists $file]} {
    set fd [open $file]
    set all [parse [read $fd]]
    close $fd
  }
  lassign [measure $library $folder $names] said found
  set machine [machine $library $said]
  foreach name $names {
    if {![dict exists $found $name]} {
      error "no operation $name: they are in tool/bench/budget.c"
    }
  }
  if {$write} {
    dict set all $machine $found
    set fd [open $file w]
    puts -nonewline $fd [asText $all]
    close $fd
    puts "[dict size $found] operations of $machine are in $file"
    return 0
  }
  if {![dict exists $all $machine]} {
    puts "no budget for this machine: $machine"
    puts "`make check-budget WRITE=1` stores one. There are budgets for:"
    foreach other [dict keys $all] { puts "  $other" }
    puts "0 passed, 0 failed"
    return 0
  }
  set budget [dict get $all $machine]
  if {[llength $names]} {
    set budget [dict filter $budget script {name -} {expr {$name in $names}}]
  }
  return [show [compare $budget $found]]
}

proc budget::main {argv} {
  variable home
  set library [file normalize [lindex $argv 0]]
  set write 0
  set file $home/budget.txt
  set names {}
  for {set i 1} {$i < [llength $argv]} {incr i} {
    switch -glob [lindex $argv $i] {
      -write  { set write 1 }
      -budget { set file [lindex $argv [incr i]] }
      -*      { error "[lindex $argv $i]? Allowed are -write, -budget FILE" }
      default { lappend names [lindex $argv $i] }
    }
  }
  if {$write && [llength $names]} {
    error "-write stores all operations: it takes no name of one"
  }
  set folder [file dirname [file dirname $home]]/build
  if {[info exists ::env(INTERLOCK_BUILD)]} {
    set folder $::env(INTERLOCK_BUILD)
  }
  return [run $library $write $file $folder/budget $names]
}

if {[info exists argv0]
    && [file normalize $argv0] eq [file normalize [info script]]} {
  if {[catch {budget::main $argv} status]} {
    puts stderr "budget: $status"
    set status 2
  }
  exit $status
}
