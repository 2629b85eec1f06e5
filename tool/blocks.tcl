# SPDX-License-Identifier: 0BSD
# Reading the reference blocks: the comments in ext/ and sql/ that document
# functions, tables and errors beside their code.
#
# A block is a comment whose first line is one of
#
#   SQL AREA title                    a chapter; text follows
#   SQL FUNCTION name(a [, b])        several such lines: one block for all
#   SQL TABLE name                    a virtual table
#   SQL ERROR prefix:                 an error message, beside what raises it
#
# in C after `/*` on a line of its own and with ** margin, in sql/*/*.sql with
# -- margin. Text follows, then sections. Each begins with `Name:` at the
# margin, and its further lines are indented. A comment or line that looks like
# a block or a section and is none is a problem. None is left out silently.

source [file join [file dirname [file normalize [info script]]] csource.tcl]

namespace eval blocks {
  # For each kind of block the sections it must have and those it may have.
  variable sections {
    AREA     {{} {}}
    FUNCTION {{Arguments Result Errors From Example} {}}
    TABLE    {{Columns Errors From Example} {Writes}}
    ERROR    {{Code Retry Cure} {}}
  }
  # For each kind the form of what follows it; in parentheses the name.
  variable heads {
    AREA     {^(\S.*)$}
    FUNCTION {^([a-z_0-9]+)\([^()]*\)$}
    TABLE    {^([a-z_0-9]+)$}
    ERROR    {^([a-z ]+:)$}
  }
  variable problems {}     ;# found while reading, `file:line: what`
}

proc blocks::problem {file line what} {
  variable problems
  lappend problems "$file:$line: $what"
}

# All blocks of a tree, each a dict: kind, file, line, heads (as written),
# names, text (lines), and the sections, each a list of lines; Example is a
# list of pairs, line and lines. Sets `problems`.
proc blocks::of {root} {
  variable problems
  set problems {}
  set blocks {}
  # Ordered by the names of the files, without their folders.
  set files [lsort -command {apply {{a b} {
    string compare [file tail $a] [file tail $b]
  }}} [csource::ext $root *.c *.h]]
  foreach file [concat $files [csource::files $root sql/*/*.sql]] {
    foreach {line rows} [comments $root/$file] {
      set block [block $file $line $rows]
      if {[llength $block]} { lappend blocks $block }
    }
  }
  checkNames $blocks
  checkErrors $blocks
  return $blocks
}

proc blocks::kind {blocks args} {
  return [lmap block $blocks {
    if {[dict get $block kind] ni $args} continue
    set block
  }]
}

# ---- comments ---------------------------------------------------------------

# The comments of a file: line of the first row, rows without margin. The
# first row is the one with the /*, in SQL an empty one.
proc blocks::comments {file} {
  set text [csource::slurp $file]
  if {[file extension $file] eq ".sql"} { return [sqlComments $text] }
  set out {}
  foreach {line comment} [csource::comments $text] {
    regsub {\s*\*/$} $comment "" comment
    set rows [lmap row [split $comment \n] {
      regsub {^\s*(?:/\*+|\*\*) ?} $row "" row
      set row
    }]
    lappend out $line $rows
  }
  return $out
}

# In SQL: lines that begin with -- and follow one another. The license line
# is not part of it.
proc blocks::sqlComments {text} {
  set out {}
  set rows {}
  set line 0
  foreach row [split $text\n \n] {
    incr line
    if {[regexp {^-- SPDX} $row]} continue
    if {[regexp {^-- ?(.*)$} $row -> rest]} {
      if {![llength $rows]} {
        set first [expr {$line - 1}]
        set rows {{}}
      }
      lappend rows $rest
    } elseif {[llength $rows]} {
      lappend out $first $rows
      set rows {}
    }
  }
  return $out
}

# ---- one block --------------------------------------------------------------

# The block that a comment is, or nothing.
proc blocks::block {file line rows} {
  variable heads
  if {[string trim [lindex $rows 0]] eq ""} {
    set rows [lrange $rows 1 end]
    incr line
  } else {
    set rows [linsert $rows 0 ""]    ;# a block does not begin beside /*
  }
  set block [dict create file $file line $line heads {} names {}]
  while {[regexp {^SQL (AREA|FUNCTION|TABLE|ERROR) (\S.*)$} \
            [lindex $rows 0] -> kind head]} {
    if {[dict exists $block kind] && [dict get $block kind] ne $kind} {
      problem $file $line "SQL $kind in a block of another kind"
    }
    dict set block kind $kind
    if {![regexp [dict get $heads $kind] $head -> name]} {
      problem $file $line "SQL $kind $head: not of the form that it has"
      set name $head
    }
    dict lappend block heads $head
    dict lappend block names $name
    set rows [lrange $rows 1 end]
    incr line
  }
  nearMisses $block $line $rows
  if {![dict exists $block kind]} return
  set block [sectionsInto $block $line $rows]
  checkSections $block
  return $block
}

# Lines that were probably meant to begin a block. Prose must not have "SQL
# function" as the first words of a comment.
proc blocks::nearMisses {block line rows} {
  set first [expr {![dict exists $block kind]}]
  foreach row $rows {
    if {$first && $row eq ""} { incr line; continue }
    if {$first && [regexp -nocase {^\W*SQL\W*(FUN|TAB|ERR|AREA)} $row]
        || [regexp {^\W*SQL[ _-]?(FU|TA|ER|AR)[A-Z]*\M} $row]} {
      problem [dict get $block file] $line \
        "`[string trim $row]` begins no block: see tool/blocks.tcl"
    }
    set first 0
    incr line
  }
}

