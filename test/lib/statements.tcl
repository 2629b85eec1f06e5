# SPDX-License-Identifier: 0BSD
# Shapes of table, and random statements on them, for guardmodel.test and
# fencemodel.test. The table is always t. `key`, `cols` and `on` must be those
# of its shape.
#
# If `carried` is not empty, it is the value that each statement gives the
# column `token`. Now and then a DO UPDATE does not: then `partly` is 1, and
# `carried` is empty afterwards.

set carried ""
set partly 0

# ---- shapes ---------------------------------------------------------------
# key: the columns of the key, each with type and collation; cols: all columns
# that a statement can set; on: the targets of an UPSERT.

set shapes {
  integer {
    ddl {(id INTEGER PRIMARY KEY, a, u UNIQUE)}
    key {id {}} cols {id rowid a u} on {(id) (u)}
  }
  two-indexes {
    ddl {(id INTEGER PRIMARY KEY, u UNIQUE, w, a);
         CREATE UNIQUE INDEX i ON t(w, a)}
    key {id {}} cols {id oid a u w} on {(id) (u) (w,a)}
  }
  replacing {
    ddl {(id INTEGER PRIMARY KEY ON CONFLICT REPLACE, a,
          u UNIQUE ON CONFLICT REPLACE)}
    key {id {}} cols {id a u} on {(id) (u)}
  }
  text {
    ddl {(k TEXT PRIMARY KEY, a, u UNIQUE)}
    key {k TEXT} cols {k a u rowid} on {(k) (u)}
  }
  nocase {
    ddl {(k TEXT PRIMARY KEY COLLATE NOCASE, a, u UNIQUE)}
    key {k {TEXT COLLATE NOCASE}} cols {k a u _rowid_} on {(k) (u)}
  }
  without-rowid {
    ddl {(j, k TEXT, a, u UNIQUE, PRIMARY KEY(j, k)) WITHOUT ROWID}
    key {j {} k TEXT} cols {j k a u} on {(j,k) (u)}
  }
  composite {
    ddl {(j, k, a, u, PRIMARY KEY(j, k)); CREATE UNIQUE INDEX i ON t(u, j)}
    key {j {} k {}} cols {j k a u rowid} on {(j,k) (u,j)}
  }
  expression {
    ddl {(id INTEGER PRIMARY KEY, a INT, b TEXT, c NOT NULL DEFAULT 1);
         CREATE UNIQUE INDEX i ON t((a % 3)) WHERE b > 'b';
         CREATE UNIQUE INDEX j ON t(lower(b), c)}
    key {id {}} cols {id rowid a b c} on {(id)}
  }
  generated {
    ddl {(id INTEGER PRIMARY KEY, a, g AS (a % 3) UNIQUE, h AS (id % 5) UNIQUE)}
    key {id {}} cols {id rowid a} on {(id) (g)}
  }
}

# ---- statements -----------------------------------------------------------

proc pick {list} { lindex $list [expr {int(rand()*[llength $list])}] }
proc chance {percent} { expr {rand()*100 < $percent} }
proc value {column} {
  if {$column eq "token"} { return $::carried }
  if {$column in {rowid oid _rowid_ id}} { return [pick {1 2 3 4 5 6}] }
  if {$column in {k b}} { return [pick {'a' 'b' 'c' 'A' 'B' 'd'}] }
  pick {1 2 3 4 5 '1' NULL}
}
proc assignments {} {
  global cols carried
  set list {}
  foreach column [list [pick $cols] [pick $cols]] {
    lappend list "$column = [value $column]"
  }
  set list [lrange $list 0 [chance 50]]
  if {$carried ne ""} { lappend list "token = $carried" }
  join $list ", "
}
proc clause {} {
  pick {{} {} {OR REPLACE} {OR REPLACE} {OR IGNORE} {OR FAIL} {OR ABORT}
        {OR ROLLBACK}}
}
proc condition {} {
  global cols
  if {[chance 30]} return
  set column [pick $cols]
  return " WHERE $column [pick {= = = <> >}] [value $column]"
}
proc insertion {} {
  global cols on carried partly
  set names $cols
  # A statement may have only one of the names of the rowid.
  if {"id" in $names} {
    set names [lmap n $names {
      if {$n in {rowid oid _rowid_}} continue
      set n
    }]
  } elseif {[chance 50]} {
    set names [lmap n $names {
      if {$n in {rowid _rowid_}} continue
      set n
    }]
  }
  if {$carried ne ""} { lappend names token }
  set rows {}
  # With NULL SQLite chooses the id.
  foreach i [lrange {1 2 3} 0 [pick {0 0 1 2}]] {
    lappend rows "([join [lmap n $names {
      expr {$n eq "id" && [chance 15] ? "NULL" : [value $n]}
    }] {, }])"
  }
  set sql "INTO t([join $names ,]) VALUES[join $rows {, }]"
  if {[chance 70]} { return "INSERT [clause] $sql" }
  if {$carried ne "" && [chance 20]} {
    set carried ""
    set partly 1
  }
  append sql " ON CONFLICT[pick $on] DO "
  append sql [pick [list NOTHING "UPDATE SET [assignments]"]]
  return "INSERT $sql"
}
proc statement {} {
  set ::partly 0
  switch [pick {insert insert update update update delete}] {
    insert { insertion }
    update { string cat "UPDATE [clause] t SET [assignments]" [condition] }
    delete { string cat "DELETE FROM t" [condition] }
  }
}

# ---- triggers of the user's -----------------------------------------------

# Returns the texts of random triggers with RAISE(IGNORE) for some rows. An
# AFTER trigger then skips only other triggers.
proc userTriggers {number} {
  global key cols
  set column [lindex $cols end]
  set list {}
  for {set i 0} {$i < 3} {incr i} {
    set time [pick {BEFORE AFTER AFTER}]
    set event [pick {INSERT UPDATE DELETE}]
    set row [expr {$event eq "DELETE" ? "OLD" : "NEW"}]
    lappend list [list [pick {{} {} {} TEMP}] $time "TRIGGER user$number$i\
      $time $event ON main.t WHEN $row.$column [pick {= >=}] [value $column]\
      BEGIN SELECT RAISE(IGNORE); END"]
  }
  return $list
}
