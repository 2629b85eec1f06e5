# SPDX-License-Identifier: 0BSD
# The SQL reference: sql/README.md from the blocks of ext/ and sql/.
#
#   tclsh tool/reference.tcl ?ROOT?
#
# tool/blocks.tcl says what a block is. sql/intro.md begins the page, and ends
# with the list of its chapters: `- TITLE: NAME, NAME, ...`, further lines
# indented. A chapter has the text of the SQL AREA blocks of its title and the
# functions and tables that the list names, in that order; a block is named by
# its first name. The list must be complete. `Errors` lists the SQL ERROR
# blocks; its chapter comes last in the page, wherever the list has it.

namespace eval reference {
  variable home [file dirname [file normalize [info script]]]
  variable problems {}     ;# of the list, `file:line: what`
}
source $reference::home/blocks.tcl

# ---- parts of the page ------------------------------------------------------

proc reference::cell {text} { string map {| \\|} $text }

# A table from rows of cells, the first of them its head.
proc reference::table {rows} {
  set out "| [join [lindex $rows 0] { | }] |\n"
  append out "[string repeat |--- [llength [lindex $rows 0]]]|\n"
  foreach row [lrange $rows 1 end] {
    append out "| [join [lmap x $row { cell $x }] { | }] |\n"
  }
  return $out
}

proc reference::paragraphs {rows} {
  return [string trim [join $rows \n]]
}

# The anchor that the usual Markdown renderers make from a heading.
proc reference::anchor {title} {
  regsub -all {[^\w -]} [string tolower $title] "" title
  return [string map {" " -} $title]
}

# The anchor of a function, a table, or an error (`fenced:`). An error of one
# word can have the name of a function.
proc reference::anchorOf {name} {
  if {[regexp {^\w+:$} $name]} { return error-[anchor $name] }
  return [anchor $name]
}

# Names of functions and tables as in the code, of errors with their colon.
proc reference::link {name} {
  set shown [expr {[string match *: $name] ? "`$name`" : $name}]
  return "\[$shown\](#[anchorOf $name])"
}

# The first sentence of a block, as a line of its own.
proc reference::line {block} {
  set text [blocks::sentence [dict get $block text]]
  regexp {^(.*?[^.])[.:](?: |$)} $text -> text
  return $text
}

# How a name differs from the others of its block.
proc reference::variant {block name} {
  if {[llength [dict get $block names]] == 1} return
  set words {}
  if {[string match *_shared $name]} { lappend words shared }
  if {[string match *xact_* $name]} {
    lappend words "until the transaction ends"
  }
  if {![llength $words]} return
  return " ([join $words {, }])"
}

proc reference::typedTable {what rows} {
  set table [list [list $what type ""]]
  foreach item [blocks::items $rows] {
    lassign [blocks::typed $item] name type text
    lappend table [list `$name` $type $text]
  }
  return [table $table]
}

# One function or table. The renderer makes the anchor of the first name, as
# of every heading.
proc reference::entry {block} {
  set names [lassign [dict get $block names] first]
  set out ""
  foreach name $names { append out "<a id=\"[anchor $name]\"></a>\n" }
  if {[llength $names]} { append out \n }
  append out "### $first\n\n"
  if {[dict get $block kind] eq "FUNCTION"} {
    append out [join [lmap head [dict get $block heads] {
      string cat ` $head `
    }] "  \n"] "\n\n"
  }
  append out [paragraphs [dict get $block text]] "\n\n"
  foreach {word what} {Arguments argument Columns column} {
    if {[dict exists $block $word]
        && [llength [blocks::items [dict get $block $word]]]} {
      append out [typedTable $what [dict get $block $word]] \n
    }
  }
  foreach word {Result Writes Errors From} {
    if {![dict exists $block $word]} continue
    set rows [dict get $block $word]
    if {$word eq "Errors"} {
      set text [join [blocks::items $rows] "; "]
      if {$text eq ""} { set text none }
    } else {
      set text [blocks::sentence $rows]
    }
    append out "$word: $text\n\n"
  }
  foreach example [dict get $block Example] {
    set rows [string trim [join [lindex $example 1] \n] \n]
    append out "```sql\n$rows\n```\n\n"
  }
  return $out
}

