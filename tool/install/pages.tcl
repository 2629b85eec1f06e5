# SPDX-License-Identifier: 0BSD
# What `make install` and `make dist` write, to standard output.
#
#   tclsh tool/install/pages.tcl page FILE INSTALLED...
#       a page of the tree; a link to a file that is not INSTALLED becomes its
#       text. All are relative to the tree.
#   tclsh tool/install/pages.tcl fill TEMPLATE NAME VALUE...
#       a template; @NAME@ becomes the value
#   tclsh tool/install/pages.tcl man
#       the man page, from README.md
#   tclsh tool/install/pages.tcl version
#       the version, which ext/functions.c defines

namespace eval page {
  variable home [file dirname [file dirname [file dirname \
                                 [file normalize [info script]]]]]
}
source $page::home/tool/csource.tcl

proc page::version {} {
  variable home
  regexp {#define INTERLOCK_VERSION "([^"]+)"} \
    [csource::slurp $home/ext/functions.c] - version
  return $version
}

proc page::fill {template args} {
  set map [list @VERSION@ [version]]
  foreach {name value} $args { lappend map @$name@ $value }
  return [string map $map [csource::slurp $template]]
}

# A path relative to the tree, without `.` and `..`.
proc page::resolved {folder path} {
  set out {}
  foreach part [file split [file join $folder $path]] {
    switch -- $part {
      .       { }
      ..      { set out [lrange $out 0 end-1] }
      default { lappend out $part }
    }
  }
  return [join $out /]
}

proc page::page {file args} {
  variable home
  set out ""
  set text [csource::slurp $home/$file]
  foreach part [regexp -all -inline {\[[^\]]*\]\([^)]*\)|\[|[^\[]+} $text] {
    if {[regexp {^\[([^\]]*)\]\(([^)#:]+)(?:#[^)]*)?\)$} $part - label path]
        && [resolved [file dirname $file] $path] ni $args} {
      set part $label
    }
    append out $part
  }
  return $out
}

# Text for troff, in which `code` is bold.
proc page::troff {text} {
  regsub -all {\[([^\]]*)\]\([^)]*\)} $text {\1} text
  set text [string map {\\ \\e - \\-} $text]
  regsub -all {\*\*([^*]+)\*\*} $text {\1} text
  regsub -all {`([^`]+)`} $text {\\fB\1\\fR} text
  regsub -all -line {^([.'])} $text {\\\&\1} text
  return $text
}

# The cells of the table below a heading: a list of rows, each a list.
proc page::rows {text heading} {
  set from [string first "\n## $heading\n" $text]
  set end [string first "\n## " $text $from+1]
  return [lmap {- left right} [regexp -all -inline -line \
      {^\| (.+?) \| (.+) \|$} [string range $text $from $end]] {
    list $left $right
  }]
}

proc page::man {} {
  variable home
  set text [csource::slurp $home/README.md]
  regexp {\n\n(Interlock is a SQLite extension.*?)\n\n} $text - first
  regsub { Run `make`.*$} $first {} first
  regsub -all {,? under\s+the \[Zero-Clause.*?\)} $first {} first
  append out ".TH INTERLOCK 7 \"\" \"Interlock [version]\"\n.SH NAME\n" \
    "interlock \\- versioned tables and locks for SQLite\n.SH SYNOPSIS\n" \
    ".nf\n\\fB.load interlock\\fR\n" \
    "\\fBSELECT load_extension('interlock');\\fR\n.fi\n" \
    ".SH DESCRIPTION\n" [troff $first] "\n.PP\n" \
    "If the loader does not find the library by its name, give its path\n" \
    "without \\fB.so\\fR: \\fBpkg\\-config \\-\\-variable=extension" \
    " interlock\\fR prints it.\n" \
    ".SH FUNCTIONS AND TABLES\n"
  foreach row [rows $text "Functions and tables"] {
    append out ".TP\n" [troff [lindex $row 0]] \n [troff [lindex $row 1]] .\n
  }
  append out ".SH FILES\n.TP\n\\fIDATABASE\\fB\\-interlock\\fR\n" \
    "The lock file of a database. It may be deleted when no program has the\n" \
    "database open.\n.SH SEE ALSO\n.BR sqlite3 (1),\n" \
    "the pages in share/doc/interlock\n"
  return $out
}

if {[info exists argv0]
    && [file normalize $argv0] eq [file normalize [info script]]} {
  fconfigure stdout -encoding utf-8
  set rest [lassign $argv what]
  puts -nonewline [page::$what {*}$rest]
}
