# SPDX-License-Identifier: 0BSD
# What a database is, as a text to compare: its schema, its registry of
# versioned tables and its rows, with what is drawn or read from the clock
# made equal: numbers in names, unix ms.

proc state {db} {
  set text {}
  $db eval {SELECT type||'|'||name||'|'||tbl_name||'|'||ifnull(sql,'') AS line
            FROM sqlite_master} { lappend text $line }
  set tables [$db eval {SELECT name FROM sqlite_master WHERE type = 'table'
                        AND name NOT LIKE 'sqlite_%'}]
  foreach table $tables {
    $db eval "SELECT * FROM \"$table\"" row {
      lappend text "$table: [lmap name $row(*) { set row($name) }]"
    }
  }
  set text [join $text \n]
  regsub -all -line {^(interlock_versioned: )[0-9a-f]{8}} $text {\1#} text
  regsub -all {interlock_[0-9a-f]{8}|\m1\d{12}\M} $text # text
  join [lsort [split $text \n]] \n
}

# Where two of them differ, in short.
proc state_differ {a b} {
  set a [split $a \n]
  set b [split $b \n]
  list lost [lmap x $a { if {$x in $b} continue; string range $x 0 90 }] \
    more [lmap x $b { if {$x in $a} continue; string range $x 0 90 }]
}
