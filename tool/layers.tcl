# SPDX-License-Identifier: 0BSD
# The folders of ext/. For each: the folders that it may include, and its
# concepts (a .c, a .h, or both) in order. A concept may include those before
# it. The files of ext/ itself are the folder `.`.
#
# The check of the includes uses this table, and in its order the amalgamation
# is made.

namespace eval layers {
  variable table {
    core {} {
      base rules atomic os os_unix key segment format process bell mutex writer
      records sessions rebuild check graph lock lockint lockfile locksession
      enter probe hear acquire wait skip watch release cancel guardedwrite event
      channel inspect
    }
    sqlite {core} {
      sqltoken sqlcall sqlx args json jsonarray pragma dbheader vtab listvtab
      template
    }
    schema {sqlite} {
      tableinfo newvalue clause owncolumn triggerset skipping ddl keytable
      leasetable declared registry status declare declarecall
      declaredtables
    }
    session {core sqlite schema} {
      lockkey rowkey waiting snapshot filesession lockerror txnscope writeend
      knowntable direct connection function
    }
    versioned {sqlite schema session} {
      parentclause parentname historytext versionedtriggers options
      versionedtable tombstones versionedlog parent history versioned expect
      etag merge lift logtable versionedtables
    }
    guarded {core sqlite schema session} {
      guardedtriggers guarded guardedtables guardcheck guardedfunctions
    }
    fenced {sqlite schema session} {
      fencedtriggers fenced fencedtables fencedfunctions
    }
    locks {core sqlite schema session} {
      hashtext calloption advisory getlock inspectrows inspectfilter
      inspectstatus turn
      rowlock rowsearch skiplocked lockrows lockset notify semaphore
      inspecttables lease leasetables
    }
    . {core sqlite schema session versioned guarded fenced locks} {
      kinds remove functions interlock
    }
  }
  # Made by tool/embed.tcl from sql/, not a file of ext/.
  variable generated {sql_text}
  # The folders that know nothing of SQLite.
  variable pure {core}
  # From outside of these folders only the named concepts may be included: the
  # layers above core see keys and locks, not the mapped format.
  variable public {core {base os key lock watch}}
}

# The folder and the concept of a file, from its name under ext/.
proc layers::split {name} {
  return [list [file dirname $name] [file rootname [file tail $name]]]
}

# The names of all concepts under ext/, without an ending, in order.
proc layers::concepts {} {
  variable table
  set list {}
  foreach {folder below concepts} $table {
    foreach concept $concepts {
      lappend list [expr {$folder eq "." ? $concept : "$folder/$concept"}]
    }
  }
  return $list
}

# Whether the table has a file, by its name under ext/.
proc layers::has {name} {
  return [expr {[file rootname $name] in [concepts]}]
}

# Whether SQLite's headers may be included by a file, by its name under ext/.
proc layers::seesSqlite {name} {
  variable pure
  return [expr {[file dirname $name] ni $pure}]
}

# Whether a file may include another one; both by their names under ext/.
proc layers::allowed {from to} {
  variable table
  variable generated
  variable public
  if {[file rootname $to] in $generated} { return 1 }
  if {![has $to]} { return 0 }
  lassign [split $from] fromFolder fromConcept
  lassign [split $to] toFolder toConcept
  foreach {folder below concepts} $table {
    if {$folder ne $fromFolder} continue
    if {$toFolder ne $folder} {
      return [expr {$toFolder in $below
        && (![dict exists $public $toFolder]
            || $toConcept in [dict get $public $toFolder])}]
    }
    return [expr {[lsearch -exact $concepts $toConcept]
                  <= [lsearch -exact $concepts $fromConcept]}]
  }
  return 0
}
