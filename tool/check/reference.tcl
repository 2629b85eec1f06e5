# SPDX-License-Identifier: 0BSD
# Check: the reference is in step. The same names are documented, registered,
# tested and listed in sql/intro.md; the same errors are documented and raised;
# and sql/README.md is what tool/reference.tcl makes.

namespace eval check {
  # Texts that look like an error's prefix and are no documented error, with the
  # reason.
  variable notErrors {
    "interlock:" "fails to load; no SQL function runs yet"
    "sql:"       "a mistake in sql/, found by the tests"
  }
  # Tables that are registered for Interlock's own use, with their purpose.
  variable ownTables {
    interlock_transaction "gets the events of a transaction"
    interlock_close       "gets the event of sqlite3_close()"
    interlock_writer      "the same, of writes to guarded tables"
  }
}

proc check::reference {root} {
  set blocks [blocks::of $root]
  set problems $::blocks::problems
  if {![llength $problems]} {
    lappend problems {*}[referencePage $root $blocks]
  }
  lappend problems {*}[referenceRegistered $root $blocks] \
    {*}[referenceTested $root $blocks] {*}[referenceRaised $root $blocks]
  return $problems
}

proc check::referencePage {root blocks} {
  set page [::reference::page $root $blocks]
  if {[llength $::reference::problems]} { return $::reference::problems }
  if {[file exists $root/sql/README.md]
      && [csource::slurp $root/sql/README.md] eq $page} return
  return [list "sql/README.md: not what the comments say: make reference"]
}

# All names of a kind of block.
proc check::documented {blocks args} {
  set names {}
  foreach block [blocks::kind $blocks {*}$args] {
    lappend names {*}[dict get $block names]
  }
  return [lsort -unique $names]
}

# The functions and tables that the extension registers.
proc check::referenceRegistered {root blocks} {
  set so $root/build/interlock.so
  if {![file exists $so]} { return [list "build/interlock.so: not built"] }
  if {[info commands ::sqlite3] eq ""} { package require sqlite3 }
  sqlite3 checkdb :memory:
  try {
    return [inStep checkdb $so $blocks]
  } finally {
    checkdb close
  }
}

proc check::inStep {db so blocks} {
  variable ownTables
  set lists {FUNCTION pragma_function_list TABLE pragma_module_list}
  foreach {kind list} $lists {
    set before($kind) [$db eval "SELECT DISTINCT name FROM $list"]
  }
  $db enable_load_extension 1
  $db eval {SELECT load_extension($so)}
  set problems {}
  foreach {kind list} $lists {
    set now [lmap name [$db eval "SELECT DISTINCT name FROM $list"] {
      if {$name in $before($kind) || [dict exists $ownTables $name]} continue
      set name
    }]
    set documented [documented $blocks $kind]
    foreach name $now {
      if {$name ni $documented} {
        lappend problems "ext: $name is registered and has no SQL $kind block"
      }
    }
    foreach name $documented {
      if {$name ni $now} {
        lappend problems "ext: $name has a block and is not registered"
      }
    }
  }
  foreach block [blocks::kind $blocks TABLE] {
    lappend problems {*}[columnsInStep $db $block]
  }
  return $problems
}

# The columns of a virtual table must be those of its block, in that order.
proc check::columnsInStep {db block} {
  if {![dict exists $block Columns]} return
  set documented [lmap item [blocks::items [dict get $block Columns]] {
    lindex [blocks::typed $item] 0
  }]
  set problems {}
  foreach table [dict get $block names] {
    set real [$db eval {
      SELECT name FROM pragma_table_xinfo($table) WHERE hidden<>1
    }]
    if {$real ne $documented} {
      lappend problems "ext: $table has the columns $real, its block\
        $documented"
    }
  }
  return $problems
}

# Each name must be in a test, and be called in an example.
proc check::referenceTested {root blocks} {
  set tests ""
  foreach file [csource::files $root test/*.test test/lib/*.tcl \
                  test/prog/*.c test/spec/*.spec] {
    append tests [csource::slurp $root/$file] \n
  }
  set examples ""
  foreach block [blocks::kind $blocks FUNCTION TABLE] {
    if {[dict exists $block Example]} {
      append examples [dict get $block Example] \n
    }
  }
  set problems {}
  foreach name [documented $blocks FUNCTION TABLE] {
    if {![regexp "\\m$name\\M" $tests]} {
      lappend problems "test: $name is in no test"
    }
    if {![regexp "\\m$name\\M" $examples]} {
      lappend problems "ext: $name is in no Example"
    }
  }
  foreach name [documented $blocks ERROR] {
    if {[string first $name $tests] < 0} {
      lappend problems "test: the error `$name` is in no test"
    }
  }
  return $problems
}

# Every text in the code or in sql/ that begins like an error must have a block.
proc check::referenceRaised {root blocks} {
  variable notErrors
  set known [concat [documented $blocks ERROR] [dict keys $notErrors]]
  set problems {}
  foreach file [concat [csource::ext $root *.c *.h] \
                  [csource::files $root sql/*/*.sql]] {
    set text [csource::slurp $root/$file]
    if {[file extension $file] eq ".sql"} {
      set found [regexp -all -inline {RAISE\(\w+,\s*'([a-z]+(?: [a-z]+)*:)} \
                   $text]
    } else {
      set found [regexp -all -inline {"([a-z]+(?: [a-z]+)*:) } \
                   [csource::without $text comment]]
      lappend found {*}[regexp -all -inline \
        {RAISE\(\w+,\s*'([a-z]+(?: [a-z]+)*:)} $text]
    }
    foreach {- prefix} $found {
      if {$prefix ni $known} {
        lappend problems "$file: `$prefix` has no SQL ERROR block"
      }
    }
  }
  return [lsort -unique $problems]
}
