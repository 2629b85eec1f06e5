# SPDX-License-Identifier: 0BSD
# An oracle for versioned tables. It makes random statements, runs them on a
# connection, and judges the result by reading the table alone, never the
# triggers, the tombstones or the registry.
#
# What must hold for every key of the table:
#   G1  a row that is there after a statement and was not there before, or
#       looks different, has a version that its key never had before (every
#       statement writes a payload of its own, so every touch shows);
#   G2  an UPDATE that carries a version touches only rows that it is right
#       for: current + 1, in mode echo current. It is refused as stale if it
#       matches any other row; with on_stale=ignore it skips those;
#   G3  one that carries the right version everywhere is not refused as stale,
#       nor is one that carries none;
#   G4  an UPDATE raises the version of a row by one where nothing else is
#       going on, and one that carries it also where triggers of the
#       application update the row, and are in order;
#   G5  a statement that failed changed nothing (but for OR FAIL);
#   G6  every version is an integer, not negative;
#   G7  in mode strict no UPDATE without a version touches a row, and no
#       REPLACE of a live row that does not carry the next one.
#   G9  in mode strict an INSERT of a key under which no row lives is not
#       refused for want of a version;
#   G10 triggers of the application that update the table let no statement fail
#       that is right;
#   G11 an UPDATE of one row is refused as `version ahead` if it carries more
#       than is right, and otherwise as `stale write`;
#   G12 the history (model::history 1) has no version that has not ended, but
#       for the present one, and each as the table looked at it; with 2 it also
#       has each version that a statement has ended;
#   G13 with a parent (model::parents 1), a row that is new, gone or changed has
#       raised the version of the parent that it had and of the one that it
#       has, and that of the parent of these;
#   G8  RETURNING version of an UPDATE that does not mention the version shows
#       the new one (with on_stale=abort).
#   G12 with on_stale=log no statement is refused for its version. A row whose
#       UPDATE carries a wrong one ends at the next version of the row, or at
#       the one that is carried if that is above it, and each such UPDATE, and
#       each that carries none, is counted in the log.
# With null=0 a NULL counts as 0, with step=any every higher version is right.
# A rollback gives back the versions that the transaction used. Columns in
# `except` are ignored, and none that is added after the table was declared is
# one of them (model::late 1).
#
# model::run returns "" or a description of the first violation, with the
# statements that led to it. Seeds are printed by the caller and replayed by
# SEED=n.

namespace eval model {
  variable shape            ;# the shape under test, a dict
  variable db               ;# connection that runs the next statement
  variable dbs              ;# connections to choose from between transactions
  variable rows             ;# key -> whole row, as last seen
  variable vers             ;# key -> version, as last seen
  variable high             ;# key -> highest version ever
  variable stack            ;# saved {rows vers high} of open savepoints
  variable serial 0         ;# payload of the next statement
  variable log              ;# the statements so far
  variable shapes           ;# name -> shape
  variable seed 1
  variable mode auto
  variable ignore 0         ;# on_stale=ignore
  variable logs 0           ;# on_stale=log
  variable nulls 0          ;# null=0
  variable anyStep 0        ;# step=any
  variable counts           ;# the counters of the log
  variable returning 0      ;# this SQLite has RETURNING (3.35)
  variable users 0          ;# there are triggers that skip rows or triggers
  variable touching 0       ;# there are triggers that update the column seen
  variable touchBefore 0    ;# one of them is a BEFORE trigger
  variable touchGuarded 0   ;# all are AFTER, of their own row, and guarded
  variable touchInOrder 0   ;# status is ok: a carried version is the last word
  variable nTouch 0         ;# how many there are
  variable history 0        ;# there is a history: what must hold of it, G12
  variable seen             ;# {key version} -> what is kept of a row, as seen
  variable late 0           ;# the column late is added after declaring
  variable parents 0        ;# the column up holds the key of a parent
  variable ups              ;# id of a parent -> version, as last seen; below 0:
                            ;# of a parent of a parent
}

# ---- random choice, the same for the same seed everywhere -----------------

proc model::rnd {n} {
  variable seed
  set seed [expr {($seed * 6364136223846793005 + 1442695040888963407)
                  & 0xffffffffffffffff}]
  expr {($seed >> 33) % $n}
}
proc model::pick {list} { lindex $list [rnd [llength $list]] }
proc model::chance {percent} { expr {[rnd 100] < $percent} }

# ---- shapes of table ------------------------------------------------------
# ddl    statements that make the table, always called t, with a payload p
# key    its key columns
# gen    a script that returns a literal for each key column
# uniq   pairs of a UNIQUE column and a script that returns a literal for it
# fold   1: keys compare without case
# rowid  1: the rowid can be set beside the key
# chosen 1: an INSERT can leave the key to SQLite
# oldest SQLite's version number that can make it
# except columns that the table is to be declared with as except
# only   columns that it is to be declared with as only: all but those of except

proc model::shape {name args} {
  variable shapes
  dict set shapes $name [dict merge {
    uniq {} fold 0 rowid 0 chosen 0 oldest 3034000 except {} only {}
    column version
  } $args]
}

set model::shapes {}
set smallInt {rnd 6}
set anyText {pick {'a' 'b' 'C' 'c' 'd' ''}}

model::shape intkey  ddl {
  CREATE TABLE t(id INTEGER PRIMARY KEY, p);
} key id gen $smallInt
model::shape autoinc ddl {
  CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, p, u UNIQUE);
} key id gen $smallInt uniq [list u $smallInt]
model::shape unique2 ddl {
  CREATE TABLE t(id INTEGER PRIMARY KEY, p, u UNIQUE, w TEXT COLLATE NOCASE);
  CREATE UNIQUE INDEX tw ON t(w);
} key id gen $smallInt uniq [list u $smallInt w $anyText]
model::shape nokey ddl {
  CREATE TABLE t(p, u UNIQUE);
} key rowid gen $smallInt uniq [list u $smallInt]
model::shape textkey ddl {
  CREATE TABLE t(id TEXT PRIMARY KEY, p, u UNIQUE);
} key id gen $anyText uniq [list u $smallInt] rowid 1
model::shape nocase ddl {
  CREATE TABLE t(id TEXT COLLATE NOCASE PRIMARY KEY, p) WITHOUT ROWID;
} key id gen $anyText fold 1
model::shape nocaseindex ddl {
  CREATE TABLE t(id TEXT, p, PRIMARY KEY(id COLLATE NOCASE));
} key id gen $anyText fold 1 rowid 1
model::shape blobkey ddl {
  CREATE TABLE t(id BLOB PRIMARY KEY, p);
} key id gen {pick {x'00' x'01' x'0001' '1' 1 x''}} rowid 1
model::shape typeless ddl {
  CREATE TABLE t(id PRIMARY KEY, p) WITHOUT ROWID;
} key id gen {pick {1 '1' 2 '2' 'a' x'31'}}
model::shape composite ddl {
  CREATE TABLE t(a, b TEXT, p, u UNIQUE, PRIMARY KEY(a, b));
} key {a b} gen {list [pick {1 2 NULL '1'}] [pick {'x' 'y' NULL}]} \
    uniq [list u $smallInt] rowid 1
