# SPDX-License-Identifier: 0BSD
# sql/lease.sql as a dict, for tests.

# The statements of the file, by name.
proc lease_statements {} {
  set fd [open $world::home/sql/lease.sql]
  set text [read $fd]
  close $fd
  set all [dict create]
  foreach part [lrange [split [string map [list "-- STATEMENT " \x01] $text] \
      \x01] 1 end] {
    set n [string first \n $part]
    regsub -all -line {^--.*$} [string range $part $n end] {} sql
    dict set all [string range $part 0 $n-1] [string trim $sql]
  }
  return $all
}
