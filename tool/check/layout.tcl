# SPDX-License-Identifier: 0BSD
# Check: layout. 80 columns, no tabs, nothing at line ends, one licence
# line a file, no notes to self; in C SQLite's way to write `if( x ){` and
# the ** margin of comments.

namespace eval check {
  # In C without comments and strings: what is wrong, pattern.
  variable styles {
    "no blank before the parenthesis"    {\m(?:if|while|for|switch)\s+\(}
    "a blank inside the parenthesis"     {\m(?:if|while|switch)\([^ \n]}
    "no blank inside for("               {\mfor\( }
    "a blank before the closing one"     {\m(?:if|while|switch)\( .*[^ ]\)\{}
    "no blank between ) and \{"          {\)\s+\{}
    "no blank around else"               {\}\s+else|else\s+\{}
    "no blank between do and \{"         {\mdo\s+\{}
  }
}

proc check::layout {root} {
  set problems {}
  foreach file [csource::ext $root *.c *.h] {
    set text [csource::slurp $root/$file]
    lappend problems {*}[layoutLines $file $text] \
      {*}[layoutStyle $file $text] {*}[layoutMargin $file $text]
  }
  foreach file [csource::files $root sql/*/*.sql tool/* tool/check/* \
                  test/*.test test/*/*.tcl test/prog/*.c test/bench/*.c .ci/*] {
    if {[file isdirectory $root/$file]} continue
    lappend problems {*}[layoutLines $file [csource::slurp $root/$file]]
  }
  return $problems
}

# What holds for a line of any file.
proc check::layoutLines {file text} {
  set problems {}
  set line 0
  set licences 0
  foreach row [split $text \n] {
    incr line
    if {[string length $row] > 80} {
      lappend problems "$file:$line: more than 80 columns"
    }
    if {[string first \t $row] >= 0} { lappend problems "$file:$line: tab" }
    if {[regexp {\s$} $row]} {
      lappend problems "$file:$line: blanks at the end"
    }
    if {[regexp {\m(?:TO[D]O|FIX[M]E|XX[X])\M} $row]} {
      lappend problems "$file:$line: a note to self"
    }
    incr licences [regexp {^(?:/\*|#|--) SPDX-License-Identifier: 0BSD} $row]
  }
  if {$licences != 1} {
    lappend problems "$file: $licences SPDX lines, should be one"
  }
  if {![string match "*\n" $text] || [string match "*\n\n" $text]} {
    lappend problems "$file:$line: should end with one line feed"
  }
  return $problems
}

proc check::layoutStyle {file text} {
  variable styles
  set problems {}
  set line 0
  foreach row [split [csource::without $text comment string] \n] {
    incr line
    foreach {what pattern} $styles {
      if {[regexp $pattern $row]} { lappend problems "$file:$line: $what" }
    }
  }
  return $problems
}

# Every further line of a comment begins with ** under its first.
proc check::layoutMargin {file text} {
  set problems {}
  foreach {line comment} [csource::comments $text] {
    if {[string match "//*" $comment]} {
      lappend problems "$file:$line: // comment"
      continue
    }
    foreach row [lrange [split $comment \n] 1 end] {
      incr line
      if {![regexp {^\s*(?:\*\*(?: |$)|\*/$)} $row]} {
        lappend problems "$file:$line: comment without ** margin"
      }
    }
  }
  return $problems
}