model::shape compositewr ddl {
  CREATE TABLE t(p, b INT, a TEXT, u, PRIMARY KEY(a, b)) WITHOUT ROWID;
  CREATE UNIQUE INDEX tu ON t(u);
} key {a b} gen {list [pick {'x' 'y'}] [rnd 3]} uniq [list u $smallInt]
model::shape partial ddl {
  CREATE TABLE t(id INTEGER PRIMARY KEY, p, u, w);
  CREATE UNIQUE INDEX tp ON t(u) WHERE w > 2;
} key id gen $smallInt uniq [list u {rnd 3} w {rnd 5}]
model::shape expression ddl {
  CREATE TABLE t(id INTEGER PRIMARY KEY, p, u TEXT, w);
  CREATE UNIQUE INDEX te ON t(lower(u) DESC, (w % 2)) WHERE u <> 'd';
} key id gen $smallInt uniq [list u $anyText w $smallInt]
model::shape compared ddl {
  CREATE TABLE t(id INTEGER PRIMARY KEY, p, u INTEGER, w TEXT COLLATE NOCASE);
  CREATE UNIQUE INDEX tu ON t((u < '2'), (u > '4' OR NULL));
  CREATE UNIQUE INDEX tw ON t((CASE w WHEN 'A' THEN 1 WHEN 'D' THEN 2 END));
  CREATE UNIQUE INDEX te ON t((CASE WHEN u = '3' THEN 1 END));
} key id gen $smallInt uniq [list u $smallInt w $anyText]
model::shape strict oldest 3037000 ddl {
  CREATE TABLE t(id INTEGER PRIMARY KEY, p INT, u ANY UNIQUE) STRICT;
} key id gen $smallInt uniq [list u {pick {1 '1' 2 'a' NULL}}]
model::shape generated ddl {
  CREATE TABLE t(id INTEGER PRIMARY KEY, p, u,
    g AS (u % 3) STORED UNIQUE);
} key id gen $smallInt uniq [list u $smallInt]
model::shape chosen chosen 1 ddl {
  CREATE TABLE t(id INTEGER PRIMARY KEY, p, u INT NOT NULL DEFAULT 2,
    g AS (u % 3) UNIQUE);
  CREATE UNIQUE INDEX ti ON t(id % 4);
} key id gen $smallInt uniq [list u {pick {0 1 2 3 NULL}}]
model::shape chosencomputed chosen 1 ddl {
  CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, p, u,
    g TEXT AS (id % 4), h AS (g || (u > 1)) STORED UNIQUE);
  CREATE UNIQUE INDEX tu ON t(coalesce(u, id)) WHERE id < 40;
} key id gen $smallInt uniq [list u {pick {0 1 2 3 NULL}}]
model::shape replaces ddl {
  CREATE TABLE t(id INTEGER PRIMARY KEY ON CONFLICT REPLACE, p,
    u INT UNIQUE ON CONFLICT REPLACE,
    w INT NOT NULL ON CONFLICT REPLACE DEFAULT 3 UNIQUE ON CONFLICT IGNORE);
} key id gen $smallInt uniq [list u $smallInt w {pick {1 2 3 4 NULL}}]
model::shape defaults ddl {
  CREATE TABLE t(id INTEGER PRIMARY KEY, p,
    w TEXT NOT NULL DEFAULT "b" UNIQUE);
} key id gen $smallInt uniq [list w {pick {'a' 'b' 'c' NULL}}]
model::shape selfref ddl {
  PRAGMA foreign_keys = ON;
  CREATE TABLE t(id INTEGER PRIMARY KEY, p,
    u INT REFERENCES t(id) ON UPDATE CASCADE ON DELETE SET NULL);
} key id gen $smallInt uniq [list u {pick {NULL NULL 1 2 3}}]
model::shape cascade ddl {
  PRAGMA foreign_keys = ON;
  CREATE TABLE t(id TEXT PRIMARY KEY, p,
    u TEXT REFERENCES t(id) ON UPDATE CASCADE ON DELETE CASCADE);
} key id gen $anyText uniq [list u {pick {NULL NULL 'a' 'b'}}] rowid 1
model::shape columnrowid ddl {
  CREATE TABLE t("rowid" TEXT NOT NULL PRIMARY KEY, p, "oid" UNIQUE);
} key rowid gen $anyText uniq [list oid $smallInt]
model::shape rowidtaken ddl {
  CREATE TABLE t(rowid UNIQUE, oid TEXT, _rowid_, p, PRIMARY KEY(oid));
} key oid gen $anyText uniq [list rowid $smallInt]
model::shape usertouch ddl {
  CREATE TABLE t(id INTEGER PRIMARY KEY, p, u UNIQUE, n DEFAULT 0);
  CREATE TRIGGER tu AFTER UPDATE OF u ON t BEGIN
    UPDATE t SET n = n + 1 WHERE id = NEW.id;
  END;
  CREATE TRIGGER ti AFTER INSERT ON t WHEN NEW.id % 2 BEGIN
    UPDATE t SET n = -1 WHERE id = NEW.id;
  END;
} key id gen $smallInt uniq [list u $smallInt]
model::shape userskip ddl {
  CREATE TABLE t(id INTEGER PRIMARY KEY, p, u UNIQUE);
  CREATE TRIGGER ts BEFORE UPDATE ON t WHEN NEW.id = 3 BEGIN
    SELECT RAISE(IGNORE);
  END;
  CREATE TRIGGER td BEFORE DELETE ON t WHEN OLD.id = 2 BEGIN
    SELECT RAISE(IGNORE);
  END;
} key id gen $smallInt uniq [list u $smallInt]

model::shape userunchanged ddl {
  CREATE TABLE t(id INTEGER PRIMARY KEY, p, u UNIQUE);
  CREATE TRIGGER ts BEFORE UPDATE ON t WHEN NEW.p IS OLD.p BEGIN
    SELECT RAISE(IGNORE);
  END;
} key id gen $smallInt uniq [list u $smallInt]

