# SPDX-License-Identifier: 0BSD
# Examples that are run: where they stand, and what they print.
#
# In Markdown a fence ```sql is run in a fresh database, ```sql continue in
# that of the fence before it; a fence ```sh run is run by sh in a folder
# that has the tree's files. ```sh alone is not run, nor is any other. What
# looks like one of these and is none is an error.
#
# SQL: lines `-- ...` right below a statement are what it prints, as the
# sqlite3 shell's list mode has it; `-- error: text` if it fails. Every line
# that is printed has to be there. `...` stands for any text, on a line of
# its own for any lines. A comment after an empty line is a remark, and
# `-- session B` means that what follows runs on another connection to the
# same database. A line `.load` is passed over: the extension is loaded.
#
# sh: lines `$ command` with what it prints below; without any, each line is
# a command, and all have to succeed.

namespace eval example {
  variable row {}          ;# values of the row that is being read
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

# What to do with a fence: sql, continue, sh or nothing.
proc example::way {info} {
  switch -exact -- $info {
    "sql" { return sql }
    "sql continue" { return continue }
    "sh run" { return sh }
    "sh" { return "" }
  }
  if {[regexp -nocase {^(sql|sh)\M|^(sqlite|bash|shell)} $info]} {
    error "fence `$info`: allowed are sql, sql continue, sh, sh run"
  }
  return ""
}

# ---- SQL --------------------------------------------------------------------

# Cut SQL rows into steps: session, statements, expected lines.
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

# What statements print, as lines. (A trace, since an array of values by
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

# Run SQL rows. $connect makes the connection of a session and returns its
# command. Returns what is wrong, "" if nothing is.
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
    if {![matches $printed $expected]} {
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

# Exit status and output, errors included, at most a minute.
proc example::shell {command folder} {
  set status [catch {
    exec timeout 60 sh -c "cd '$folder' && { $command\n}" </dev/null 2>@1
  } text options]
  if {$status && [lindex [dict get $options -errorcode] 0] eq "CHILDSTATUS"} {
    regsub {\n?child process exited abnormally$} $text "" text
  }
  return [list $status $text]
}

# ---- comparing --------------------------------------------------------------

proc example::matches {printed expected} {
  set pattern ""
  foreach line $expected {
    if {$line eq "..."} {
      append pattern {(?:[^\n]*\n)*}
    } else {
      regsub -all {[][\\.^$*+?(){}|]} $line {\\&} line
      append pattern [string map [list {\.\.\.} {[^\n]*}] $line] \n
    }
  }
  set text [join [lmap line $printed { string cat $line \n }] ""]
  return [regexp "^(?:$pattern)\$" $text]
}

proc example::report {what printed expected} {
  return "$what\nprints:\n[join $printed \n]\nshown:\n[join $expected \n]"
}
