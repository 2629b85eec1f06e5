# SPDX-License-Identifier: 0BSD
# Embed the SQL of sql/*/*.sql into C.
#
#   tclsh tool/embed.tcl FOLDER/FILE.sql ... > sql_text.h
#
# Each file becomes `static const char FOLDER_FILE_sql[]`. Comments are left out
# and white space becomes one blank, since every connection parses the triggers
# again. A text in quotes stays as it is. The generators replace $placeholders
# by ext/sqlite/template.c.

namespace eval embed {}

proc embed::squeeze {text} {
  set out ""
  # A quoted text, a comment, white space, or one other character.
  set re {'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\s+|.}
  foreach token [regexp -all -inline $re $text] {
    if {[string match "--*" $token] || [string is space $token]} {
      if {$out ne "" && [string index $out end] ne " "} { append out " " }
    } else {
      append out $token
    }
  }
  return [string trim $out]
}

# A C string literal. ISO C guarantees at most 4095 characters in one.
proc embed::literal {name text} {
  if {[string length $text] > 4095} {
    error "$name: longer than a C string literal may be"
  }
  return "\"[string map {\\ \\\\ \" \\\"} $text]\""
}

foreach file $argv {
  set fd [open $file]
  fconfigure $fd -encoding utf-8
  set name [join [lrange [file split [file rootname $file]] end-1 end] _]
  set text [embed::squeeze [read $fd]]
  close $fd
  puts "static const char ${name}_sql\[\] =\n  [embed::literal $name $text];"
}