model::shape excepts except n ddl {
  CREATE TABLE t(id INTEGER PRIMARY KEY, p, u UNIQUE, n DEFAULT 0);
} key id gen $smallInt uniq [list u $smallInt]

model::shape usertouchexcept except n ddl {
  CREATE TABLE t(id INTEGER PRIMARY KEY, p, u UNIQUE, n DEFAULT 0);
  CREATE TRIGGER tu AFTER UPDATE ON t BEGIN
    UPDATE t SET n = n + 1 WHERE id = NEW.id;
  END;
  CREATE TRIGGER ti AFTER INSERT ON t BEGIN
    UPDATE t SET n = -1 WHERE id = NEW.id;
  END;
} key id gen $smallInt uniq [list u $smallInt]

model::shape useronly except n only {p u seen} ddl {
  CREATE TABLE t(id INTEGER PRIMARY KEY, p, u UNIQUE, n DEFAULT 0, seen INT
    DEFAULT 0);
  CREATE TRIGGER tu AFTER UPDATE ON t BEGIN
    UPDATE t SET n = n + 1 WHERE id = NEW.id;
  END;
} key id gen $smallInt uniq [list u $smallInt]

# ---- triggers of the user's -----------------------------------------------

# Makes random triggers with RAISE(IGNORE) for a quarter of all payloads. A
# BEFORE trigger then skips the row, an AFTER trigger the triggers that run
# after it.
proc model::makeUserTriggers {d when} {
  variable log
  for {set i 0} {$i < 3} {incr i} {
    set event [pick {INSERT UPDATE DELETE}]
    set row [expr {$event eq "DELETE" ? "OLD" : "NEW"}]
    set time [pick {BEFORE AFTER AFTER}]
    set sql "CREATE TRIGGER user_$when$i $time $event ON t\
      WHEN $row.p % 4 = [rnd 4] BEGIN SELECT RAISE(IGNORE); END"
    $d eval $sql
    lappend log $sql
  }
}

# Makes random triggers that update the row that they are fired for, or others
# of the table: the usual `updated_at` without a list of columns, counters, with
# a guard in WHEN and without. Only these triggers set the column `seen`.
proc model::makeTouches {d when} {
  variable log
  variable shape
  variable touchBefore
  variable touchGuarded
  variable nTouch
  set self {}
  foreach k [dict get $shape key] { lappend self "\"$k\" IS NEW.\"$k\"" }
  if {[dict get $shape key] eq "rowid"} { set self {{rowid = NEW.rowid}} }
  set self [join $self " AND "]
  set n [pick {1 1 2}]
  for {set i 0} {$i < $n} {incr i} {
    incr nTouch
    set time AFTER
    set event UPDATE
    set term "NEW.seen IS OLD.seen"
    set to {seen + 1}
    set where $self
    if {!$touchGuarded} {
      set time [pick {AFTER AFTER AFTER BEFORE}]
      if {$time eq "AFTER" && [chance 20]} { set event INSERT }
      set term [pick [list 1 1 $term "NEW.p IS NOT OLD.p" \
          "NEW.p % 3 = [rnd 3]"]]
      if {$event eq "INSERT" && [string match *OLD* $term]} { set term 1 }
      set to [pick {{seen + 1} NEW.p {seen + NEW.p}}]
      if {[chance 25]} { set where "p % 4 = [rnd 4]" }
    }
    set sql "CREATE TRIGGER touch_$when$i $time $event ON t WHEN $term BEGIN\
      UPDATE t SET seen = $to WHERE $where; END"
    if {$time eq "BEFORE"} { set touchBefore 1 }
    $d eval $sql
    lappend log $sql
  }
}

# Makes some triggers that are newer than Interlock's, and repairs the table in
# half of the runs.
proc model::touchNewer {d} {
  variable touchInOrder
  if {[chance 60]} { makeTouches $d newer }
  if {[chance 50]} { $d eval {SELECT versioned_repair()} }
  set status [$d onecolumn {SELECT status FROM versioned_tables
                            WHERE name = 't'}]
  if {$status ni {ok {triggers outdated}}} { error "status $status" }
  set touchInOrder [expr {$status eq "ok"}]
}

# status reports newer triggers that could skip Interlock's, and a repair makes
# Interlock's the newest. d has Interlock loaded.
proc model::repairOrder {d} {
  set status [$d eval {SELECT status FROM versioned_tables
                       WHERE name = 't'}]
  if {$status eq "ok"} return
  if {$status ne "{triggers may be skipped}"} { error "status $status" }
  $d eval {SELECT versioned_repair()}
  set status [$d eval {SELECT status FROM versioned_tables
                       WHERE name = 't'}]
  if {$status ne "ok"} { error "status $status after a repair" }
}

# ---- what the table looks like --------------------------------------------

proc model::keyLiteral {v} {
  if {[regexp {^(-?\d+)\.0$} $v - int]} { return $int }
  return $v
}

# The key of a row of lookSql. A key with a NULL in it identifies no row, so
# such a row is identified by its rowid, while it exists.
proc model::keyOf {row} {
  variable shape
  set nKey [llength [dict get $shape key]]
  set fold [dict get $shape fold]
  set key {}
  foreach k [lrange $row 0 [expr {$nKey-1}]] {
    if {$k eq "NULL"} { return "null:[lindex $row $nKey]" }
    lappend key [keyLiteral [expr {$fold ? [string tolower $k] : $k}]]
  }
  return $key
}

# Read the whole table into rows and vers.
proc model::look {rowsVar versVar} {
  variable shape
  variable db
  upvar 1 $rowsVar rows $versVar vers
  array unset rows
  array unset vers
  array set rows {}
  array set vers {}
  foreach row [$db eval [dict get $shape look]] {
    set key [keyOf $row]
    set rows($key) [lrange $row 0 end]
    set vers($key) [lindex $row end]
    if {$model::nulls && $vers($key) eq "NULL"} { set vers($key) 0 }
  }
}

# Reads the counters of the log, as kind and number.
proc model::readCounts {} {
  variable db
  variable logs
  if {!$logs} { return {} }
  set name [$db onecolumn {SELECT name FROM sqlite_master
    WHERE name GLOB 'interlock_????????_log'}]
  return [$db eval "SELECT kind, n FROM \"$name\" WHERE slot = 0 ORDER BY kind"]
}

