# SPDX-License-Identifier: 0BSD
# Makes the packages of Interlock: `make packages`, `make deb`, and so on.
#
#   tclsh tool/packages.tcl ?NAME...?     these, into build/packages; else all
#   tclsh tool/packages.tcl -list         which there are
#
# Each package is made of a copy of its folder in tool/packages, in which
# @WORDS@ are filled, and of what `make dist` has made: one C file and its
# header. The version is INTERLOCK_VERSION of ext/functions.c, in all of them.
# SOURCE_DATE_EPOCH, or the last commit, is the time of every file in them.
#
# Prints the files. A package that fails leaves those that were there.

namespace eval packages {
  variable home [file dirname [file dirname [file normalize [info script]]]]
  variable build $home/build
  if {[info exists ::env(INTERLOCK_BUILD)]} {
    set build $::env(INTERLOCK_BUILD)
  }
  variable out $build/packages
  variable all {deb wheel npm gem go crate sqlpkg}
  # The name in every registry; interlock alone is what programs say.
  variable name sqlite-interlock
  variable debian libsqlite3-mod-interlock
  # A module of Go has the address of its home as its name. There is none yet.
  variable module interlock.example/sqlite
  variable maintainer "Interlock maintainers <maintainers@interlock.example>"
  variable seconds 300           ;# that one command may take
}
source $packages::home/tool/install/pages.tcl

proc packages::run {args} {
  variable seconds
  if {[catch { exec timeout -k 5 $seconds {*}$args 2>@1 } text options]} {
    puts stderr $text
    error "[lindex $args 0] fails"
  }
  return $text
}

# What is the same in every package, and the values that a template names.
proc packages::values {args} {
  variable name
  variable module
  variable maintainer
  return [dict merge [list \
    VERSION [page::version] NAME $name MODULE $module \
    MAINTAINER $maintainer DATE [exec date -R -u -d @[epoch]] \
    YEAR [exec date -u -d @[epoch] +%Y] \
    DESCRIPTION "Versioned tables, locks, work queues and write turns" \
    README [readme]] $args]
}
# What the page of a package begins with: what README.md says of Interlock.
proc packages::readme {} {
  variable home
  regexp {\n\n(Interlock is a SQLite extension.*?)\n\n} \
    [slurp $home/README.md] - first
  regsub { Run `make`.*$} $first {} first
  regsub {\[([^\]]*)\]\(LICENSE\)} $first {\1} first
  return "# Interlock\n\n$first\n"
}
proc packages::epoch {} {
  variable home
  if {[info exists ::env(SOURCE_DATE_EPOCH)]} {
    return $::env(SOURCE_DATE_EPOCH)
  }
  if {![catch { exec git -C $home log -1 --format=%ct } seconds]} {
    return $seconds
  }
  return [file mtime $home/ext/functions.c]
}

# ---- what packages are made of ----------------------------------------------

# A fresh folder: the license, and what a folder of tool/packages has, filled.
proc packages::stage {what args} {
  variable home
  variable out
  set folder $out/stage/$what
  file delete -force $folder
  file mkdir $folder
  filled $home/tool/packages/$what $folder [values {*}$args]
  file copy $home/LICENSE $folder
  return $folder
}
proc packages::filled {from to values} {
  file mkdir $to
  foreach file [glob -directory $from *] {
    set name [string map [list NAME [dict get $values NAME] \
      VERSION [dict get $values VERSION]] [file tail $file]]
    if {[file isdirectory $file]} {
      filled $file $to/$name $values
    } else {
      write $to/$name [page::fill $file {*}$values]
      file attributes $to/$name -permissions \
        [expr {[file executable $file] ? 0755 : 0644}]
    }
  }
}
proc packages::write {file text} {
  file mkdir [file dirname $file]
  set fd [open $file w 0644]
  fconfigure $fd -encoding utf-8
  puts -nonewline $fd $text
  close $fd
}
proc packages::slurp {file} { csource::slurp $file }