# Cuts the rows at the names of the sections, and puts them into the block.
proc blocks::sectionsInto {block line rows} {
  variable sections
  set file [dict get $block file]
  set known [concat {*}[dict get $sections [dict get $block kind]]]
  set word text
  set part {}
  set from $line
  foreach row [linsert $rows end "end:"] {
    if {[regexp {^(\w+): *(.*)$} $row -> next rest]
        && ($row eq "end:" || [string is upper [string index $next 0]]
            || [lsearch -exact -nocase $known $next] >= 0)} {
      set block [add $block $word $from $part]
      if {$row ne "end:" && $next ni $known} {
        problem $file $line "section $next: unknown in SQL [dict get \
          $block kind]"
      }
      set word $next
      set part [expr {$rest eq "" ? {} : [list "  $rest"]}]
      set from [expr {$line + ($rest eq "")}]
    } else {
      if {$word ne "text" && ![regexp {^(  |$)} $row]} {
        problem $file $line "not indented, in section $word"
      }
      lappend part $row
    }
    incr line
  }
  return $block
}

proc blocks::add {block word line rows} {
  if {$word eq "Example"} {
    dict lappend block Example \
      [list $line [lmap row $rows { string range $row 2 end }]]
  } elseif {[dict exists $block $word]} {
    problem [dict get $block file] $line "section $word: there twice"
  } else {
    dict set block $word $rows
  }
  return $block
}

# ---- the contents of sections -----------------------------------------------

# The lines of a list, those of one item joined: an item begins at two
# blanks, its further lines are indented more.
proc blocks::items {rows} {
  set out {}
  foreach row $rows {
    if {[string trim $row] eq ""} continue
    if {[regexp {^  \S} $row] || ![llength $out]} {
      lappend out [string trim $row]
    } else {
      lset out end "[lindex $out end] [string trim $row]"
    }
  }
  if {$out eq "none"} { return {} }
  return $out
}

# The lines of a text, as one.
proc blocks::sentence {rows} {
  return [string trim [join [lmap row $rows { string trim $row }] " "]]
}

# An item of Arguments and Columns: name, type, text. A type is `any`, or
# one or more of SQL's.
proc blocks::typed {item} {
  set types {any|[A-Z]+(?:(?:, | or )[A-Z]+)*}
  if {[regexp "^(\\w+)(?:\\.\\.\\.)?\\s+($types)\\s\\s+(\\S.*)$" $item \
         -> name type text]} {
    return [list $name $type $text]
  }
}

# An item of Errors: prefix, code, what else.
proc blocks::raised {item} {
  if {[regexp {^`([a-z ]+:)` (SQLITE_[A-Z_]+)(?:, )?(.*)$} $item \
         -> prefix code rest]} {
    return [list $prefix $code $rest]
  }
}

# What stands between the parentheses of all heads.
proc blocks::arguments {block} {
  set words {}
  foreach head [dict get $block heads] {
    if {[regexp {\((.*)\)} $head -> list]} {
      lappend words {*}[regexp -all -inline {[a-z_0-9]+} $list]
    }
  }
  return [lsort -unique $words]
}

# ---- problems ---------------------------------------------------------------

proc blocks::checkSections {block} {
  variable sections
  set kind [dict get $block kind]
  set at [list [dict get $block file] [dict get $block line]]
  foreach word [lindex [dict get $sections $kind] 0] {
    if {![dict exists $block $word]} {
      problem {*}$at "SQL $kind [lindex [dict get $block heads] 0]: no\
        section $word"
    } elseif {[sentence [dict get $block $word]] eq ""} {
      problem {*}$at "section $word: empty"
    }
  }
  if {[sentence [dict get $block text]] eq ""} {
    problem {*}$at "SQL $kind [lindex [dict get $block heads] 0]: no text"
  }
  foreach {word form} {Arguments typed Columns typed Errors raised} {
    if {![dict exists $block $word]} continue
    foreach item [items [dict get $block $word]] {
      if {![llength [$form $item]]} {
        problem {*}$at "$word: `$item` is not of the form that it has"
      }
    }
  }
  if {$kind eq "FUNCTION" && [dict exists $block Arguments]} {
    set names [lsort -unique [lmap item [items [dict get $block Arguments]] {
      lindex [typed $item] 0
    }]]
    if {$names ne [arguments $block]} {
      problem {*}$at "Arguments are $names, in the heads [arguments $block]"
    }
  }
}

# A name has one block.
proc blocks::checkNames {blocks} {
  foreach block [kind $blocks FUNCTION TABLE ERROR] {
    set at [list [dict get $block file] [dict get $block line]]
    foreach name [dict get $block names] {
      if {[info exists seen($name)]} {
        problem {*}$at "$name: has a block at $seen($name)"
      }
      set seen($name) [join $at :]
    }
  }
}

# Every error that a function names has a block with that code, and every block
# of an error is named by a function.
proc blocks::checkErrors {blocks} {
  foreach block [kind $blocks ERROR] {
    if {![dict exists $block Code]} continue
    foreach name [dict get $block names] {
      set code($name) [sentence [dict get $block Code]]
      set at($name) [list [dict get $block file] [dict get $block line]]
    }
  }
  foreach block [kind $blocks FUNCTION TABLE] {
    if {![dict exists $block Errors]} continue
    set place [list [dict get $block file] [dict get $block line]]
    foreach item [items [dict get $block Errors]] {
      lassign [raised $item] prefix its
      set used($prefix) 1
      if {![info exists code($prefix)]} {
        problem {*}$place "Errors: `$prefix` has no SQL ERROR block"
      } elseif {![regexp "\\m$its\\M" $code($prefix)]} {
        problem {*}$place "Errors: `$prefix` $its, its block says\
          $code($prefix)"
      }
    }
  }
  foreach name [array names code] {
    if {![info exists used($name)]} {
      problem {*}$at($name) "SQL ERROR $name is in no Errors section"
    }
  }
}