# The SELECT that gives each row as a Tcl list of literals.
proc model::lookSql {} {
  variable shape
  variable db
  set cols {}
  $db eval {SELECT name FROM pragma_table_xinfo('t')} { lappend cols $name }
  set rowid [expr {[dict get $shape rowid] ? "rowid" : "0"}]
  set sql {}
  foreach k [dict get $shape key] { lappend sql "quote(\"$k\")" }
  if {[dict get $shape key] eq "rowid"} { set sql "quote(rowid)" }
  lappend sql "quote($rowid)"
  foreach c $cols {
    if {$c ne [dict get $shape column] && $c ni [dict get $shape except]} {
      lappend sql "quote(\"$c\")"
    }
  }
  lappend sql "quote(\"[dict get $shape column]\")"
  return "SELECT [join $sql {||' '||}] FROM t"
}

# The place of a column in what lookSql gives.
proc model::lookAt {column} {
  variable shape
  variable db
  set at [expr {[llength [dict get $shape key]] + 1}]
  foreach name [$db eval {SELECT name FROM pragma_table_xinfo('t')}] {
    if {$name eq $column} { return $at }
    if {$name ne [dict get $shape column]
     && $name ni [dict get $shape except]} { incr at }
  }
}

# ---- random statements ----------------------------------------------------

proc model::keyGen {} {
  variable shape
  set r [eval [dict get $shape gen]]
  return [expr {[llength [dict get $shape key]]==1 ? [list $r] : $r}]
}
proc model::keyWhere {literals} {
  variable shape
  set w {}
  foreach k [dict get $shape key] l $literals { lappend w "\"$k\" IS $l" }
  if {[dict get $shape key] eq "rowid"} {
    set w [list "rowid IS [lindex $literals 0]"]
  }
  return [join $w " AND "]
}
proc model::orClause {} {
  pick {"" "" "" "OR REPLACE" "OR REPLACE" "OR IGNORE" "OR FAIL" "OR ABORT"}
}
proc model::where {} {
  variable serial
  switch [rnd 5] {
    0 { return "p % 3 = [rnd 3]" }
    1 { return "1" }
    default { return [keyWhere [keyGen]] }
  }
}

# Values for an INSERT: a dict column -> literal.
proc model::rowGen {} {
  variable shape
  variable serial
  set d [dict create p $serial]
  set leaves [expr {[dict get $shape chosen] ? 40 : 12}]
  if {![chance $leaves] || ([dict get $shape key] ne "rowid"
                            && ![dict get $shape chosen])} {
    foreach k [dict get $shape key] l [keyGen] { dict set d $k $l }
  }
  if {[dict get $shape rowid] && [chance 15]} { dict set d rowid [rnd 6] }
  foreach {u gen} [dict get $shape uniq] {
    if {[chance 80]} { dict set d $u [eval $gen] }
  }
  variable parents
  if {$parents && [chance 80]} { dict set d up [anyParent] }
  if {[chance 25]} {
    dict set d [dict get $shape column] \
        [pick {0 1 2 3 5 8 20 NULL -1 1.5 'x' 2.0 4}]
  }
  return $d
}
proc model::anyParent {} { pick {1 1 2 2 3 '3' 9 NULL} }
proc model::beginsInvalid {row} {
  variable shape
  set v [dict get $shape column]
  if {$model::nulls && [dict exists $row $v] && [dict get $row $v] eq "NULL"} {
    return 0
  }
  expr {[dict exists $row $v] && [dict get $row $v] in {NULL -1 1.5 'x'}}
}
proc model::quoteNames {names} {
  set r {}
  foreach n $names { lappend r [expr {$n eq "rowid" ? "rowid" : "\"$n\""}] }
  return $r
}

# One random statement: a dict with sql, and what the oracle needs of it:
#   kind     insert, update or delete
#   where    of an UPDATE, to ask which rows it matches
#   carries  "" for none, "next" for version + 1, "same", or a literal
#   plain    1: nothing but the payload (and version) is set
#   late     1: the payload is in the column that was added
#   single   1: an INSERT of one row
#   invalid  1: an INSERT that gives a row a version that is none
proc model::statement {} {
  variable shape
  variable serial
  incr serial
  set v [dict get $shape column]
  set r [rnd 100]
  if {$r < 38} {
    set d [rowGen]
    set invalid [beginsInvalid $d]
    set or [expr {[chance 50] ? "" : [orClause]}]
    set sql "INSERT $or INTO t([join [quoteNames [dict keys $d]] ,])"
    append sql " VALUES([join [dict values $d] ,])"
    set single [chance 85]
    if {!$single} {
      set e [rowGen]
      set invalid [expr {$invalid || [beginsInvalid $e]
                         || ([dict exists $d $v] && ![dict exists $e $v])}]
      dict for {k -} $d { if {![dict exists $e $k]} { dict set e $k NULL } }
      set vals {}
      foreach k [dict keys $d] { lappend vals [dict get $e $k] }
      append sql ",([join $vals ,])"
    }
    if {$or eq "" && [chance 35]} {
      append sql " ON CONFLICT"
      if {[chance 70] && [dict get $shape key] ne "rowid"
       && ![dict get $shape fold]} {
        append sql "([join [quoteNames [dict get $shape key]] ,])"
        append sql [pick [list " DO NOTHING" \
            " DO UPDATE SET p = $serial" \
            " DO UPDATE SET p = $serial, \"$v\" = \"$v\"" \
            " DO UPDATE SET p = $serial, \"$v\" = \"$v\" + 1"]]
      } else {
        append sql " DO NOTHING"
      }
    }
    return [dict create kind insert sql $sql single $single invalid $invalid \
                row $d]
  }
  if {$r < 50} {
    return [dict create kind delete sql "DELETE FROM t WHERE [where]"]
  }
  set or [orClause]
  set where [where]
  set set [list "p = $serial"]
  set plain 1
  set carries ""
  if {[chance 25]} {
    set plain 0
    if {[dict get $shape rowid] && [chance 20]} {
      lappend set "[pick {rowid oid _rowid_}] = [rnd 6]"
    } else {
      set lits [keyGen]
      foreach k [dict get $shape key] l $lits {
        if {$k eq "rowid"} { lappend set "rowid = $l"
        } elseif {$k eq "id" && [rnd 3]==0 && $l ne "NULL"
               && [string is integer $l] && ![dict get $shape rowid]
               && [dict get $shape gen] eq {rnd 6}} {
          lappend set "[pick {rowid oid _rowid_}] = $l"
        } else { lappend set "\"$k\" = $l" }
      }
    }
  }
  foreach {u gen} [dict get $shape uniq] {
    if {[chance 20]} { lappend set "\"$u\" = [eval $gen]"; set plain 0 }
  }
  variable parents
  if {$parents && [chance 25]} { lappend set "up = [anyParent]" }
  if {[chance 50]} {
    if {[chance 35]} {
      variable mode
      set likely [expr {$mode eq "echo" ? "same" : "next"}]
      set carries [pick [list $likely $likely $likely next same]]
      lappend set [dict get [dict create next "\"$v\" = ifnull(\"$v\", 0) + 1" \
                                 same "\"$v\" = \"$v\""] $carries]
    } else {
      set carries [expr {[chance 90] ? [guess $where]
                         : [pick [expr {$model::anyStep ? {NULL 'x' 1.5 -1}
                             : {NULL 'x' 1.5 -1 9223372036854775807}}]]}]
      lappend set "\"$v\" = $carries"
    }
  }
  # In mode echo a wrong version beside the column that was added can look like
  # a step of Interlock's: see check_others.sql.
  variable late
  variable mode
  set isLate [expr {$late && [chance 50]
                    && ($mode ne "echo" || $carries in {{} same})}]
  if {$isLate} { set set [lreplace $set 0 0 "late = $serial"] }
  # Sometimes the version alone.
  if {$carries ne "" && [chance 8]} {
    set set [list "\"$v\" = [pick [list $carries [rnd 9]]]"]
    if {[string match {*= next} $set] || [string match {*= same} $set]} {
      set set [list "\"$v\" = \"$v\" + [rnd 3]"]
    }
    set plain 0
  }
  set sql "UPDATE $or t SET [join [shuffle $set] {, }] WHERE $where"
  variable ignore
  variable returning
  set returns [expr {$returning && $plain && !$isLate && $carries eq ""
                     && !$ignore
                     && ($mode ne "strict" || $model::logs) && [chance 30]}]
  if {$returns} { append sql " RETURNING \"$v\"" }
  return [dict create kind update sql $sql where $where carries $carries \
              plain $plain or $or returns $returns late $isLate]
}

