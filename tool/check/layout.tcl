# SPDX-License-Identifier: 0BSD
# Check: layout. 80 columns, no tabs, nothing at line ends, one license
# line a file, no notes to self; in C, SQLite's way to write `if( x ){` and
# the ** margin of comments. Pages have 80 columns as well, except in tables and
# in code, since neither can be broken, and a head over each table. The names of
# tests are letters and digits. No file has the marks of a merge conflict.

namespace eval check {
  # For C without comments and strings: what is wrong, and a pattern that finds
  # it.
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
                  tool/install/* tool/bench/*.\[ch\] \
                  tool/bench/*.tcl tool/bench/*.py \
                  tool/packages/*/*/*.rb tool/packages/*/*/*/*.rb \
                  tool/adapters/*/*/*.py tool/adapters/*/*/*/*.py \
                  test/*.test test/*/*.tcl test/*/*.c test/*/*.h \
                  test/*/*.sh test/runner/*.test .ci/*] {
    if {[file isdirectory $root/$file]} continue
    lappend problems {*}[layoutLines $file [csource::slurp $root/$file]]
  }
  # sql/README.md is generated.
  foreach file [csource::files $root *.md ext/*.md ext/*/*.md sql/*.md \
                  test/*.md test/*/*.md] {
    if {$file eq "sql/README.md"} continue
    lappend problems {*}[layoutPage $file [csource::slurp $root/$file]]
  }
  lappend problems {*}[layoutMarks $root]
  foreach file [csource::files $root test/*.test test/*.tcl test/*.c \
                  test/*/*.test test/*/*.c test/*/*.h] {
    if {![regexp {^[a-z][a-z0-9]*$} [file rootname [file tail $file]]]} {
      lappend problems "$file: a name of other than letters and digits"
    }
  }
  return $problems
}

# Reports marks of a merge conflict, in any file.
proc check::layoutMarks {root} {
  set problems {}
  foreach file [csource::files $root * */* */*/* .ci/*] {
    if {[string match build* $file] || ![file isfile $root/$file]} continue
    set line 0
    foreach row [split [csource::slurp $root/$file] \n] {
      incr line
      if {[regexp {^(?:<{7}|[|]{7}|>{7})(?: |$)|^={7}$} $row]} {
        lappend problems "$file:$line: a mark of a merge conflict"
      }
    }
  }
  return $problems
}

# The rules for a page in Markdown.
proc check::layoutPage {file text} {
  set problems {}
  set line 0
  set fence 0
  set table 0
  foreach row [split $text \n] {
    incr line
    if {[string match "```*" [string trimleft $row]]} {
      set fence [expr {!$fence}]
    }
    set table [expr {!$fence && [string match "|*" $row] ? $table + 1 : 0}]
    if {$table == 2 && ![regexp {^[-|: ]+$} $row]} {
      lappend problems "$file:[expr {$line - 1}]: a table without a head"
    }
    if {[regexp {\s$} $row]} {
      lappend problems "$file:$line: blanks at the end"
    }
    if {!$fence && !$table && ![string match "    *" $row]
        && [string length $row] > 80 && [regexp {\S\s+\S.*\s} $row]} {
      lappend problems "$file:$line: more than 80 columns"
    }
  }
  return $problems
}

# The rules for a line of any file.
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