# The errors as a table, a row a block.
proc reference::errors {blocks} {
  set rows [list {error code {what to retry} {what it means} cure}]
  foreach block $blocks {
    lappend rows [list \
      [join [lmap name [dict get $block names] {
        string cat "<a id=\"[anchorOf $name]\"></a>`" $name `
      }]] \
      [blocks::sentence [dict get $block Code]] \
      [blocks::sentence [dict get $block Retry]] \
      [blocks::sentence [dict get $block text]] \
      [blocks::sentence [dict get $block Cure]]]
  }
  return "## Errors\n\n[table $rows]\n"
}

# All names of functions and tables in alphabetical order, a line each.
proc reference::index {blocks} {
  set rows {}
  foreach block [blocks::kind $blocks FUNCTION TABLE] {
    foreach name [dict get $block names] {
      lappend rows [list $name [line $block][variant $block $name]]
    }
  }
  set table [list {name {what it does}}]
  foreach row [lsort -index 0 $rows] {
    lassign $row name line
    lappend table [list "\[`$name`\](#[anchor $name])" $line]
  }
  return "## All names\n\n[table $table]\n"
}

# The files of sql/ with the first sentence of each.
proc reference::files {root} {
  set rows [list {file what}]
  foreach file [csource::files $root sql/*/*.sql] {
    set comment [lindex [blocks::sqlComments [csource::slurp $root/$file]] 1]
    set text ""
    foreach row [lrange $comment 1 end] {
      if {[string trim $row] eq ""} break
      append text " " $row
    }
    set name [string range $file 4 end]
    lappend rows [list "\[$name\]($name)" [string trim $text]]
  }
  if {[llength $rows] == 1} return
  return "## The SQL text\n\n[table $rows]"
}

# ---- the page ---------------------------------------------------------------

proc reference::problem {place what} {
  variable problems
  lappend problems "$place: $what"
}

# sql/intro.md: its text, and the list as title, line, names in turn.
proc reference::intro {root} {
  set text ""
  set list {}
  if {![file exists $root/sql/intro.md]} { return [list $text $list] }
  set line 0
  foreach row [split [string trimright [csource::slurp \
                        $root/sql/intro.md]] \n] {
    incr line
    if {[regexp {^- (.+?): *(.*)$} $row -> title names]} {
      lappend list $title $line $names
    } elseif {[llength $list] && [regexp {^  (\S.*)$} $row -> names]} {
      lset list end "[lindex $list end] $names"
    } elseif {[llength $list]} {
      problem sql/intro.md:$line "not part of the list, after which nothing\
        follows"
    } else {
      append text $row \n
    }
  }
  set out {}
  foreach {title line names} $list {
    lappend out $title $line [lmap name [split $names ,] {
      string trim $name " `"
    }]
  }
  return [list $text $out]
}

# The chapters of the list: title, text, blocks. A name that the list lacks, has
# twice, or has without a block is a problem.
proc reference::chapters {list blocks} {
  foreach block $blocks {
    set first [lindex [dict get $block names] 0]
    if {[dict get $block kind] eq "AREA"} {
      lappend text($first) [paragraphs [dict get $block text]]
      set at(chapter,$first) [dict get $block file]:[dict get $block line]
    } else {
      set of($first) $block
      set at($first) [dict get $block file]:[dict get $block line]
    }
  }
  set out {}
  foreach {title line names} $list {
    set entries {}
    foreach name $names {
      if {![info exists of($name)]} {
        problem sql/intro.md:$line "$name begins no block"
      } elseif {![info exists at($name)]} {
        problem sql/intro.md:$line "$name is there twice"
      } else {
        lappend entries $of($name)
        unset at($name)
      }
    }
    unset -nocomplain at(chapter,$title)
    if {![info exists text($title)]} { set text($title) {} }
    lappend out $title [join $text($title) \n\n] $entries
  }
  foreach {key place} [lsort -stride 2 -index 1 [array get at]] {
    problem $place "[string map {, " "} $key] is not in sql/intro.md"
  }
  return $out
}

# The page as text. Sets `problems`.
proc reference::page {root blocks} {
  variable problems
  set problems {}
  lassign [intro $root] intro list
  set contents ""
  set body ""
  set errors ""
  foreach {title text entries} [chapters $list $blocks] {
    if {![llength $entries]} continue
    append contents "- \[$title\](#[anchor $title]): [join [lmap b $entries {
      link [lindex [dict get $b names] 0]
    }] {, }]\n"
    if {$title eq "Errors"} {
      set errors [errors $entries]
      continue
    }
    append body "## $title\n\n"
    if {$text ne ""} { append body "$text\n\n" }
    foreach block $entries { append body [entry $block] }
  }
  append contents "- \[All names\](#all-names), in alphabetical order\n"
  set page "<!-- Made by tool/reference.tcl from the comments in ext/ and\
    sql/. `make reference` writes it. -->\n"
  append page $intro $contents \n $body $errors [index $blocks] [files $root]
  return "[string trimright $page]\n"
}

proc reference::main {root} {
  set blocks [blocks::of $root]
  variable problems
  set page [page $root $blocks]
  set all [concat $blocks::problems $problems]
  if {[llength $all]} {
    puts stderr [join $all \n]
    return 1
  }
  set fd [open $root/sql/README.md w]
  fconfigure $fd -encoding utf-8
  puts -nonewline $fd $page
  close $fd
  return 0
}

if {[info exists argv0]
    && [file normalize $argv0] eq [file normalize [info script]]} {
  set root [file dirname $reference::home]
  if {[llength $argv]} { set root [file normalize [lindex $argv 0]] }
  exit [reference::main $root]
}