proc model::shuffle {list} {
  set out {}
  while {[llength $list]} {
    set i [rnd [llength $list]]
    lappend out [lindex $list $i]
    set list [lreplace $list $i $i]
  }
  return $out
}

# A version that may be right for the rows which the WHERE clause matches.
proc model::guess {where} {
  variable vers
  set all [array names vers]
  if {[llength $all]==0} { return [rnd 4] }
  set v $vers([pick $all])
  if {![string is integer -strict $v]} { return 1 }
  variable mode
  set right [expr {$mode eq "echo" ? 0 : 1}]
  if {$model::anyStep} { return [expr {$v + [pick {1 1 2 7 0 -1}]}] }
  return [expr {$v + [pick [list $right $right $right $right 0 1 2 -1]]}]
}

# ---- judgement ------------------------------------------------------------

proc model::matched {where} {
  variable shape
  variable db
  return [lmap row [$db eval "[dict get $shape look] WHERE $where"] {
    keyOf $row
  }]
}

# Runs one statement and judges it. Returns "" or the violation.
proc model::step {st} {
  variable shape
  variable db
  variable rows
  variable vers
  variable high
  set hit {}
  if {[dict get $st kind] eq "update"} {
    set hit [matched [dict get $st where]]
  }
  set alone [isAlone $st]
  set counts [readCounts]
  set failed [catch {$db eval [dict get $st sql]} msg]
  variable touching
  if {$failed && $touching
   && [regexp {too many levels|nested too deep} $msg]} {
    return "G10 failed with '$msg'"
  }
  if {$failed && $alone && [mayTouch]
   && [string match "*version required*" $msg]} {
    return "G9 refused with '$msg'"
  }
  # A row that is sent the last version of all, and is written again by a
  # trigger, has none left.
  variable logs
  set last [string match *9223372036854775807* [dict get $st sql]]
  if {$failed && $logs && !($last && [string match "*exhausted*" $msg])
   && [regexp {stale write|version (ahead|required|invalid|exhausted)} $msg]} {
    return "G12 refused with '$msg'"
  }
  look now nowVers
  set changed 0
  foreach k [array names now] {
    if {![string is integer -strict $nowVers($k)] || $nowVers($k) < 0} {
      return "G6 version of $k is $nowVers($k)"
    }
    if {[info exists rows($k)] && $rows($k) eq $now($k)} continue
    set changed 1
    if {[info exists high($k)] && $nowVers($k) <= $high($k)} {
      return "G1 key $k is at $nowVers($k), it has been at $high($k)"
    }
  }
  if {[array size now] != [array size rows]} { set changed 1 }
  if {$failed && $changed && ![string match "*OR FAIL*" [dict get $st sql]]} {
    return "G5 failed with '$msg' and changed the table"
  }
  if {[dict get $st kind] eq "update"} {
    set bad [judgeUpdate $st $hit $failed $msg now nowVers]
    if {$bad eq "" && $logs && !$failed} {
      set bad [judgeCounts $st $hit now $counts]
    }
    if {$bad ne ""} { return $bad }
  }
  variable mode
  if {[dict get $st kind] eq "insert" && !$failed && $mode eq "strict" && !$logs
   && [dict get $st single]} {
    set bad [judgeInsert now nowVers]
    if {$bad ne ""} { return $bad }
  }
  # A row that begins with no version is refused, by whichever trigger sees it
  # first: one of the user's may update it before.
  if {$failed && [string match "*version not raised*" $msg]
   && ![skips] && [mayTouch] && !($logs && [touches])
   && !([dict get $st kind] eq "insert" && [dict get $st invalid])} {
    return "G3 refused with '$msg'"
  }
  variable history
  if {$history} {
    set bad [judgeHistory now nowVers]
    if {$bad ne ""} { return $bad }
  }
  variable parents
  if {$parents} {
    set bad [judgeParents now]
    if {$bad ne ""} { return $bad }
  }
  array unset rows
  array unset vers
  array set rows [array get now]
  array set vers [array get nowVers]
  foreach k [array names vers] {
    # A key with a NULL identifies no row, so its versions end with the row.
    if {[string match null:* $k]} continue
    if {![info exists high($k)] || $high($k) < $vers($k)} {
      set high($k) $vers($k)
    }
  }
  return ""
}

