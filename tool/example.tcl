# SPDX-License-Identifier: 0BSD
# Examples in pages: how they are written, and how they are run.
#
# In Markdown a fence ```sql is run in a fresh database, and ```sql continue in
# that of the fence before it. A fence ```sh run is run by sh in a folder that
# has the tree's files. A fence ```sh alone is not run, nor is any other. A
# fence that looks like one of these and is none is an error.
#
# SQL: lines `-- ...` right below a statement are what it prints, in the form of
# the sqlite3 shell's list mode; `-- error: text` if it fails. Every line that
# is printed must be there. `...` stands for any text, and on a line of its own
# for any lines. A comment after an empty line is a remark. `-- session B` means
# that the rest runs on another connection to the same database. A line `.load`
# is skipped, since the extension is loaded.
#
# sh: lines `$ command`, with what it prints below. If there is no such line,
# each line is a command, and all of them must succeed.
#
# ```sh shells shows several sqlite3 shells at once:
#
#   A$ sqlite3 ... FILE     starts shell A; a program that starts sqlite3 can
#                           stand before it
#   A> SELECT ...;          is typed there; what it prints is below
#   (waits)                 instead of that: it waits for a lock, as
#                           advisory_waits of FILE shows
#   A: 42                   what A prints later, when it goes on
#   $ command               is run by sh
#   # text                  a remark
#
# ```sh shells root is the same for users who may make namespaces, mostly root.
# ```sh files is the same with the programs of the page, each of which names its
# file in its first line; test/recipeslock.test runs it.
#
# A number of four digits or more stands for any number. If it is shown again,
# also in what is typed, it stands for the same one. 12:34:56 stands for any
# time.

namespace eval example {
  variable row {}          ;# values of the row that is being read
  variable seconds 60      ;# for a command of sh
}

# ---- where they stand -------------------------------------------------------

