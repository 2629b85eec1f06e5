# SPDX-License-Identifier: 0BSD
# The worlds in which the tests run, as data for tool/runtests.tcl.
#
# A world is a dict. A key that is left out has the value of `quick`:
#
#   about     for `runtests.tcl -list` and test/README.md
#   program   what runs a test file: tclsh, or what tool/sqlite.tcl makes
#   sqlite    the SQLite that tclsh loads, as tool/sqlite.tcl makes it
#   make      arguments of make that build the extension
#   library   the extension, in the folder of what is built
#   also      what else tool/sqlite.tcl should make, for test/load.test and
#             test/recipeslock.test
#   static    1: `sqlite` contains the extension
#   env       variables of the environment, unless they are set. STATEMENTS is
#             how many the model runs: more in fast worlds, and in
#             `make fulltest` 150,000 in all
#   timeout   seconds for one file, as a guard against files that hang
#   patience  ms that a test waits for one event
#
# NAME-wal is the world NAME with every new database in WAL mode. The world `c`
# is for files that run programs in C, and has no such variant; `posix` is for
# files about locks. Only files that name these two run in them.

namespace eval worlds {
  variable all {
    quick {
      about {the system's SQLite under tclsh}
      program tclsh  sqlite ""  make {}  library interlock.so
      static 0  env {}  also {}  timeout 900  patience 20000
    }
    debug {
      about {the same, the extension with asserts}
      make DEBUG=1  library debug/interlock.so  also node
      env {STATEMENTS 20000}  timeout 900
    }
    full {
      about {SQLite's own testfixture, 3.40.1: faults, leaks}
      program testfixture  env {STATEMENTS 20000}  timeout 900
    }
    asan {
      about {testfixture and extension under the address and undefined
             behaviour sanitizers, with asserts}
      program testfixture-asan
      make {DEBUG=1 SAN=address,undefined}
      library debug/san-address-undefined/interlock.so
      env {ASAN_OPTIONS detect_leaks=0  STATEMENTS 6000
           UBSAN_OPTIONS print_stacktrace=1:halt_on_error=1}
      timeout 1200  patience 60000
    }
    oldest {
      about {the oldest SQLite that is supported, 3.34.0}
      sqlite tcl-oldest  also tcl-tooold
      env {STATEMENTS 20000}  timeout 900
    }
    newest {
      about {the newest SQLite, 3.54.1, with its asserts}
      sqlite tcl-newest  env {STATEMENTS 20000}  timeout 900
    }
    static {
      about {the amalgamation compiled into SQLite}
      make amalgam  sqlite static  static 1
      env {STATEMENTS 20000}  timeout 1200
    }
    posix {
      about {the portable POSIX layer in place of Linux's, with asserts}
      make {DEBUG=1 POSIX=1}  library debug/posix/interlock.so
      timeout 900
    }
    c {
      about {programs in C, of the layers that know no SQLite}
      timeout 6000
    }
  }
  # What `make fulltest` runs, beside `quick`.
  variable full {
    c static quick-wal debug full full-wal asan oldest newest posix
  }
  # The files that take longest. They start first in each world, so that no
  # processor is idle at its end.
  variable early {
    lock versionmodel versionedfault versioneddeny runner recipeslock
    waitend hostile clusters
  }
  # Files that wait more than they compute. They do not count as files that run
  # at a time.
  variable waiting {lock runner waitend recipeslock leasewait}
}

# A world by its name, with everything filled in.
proc worlds::get {name} {
  variable all
  regsub -- {-wal$} $name {} base
  if {![dict exists $all $base] || $name eq "c-wal"} {
    error "no such world: $name; there are [join [dict keys $all] {, }],\
 most also with -wal"
  }
  set world [dict merge [dict get $all quick] [dict get $all $base]]
  dict set world name $name
  dict set world journal [expr {$name eq $base ? "delete" : "wal"}]
  return $world
}