# The SELECT that gives what the history keeps of each row of a table, as a Tcl
# list: the key, 0, the columns, the version.
proc model::keptSql {keys version table} {
  variable shape
  variable db
  set sql [lmap k $keys { set x "quote(\"$k\")" }]
  lappend sql '0'
  $db eval {SELECT name FROM pragma_table_info('t')} {
    if {$name eq [dict get $shape column]
     || $name in [dict get $shape except]} continue
    lappend sql "quote(\"$name\")"
  }
  lappend sql "quote(\"$version\")"
  return "SELECT [join $sql {||' '||}] FROM $table"
}

# G12: compares the history with what was seen, and remembers what is there now.
proc model::judgeHistory {nowVar nowVersVar} {
  variable shape; variable db; variable vers; variable seen; variable history
  upvar 1 $nowVar now $nowVersVar nowVers
  set table [$db onecolumn {SELECT name FROM sqlite_master WHERE type = 'table'
    AND name GLOB 'interlock_????????_history'}]
  set keys [dict get $shape key]
  foreach row [$db eval [keptSql $keys [dict get $shape column] t]] {
    set key [keyOf $row]
    set seen([list $key [lindex $row end]]) $row
  }
  set n 0
  set own [lmap k $keys { set x interlock_k[incr n] }]
  foreach row [$db eval [keptSql $own interlock_version $table]] {
    set at [list [keyOf $row] [lindex $row end]]
    lassign $at key version
    if {[info exists nowVers($key)] && $version > $nowVers($key)} {
      return "G12 the history has $key at $version, it is at $nowVers($key)"
    }
    set kept [lrange $row [llength $keys] end]
    if {[info exists seen($at)]
     && $kept ne [lrange $seen($at) [llength $keys] end]} {
      return "G12 $key was $seen($at), the history has $kept"
    }
    set has($at) 1
  }
  foreach key [array names vers] {
    set at [list $key $vers($key)]
    if {$history < 2 || [string match null:* $key] || [info exists has($at)]
     || ([info exists nowVers($key)] && $nowVers($key) == $vers($key))} continue
    return "G12 the history lacks $key at $vers($key)"
  }
  return [$db onecolumn "SELECT 'G12 a version has no time' FROM $table
    WHERE interlock_at IS NULL"]
}

# Makes parents, and the parents of these. Triggers of the user's that update
# the table are on some of them, too.
proc model::makeParents {d} {
  variable touching
  variable touchGuarded
  variable log
  foreach {table options} {
    family {} up {, 'parent=family(id_family)'}
  } {
    set mode [pick {auto strict echo}]
    set stale [pick {abort ignore}]
    set sql "CREATE TABLE ${table}(id INTEGER PRIMARY KEY, id_family INT,\
      seen);"
    if {$touching && [chance 50]} {
      set term [expr {$touchGuarded ? "NEW.seen IS OLD.seen" : 1}]
      append sql " CREATE TRIGGER touch_$table AFTER UPDATE ON $table\
        WHEN $term BEGIN UPDATE $table SET seen = ifnull(seen, 0) + 1\
        WHERE id = NEW.id; END;"
    }
    append sql " SELECT versioned('$table', 'version', '$mode',\
      'on_stale=$stale'$options);"
    lappend log $sql
    $d eval $sql
  }
  $d eval {INSERT INTO family(id) VALUES(-1), (-2);
           INSERT INTO up(id, id_family) VALUES(1, -1), (2, -2), (3, -1)}
}
proc model::seeParents {} {
  variable db
  array set seen [$db eval {SELECT id, version FROM up
                            UNION ALL SELECT id, version FROM family}]
  return [array get seen]
}

# G13: which parents must have been raised, and have they?
proc model::judgeParents {nowVar} {
  variable shape
  variable rows
  variable ups
  upvar 1 $nowVar now
  set was $ups
  set ups [seeParents]
  set at [dict get $shape upAt]
  set must {}
  foreach k [concat [array names rows] [array names now]] {
    set before [expr {[info exists rows($k)] ? $rows($k) : ""}]
    set after [expr {[info exists now($k)] ? $now($k) : ""}]
    if {$before eq $after} continue
    foreach row [list $before $after] {
      set up [string trim [lindex $row $at] ']
      if {$up in {1 2 3}} { lappend must $up [expr {$up == 2 ? -2 : -1}] }
    }
  }
  foreach id [lsort -unique $must] {
    if {[dict get $ups $id] <= [dict get $was $id]} {
      return "G13 parent $id stays at [dict get $was $id]"
    }
  }
}

# Whether, in mode strict, a statement is an INSERT of one row whose key no row
# has. A trigger of the user's may write the row without a version after it.
proc model::isAlone {st} {
  variable shape
  variable db
  variable mode
  if {$mode ne "strict" || [dict get $st kind] ne "insert"
   || ![dict get $st single] || [dict get $st invalid]} { return 0 }
  set literals {}
  foreach k [dict get $shape key] {
    if {![dict exists $st row $k]} { return 1 }
    lappend literals [dict get $st row $k]
  }
  set where [keyWhere $literals]
  if {[dict get $shape fold]} { append where " COLLATE NOCASE" }
  return [expr {![$db exists "SELECT 1 FROM t WHERE $where"]}]
}

# Whether an UPDATE that sets other columns may carry w for a row at version v.
proc model::right {w v} {
  variable mode
  if {$w eq ""} { return 1 }
  if {$model::nulls && $w eq "NULL"} { set w 0 }
  if {$model::anyStep} {
    return [expr {$w eq "next" || ([string is integer -strict $w] && $w > $v)}]
  }
  set right [expr {$mode eq "echo" ? $v : $v + 1}]
  if {$w eq "next"} { return [expr {$right == $v + 1}] }
  if {$w eq "same"} { return [expr {$right == $v}] }
  return [expr {[string is integer -strict $w] && $w == $right}]
}

# The version at which an UPDATE that carries w leaves a row of version v: with
# on_stale=log a version that is ahead stays, if there are enough after it.
proc model::ends {w v} {
  variable logs
  if {$w in {{} next same} || ![string is entier -strict $w]} {
    return [expr {$v + 1}]
  }
  if {$model::anyStep && $w > $v} { return $w }
  if {$logs && $w > $v && $w < 4611686018427387904} { return $w }
  return [expr {$v + 1}]
}

# Judges what the log has counted. Beside triggers that skip or touch rows
# nothing is said of it.
proc model::judgeCounts {st hit nowVar before} {
  variable rows
  variable vers
  variable mode
  variable users
  upvar 1 $nowVar now
  variable shape
  if {[dict get $st late] && [dict get $shape except] ne ""} { return "" }
  if {![dict get $st plain] || $users || [touches] || [skips]
   || [dict get $st or] ni {{} {OR ABORT}}} { return "" }
  set w [dict get $st carries]
  set want {}
  foreach {kind n} $before { dict set want $kind $n }
  foreach k $hit {
    if {![info exists rows($k)]} { return "" }
    set v $vers($k)
    if {$w eq ""} {
      set kind blind
      if {$mode eq "echo"} continue
    } elseif {[right $w $v]} {
      continue
    } else {
      set n [string map {NULL {}} $w]
      if {$model::nulls && $w eq "NULL"} { set n 0 }
      if {$w eq "next"} { set n [expr {$v + 1}] }
      if {$w eq "same"} { set n $v }
      set kind stale
      if {[string is entier -strict $n]} {
        if {$n > $v + ($mode ne "echo")} { set kind ahead }
        if {$n == $v} { set kind same }
      }
    }
    dict incr want $kind
  }
  foreach {kind n} [readCounts] {
    if {[dict exists $want $kind] ? [dict get $want $kind] == $n : $n == 0} {
      dict unset want $kind
    } else {
      return "G12 the log counts $n of $kind, carried $w by [llength $hit] rows"
    }
  }
  dict for {kind n} $want {
    if {$n != 0} { return "G12 the log does not count $kind" }
  }
  return ""
}

# Whether w is above the version that an UPDATE may carry over v.
proc model::isAhead {w v} {
  variable mode
  set right [expr {$mode eq "echo" ? $v : $v + 1}]
  switch -- $w next { set w [expr {$v + 1}] } same { set w $v }
  if {[regexp {^x?'\D} $w]} { return 1 }  ;# a text or a BLOB
  expr {[string is double -strict $w] && $w > $right}
}

proc model::judgeUpdate {st hit failed msg nowVar nowVersVar} {
  variable rows
  variable vers
  variable mode
  variable ignore
  variable users
  variable touchBefore
  upvar 1 $nowVar now $nowVersVar nowVers
  set w [dict get $st carries]
  set stale 0
  foreach k $hit {
    if {![right $w $vers($k)]} { set stale 1 }
  }
  # A trigger that ran for one row may have raised the version of the next one.
  variable touching
  set surely [expr {[dict get $st plain]
                    && !($touching && [llength $hit]>1)}]
  if {$failed && [regexp {stale write|version ahead} $msg] && !$stale
   && $surely} {
    return "G3 refused as stale"
  }
  if {$failed && $surely && [llength $hit]==1 && !$model::anyStep
   && [isAhead $w $vers([lindex $hit 0])]
      != [string match "*version ahead*" $msg]
   && [regexp {stale write|version ahead} $msg]} {
    return "G11 carries $w over $vers([lindex $hit 0]): $msg"
  }
  if {$failed && [string match "*version required*" $msg] && !$stale
   && $w ne "" && [dict get $st plain] && [mayTouch]} {
    return "G10 carries the right version, and refused with '$msg'"
  }
  variable logs
  if {!$failed && $stale && !$ignore && !$logs && ![skips] && $surely} {
    return "G2 accepted a stale write"
  }
  if {$failed || ![dict get $st plain]} { return "" }
  if {[dict get $st returns] && ![touches] && !$users} {
    set changed {}
    foreach k $hit {
      if {$now($k) ne $rows($k)} { lappend changed $nowVers($k) }
    }
    if {[lsort $changed] ne [lsort $msg]} {
      return "G8 returned $msg, the rows are at $changed"
    }
  }
  foreach k $hit {
    if {![info exists nowVers($k)]} continue
    if {$now($k) eq $rows($k)} {
      if {[right $w $vers($k)] && ![skips] && [dict get $st or] eq ""} {
        return "G3 key $k was skipped"
      }
      continue
    }
    # If a trigger that runs after the bump skips the row, the bump stays.
    set skipped [expr {$users && [lrange $now($k) 0 end-1]
                                  eq [lrange $rows($k) 0 end-1]}]
    if {![right $w $vers($k)] && ![touches] && !$skipped && !$logs} {
      return "G2 key $k was at $vers($k) and took $w"
    }
    # Beside a trigger that sets a column of except, bump_added stands in the
    # place of required_added.
    if {$mode eq "strict" && $w eq "" && !$skipped && !$logs
     && !([dict get $st late] && [touches])} {
      return "G7 key $k was changed without a version"
    }
    if {$nowVers($k) != [ends $w $vers($k)]
     && (![touches] || ([isLastWord $w $hit] && [right $w $vers($k)]))} {
      return "G4 key $k went from $vers($k) to $nowVers($k)"
    }
  }
  return ""
}

# Whether an UPDATE that carries w must leave its row at w, whatever the
# triggers that update the table have changed in it.
proc model::isLastWord {w hit} {
  variable shape
  variable mode
  variable touching
  variable touchBefore
  variable touchInOrder
  return [expr {$touching && $touchInOrder && !$touchBefore
                && !$model::anyStep
                && $w ne "" && $mode ne "echo"
                && [llength $hit]==1 && ![string match null:* $hit]
                && ![regexp {TRIGGER|REFERENCES} [dict get $shape ddl]]}]
}

# In mode strict: a living row that an INSERT has changed must be at the next
# version, by a REPLACE or an UPSERT that carried it.
proc model::judgeInsert {nowVar nowVersVar} {
  variable rows
  variable vers
  upvar 1 $nowVar now $nowVersVar nowVers
  foreach k [array names now] {
    if {![info exists rows($k)] || $rows($k) eq $now($k)} continue
    # A row with a NULL in its key can be another row under the same rowid.
    if {[string match null:* $k]} continue
    if {$model::anyStep && $nowVers($k) > $vers($k)} continue
    if {$nowVers($k) != $vers($k)+1 && ![touches]} {
      return "G7 key $k was replaced at $vers($k), is at $nowVers($k)"
    }
  }
  return ""
}

# Whether triggers of the user's, or foreign keys, may skip rows or touch more
# of them.
proc model::skips {} {
  variable shape
  variable users
  return [expr {$users || [string match *RAISE(IGNORE)* [dict get $shape ddl]]}]
}
proc model::touches {} {
  variable shape
  variable touching
  if {$touching} { return 1 }
  if {[dict get $shape except] ne ""} { return 0 }
  return [regexp {TRIGGER|REFERENCES} [dict get $shape ddl]]
}

# ---- transactions ---------------------------------------------------------

proc model::save {} {
  variable rows; variable vers; variable high; variable seen; variable ups
  variable stack
  lappend stack [list [array get rows] [array get vers] [array get high] \
                      [array get seen] $ups]
}
proc model::restore {i} {
  variable rows; variable vers; variable high; variable seen; variable ups
  variable stack
  set ups [lindex $stack $i end]
  foreach a {rows vers high seen} saved [lrange [lindex $stack $i] 0 end-1] {
    array unset $a
    array set $a $saved
  }
}

# Opens, closes or undoes a transaction or a savepoint, at random.
proc model::transaction {} {
  variable db
  variable stack
  variable log
  set n [llength $stack]
  if {$n==0} {
    set sql [pick {"BEGIN" "BEGIN IMMEDIATE" "SAVEPOINT s0"}]
    save
  } elseif {$n < 4 && [chance 45]} {
    set sql "SAVEPOINT s$n"
    save
  } elseif {[chance 30]} {
    restore 0
    set stack {}
    set sql ROLLBACK
  } elseif {[chance 40]} {
    set stack {}
    set sql COMMIT
  } elseif {$n > 1} {
    set i [expr {1 + [rnd [expr {$n-1}]]}]
    if {[chance 50]} {
      restore $i
      set stack [lrange $stack 0 $i]
      set sql "ROLLBACK TO s$i"
    } else {
      set stack [lrange $stack 0 [expr {$i-1}]]
      set sql "RELEASE s$i"
    }
  } else {
    return
  }
  lappend log $sql
  $db eval $sql
}

# Whether triggers of the user's can update the table.
proc model::touches {} {
  variable shape
  variable touching
  expr {$touching || [string match *TRIGGER* [dict get $shape ddl]]}
}
# Whether triggers that update the table must not make any statement fail. That
# is so if the triggers were there when the table was declared or repaired, and
# in the modes auto and echo also if there is only one. (Several triggers of
# another kind can meet inside of `bump` and `bump_after`, which is an error.)
proc model::mayTouch {} {
  variable shape
  variable mode
  variable touching
  variable touchBefore
  variable touchInOrder
  variable nTouch
  if {!$touching} { return 1 }
  if {$model::anyStep} { return 0 }
  if {$nTouch == 1 && ![string match *TRIGGER* [dict get $shape ddl]]} {
    return [expr {$touchInOrder || $mode ne "strict"}]
  }
  return [expr {$touchInOrder && !$touchBefore}]
}

# Whether the triggers that update the table come to an end under
# recursive_triggers. A trigger that is newer than Interlock's runs at each
# raising of the version.
proc model::mayRecurse {} {
  variable shape
  variable touching
  variable touchGuarded
  variable touchInOrder
  if {!$touching} { return 1 }
  return [expr {$touchGuarded && $touchInOrder && !$model::anyStep
                && [dict get $shape except] eq ""}]
}

# ---- runs -----------------------------------------------------------------

# Makes the table of a shape by one connection. Others can then use it.
proc model::start {name makeDb runDbs declare} {
  variable shapes
  variable shape [dict get $shapes $name]
  variable dbs $runDbs
  variable db [lindex $runDbs 0]
  variable log {}
  variable stack {}
  variable rows
  variable vers
  variable high
  variable seen
  foreach a {rows vers high seen} { array unset $a; array set $a {} }
  variable returning [expr {[package vcompare \
      [lindex [$makeDb onecolumn {SELECT sqlite_version()}] 0] 3.35.0] >= 0}]
  variable users
  variable touching
  variable touchBefore 0
  variable touchGuarded [expr {$touching && [chance 40]}]
  variable nTouch 0
  $makeDb eval [dict get $shape ddl]
  if {$touching} {
    if {[dict get $shape only] eq ""} {
      $makeDb eval {ALTER TABLE t ADD COLUMN seen INT DEFAULT 0}
    }
    if {[chance 60]} { makeTouches $makeDb older }
  }
  if {$model::nulls} { $makeDb eval {ALTER TABLE t ADD COLUMN version INTEGER} }
  if {$users} { makeUserTriggers $makeDb older }
  variable parents
  variable ups {}
  if {$parents} {
    $makeDb eval {ALTER TABLE t ADD COLUMN up INT}
    makeParents $makeDb
  }
  eval $declare
  variable late
  if {$late} { $makeDb eval {ALTER TABLE t ADD COLUMN late INT} }
  if {$parents} { set ups [seeParents] }
  if {[string match *foreign_keys* [dict get $shape ddl]]} {
    foreach d $dbs { $d eval {PRAGMA foreign_keys = ON} }
  }
  dict set shape look [lookSql]
  dict set shape upAt [lookAt up]
  look rows vers
}

# Makes the triggers of a table anew, in random order. Those called verify,
# `validate`, and the user's triggers that could skip Interlock's, are made
# first, and so run last.
proc model::reorder {d} {
  set all {}
  set first {}
  $d eval {SELECT name, sql FROM sqlite_master WHERE type = 'trigger'} {
    $d eval "DROP TRIGGER \"$name\""
    if {[string match interlock_*_verify_* $name]
     || [string match interlock_*_validate $name]
     || ([string match "*AFTER*RAISE(IGNORE)*" $sql]
         && ![string match interlock_* $name])} {
      lappend first $sql
    } else {
      lappend all $sql
    }
  }
  foreach sql [concat $first [shuffle $all]] { $d eval $sql }
}

# Drops the trigger of the set that has this name.
proc model::leaveOut {d what} {
  set name [$d onecolumn "SELECT name FROM sqlite_master
      WHERE type = 'trigger' AND name GLOB 'interlock_????????_$what'
      AND tbl_name = 't'"]
  if {$name eq ""} { error "there is no trigger $what" }
  $d eval "DROP TRIGGER \"$name\""
}

# Runs n statements. Returns "" or the violation and what led to it.
proc model::run {n} {
  variable db
  variable dbs
  variable log
  variable stack
  variable touching
  for {set i 0} {$i < $n} {incr i} {
    if {[llength $stack]==0} { set db [pick $dbs] }
    if {[chance 12]} transaction
    if {[chance 2] && [mayRecurse]} {
      set sql "PRAGMA recursive_triggers = [rnd 2]"
      lappend log $sql
      $db eval $sql
    }
    set st [statement]
    lappend log [dict get $st sql]
    set bad [step $st]
    if {$bad ne ""} {
      return "$bad\nafter [expr {$i+1}] statements:\n[join $log ";\n"];"
    }
  }
  if {[llength $stack]} {
    $db eval COMMIT
    set stack {}
  }
  return ""
}
