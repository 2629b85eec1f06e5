# SPDX-License-Identifier: 0BSD
# Check: prose. The subject of a sentence must be a session, a connection, a
# process, a caller, a thread or a function, and the words of the trade have
# one spelling. A short list is refused: openings of sentences, and words in any
# position. Code, in fences or in backticks, is not read.

namespace eval check {
  # What is read: pages, and all comments of a file. A file that two patterns
  # name is read by the first.
  variable proseFiles {
    page    {README.md sql/*.md ext/*.md ext/*/*.md test/*.md test/*/*.md}
    comment {ext/*.c ext/*.h ext/*/*.c ext/*/*.h sql/*/*.sql test/core/*
             test/*.test test/lib/* test/prog/*.c tool/bench/*.c tool/bench/*.h
             tool/*.tcl tool/*/*.tcl tool/deps tool/bare .ci/run Makefile}
  }
  # Not read: test/check.test shows this check what is wrong.
  variable proseExcept {test/check.test}
  # Made from blocks, which are read in their own files.
  variable proseMade {sql/README.md}
  # How no sentence may begin, unless it is a question.
  variable proseOpenings { Who "He who" "No one" }
  # What is not written, and what is.
  variable proseWords {
    {(?:nobody|somebody|everybody|anybody|someone|whoever)}
                  "name the session, connection, process or user"
    {is told of}  "say what reports it, and to which caller"
    {is heard of} "say what reports it"
    {time-outs?}  "timeout"
    {circles?}    "cycle"
    {licen[c]es?} "license"
    {behaviou[r]s?} "behavior"
  }
}

proc check::prose {root} {
  variable proseFiles
  variable proseMade
  variable proseExcept
  set problems {}
  set seen [concat $proseMade $proseExcept]
  foreach {kind patterns} $proseFiles {
    foreach file [csource::files $root {*}$patterns] {
      if {$file in $seen} continue
      lappend seen $file
      foreach {line text} [proseTexts $kind $root/$file] {
        lappend problems {*}[proseText $file $line $text]
      }
    }
  }
  return $problems
}

# The texts of a file, each with the line where it begins.
proc check::proseTexts {kind file} {
  if {$kind eq "page"} {
    return [list 1 [proseOfPage [csource::slurp $file]]]
  }
  if {[file extension $file] ni {.c .h .sql}} {
    return [proseOfScript [csource::slurp $file]]
  }
  set out {}
  foreach {line rows} [blocks::comments $file] {
    # Examples are code.
    set code 0
    set rows [lmap row $rows {
      if {[regexp {^\w+:} $row]} { set code [string match "Example:*" $row] }
      expr {$code ? "" : $row}
    }]
    lappend out $line [proseOfPage [join $rows \n]]
  }
  return $out
}

# The comments of a script, in Tcl, a shell's language or a makefile.
proc check::proseOfScript {text} {
  set out {}
  set line 0
  set rows {}
  foreach row [split $text\n \n] {
    incr line
    if {[regexp {^\s*#(?: (.*))?$} $row -> words]} {
      lappend rows $words
    } elseif {[llength $rows]} {
      lappend out [expr {$line - [llength $rows]}] [proseOfPage [join $rows \n]]
      set rows {}
    }
  }
  return $out
}

# A text without what stands in fences and backticks; lines stay.
proc check::proseOfPage {text} {
  set fence 0
  set rows [lmap row [split $text \n] {
    set was $fence
    if {[string match "```*" [string trimleft $row]]} {
      set fence [expr {!$fence}]
    }
    expr {$was || $fence || [string match "    *" $row] ? "" : $row}
  }]
  set out ""
  foreach part [regexp -all -inline {`[^`]*`|[^`]+|`} [join $rows \n]] {
    if {[string match "`?*`" $part]} {
      regsub -all {[^\n]} $part x part
    }
    append out $part
  }
  return $out
}

# What is wrong with a text that begins at a line.
proc check::proseText {file line text} {
  variable proseOpenings
  variable proseWords
  set problems {}
  set begin {(?:\A|\n\s*\n|[.!?:;][\"')*]*\s|\n?\|\s*|\n\s*(?:-|[0-9]+\.)\s)}
  append begin {\s*[\"'(*]*}
  set openings "${begin}((?:[join $proseOpenings |])\\M)(\[^.!?]*\[.!?]?)"
  foreach {all at rest} [regexp -all -inline -indices -- $openings $text] {
    if {[string index $text [lindex $rest 1]] eq "?"} continue
    lappend problems "$file:[proseLine $line $text $at]: a sentence begins\
      with `[string range $text {*}$at]`"
  }
  foreach {pattern instead} $proseWords {
    set pattern [string map {" " {\s+}} $pattern]
    foreach at [regexp -all -inline -indices -- "(?i)\\m$pattern\\M" $text] {
      lappend problems "$file:[proseLine $line $text $at]: `[string range \
        $text {*}$at]`: $instead"
    }
  }
  return $problems
}

# The line of a place in a text that begins at a line.
proc check::proseLine {line text at} {
  return [expr {$line
    + [regexp -all \n [string range $text 0 [lindex $at 0]-1]]}]
}
