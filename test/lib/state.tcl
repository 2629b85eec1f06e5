# SPDX-License-Identifier: 0BSD
# The contents of a connection's files, as a text to compare: their schemas,
# registries and rows. Random values and times are replaced: numbers in names,
# ids of files, unix ms. Lines of schemas other than main begin with their name.

proc state {db} {
  set text {}
  $db eval {PRAGMA database_list} {
    set prefix [expr {$name eq "main" ? "" : "$name."}]
    set tables {}
    $db eval "SELECT type, name, tbl_name, sql FROM \"$name\".sqlite_master" {
      set sql [string map {\n { }} $sql]
      lappend text "$prefix$type|$name|$tbl_name|$sql"
      if {$type eq "table" && ![string match sqlite_* $name]} {
        lappend tables $name
      }
    }
    set schema [expr {$prefix eq "" ? "main" : [string range $prefix 0 end-1]}]
    foreach table $tables {
      set quoted [string map {\" \"\"} $table]
      $db eval "SELECT * FROM \"$schema\".\"$quoted\"" row {
        set values [lmap column $row(*) { set row($column) }]
        lappend text "$prefix$table: $values"
      }
    }
  }
  set text [join $text \n]
  set registry {^((?:\w+\.)?interlock_[a-z]+: )[0-9a-f]{8}}
  regsub -all -line $registry $text {\1#} text
  set drawn {interlock_[0-9a-f]{8}|\m1\d{12}\M|'[0-9a-f]{8}'|\m[0-9a-f]{16}\M}
  regsub -all $drawn $text # text
  join [lsort [split $text \n]] \n
}

# The same text, as another connection sees the files.
proc state_shared {text} {
  join [lsearch -all -inline -not [split $text \n] temp.*] \n
}

# A short description of how two such texts differ.
proc state_differ {a b} {
  set a [split $a \n]
  set b [split $b \n]
  list lost [lmap x $a { if {$x in $b} continue; string range $x 0 90 }] \
    more [lmap x $b { if {$x in $a} continue; string range $x 0 90 }]
}
