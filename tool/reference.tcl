# SPDX-License-Identifier: 0BSD
# The SQL reference: sql/README.md from the blocks of ext/ and sql/.
#
#   tclsh tool/reference.tcl ?ROOT?
#
# tool/blocks.tcl says what a block is. The page begins with sql/intro.md;
# chapters (SQL AREA) come in the order in which they are first met, what is
# in no chapter first.

namespace eval reference {
  variable home [file dirname [file normalize [info script]]]
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

# How a heading is linked to, as the usual Markdown renderers make it.
proc reference::anchor {title} {
  regsub -all {[^\w -]} [string tolower $title] "" title
  return [string map {" " -} $title]
}

proc reference::title {block} { join [dict get $block names] ", " }

proc reference::typedTable {what rows} {
  set table [list [list $what type ""]]
  foreach item [blocks::items $rows] {
    lassign [blocks::typed $item] name type text
    lappend table [list `$name` $type $text]
  }
  return [table $table]
}

# One function or table.
proc reference::entry {block} {
  set out "### [title $block]\n\n"
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

proc reference::errors {blocks} {
  set rows [list {error code {what to retry} {what it means} cure}]
  foreach block [blocks::kind $blocks ERROR] {
    lappend rows [list \
      [join [lmap name [dict get $block names] { string cat ` $name ` }]] \
      [blocks::sentence [dict get $block Code]] \
      [blocks::sentence [dict get $block Retry]] \
      [blocks::sentence [dict get $block text]] \
      [blocks::sentence [dict get $block Cure]]]
  }
  if {[llength $rows] == 1} return
  return "## Errors\n\n[table $rows]\n"
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

# The chapters: title, text, blocks. Chapters of one title are one.
proc reference::areas {blocks} {
  set order {{}}
  set current {}
  set text() ""
  set in() {}
  foreach block [blocks::kind $blocks AREA FUNCTION TABLE] {
    if {[dict get $block kind] eq "AREA"} {
      set current [lindex [dict get $block names] 0]
      if {$current ni $order} {
        lappend order $current
        set text($current) ""
        set in($current) {}
      }
      if {$text($current) ne ""} { append text($current) \n\n }
      append text($current) [paragraphs [dict get $block text]]
    } else {
      lappend in($current) $block
    }
  }
  return [concat {*}[lmap area $order { list $area $text($area) $in($area) }]]
}

# The page as text.
proc reference::page {root blocks} {
  set intro "# SQL reference\n"
  if {[file exists $root/sql/intro.md]} {
    set intro [csource::slurp $root/sql/intro.md]
  }
  set contents ""
  set body ""
  foreach {area text entries} [areas $blocks] {
    if {![llength $entries]} continue
    if {$area eq ""} { set area "Functions" }
    append contents "- \[$area\](#[anchor $area]): " [join [lmap b $entries {
      string cat "\[" [title $b] "\](#" [anchor [title $b]] ")"
    }] ", "] "\n"
    append body "## $area\n\n"
    if {$text ne ""} { append body "$text\n\n" }
    foreach block $entries { append body [entry $block] }
  }
  set page "<!-- Made by tool/reference.tcl from the comments in ext/ and\
    sql/. `make reference` writes it. -->\n"
  append page $intro \n $contents \n $body [errors $blocks] [files $root]
  return "[string trimright $page]\n"
}

proc reference::main {root} {
  set blocks [blocks::of $root]
  if {[llength $blocks::problems]} {
    puts stderr [join $blocks::problems \n]
    return 1
  }
  set fd [open $root/sql/README.md w]
  fconfigure $fd -encoding utf-8
  puts -nonewline $fd [page $root $blocks]
  close $fd
  return 0
}

if {[info exists argv0]
    && [file normalize $argv0] eq [file normalize [info script]]} {
  set root [file dirname $reference::home]
  if {[llength $argv]} { set root [file normalize [lindex $argv 0]] }
  exit [reference::main $root]
}