# The fences of a Markdown text: info string, line of the first row, rows.
proc example::fences {text} {
  set out {}
  set line 0
  set open 0
  foreach row [split $text \n] {
    incr line
    if {!$open && [regexp {^```\s*(.*?)\s*$} $row -> info]} {
      set open 1
      set first [expr {$line + 1}]
      set rows {}
    } elseif {$open && [string trimright $row] eq "```"} {
      lappend out $info $first $rows
      set open 0
    } elseif {$open} {
      lappend rows $row
    }
  }
  if {$open} { error "line $first: a fence that does not end" }
  return $out
}

# How a fence is run: sql, continue, sh, shells, root or files; "" if it is not
# run.
proc example::way {info} {
  switch -exact -- $info {
    "sql" { return sql }
    "sql continue" { return continue }
    "sh run" { return sh }
    "sh shells" { return shells }
    "sh shells root" { return root }
    "sh files" { return files }
    "sh" { return "" }
  }
  if {[regexp -nocase {^(sql|sh)\M|^(sqlite|bash|shell)} $info]} {
    error "fence `$info`: allowed are sql, sql continue, sh, sh run,\
      sh shells, sh shells root, sh files"
  }
  return ""
}

# ---- SQL --------------------------------------------------------------------

# Cuts SQL rows into steps: session, statements, expected lines.
proc example::steps {rows} {
  set session A
  set out {}
  set sql ""
  set expected {}
  set mode remark          ;# what a comment would be: remark or output
  foreach row [concat $rows {{}}] {
    set done [expr {[string trim $sql] eq "" || [complete $sql]}]
    if {$done && [regexp -nocase {^\s+--|^-- *session \w$} $row]
        && ![regexp {^-- session [A-Z]$} $row]} {
      error "`[string trim $row]`: a remark, an output or a session?"
    }
    if {$done && [regexp {^-- session ([A-Z])$} $row -> next]} {
      if {$sql ne ""} { lappend out $session $sql $expected }
      set sql ""
      set expected {}
      set session $next
      set mode remark
    } elseif {$done && [regexp {^--(?: (.*))?$} $row -> text]} {
      if {$mode eq "output"} { lappend expected $text }
    } elseif {$done && [string trim $row] eq ""} {
      set mode remark
    } elseif {$done && [string match ".load *" $row]} {
      set mode remark
    } else {
      if {$done && $sql ne ""} {
        lappend out $session $sql $expected
        set sql ""
        set expected {}
      }
      append sql $row \n
      set mode output
    }
  }
  if {$sql ne ""} { lappend out $session $sql $expected }
  return $out
}

# sqlite3_complete(), of the connection command's class.
proc example::complete {sql} {
  sqlite3 exampledb_complete :memory:
  set complete [exampledb_complete complete $sql]
  exampledb_complete close
  return $complete
}

# The lines that statements print. (It uses a trace, since an array of values by
# name would lose one of two columns with the same name.)
proc example::printed {db sql} {
  variable row
  set lines {}
  set row {}
  set take {{name key op} {
    if {$key ni {* ""}} { upvar 1 $name v; lappend ::example::row $v($key) }
  }}
  trace add variable v write [list apply $take]
  set failed [catch {
    $db eval $sql v {
      lappend lines {*}[split [join $row |] \n]
      set row {}
    }
  } message]
  if {$failed} { lappend lines {*}[split "error: $message" \n] }
  return $lines
}

# Runs SQL rows, and returns what is wrong, or "". $connect makes the connection
# of a session and returns its command.
proc example::sql {rows connect} {
  foreach {session sql expected} [steps $rows] {
    set printed [printed [{*}$connect $session] $sql]
    if {![matches $printed $expected]} {
      return [report [string trim $sql] $printed $expected]
    }
  }
  return ""
}

# ---- sh ---------------------------------------------------------------------

# Run sh rows in a folder.
proc example::sh {rows folder} {
  set out {}
  foreach row $rows {
    if {[regexp {^\$ (.*)$} $row -> command]} {
      lappend out $command {}
    } elseif {[llength $out]} {
      lset out end [linsert [lindex $out end] end $row]
    } else {
      return [shAll $rows $folder]
    }
  }
  foreach {command expected} $out {
    lassign [shell $command $folder] status text
    set printed [split $text \n]
    if {$text eq ""} { set printed {} }
    if {![matches [worded $printed] [worded $expected]]} {
      return [report $command $printed $expected]
    }
  }
  return ""
}

proc example::shAll {rows folder} {
  lassign [shell "set -e\n[join $rows \n]" $folder] status text
  if {$status == 0} { return "" }
  return "fails:\n$text"
}

# Runs a command. Returns its exit status and its output, errors included.
proc example::shell {command folder} {
  variable seconds
  set status [catch {
    exec timeout $seconds env -C $folder sh -c $command </dev/null 2>@1
  } text options]
  if {$status && [lindex [dict get $options -errorcode] 0] eq "CHILDSTATUS"} {
    regsub {\n?child process exited abnormally$} $text "" text
  }
  return [list $status $text]
}

# ---- several shells ---------------------------------------------------------

namespace eval example {
  variable patience 20000  ;# ms in which a shell must answer
  variable shell           ;# label, what -> pipe, file, what it has printed
  variable number          ;# number as it is shown -> as it is
}

# Cuts rows into steps: label, what (start, type, later or run), text, lines.
proc example::shellSteps {rows} {
  set out {}
  foreach row $rows {
    if {[regexp {^([A-Z]?)([$>]) (.*)$} $row -> label sign text]} {
      set what [expr {$sign eq ">" ? "type" : $label eq "" ? "run" : "start"}]
      if {$what eq "type" && $label eq ""} { error "`$row`: in which shell?" }
      lappend out [list $label $what $text {}]
    } elseif {[regexp {^([A-Z]): (.*)$} $row -> label text]} {
      if {[lrange [lindex $out end] 0 1] ne [list $label later]} {
        lappend out [list $label later "" {}]
      }
      lset out end 3 [list {*}[lindex $out end 3] $text]
    } elseif {$row eq "" || [regexp {^# } $row]} {
    } elseif {![llength $out] || [lindex $out end 1] eq "later"} {
      error "`$row`: printed by what?"
    } else {
      lset out end 3 [list {*}[lindex $out end 3] $row]
    }
  }
  return $out
}

# Runs rows of shells in a folder, and returns what is wrong, or "".
proc example::shells {rows folder} {
  variable shell
  variable number
  array unset shell
  array unset number
  try {
    foreach step [shellSteps $rows] {
      lassign $step label what text expected
      set text [numbersAs $text]
      set lines [shell-$what $label $text $expected $folder]
      if {![matchesNumbers [worded $lines] [worded $expected]]} {
        return [report "$label $text" $lines $expected]
      }
    }
  } finally {
    foreach key [array names shell *,pipe] {
      catch { exec kill -KILL [pid $shell($key)] }
      catch { close $shell($key) }
    }
  }
  return ""
}

proc example::shell-run {label text expected folder} {
  lassign [shell $text $folder] status printed
  foreach {- signal pid} [regexp -all -inline {kill -(\w+) (\d+)} $text] {
    awaitSignal $signal $pid
  }
  return [expr {$printed eq "" ? {} : [split $printed \n]}]
}
# Waits until a signal has stopped a process, continued it, or ended it.
proc example::awaitSignal {signal pid} {
  variable patience
  set end [expr {[clock milliseconds] + $patience}]
  while {![catch { open /proc/$pid/stat } fd]} {
    if {[catch { read $fd } stat]} { set stat ") Z" }
    close $fd
    regexp {.*\) (\w)} $stat - state
    switch $signal {
      STOP    { set done [expr {$state in {T Z}}] }
      CONT    { set done [expr {$state ne "T"}] }
      default { set done [expr {$state eq "Z"}] }
    }
    if {$done} return
    if {[clock milliseconds] > $end} { error "signal $signal to $pid" }
    after 5
  }
}
proc example::shell-start {label text expected folder} {
  variable shell
  if {![regexp {^((?:\S+ )*?)sqlite3 (.*?(\S+))$} $text -> by words file]} {
    error "`$text` starts no shell of sqlite3"
  }
  # -interactive shows prompts, by which the end of an answer is seen.
  set pipe [open |[list env -C $folder HOME=$folder TERM=dumb \
      COLUMNS=1000 sh -c "exec ${by}sqlite3 -interactive $words" 2>@1] r+]
  fconfigure $pipe -blocking 0 -buffering line
  set shell($label,pipe) $pipe
  set shell($label,file) $file
  set shell($label,text) ""
  set shell($label,typed) ""
  lrange [shellAnswer $label] 2 end    ;# without the greeting
}
proc example::shell-type {label text expected folder} {
  variable shell
  if {![info exists shell($label,pipe)]} { error "shell $label is not started" }
  puts $shell($label,pipe) $text
  set shell($label,typed) $text
  set wait [expr {$expected eq "(waits)" ? $folder : ""}]
  shellAnswer $label $wait
}
proc example::shell-later {label text expected folder} {
  shellAnswer $label
}

# The lines that a shell prints until it asks for more or ends; `(waits)` if,
# with a folder, it waits for a lock.
proc example::shellAnswer {label {folder ""}} {
  variable shell
  variable patience
  set end [expr {[clock milliseconds] + $patience}]
  while 1 {
    append shell($label,text) [read $shell($label,pipe)]
    if {[regexp {^(|.*\n)(?:sqlite>|   \.\.\.>) $} $shell($label,text) -> said]
        || [eof $shell($label,pipe)] && [set said $shell($label,text)] ne ""} {
      break
    }
    if {$folder ne "" && [shellWaits $label $folder]} { return (waits) }
    if {[clock milliseconds] > $end} { return {{no answer}} }
    after 5
  }
  set lines [split [string range $said 0 end-1] \n]
  if {$said eq ""} { set lines {} }
  set typed $shell($label,typed)
  if {$typed ne "" && [lindex $lines 0] eq $typed} {
    set lines [lrange $lines 1 end]       ;# readline shows what is typed
  }
  set shell($label,text) ""
  set shell($label,typed) ""
  return $lines
}
proc example::shellWaits {label folder} {
  variable shell
  set pid [pid $shell($label,pipe)]
  lassign [shell "sqlite3 -cmd '.load ./build/interlock' \
    $shell($label,file) 'SELECT count(*) FROM advisory_sessions\
    WHERE pid = $pid AND waiting_for IS NOT NULL'" $folder] status text
  return [expr {$status == 0 && $text > 0}]
}

# A text in which each number that is known stands for the real one.
proc example::numbersAs {text} {
  variable number
  set out ""
  foreach part [regexp -all -inline {\d+|\D+} $text] {
    if {[info exists number($part)]} { set part $number($part) }
    append out $part
  }
  return $out
}

# Compares as `matches`, and notes the numbers that are shown for the first
# time.
proc example::matchesNumbers {printed expected} {
  variable number
  set new {}
  set pattern [pattern $expected]
  set out ""
  foreach part [regexp -all -inline {\d\d:\d\d:\d\d|\d+|\D+} $pattern] {
    if {[string match *:* $part] && [string is digit [string index $part 0]]} {
      append out {\d\d:\d\d:\d\d}
    } elseif {![regexp {^\d{4,}$} $part]} {
      append out $part
    } elseif {[info exists number($part)]} {
      append out $number($part)
    } elseif {$part in $new} {
      append out \\ [expr {[lsearch -exact $new $part] + 1}] (?:)
    } else {
      append out {(\d+)}
      lappend new $part
    }
  }
  set text [join [lmap line $printed { string cat $line \n }] ""]
  set found [regexp -inline $out $text]
  foreach part $new value [lrange $found 1 end] { set number($part) $value }
  return [expr {[llength $found] > 0}]
}

# ---- comparing --------------------------------------------------------------

# Lines with an error of the sqlite3 shell in one wording: its versions differ.
# Newer shells print no code, so the code is left out if this shell is one.
proc example::worded {lines} {
  variable hasCodes
  if {![info exists hasCodes]} {
    lassign [shell {sqlite3 :memory: 'CREATE TABLE t(a CHECK(a));
      INSERT INTO t VALUES(0)'} .] - text
    set hasCodes [string match "*(19)*" $text]
  }
  set at {(?: near line \d+| in \d+\w+ command line argument)}
  lmap line $lines {
    regsub "^(?:Error: stepping,|Runtime error$at?:|Error$at:) " $line \
      {Runtime error: } line
    regsub "^(?:Error: in prepare,|Parse error$at?:) " $line \
      {Parse error: } line
    if {!$hasCodes && [regexp {^(?:Runtime|Parse) error: } $line]} {
      regsub { \(\d+\)$} $line {} line
    }
    set line
  }
}

# Expected lines as a regular expression.
proc example::pattern {expected} {
  set pattern ""
  foreach line $expected {
    if {$line eq "..."} {
      append pattern {(?:[^\n]*\n)*}
    } else {
      regsub -all {[][\\.^$*+?(){}|]} $line {\\&} line
      append pattern [string map [list {\.\.\.} {[^\n]*}] $line] \n
    }
  }
  return "^(?:$pattern)\$"
}

proc example::matches {printed expected} {
  set text [join [lmap line $printed { string cat $line \n }] ""]
  return [regexp [pattern $expected] $text]
}

proc example::report {what printed expected} {
  return "$what\nprints:\n[join $printed \n]\nshown:\n[join $expected \n]"
}
