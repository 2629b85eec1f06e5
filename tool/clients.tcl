# SPDX-License-Identifier: 0BSD
# Interlock in the programs that people write: the same steps in every client,
# which is a driver, or with -from test/orms an ORM.
#
#   tclsh tool/clients.tcl ?-write? ?-list? ?-all? ?-from FOLDER? ?CLIENT...?
#
# list.tcl of test/clients says which clients there are, and how each is had,
# built and run; README.md there what their programs do and print. -write puts
# what the clients have shown into a page, sql/CLIENTS.md; without it that page
# is compared with what they show. -from takes list, programs and page from
# another folder, whose list may set the page and the variables below it.
#
# One line a client; the last line is `N passed, N failed`, with how many were
# skipped, if any were: they need what this machine has not, and cannot get.
# With CI=true that is a failure. What is dear to build, by its entry, is left
# out unless it is named, or with -all; the last line says how many.
#
# INTERLOCK_BUILD is the folder of all that is made, instead of build/.

namespace eval clients {
  variable home [file dirname [file dirname [file normalize [info script]]]]
  variable build $home/build
  if {[info exists ::env(INTERLOCK_BUILD)]} {
    set build $::env(INTERLOCK_BUILD)
  }
  variable all {}          ;# name -> dict, as in the list
  variable seconds 120     ;# that one run may take
  variable getting 900     ;# that it may take to get and to build one
  variable jobs 2          ;# how many at a time are got and built
  variable source $home/test/clients
  variable page $home/sql/CLIENTS.md
  variable out $build/clients     ;# what is kept of them
  variable locks 1     ;# a process holds locks, and dies when a client waits
  # What a client must show, and the pattern of it. Each has a table in the
  # page. A portable client shows no timeout.
  variable facts {
    version {*}
    stale {*stale write: account.version*}
    fenced {*fenced: report.token*}
    timeout {*lock timeout: 'printer' is held by session 1*}
  }
}
source $clients::home/tool/csource.tcl

# ---- the list ---------------------------------------------------------------

# The command of test/clients/list.tcl that describes a client.
proc clients::client {name about} {
  variable all
  dict set all $name [dict merge {
    has {} get {} make {} load {} remark {} portable 0 dear 0 without {}
    first 1
  } $about]
}

# The names of those that are not dear to build.
proc clients::cheap {} {
  variable all
  dict keys [dict filter $all script {- client} {
    expr {![dict get $client dear]}
  }]
}