# The folder with SQLite's headers, as the compiler finds them, and nothing
# else: a compiler for another machine must not see more of this one's.
proc packages::headers {} {
  variable out
  set flags {}
  if {[info exists ::env(SQLITE_CFLAGS)]} { set flags $::env(SQLITE_CFLAGS) }
  set rule [exec {*}[compiler] {*}$flags -M -x c - \
    << "#include <sqlite3ext.h>\n"]
  file mkdir $out/include
  foreach name {sqlite3.h sqlite3ext.h} {
    regexp "\\S+/$name" $rule file
    file copy -force $file $out/include/$name
  }
  return $out/include
}
proc packages::compiler {} {
  return [expr {[info exists ::env(CC)] ? $::env(CC) : "gcc"}]
}

# The C file, its header and SQLite's, into a folder.
proc packages::sources {folder} {
  file mkdir $folder
  foreach file [concat [glob [dist]/interlock.?] \
                  [glob [headers]/*.h]] {
    file copy $file $folder
  }
}
proc packages::dist {} {
  variable build
  return $build/dist/interlock-[page::version]
}

# The machines for which a library is made here, by Node's names, this one
# first. With a pattern, those that match it.
proc packages::targets {{pattern *}} {
  set names [list [native]]
  if {[native] eq "linux-x64-glibc"} {
    lappend names linux-x64-musl linux-arm64-glibc linux-arm64-musl
  }
  set names [lsearch -all -inline $names $pattern]
  if {"linux-arm64-musl" in $names && [armMusl] eq ""} {
    set names [lsearch -all -inline -not $names linux-arm64-musl]
  }
  return $names
}
proc packages::native {} {
  switch $::tcl_platform(machine) {
    x86_64 { return linux-x64-glibc }
    aarch64 { return linux-arm64-glibc }
  }
  error "make packages: on x86_64 or aarch64, not $::tcl_platform(machine)"
}
# The compiler for a machine. On x86_64 clang compiles for arm64, since Debian's
# gcc for it cannot be installed beside gcc-multilib, which the tests need.
proc packages::compilerFor {target} {
  if {$target eq [native]} { return [compiler] }
  switch $target {
    linux-x64-musl { return [list musl-gcc -isystem [kernelHeaders]] }
    linux-arm64-glibc { return {clang --target=aarch64-linux-gnu} }
    linux-arm64-musl {
      # clang must not find gcc for arm64, beside which are headers of glibc,
      # and whose functions for atomics need one that musl does not have.
      set root [armMusl]
      return [list clang --target=aarch64-linux-musl --sysroot=$root \
        --gcc-toolchain=$root --ld-path=aarch64-linux-gnu-ld]
    }
  }
}

# The root of a system that has musl for arm64 and the kernel's headers, or ""
# if it cannot be had, which is said once. With CI=true that is an error. It is
# kept, since it comes from a network.
proc packages::armMusl {} {
  variable out
  variable cannot
  set root $out/arm64-musl
  if {[file exists $root]} { return $root }
  if {[info exists cannot]} { return "" }
  if {![catch { getArmMusl $root } cannot]} {
    unset cannot
    return $root
  }
  file delete -force $root.new $root.apt
  set left "no library for linux-arm64-musl: musl for it cannot be had: $cannot"
  if {[info exists ::env(CI)] && $::env(CI) eq "true"} { error $left }
  puts stderr "tool/packages.tcl: $left"
  return ""
}
# Debian has it in its packages for arm64. apt reads lists of its own for them,
# so that this machine gets no second architecture, and root is not needed. apt
# checks the signatures.
proc packages::getArmMusl {root} {
  set new $root.new
  set apt $root.apt
  file delete -force $new $apt
  file mkdir $new/usr $apt/lists $apt/cache
  set options [list -q -o APT::Sandbox::User=root \
    -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
    -o Dir::State::status=/dev/null -o Dir::State::lists=$apt/lists \
    -o Dir::Cache=$apt/cache -o Acquire::http::Timeout=20]
  run apt-get {*}$options update
  # It downloads into the current folder.
  run env -C $apt apt-get {*}$options download musl musl-dev
  foreach package [glob $apt/*.deb] { run dpkg-deb -x $package $apt/root }
  # Where a compiler looks that is given this folder as the root of a system.
  file rename $apt/root/usr/include/aarch64-linux-musl $new/usr/include
  file rename $apt/root/usr/lib/aarch64-linux-musl $new/usr/lib
  # Debian 12 has it beside /usr.
  if {![file exists $new/usr/lib/libc.so]} {
    file copy $apt/root/lib/aarch64-linux-musl/libc.so $new/usr/lib
  }
  file mkdir $new/lib
  file link -symbolic $new/lib/ld-musl-aarch64.so.1 ../usr/lib/libc.so
  foreach name {linux asm asm-generic} {
    file link -symbolic $new/usr/include/$name \
      /usr/aarch64-linux-gnu/include/$name
  }
  file delete -force $apt
  file rename $new $root
}
# musl-gcc looks for no header of the machine, also not for the kernel's.
proc packages::kernelHeaders {} {
  variable out
  set folder $out/kernel
  file delete -force $folder
  file mkdir $folder
  foreach {name places} {
    linux {/usr/include/linux}
    asm-generic {/usr/include/asm-generic}
    asm {/usr/include/x86_64-linux-gnu/asm /usr/include/asm}
  } {
    foreach place $places {
      if {[file isdirectory $place]} {
        file link -symbolic $folder/$name $place
        break
      }
    }
  }
  return $folder
}

# The library for a machine, compiled unless it is newer than its source.
proc packages::library {target} {
  variable out
  variable build
  set file $out/lib/$target/interlock.so
  set source $build/interlock-amalgam.c
  if {[file exists $file] && [file mtime $file] >= [file mtime $source]} {
    return $file
  }
  file mkdir [file dirname $file]
  set libraries {}
  if {[string match *-musl $target]} { set libraries [musl $target] }
  run {*}[compilerFor $target] -std=c11 -O2 -DNDEBUG -fPIC -shared \
    -fvisibility=hidden -fstack-protector-strong -I[headers] -s \
    -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -o $file.new $source \
    {*}$libraries
  file rename -force $file.new $file
  return $file
}

# What to link with instead of Debian's musl, which calls itself libc.so: by the
# name that it has elsewhere tools tell it from a text of that name for ld. The
# files that start a program are left out: musl's export _init and _fini.
proc packages::musl {target} {
  variable out
  regexp {^linux-(\w+)} $target - machine
  set name libc.musl-[dict get {x64 x86_64 arm64 aarch64} $machine].so.1
  run {*}[compilerFor $target] -shared -nostdlib -Wl,-soname,$name -x c \
    -o $out/lib/$name /dev/null
  return [list -nostdlib $out/lib/$name]
}

# The newest version of glibc that a library needs, as 2.34.
proc packages::glibc {file} {
  set versions [regexp -all -inline {GLIBC_2\.\d+} \
    [exec readelf --version-info --wide $file]]
  regsub GLIBC_ [lindex [lsort -dictionary $versions] end] {} version
  return $version
}

# ---- archives ---------------------------------------------------------------

# The file that is made, under its last name when it is complete.
proc packages::made {what script} {
  variable out
  set new $out/new/$what
  file delete -force $new
  file mkdir $new
  uplevel 1 [list set new $new]
  uplevel 1 $script
  file delete -force $out/$what
  file rename $new $out/$what
  file delete -force $out/stage/$what
  return [lsort [glob -nocomplain $out/$what/*]]
}
proc packages::tar {folder names file} {
  run tar -C $folder --sort=name --owner=0 --group=0 --numeric-owner \
    --mode=u=rwX,go=rX --mtime=@[epoch] --use-compress-program=gzip\ -n \
    -cf $file {*}$names
}
proc packages::zip {folder names file} {
  set list [exec sh -c {cd "$0" && find "$@" -type f | LC_ALL=C sort} \
    $folder {*}$names]
  foreach name [split $list \n] { file mtime $folder/$name [epoch] }
  run env -C $folder TZ=UTC zip -q -X -D -@ $file << $list
}

# ---- the packages -----------------------------------------------------------

# Debian's: the library, and the module of Python with its adapters. SQLite's
# loader finds the library by its name where Debian has its libraries; a module
# of SQLite has libsqlite3-mod- before its name there.
proc packages::deb {} {
  variable home
  variable debian
  set library [library [native]]
  set stage [stage deb/$debian NEEDS [debianNeeds $library] \
    ARCH [exec dpkg-architecture -qDEB_HOST_ARCH]]
  set libdir /usr/lib/[exec dpkg-architecture -qDEB_HOST_MULTIARCH]
  set doc /usr/share/doc/$debian
  run env -u MAKEFLAGS -u MAKELEVEL make -s -C $home {*}[elsewhere] install \
    DESTDIR=$stage PREFIX=/usr LIBDIR=$libdir DOCDIR=$doc \
    PYTHONDIR=/usr/lib/python3/dist-packages
  file copy -force $library $stage$libdir/interlock.so
  file attributes $stage$libdir/interlock.so -permissions 0644
  file delete $stage$doc/LICENSE
  exec gzip -9n {*}[glob $stage/usr/share/man/*/*]
  set python [stage deb/python3-interlock]
  file mkdir $python/usr/lib
  file rename $stage/usr/lib/python3 $python/usr/lib
  made deb {
    foreach folder [list $stage $python] { debian $folder $new }
  }
}
# Makes a package of a folder, to which its papers are added.
proc packages::debian {stage new} {
  variable home
  set doc $stage/usr/share/doc/[file tail $stage]
  filled $home/tool/packages/deb/papers $doc [values]
  exec gzip -9n $doc/changelog
  file delete $stage/LICENSE
  write $stage/DEBIAN/md5sums [exec env -C $stage sh -c \
    {find usr -type f | LC_ALL=C sort | xargs -d '\n' md5sum}]\n
  run env SOURCE_DATE_EPOCH=[epoch] dpkg-deb --root-owner-group --build \
    $stage $new
}
# The packages that a library needs. The program that knows reads the folder of
# a source package.
proc packages::debianNeeds {library} {
  variable out
  set folder $out/stage/deb/needs
  write $folder/debian/control \
    "Source: interlock\n\nPackage: interlock\nArchitecture: any\n"
  set needs [exec env -C $folder dpkg-shlibdeps -O -e$library 2>/dev/null]
  regsub {^shlibs:Depends=} $needs {} needs
  return $needs
}
# What names the folder of everything that is made to make.
proc packages::elsewhere {} {
  variable home
  variable build
  if {$build eq "$home/build"} return
  return B=$build
}

# Python's: a wheel for each library, with the adapters for ORMs.
proc packages::wheel {} {
  variable home
  variable name
  made wheel {
    foreach target [targets] {
      set library [library $target]
      set stage [stage wheel TAG py3-none-[platform $target $library]]
      file rename $stage/LICENSE {*}[glob $stage/*.dist-info]
      set adapters $home/tool/adapters/python
      foreach file [csource::files $adapters interlock/*.py \
                      interlock/*/*.py] {
        file mkdir [file dirname $stage/$file]
        file copy $adapters/$file $stage/$file
      }
      file copy $library $stage/interlock
      run env SOURCE_DATE_EPOCH=[epoch] /usr/bin/python3 -m wheel pack \
        --dest-dir $new $stage
    }
  }
}
# The platform that a library runs on, by the names that pip has. 1.2 is the
# first version of musl that Python's names for it tell apart from 1.1.
proc packages::platform {target library} {
  regexp {^linux-(\w+)-(\w+)$} $target - machine libc
  set machine [dict get {x64 x86_64 arm64 aarch64} $machine]
  if {$libc eq "musl"} { return musllinux_1_2_$machine }
  return manylinux_[string map {. _} [glibc $library]]_$machine
}

# npm's: the libraries, and the source for other machines.
proc packages::npm {} {
  set needs {}
  foreach target [targets *-glibc] {
    lappend needs "\"$target\": \"[glibc [library $target]]\""
  }
  set stage [stage npm GLIBC [join $needs ", "] \
    MACHINES [join [lmap target [targets] { string cat `$target` }] ", "]]
  foreach target [targets] {
    file mkdir $stage/prebuilt/$target
    file copy [library $target] $stage/prebuilt/$target
  }
  sources $stage/src
  made npm {
    run env -C $stage npm pack --silent --ignore-scripts --pack-destination $new
  }
}

# Ruby's: the source, which `gem install` compiles.
proc packages::gem {} {
  variable name
  set stage [stage gem]
  sources $stage/src
  made gem {
    set file $new/$name-[page::version].gem
    run env -C $stage SOURCE_DATE_EPOCH=[epoch] /usr/bin/gem build --force \
      --silent --output $file $name.gemspec
  }
}

# Go's: files as a proxy of modules serves them. The lock for golang-migrate is
# a module of its own, so that others need not get what it needs.
proc packages::go {} {
  variable module
  set stage [stage go]
  file rename $stage/migrate $stage.migrate
  file copy $stage/LICENSE $stage.migrate
  sources $stage
  made go {
    goModule $stage $module $new
    goModule $stage.migrate $module/migrate $new
  }
}
# Moves the folder of a module into what the proxy serves.
proc packages::goModule {stage module new} {
  set version v[page::version]
  set place $new/$module/@v
  file mkdir $place
  file copy $stage/go.mod $place/$version.mod
  write $place/list $version\n
  write $place/$version.info [format {{"Version":"%s","Time":"%s"}} $version \
    [clock format [epoch] -gmt 1 -format %Y-%m-%dT%H:%M:%SZ]]
  set root $stage.zip/$module@$version
  file delete -force $stage.zip
  file mkdir [file dirname $root]
  file rename $stage $root
  zip $stage.zip $module@$version $place/$version.zip
  file delete -force $stage.zip
}

# Rust's.
proc packages::crate {} {
  variable name
  set stage [stage crate]
  sources $stage/c
  made crate {
    set root $name-[page::version]
    file delete -force $stage.tar
    file mkdir $stage.tar
    file rename $stage $stage.tar/$root
    tar $stage.tar $root $new/$root.crate
    file delete -force $stage.tar
  }
}

# For sqlpkg: what it reads, and the archives that this names.
proc packages::sqlpkg {} {
  set version [page::version]
  made sqlpkg {
    set files {}
    foreach target [targets *-glibc] {
      regexp {^linux-(\w+)-} $target - machine
      set machine [dict get {x64 amd64 arm64 arm64} $machine]
      set library [library $target]
      set file interlock-$version-linux-$machine.tar.gz
      tar [file dirname $library] interlock.so $new/$file
      lappend files "\"linux-$machine\": \"$file\""
    }
    set stage [stage sqlpkg FILES [join [lsort $files] ",\n      "]]
    file copy $stage/sqlpkg.json $new
    write $new/checksums.txt \
      [exec env -C $new sh -c {sha256sum *.tar.gz}]\n
  }
}

proc packages::main {args} {
  variable all
  variable build
  if {"-list" in $args} {
    puts [join $all \n]
    return
  }
  if {![llength $args]} { set args $all }
  foreach what $args {
    if {$what ni $all} {
      error "no such package: $what; there are [join $all ", "]"
    }
  }
  foreach what $args { puts [join [$what] \n] }
}

if {[info exists argv0]
    && [file normalize $argv0] eq [file normalize [info script]]} {
  if {[catch { packages::main {*}$argv } message]} {
    puts stderr "tool/packages.tcl: $message"
    exit 1
  }
}
