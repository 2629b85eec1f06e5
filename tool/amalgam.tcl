# SPDX-License-Identifier: 0BSD
# The amalgamation: all of ext/ as one C file, for programs that link
# statically.
#
#   tclsh tool/amalgam.tcl SQL_TEXT.h > interlock-amalgam.c
#
# tool/layers.tcl is the table of contents: the lowest folder comes first, and
# of each concept the header, then the .c. The files of all platforms are
# included; each has an #if of its own. An #include of a header of this project
# becomes the text of the header, once. Functions that headers declare become
# static: C lets a definition follow a static declaration. Only the entry points
# stay visible.

namespace eval amalgam {
  variable home [file dirname [file normalize [info script]]]
  variable done {}         ;# headers whose text is there
}
source $amalgam::home/csource.tcl
source $amalgam::home/layers.tcl

proc amalgam::head {} {
  return [join {
    {/* SPDX-License-Identifier: 0BSD */}
    {/*}
    {** Interlock as one file, made by tool/amalgam.tcl from ext/ and sql/.}
    {**}
    {** It is C11, and needs pthreads. As a loadable extension: gcc -shared}
    {** -fPIC. In a program that has SQLite in itself: -DSQLITE_CORE, or}
    {** appended to sqlite3.c, then sqlite3_interlock_init(db, &zErrMsg, 0) on}
    {** each connection, or by sqlite3_auto_extension().}
    {*/}
  } \n]\n
}

# Macros that system headers test. They must come before all of these.
proc amalgam::featureMacros {root} {
  set out {}
  foreach file [csource::ext $root *.c *.h] {
    lappend out {*}[regexp -all -inline -line \
      {^#define _(?:GNU|POSIX_C|XOPEN|DEFAULT|FILE)\w*.*$} \
      [csource::slurp $root/$file]]
  }
  return [lmap row [lsort -unique $out] {
    string cat "#ifndef [lindex $row 1]\n$row\n#endif\n"
  }]
}

# SQLite's API table, which SQLITE_EXTENSION_INIT1 would make visible. As the
# end of sqlite3.c the file needs none.
proc amalgam::api {} {
  return [join {
    {#ifndef SQLITE_AMALGAMATION}
    {# include <sqlite3ext.h>}
    {#endif}
    {#ifndef SQLITE_CORE}
    {static const sqlite3_api_routines *sqlite3_api = 0;}
    {#endif}
    {}
    {/* What one layer offers to the ones above, not all of it used. */}
    {#define INTERLOCK_STATIC static __attribute__((unused))}
  } \n]\n
}

# Makes a prototype in a header static. Data cannot be declared static and
# defined elsewhere.
proc amalgam::hide {file row bare} {
  if {[regexp {^extern\M} $bare]} {
    error "$file: extern data: let a function return it"
  }
  if {[regexp {^[A-Za-z_][\w \*]*\m\w+\(} $bare]
      && ![regexp {^(?:static|typedef|struct|enum|union|_Static_assert)\M} \
             $bare]} {
    return "INTERLOCK_STATIC $row"
  }
  return $row
}

# The text of a file with its includes resolved.
proc amalgam::text {root file sqlText} {
  variable done
  set isHeader [string match *.h $file]
  if {$file in $done} return
  if {$isHeader} { lappend done $file }
  set path [expr {$file eq "sql_text.h" ? $sqlText : "$root/ext/$file"}]
  set out "\n/* ---- $file [string repeat - [expr {66 - [
    string length $file]}]] */\n"
  set plain [split [csource::without [csource::slurp $path] comment] \n]
  foreach row [split [string trimright [csource::slurp $path]] \n] \
          bare $plain {
    if {[regexp {^#include "([^"]+)"} $row -> header]} {
      append out [text $root $header $sqlText]
    } elseif {[regexp {^#include <sqlite3(ext)?\.h>} $row]
              || [regexp {^SQLITE_EXTENSION_INIT[13]$} $row]
              || [regexp {^/\* SPDX-} $row]
              || [regexp {^#define _(?:GNU|POSIX_C|XOPEN|DEFAULT|FILE)} \
                    $row]} {
      continue
    } elseif {$isHeader} {
      append out [hide $file $row $bare] \n
    } else {
      append out $row \n
    }
  }
  return $out
}

# The names of file scope in a text: {macros others}. A declaration is found by
# its layout: it begins in column 0.
proc amalgam::names {text} {
  set plain [csource::without $text comment string]
  set macros {}
  set others {}
  foreach {- row name} [regexp -all -inline -line \
      {^(#ifndef \w+\n)?#\s*define ([A-Za-z]\w*)} $plain] {
    if {$row eq ""} { lappend macros $name }
  }
  # Types, what they enumerate, functions, data.
  foreach {- name} [regexp -all -inline -line \
      {^(?:typedef )?(?:struct|enum|union) (\w+)} $plain] {
    lappend others $name
  }
  foreach {- name} [regexp -all -inline -line {^typedef \w+ (\w+);} $plain] {
    lappend others $name
  }
  foreach {- body} [regexp -all -inline {\menum(?: \w+)? \{([^\}]*)\}} \
                      $plain] {
    foreach word [split $body ,] {
      if {[regexp {^\s*(\w+)} $word -> name]} { lappend others $name }
    }
  }
  foreach {- name} [regexp -all -inline -line [join {
    {^(?:INTERLOCK_STATIC |static )?[A-Za-z_][\w \*]*?\m(\w+)}
    {(?:\(|\[| = |;)}
  } ""] $plain] {
    lappend others $name
  }
  set foreign {sqlite3* _* INTERLOCK_API typedef main}
  set others [lmap name [lsort -unique $others] {
    set own 1
    foreach pattern $foreign {
      if {[string match $pattern $name]} { set own 0 }
    }
    if {!$own || $name in $macros} continue
    set name
  }]
  return [list [lsort -unique $macros] $others]
}

# At the end of sqlite3.c, names that SQLite uses as well are replaced.
proc amalgam::renamed {text} {
  lassign [names $text] macros others
  set out "#ifdef SQLITE_AMALGAMATION\n"
  foreach name $macros { append out "#undef $name\n" }
  foreach name $others {
    append out "#undef $name\n#define $name interlock_$name\n"
  }
  return "$out#endif\n"
}

proc amalgam::main {root sqlText} {
  set out ""
  foreach concept [layers::concepts] {
    foreach file [list $concept.h $concept.c] {
      if {[file exists $root/ext/$file]} {
        append out [text $root $file $sqlText]
      }
    }
  }
  foreach file [csource::ext $root *.c] {
    if {![layers::has [regsub {^ext/} $file {}]]} {
      error "$file: not in tool/layers.tcl"
    }
  }
  set top [head]
  append top {*}[featureMacros $root] [api] [renamed $out]
  return $top$out
}

if {[info exists argv0]
    && [file normalize $argv0] eq [file normalize [info script]]} {
  puts -nonewline [amalgam::main [file dirname $amalgam::home] \
                     [lindex $argv 0]]
}
