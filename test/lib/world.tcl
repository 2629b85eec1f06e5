# SPDX-License-Identifier: 0BSD
# The world in which a test runs, and how it opens connections: the same words
# under plain tclsh, in SQLite's testfixture, and in the processes that a test
# starts (test/lib/process.tcl).
#
# A world is made of environment variables, set by tool/runtests.tcl:
#
#   INTERLOCK_WORLD      its name                              quick
#   INTERLOCK_BUILD      folder of everything that is built    build
#   INTERLOCK_LIB        the extension                build/interlock.so
#   INTERLOCK_SQLITE     an SQLite for Tcl, to load in place of the system's
#   INTERLOCK_JOURNAL    journal mode of every new database    delete
#   INTERLOCK_STATIC     1: that SQLite contains the extension
#   INTERLOCK_PATIENCE   ms that a test waits for anything     20000
#   INTERLOCK_TESTER     folder of SQLite's tester.tcl (testfixture only)

namespace eval world {
  variable home [file dirname [file dirname [file dirname \
                   [file normalize [info script]]]]]

  # A variable of the environment, or its value without the runner.
  proc env {name default} {
    if {[info exists ::env($name)] && $::env($name) ne ""} {
      return $::env($name)
    }
    return $default
  }
  variable name [env INTERLOCK_WORLD quick]
  variable build [env INTERLOCK_BUILD $home/build]
  # For make, which takes no path with a space in it.
  variable elsewhere [expr {$build eq "$home/build" ? {} : [list B=$build]}]
  variable library [env INTERLOCK_LIB $build/interlock.so]
  variable sqlite [env INTERLOCK_SQLITE ""]
  variable journal [env INTERLOCK_JOURNAL delete]
  variable static [env INTERLOCK_STATIC 0]
  variable patience [env INTERLOCK_PATIENCE 20000]
}

proc in_testfixture {} {
  expr {[info commands install_malloc_faultsim] ne ""}
}
if {[in_testfixture]} {
} elseif {$world::sqlite eq ""} {
  package require sqlite3
} elseif {$world::static} {
  load $world::sqlite Interlockstatic
} else {
  load $world::sqlite Sqlite3
}

proc world {} { return $world::name }
proc world_journal {} { return $world::journal }

# SQLite's version, as sqlite3_libversion_number() returns it: 3040001.
proc sqlite_number {} {
  lassign [split [sqlite3 -version] .] a b c
  expr {$a*1000000 + $b*1000 + $c}
}

# ---- connections ----------------------------------------------------------

# Replaces `sqlite3` by a command that sets the world's journal mode in a new
# database.
proc world::wrap {} {
  rename ::sqlite3 ::world::sqlite3_plain
  proc ::sqlite3 {args} {
    set result [uplevel 1 [list ::world::sqlite3_plain {*}$args]]
    if {[llength $args] >= 2 && ![string match -* [lindex $args 0]]} {
      uplevel 1 [list ::world::newborn [lindex $args 0]]
    }
    return $result
  }
}
proc world::newborn {db} {
  variable journal
  if {$journal eq "delete"} return
  uplevel 1 [list ::world::setJournal $db $journal]
}
proc world::setJournal {db journal} {
  catch {
    set file [lindex [$db eval {PRAGMA database_list}] 2]
    if {$file ne "" && [file size $file] == 0} {
      $db eval "PRAGMA journal_mode = $journal"
    }
  }
}

# Load the extension into a connection.
proc interlock_load {db} {
  if {$world::static} {
    interlock_static $db
  } else {
    $db enable_load_extension 1
    set library $world::library
    $db eval {SELECT load_extension($library)}
  }
  return ""
}

# Open a connection and load the extension; options as of sqlite3.
proc interlock_open {db file args} {
  uplevel #0 [list sqlite3 $db $file {*}$args]
  interlock_load $db
}

# ---- waiting --------------------------------------------------------------

# Waits until an expression of the caller's is true, and evaluates it every few
# ms. A test that can wait for an event (`process wait`) should do that instead.
proc wait_until {condition {ms ""}} {
  if {$ms eq ""} { set ms $world::patience }
  set end [expr {[clock milliseconds] + $ms}]
  while {![uplevel 1 [list expr $condition]]} {
    if {[clock milliseconds] > $end} {
      error "not within $ms ms: $condition"
    }
    after 2
  }
  return 1
}