# The lines of a program that a comment at their end marks, `#:load`. A comment
# that goes on, `#:load TEXT`, marks the line that is that text.
proc clients::marked {name word} {
  variable source
  variable all
  set file [dict get $all $name file]
  set rows [lmap row [split [csource::slurp $source/$file] \n] {
    string trim $row
  }]
  set comment [format [join {
    {^(.*?)\s*;?(?:#|//|--|%%|/\*|\(\*):%s(?: (.*?))?} {(?:\*/|\*\))?$}
  } ""] $word]
  set out {}
  foreach row $rows {
    if {![regexp $comment $row - code text]} continue
    set code [string trimright $code ";,"]
    if {$code ne ""} {
      lappend out $code
    } elseif {$text in $rows} {
      lappend out [string trimright $text ";,"]
    } else {
      error "$file: `$text` is no line of it"
    }
  }
  return $out
}

# ---- running ----------------------------------------------------------------

# The command that runs a script of the list.
proc clients::under {seconds folder} {
  variable source
  variable home
  variable build
  variable out
  list timeout -k 5 $seconds env -C $folder ROOT=$home BUILD=$build \
    SRC=$source OUT=$out LC_ALL=C.UTF-8
}

# Looks for what each client needs, gets it and builds it, two clients at a
# time. For most clients this takes longer than the run.
proc clients::prepare {names} {
  variable toDo $names
  variable doing 0
  variable prepared {}
  variable jobs
  for {set i 0} {$i < $jobs} {incr i} { prepareNext }
  while {$doing} { vwait clients::doing }
}
proc clients::prepareNext {} {
  variable all
  variable out
  variable toDo
  variable doing
  variable getting
  if {![llength $toDo]} return
  set toDo [lassign $toDo name]
  set folder $out/$name
  file mkdir $folder
  set script {exec 2>&1}
  # What a look for something prints, as `command -v` does, is no reason.
  foreach {step status to} {has 101 >/dev/null get 102 {} make 103 {}} {
    set text [dict get $all $name $step]
    if {$text ne ""} { append script "\n{ $text\n} $to || exit $status" }
  }
  set pipe [open |[list {*}[under $getting $folder] sh -c $script </dev/null] r]
  fconfigure $pipe -blocking 0 -encoding utf-8
  incr doing
  fileevent $pipe readable [list clients::prepareRead $name $pipe]
}
proc clients::prepareRead {name pipe} {
  variable prepared
  variable doing
  dict append prepared $name,text [read $pipe]
  if {![eof $pipe]} return
  fconfigure $pipe -blocking 1
  dict set prepared $name,status 0
  if {[catch { close $pipe } - options]} {
    dict set prepared $name,status [lindex [dict get $options -errorcode] 2]
  }
  prepareNext
  incr doing -1
}

# What went wrong, with the last line of an output if it has one.
proc clients::because {what text} {
  set line [lastLine $text]
  return [expr {$line eq "" ? $what : "$what: $line"}]
}
# The last line of an output, shortened.
proc clients::lastLine {text} {
  set line ""
  foreach row [split $text \n] {
    if {[string trim $row] eq "" || $row eq "child process exited abnormally"} {
      continue
    }
    set line [string trim $row]
  }
  return [string range $line 0 100]
}

# The database that a client finds, and a process that holds locks in it. It
# ends with this one. Returns its channel. The database is in WAL mode, since
# `watch` reads while the client writes, and most clients do not wait for
# SQLite's locks. A portable client is not watched, and reads no such file. The
# lease by which `report` is fenced has expired when a client starts: it is not
# released, since then a write with any token would be refused.
proc clients::holder {folder isPortable} {
  variable build
  set mode [expr {$isPortable ? "delete" : "wal"}]
  set holder [open |[list [info nameofexecutable]] r+]
  fconfigure $holder -buffering line
  puts $holder [string map [list FILE [list $folder/shop.db] MODE $mode \
                              LIBRARY [list $build/interlock.so]] {
    package require sqlite3
    sqlite3 db FILE
    db enable_load_extension 1
    set library LIBRARY
    db eval {
      PRAGMA journal_mode = MODE;
      CREATE TABLE account(id INTEGER PRIMARY KEY, balance INTEGER);
      INSERT INTO account VALUES(1, 100);
      CREATE TABLE job(id INTEGER PRIMARY KEY, state TEXT DEFAULT 'ready');
      INSERT INTO job(id) VALUES(1), (2), (3);
      CREATE TABLE report(id INTEGER PRIMARY KEY, text TEXT);
      SELECT load_extension($library);
      SELECT fenced('report', 'token', 'report');
    }
    set token [db onecolumn {SELECT lease_acquire('report', 'first', 1)}]
    db eval {
      INSERT INTO report VALUES(1, 'sent', $token);
      SELECT advisory_lock('printer'), advisory_lock('scanner');
      SELECT advisory_lock(42), row_lock('job', 1);
    }
    puts holding
    flush stdout
  }]
  if {[gets $holder line] < 0 || $line ne "holding"} {
    error "the holder of the locks does not start"
  }
  return $holder
}

# Kills the holder as soon as a session waits for the key scanner.
proc clients::watch {db holder} {
  variable watching
  if {![catch {
    $db onecolumn {SELECT count(*) FROM advisory_waits WHERE key = 'scanner'}
  } n] && $n > 0} {
    exec kill -KILL [pid $holder]
    return
  }
  set watching [after 5 [list clients::watch $db $holder]]
}

# Runs a client. Returns its status and what it printed.
proc clients::run {name} {
  variable all
  variable build
  variable out
  variable locks
  variable seconds
  variable watching ""
  variable finished 0
  variable printed ""
  set folder $out/run/$name
  file delete -force $folder
  file mkdir $folder/build
  file link -symbolic $folder/build/interlock.so $build/interlock.so
  set isPortable [dict get $all $name portable]
  if {$locks} {
    set holder [holder $folder $isPortable]
    sqlite3 watchdb $folder/shop.db
    watchdb enable_load_extension 1
    set library $build/interlock.so
    watchdb eval {SELECT load_extension($library)}
    if {$isPortable} {
      watchdb eval {SELECT versioned('account')}
    }
  }
  set pipe [open |[list {*}[under $seconds $folder] \
    sh -c "exec 2>&1; [dict get $all $name run]" </dev/null] r]
  fconfigure $pipe -blocking 0 -encoding utf-8
  fileevent $pipe readable [list clients::readable $pipe]
  if {$locks && !$isPortable} { watch watchdb $holder }
  vwait clients::finished
  after cancel $watching
  fconfigure $pipe -blocking 1
  set status [catch { close $pipe } message]
  if {$locks} {
    catch { exec kill -KILL [pid $holder] }
    catch { close $holder }
    watchdb close
  }
  return [list $status $printed]
}
proc clients::readable {pipe} {
  variable printed
  variable finished
  append printed [read $pipe]
  if {[eof $pipe]} {
    fileevent $pipe readable {}
    set finished 1
  }
}

# ---- what they show ---------------------------------------------------------

# The output of a program as {lines facts}. A line `~NAME TEXT` is a fact.
proc clients::parsed {text} {
  set lines {}
  set facts {}
  foreach row [split [string trimright $text] \n] {
    if {[regexp {^~(\w+) (.*)$} $row - name value]} {
      # Replaces what differs from run to run.
      regsub -all {\(pid \d+\)} $value {(pid ...)} value
      regsub -all {waited \d+ ms} $value {waited 50 ms} value
      regsub -all {/\S*/test/(clients|orms)/} $value {} value
      dict set facts $name [string trim $value]
    } else {
      lappend lines $row
    }
  }
  return [list $lines $facts]
}

# What is wrong with an output, or "".
proc clients::wrong {name text} {
  variable source
  variable all
  variable facts
  set isPortable [dict get $all $name portable]
  # `{2}` is the second version of a row.
  set versions {}
  for {set i 1} {$i < 10} {incr i} {
    lappend versions "{$i}" [expr {$i - 1 + [dict get $all $name first]}]
  }
  set expected [split [string trim [string map $versions [csource::slurp \
                         $source/expected.txt]]] \n]
  if {$isPortable} {
    set expected [lsearch -all -inline -regexp $expected \
                    {^(stale|fenced|done)\M}]
  }
  foreach word [dict get $all $name without] {
    set expected [lsearch -all -inline -not -regexp $expected "^$word\\M"]
  }
  lassign [parsed $text] lines shown
  foreach line $lines wanted $expected {
    if {$line ne $wanted} { return "prints `$line`, not `$wanted`" }
  }
  dict for {fact pattern} $facts {
    if {$isPortable && $fact eq "timeout"} continue
    if {![dict exists $shown $fact]
        || ![string match $pattern [dict get $shown $fact]]} {
      return "shows no $fact"
    }
  }
  return ""
}

# ---- the page ---------------------------------------------------------------

proc clients::code {text} {
  if {$text eq ""} return
  # A bar would end the cell.
  set text [string map {| \\|} $text]
  if {[string match *`* $text]} { return "`` $text ``" }
  return "`$text`"
}
proc clients::codes {rows} { join [lmap row $rows { code $row }] "<br>" }

# The rows of a client in the tables of the page. Only an ORM has a mode.
proc clients::rows {name shown} {
  variable all
  variable facts
  set client [dict get $all $name]
  set title [dict get $client title]
  set load [concat [dict get $client load] [marked $name load]]
  if {[dict get $client portable]} { set load {} }
  dict set out client [list $title [dict get $shown version] \
    [expr {[llength $load] ? [codes $load] : "loads no extension"}] \
    {*}[dict values [dict filter $client key mode]] \
    [regsub -all {\s+} [dict get $client remark] { }]]
  foreach fact [dict keys $facts] {
    if {$fact eq "version" || ![dict exists $shown $fact]} continue
    dict set out $fact [list $title [code [dict get $shown $fact]] \
      [codes [marked $name $fact]]]
  }
  if {[llength [marked $name bind]]} {
    dict set out bind [list $title [codes [marked $name bind]]]
  }
  return $out
}
proc clients::row {cells} { return "| [join $cells { | }] |" }

# The page has a comment with the name of each table above it.
proc clients::pageRows {} {
  variable page
  set out {}
  if {![file exists $page]} return
  set table ""
  foreach row [split [csource::slurp $page] \n] {
    if {[regexp {^<!-- table (\w+) -->$} $row - table]} continue
    if {[string match "## *" $row]} { set table "" }
    if {$table ne "" && [regexp {^\| (?!---)} $row]} {
      set title [lindex [split $row |] 1]
      dict set out $table [string trim $title] $row
    }
  }
  return $out
}

# A row with an error of the sqlite3 shell, or of PHP, in one wording: their
# versions differ.
proc clients::worded {row} {
  regsub {`SQLite3Exception: } $row {`Exception: } row
  set wordings {`(?:Runtime e|E)rror near line}
  if {![regsub $wordings $row {`Error near line} row]} { return $row }
  return [regsub -all { \(\d+\)`} $row `]
}

# How the page differs from what a client has shown, or "". The versions are not
# compared, since they depend on the machine.
proc clients::otherwise {name facts} {
  variable all
  set title [dict get $all $name title]
  set said [pageRows]
  set shown [rows $name $facts]
  dict for {table cells} $shown {
    set row [row $cells]
    if {![dict exists $said $table $title]} { return "is not in the page" }
    set there [dict get $said $table $title]
    if {$table eq "client"} {
      set row [row [lreplace $cells 1 1 -]]
      regsub {^(\| [^|]* \|) [^|]* \|} $there {\1 - |} there
    }
    if {[worded $row] ne [worded $there]} {
      return "the page says otherwise: $table"
    }
  }
  dict for {table rows} $said {
    if {[dict exists $rows $title] && ![dict exists $shown $table]} {
      return "the page says otherwise: $table"
    }
  }
  return ""
}

# A file of the programs as the page shows it: up to its line `#:end`.
proc clients::program {file} {
  variable source
  set text [csource::slurp $source/$file]
  regsub {\n[^\n]*:end\n.*} $text "\n" text
  regsub {^# SPDX[^\n]*\n} $text {} text
  set languages {.py python .mjs js .cjs js .ts ts .rb ruby .go go .rs rust}
  set language [dict get $languages [file extension $file]]
  return "\n```$language\n[string trim $text \n]\n```\n"
}

# Writes the page with what clients have shown. The rows of the other clients
# stay.
proc clients::write {shown} {
  variable source
  variable page
  variable all
  set said [pageRows]
  dict for {name facts} $shown {
    set title [dict get $all $name title]
    foreach table [dict keys $said] { dict unset said $table $title }
    dict for {table cells} [rows $name $facts] {
      dict set said $table $title [row $cells]
    }
  }
  set out ""
  set table ""
  set skip 0
  foreach row [split [string trimright [csource::slurp \
                        $source/page.md]] \n] {
    append out $row \n
    if {[regexp {^<!-- program (\S+) -->$} $row - file]} {
      append out [program $file]
    }
    if {[regexp {^<!-- table (\w+) -->$} $row - table]} continue
    if {$table ne "" && [string match "|---*" $row]} {
      dict for {name client} $all {
        set title [dict get $client title]
        if {[dict exists $said $table $title]} {
          append out [dict get $said $table $title] \n
        }
      }
      set table ""
    }
  }
  set fd [open $page w]
  fconfigure $fd -encoding utf-8
  puts -nonewline $fd $out
  close $fd
}

# ---- main -------------------------------------------------------------------

# Runs a client that is prepared. Returns {passed|failed|skipped reason facts}.
proc clients::try {name} {
  variable out
  variable prepared
  set status [dict get $prepared $name,status]
  if {$status} {
    set text [dict get $prepared $name,text]
    spit $out/$name.log $text
    switch -- $status {
      101 { return [list skipped "needs what is not here" {}] }
      102 { return [list skipped [because "cannot get it" $text] {}] }
    }
    return [list failed [because "cannot be built" $text] {}]
  }
  lassign [run $name] status text
  spit $out/$name.log $text
  set reason [wrong $name $text]
  if {$reason eq "" && $status} { set reason "ends with an error" }
  if {$reason ne ""} { return [list failed $reason {}] }
  return [list passed "" [lindex [parsed $text] 1]]
}

proc clients::spit {file text} {
  file mkdir [file dirname $file]
  set fd [open $file w]
  fconfigure $fd -encoding utf-8
  puts $fd $text
  close $fd
}

proc clients::main {args} {
  variable page
  variable all
  variable source
  variable out
  package require sqlite3
  set from [lsearch -exact $args -from]
  if {$from >= 0} {
    set source [file normalize [lindex $args $from+1]]
    set page $source/CLIENTS.md
    set args [lreplace $args $from $from+1]
  }
  namespace eval ::clients [list ::source $source/list.tcl]
  set writing [expr {"-write" in $args}]
  if {"-list" in $args} {
    dict for {name client} $all {
      puts [format "%-12s %s" $name [dict get $client title]]
    }
    return 0
  }
  set names [lsearch -all -inline -not $args -*]
  foreach name $names {
    if {![dict exists $all $name]} { error "no such client: $name" }
  }
  set nLeft 0
  if {![llength $names]} {
    set names [dict keys $all]
    if {"-all" ni $args} {
      set names [cheap]
      set nLeft [expr {[dict size $all] - [llength $names]}]
    }
  }
  set ci [expr {[info exists ::env(CI)] && $::env(CI) eq "true"}]
  array set sum {passed 0 failed 0 skipped 0}
  set shown {}
  prepare $names
  foreach name $names {
    set start [clock milliseconds]
    lassign [try $name] outcome reason facts
    if {$outcome eq "passed" && !$writing} {
      set reason [otherwise $name $facts]
      if {$reason ne ""} { set outcome failed }
    }
    if {$outcome eq "skipped" && $ci} { set outcome failed }
    if {$outcome eq "passed"} { dict set shown $name $facts }
    incr sum($outcome)
    puts [string trimright [format "%-12s %-8s %5.1f s  %s" $name $outcome \
      [expr {([clock milliseconds] - $start) / 1000.0}] \
      [expr {$reason eq "" ? [dict get $facts version] : $reason}]]]
    if {$outcome eq "failed"} { puts "    $out/$name.log" }
    flush stdout
  }
  if {$writing} { write $shown }
  set last "$sum(passed) passed, $sum(failed) failed"
  if {$sum(skipped)} { append last ", $sum(skipped) skipped" }
  if {$nLeft} { append last ", $nLeft left out: dear to build" }
  puts $last
  return [expr {$sum(failed) || !$sum(passed)}]
}

if {[info exists argv0]
    && [file normalize $argv0] eq [file normalize [info script]]} {
  exit [clients::main {*}$argv]
}
