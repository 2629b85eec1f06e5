# SPDX-License-Identifier: 0BSD
# Reading C source as text: its files, its comments, its code without them.
#
# This is no parser. One pattern finds the pieces, with the line where each
# begins. That is enough for the tools in this folder, which read names and
# layout.

namespace eval csource {
  # A block comment, a line comment, a string, a character, other text.
  # (No non-greedy quantifier: in Tcl one branch decides for all of them.)
  variable pattern [join {
    {/\*(?:[^*]|\*+[^*/])*\*+/} {//[^\n]*}
    {"(?:[^"\\]|\\.)*"} {'(?:[^'\\]|\\.)*'} {[^/"']+} {.}
  } |]
}

proc csource::slurp {file} {
  set fd [open $file]
  fconfigure $fd -encoding utf-8
  set text [read $fd]
  close $fd
  return $text
}

# The files of $root that match the patterns, in order, as relative names.
proc csource::files {root args} {
  set list {}
  foreach pattern $args {
    lappend list {*}[glob -nocomplain -directory $root -tails $pattern]
  }
  return [lsort -unique $list]
}

# The same for the files of ext/ and its folders whose names match.
proc csource::ext {root args} {
  return [files $root {*}[lmap pattern $args { string cat ext/ $pattern }] \
    {*}[lmap pattern $args { string cat ext/*/ $pattern }]]
}

# The text as a list: kind (comment, string or code), line, text.
proc csource::pieces {text} {
  variable pattern
  set line 1
  set out {}
  foreach piece [regexp -all -inline $pattern $text] {
    switch -glob -- $piece {
      /\\** - //* { set kind comment }
      \"?* - '?*  { set kind string }
      default     { set kind code }
    }
    lappend out $kind $line $piece
    incr line [regexp -all \n $piece]
  }
  return $out
}

# The text with all pieces of the given kinds replaced by blanks; lines stay.
proc csource::without {text args} {
  set out ""
  foreach {kind line piece} [pieces $text] {
    if {$kind in $args} { regsub -all {[^\n]} $piece " " piece }
    append out $piece
  }
  return $out
}

# The comments of a text: line, comment.
proc csource::comments {text} {
  set out {}
  foreach {kind line piece} [pieces $text] {
    if {$kind eq "comment"} { lappend out $line $piece }
  }
  return $out
}

# The functions that a C text defines: the name, the line where the definition
# begins, and the line of its closing brace. Both lines begin in column 0.
proc csource::functions {text} {
  set out {}
  set line 0
  set start 0
  foreach row [split [without $text comment string] \n] {
    incr line
    if {[regexp {^[A-Za-z_].*?(\w+)\(} $row -> name]} { set start $line }
    if {$row eq "\}" && $start} {
      lappend out $name $start $line
      set start 0
    } elseif {[regexp {^\S.*;\s*$} $row] || [regexp {^#} $row]
              || [regexp {^\S.*=} $row]} {
      set start 0
    }
  }
  return $out
}
