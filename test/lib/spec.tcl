# SPDX-License-Identifier: 0BSD
# Runs specs: what several sessions do in turn, which of them wait, and which
# step ends which wait. test/spec/README.md says how a spec is written.
#
#   spec::read FILE         its races, a list of {rules name steps}
#   spec::play HOW STEPS    runs a race: `ok`, or what was different
#   spec::ways STEPS        the ways in which a race can be run here
#
# HOW is `processes` (each session in a process of its own), `threads` (each
# in a thread of this one), or `inline`: all in this thread, for races in
# which no session waits.
#
# Whether a session waits is read from advisory_locks and advisory_waits, by a
# connection that does nothing else. This code sleeps only before it looks
# again, and every wait has a limit.

namespace eval spec {
  variable file spec.db   ;# the database
  variable worker         ;# session -> the process, thread or connection
  variable id             ;# session -> advisory_session()
  variable pending        ;# session -> the step that waits
  variable asked          ;# session -> the step whose request is in the queue
  variable stopped        ;# session -> 1
  variable how            ;# the way that is acted out now
  variable playing        ;# the session whose step is being played
  variable heard          ;# session,channel -> the number that it has heard
  variable kinds          ;# 1: `for` are holders, `behind` who waits ahead
  variable helper ""      ;# the extension made from test/prog/helper.c
}

# ---- reading --------------------------------------------------------------

proc spec::read {path} {
  set fd [open $path]
  fconfigure $fd -encoding utf-8
  set lines [split [::read $fd] \n]
  close $fd
  set races {}
  set at 0
  foreach line $lines {
    incr at
    if {[regexp {^# ((?:[A-Z]\d\w? )+)([-\w]+): } $line - rules name]} {
      lappend races [list [string trim $rules] $name {}]
    } elseif {![regexp {^\s*(#|$)} $line]} {
      if {$races eq ""} { error "$path:$at: a step without a heading" }
      lset races end 2 end+1 [step $path:$at $line]
    }
  }
  return $races
}
# A step as a dict: line, number, session, commands, result, ends.
proc spec::step {where line} {
  if {![regexp {^\s*(\d+)\s+(\w+)\s+(.*)$} $line - number session rest]} {
    error "$where: not a step: $line"
  }
  set parts [lmap part [split [regsub -all {\s{2,}} $rest \x01] \x01] {
    if {[string match (* $part]} continue
    string trim $part
  }]
  set ends {}
  set result ok
  foreach part [lassign $parts command] {
    if {![string match =>* $part]} { set result $part; continue }
    foreach end [split [string range $part 2 end] \;] {
      if {![regexp {^(\w+)#(\d+) (.*)$} [string trim $end] - who n what]} {
        error "$where: not the end of a wait: $end"
      }
      lappend ends [list $who $n $what]
    }
  }
  regsub { \+WARNING$} $result {} result
  dict create line [string trim $line] number $number session $session \
    commands [split [string map {" / " \x01} $command] \x01] \
    result $result ends $ends
}

proc spec::ways {steps} {
  set commands [join [lmap step $steps { dict get $step commands }]]
  # A session that interrupts another one loads an extension of the tests as
  # well.
  if {$world::static && [regexp {\minterrupt\M} $commands]} return
  set ways processes
  if {[regexp {\m(kill|stop|continue)\M} $commands]} { return $ways }
  if {[threads::there]} { lappend ways threads }
  foreach step $steps {
    if {[regexp -nocase waits [dict get $step result]]} { return $ways }
  }
  lappend ways inline
}

# ---- one command ----------------------------------------------------------

# The SQL of a command; `@s1` is the number of session s1.
proc spec::sql {command} {
  variable id
  variable playing
  variable heard
  regsub {^(\S+)\s*} $command {} rest
  set word [lindex [split $command] 0]
  lassign [split $rest] key mode
  # In a spec t(1) is a row of table t, and t the table.
  if {[regexp {^([a-z]+)\((.*)\)$} $key - table value]} {
    set kind row
    set key '$table',$value
  } elseif {[regexp {^[a-z]+$} $key]} {
    set kind table
    set key '$key'
  } else {
    set kind advisory
    set key [string trim $key ()]
  }
  set shared [expr {$mode eq "S" ? "_shared" : ""}]
  switch -- $word {
    lock { return "SELECT ${kind}_lock${shared}($key)" }
    try { return "SELECT try_${kind}_lock${shared}($key)" }
    xlock { return "SELECT ${kind}_xact_lock${shared}($key)" }
    xtry { return "SELECT try_${kind}_xact_lock${shared}($key)" }
    request { return "SELECT request_${kind}_lock${shared}($key)" }
    withdraw { return "SELECT withdraw_request()" }
    unlock { return "SELECT ${kind}_unlock${shared}($key)" }
    unlock_all { return "SELECT advisory_unlock_all()" }
    row_unlock_all - table_unlock_all { return "SELECT ${word}()" }
    rollback_to { return "ROLLBACK TO $rest" }
    begin - commit - rollback - savepoint - release {
      return "[string toupper $word] $rest"
    }
    timeout {
      if {$rest < 10000} { set rest [expr {$rest*$::world::patience/20000}] }
      return "SELECT advisory_lock_timeout($rest)"
    }
    many - xmany - trymany - xtrymany - unmany {
      # The keys, as an array in JSON, with the table before them if they are
      # rows.
      if {$kind eq "row"} { set key "'$table', '\[$value\]'" } else {
        set key "'\[$key\]'"
      }
      set name [dict get {many lock xmany xact_lock trymany lock
        xtrymany xact_lock unmany unlock} $word]
      set try [expr {[string match *try* $word] ? "try_" : ""}]
      return "SELECT $try${kind}_${name}_many${shared}($key)"
    }
    permit { return "SELECT semaphore_lock($key, $mode)" }
    xpermit { return "SELECT semaphore_xact_lock($key, $mode)" }
    trypermit { return "SELECT try_semaphore_lock($key, $mode)" }
    xtrypermit { return "SELECT try_semaphore_xact_lock($key, $mode)" }
    unpermit { return "SELECT semaphore_unlock($key)" }
    listen - unlisten - notify { return "SELECT ${word}($rest)" }
    heard { return "SELECT listen_wait($rest, $heard($playing,$rest), 0)" }
    hears {
      return "SELECT listen_wait($rest, $heard($playing,$rest),
        $::world::patience)"
    }
    cancel { return "SELECT advisory_cancel($id($rest))" }
    sql { return [named $rest] }
  }
  error "no such command: $command"
}

# The result of a command, in the form of a spec.
proc spec::outcome {command answer expected} {
  variable playing
  variable heard
  lassign $answer rc result code
  if {$rc} { return "ERROR [failure $result $code $expected]" }
  lassign $command word key
  if {$word in {listen heard hears}} {
    set number [lindex $result 0]
    if {$number ne ""} { set heard($playing,$key) $number }
    if {$word eq "listen"} { return ok }
    return [expr {$number ne "" ? "true" : "false"}]
  }
  switch -- [lindex [split $command] 0] {
    lock - xlock - permit - xpermit - many - xmany {
      if {[string is wideinteger -strict $result] && $result > 0} { return ok }
    }
    request {
      if {$result eq "" || $result eq "{}"} { return queued }
      if {[string is wideinteger -strict $result] && $result > 0} { return ok }
    }
    try - xtry - unlock - cancel - withdraw - unlisten - notify - trypermit -
    xtrypermit - unpermit - trymany - xtrymany {
      if {$expected eq "ok" && $result eq "1"} { return ok }
      if {$result eq "1"} { return true }
      if {$result eq "0"} { return false }
    }
    sql { if {$expected ne "ok"} { return $result } else { return ok } }
    unlock_all - row_unlock_all - table_unlock_all - unmany {
      return [expr {$expected eq "ok" ? "ok" : $result}]
    }
    default { return ok }
  }
  return "gives {$result}"
}
# The word that specs have for an error, if the error's code is right.
proc spec::failure {message code expected} {
  set words {
    deadlock {deadlock detected: *} 6
    pending {request pending: *} 5
    timeout {lock timeout: *} 5
    refused {lock wait refused: *} 5
    interrupted {lock wait cancelled: interrupted*} 9
    cancelled {lock wait cancelled: *} 9
    notransaction {no transaction: *} 1
    rowlocked {row locked: *} 6
    tablelocked {table locked: *} 6
    badargument {bad argument: *} 1
  }
  # For any other error a spec has a part of its text.
  set part [named [regsub {^(waits, then )?ERROR } $expected {}]]
  if {$part ne "" && [string tolower $part] ni $words
      && [string first $part $message] >= 0} {
    return $part
  }
  foreach {word pattern wanted} $words {
    if {![string match $pattern $message]} continue
    if {$code != $wanted} { return "$message (code $code)" }
    return $word
  }
  return $message
}
# A text in which `@s1` stands for the number of session s1.
proc spec::named {text} {
  variable id
  foreach name [array names id] {
    regsub -all "@$name\\M" $text $id($name) text
  }
  return $text
}

# ---- running a race -------------------------------------------------------

proc spec::play {way steps {strict 1}} {
  variable how $way
  variable kinds $strict
  variable pending
  variable stopped
  variable asked
  array unset pending
  array unset asked
  array unset stopped
  set failed [catch { playAll $steps } message options]
  if {[catch { finish $failed } trouble] && !$failed} {
    set failed 1
    set message $trouble
  }
  if {!$failed} { return ok }
  return $message
}
proc spec::playAll {steps} {
  variable pending
  variable file
  if {[info commands ::watch] eq ""} {
    interlock_open watch $file
    watch timeout 5000
    watch eval {
      PRAGMA synchronous = OFF;
      CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, v);
      CREATE TABLE IF NOT EXISTS u(id INTEGER PRIMARY KEY, v);
      CREATE TABLE IF NOT EXISTS g(id INTEGER PRIMARY KEY, v, u UNIQUE);
      SELECT guarded('g')
    }
  }
  if {[string match *sql* [lmap step $steps { dict get $step commands }]]} {
    watch eval {
      BEGIN; DELETE FROM t; INSERT INTO t VALUES(1, 'a'), (2, 'b');
      DELETE FROM g; INSERT INTO g VALUES(1, 100, 'p'), (2, 200, 'q'),
        (3, 300, 'r'); COMMIT
    }
  }
  openAll $steps
  set last 0
  foreach step $steps {
    dict with step {
      if {$number <= $last} { error "$line\n  is not after step $last" }
      set last $number
      if {[catch { playStep $step } message options]} {
        return -options $options "$line\n  $message"
      }
    }
  }
  if {[array size pending]} {
    error "at the end [lsort [array names pending]] still waits"
  }
}
proc spec::openAll {steps} {
  variable how
  variable file
  variable id
  variable address
  array unset id
  array unset address
  set names {}
  foreach step $steps { lappend names [dict get $step session] }
  set interrupts [regexp {\minterrupt s} $steps]
  foreach name [lsort -unique $names] {
    ${how}::open $name [file normalize $file]
    set id($name) [now $name "SELECT advisory_session()"]
    now $name "PRAGMA synchronous = OFF"
    if {$interrupts} {
      helper
      set path [string map {' ''} $spec::helper]
      now $name "SELECT load_extension('$path')"
      set address($name) [now $name "SELECT helper_connection()"]
      if {$how eq "processes"} { now $name "SELECT helper_on_signal()" }
    }
  }
}
# The extension of test/prog/helper.c, built once.
proc spec::helper {} {
  variable helper
  if {$helper ne ""} return
  file mkdir helper
  exec gcc -O1 -shared -fPIC $world::home/test/prog/helper.c -o helper/helper.so
  set helper [file normalize helper/helper.so]
}
# Runs SQL, which must neither fail nor wait.
proc spec::now {name sql} {
  variable how
  ${how}::start $name $sql
  lassign [answer $name] rc result
  if {$rc} { error "$sql: $result" }
  return $result
}
# The result of a session whose command must end.
proc spec::answer {name} {
  variable how
  set start [clock milliseconds]
  while {![${how}::ready $name 50]} {
    if {[clock milliseconds] - $start > $::world::patience} {
      set blockers [blockers $name]
      error [expr {$blockers eq "" ? "no answer" : "got: WAITS $blockers"}]
    }
  }
  ${how}::answer $name
}

proc spec::playStep {step} {
  variable how
  variable id
  variable pending
  variable asked
  variable address
  variable stopped
  dict with step {
    variable playing $session
    if {![info exists id($session)]} { error "$session is gone" }
    if {[info exists pending($session)]
        && $commands ni {kill stop continue}} { error "$session still waits" }
    foreach command [lrange $commands 0 end-1] {
      if {$command in {kill close}} { error "$command is not alone" }
      now $session [sql $command]
    }
    set command [lindex $commands end]
    set got ok
    switch -- [lindex $command 0] {
      kill - close {
        ${how}::$command $session
        unset id($session)
        unset -nocomplain pending($session) asked($session) stopped($session)
      }
      stop {
        ${how}::signal $session STOP
        set stopped($session) 1
      }
      continue {
        ${how}::signal $session CONT
        unset stopped($session)
      }
      interrupt {
        set who [lindex $command 1]
        ${how}::interrupt $who $address($who)
      }
      default {
        ${how}::start $session [sql $command]
        set got [settle $session $number $command $result]
        if {$got eq "true" && $command eq "withdraw"} {
          unset -nocomplain asked($session)
        }
      }
    }
    # `waits, then` is not verified, since a short wait cannot be seen.
    set wanted [named [regsub {^waits, then } $result {}]]
    if {![string equal -nocase $wanted $got]} {
      error "got: $got, expected: $wanted"
    }
    foreach end $ends { ended {*}$end }
  }
  othersWait
}
# How a command ends, or for which sessions it waits.
proc spec::settle {session number command expected} {
  variable how
  variable pending
  variable asked
  # A program asks again until the request is decided.
  while {[string match request* $command] && [string match waits* $expected]
         && [outcome $command [set last [answer $session]] ok] eq "queued"} {
    ${how}::start $session [sql $command]
  }
  if {[info exists last]} {
    unset -nocomplain asked($session)
    return [outcome $command $last ok]
  }
  if {[string match QUEUED* $expected]} {
    set got [outcome $command [answer $session] queued]
    if {$got ne "queued"} { return $got }
    set asked($session) $number
    return "QUEUED [blockersAre $session [string range $expected 7 end]]"
  }
  if {![string match WAITS* $expected]} {
    return [outcome $command [answer $session] $expected]
  }
  set end [clock milliseconds]
  incr end $::world::patience
  set pending($session) [list $number $command]
  while {[set blockers [blockers $session]] eq ""} {
    if {[${how}::ready $session 1]} {
      unset pending($session)
      return [outcome $command [${how}::answer $session] $expected]
    }
    if {[clock milliseconds] > $end} { error "neither waits nor ends" }
  }
  return "WAITS [blockersAre $session [string range $expected 6 end]]"
}
# The sessions that a session waits for. The tables are read without the mutex,
# so two rows may be of different moments. The next look shows the
# later moment.
proc spec::blockersAre {session expected} {
  set end [expr {[clock milliseconds] + $::world::patience}]
  while {[set got [asWritten [blockers $session]]] ne $expected
         && [clock milliseconds] < $end} {
    after 5
  }
  return $got
}
# The sessions that a session waits for, in the form of the recorded examples.
proc spec::asWritten {blockers} {
  variable kinds
  if {$kinds} { return $blockers }
  regsub -all {\m(for|behind)\M} $blockers {} names
  set names [regexp -all -inline {\w+} $names]
  return "for [join [lsort $names] ,]"
}
# Verifies that a wait has ended which the step should end.
proc spec::ended {who number wanted} {
  variable pending
  variable asked
  variable how
  if {[info exists asked($who)] && $asked($who) == $number} {
    unset asked($who)        ;# a later step of the session shows how it ended
    return
  }
  if {![info exists pending($who)]} { error "$who does not wait" }
  lassign $pending($who) step command
  if {$step != $number} { error "$who waits in step $step" }
  set got [outcome $command [answer $who] $wanted]
  unset pending($who)
  if {$got eq "ok"} { set got granted }
  if {$got ne $wanted} { error "$who#$number: $got, expected: $wanted" }
}
# Verifies that the sessions which the spec names wait, and no others. A session
# that is stopped may have been granted its request without knowing it.
proc spec::othersWait {} {
  variable pending
  variable asked
  variable stopped
  set names {}
  foreach name [lsort -unique [concat [array names pending] \
                                 [array names asked]]] {
    if {![info exists stopped($name)]} { lappend names $name }
  }
  set end [expr {[clock milliseconds] + $::world::patience}]
  while {[set waiting [waiting]] ne $names} {
    if {[clock milliseconds] > $end} {
      error "now waiting: {$waiting}, expected: {$names}"
    }
    after 1
  }
}

# ---- reading the tables ---------------------------------------------------

# The sessions that a session waits for, `for a,b behind c`; "" if it does not
# wait.
proc spec::blockers {name} {
  variable id
  set hard {}
  set soft {}
  set me $id($name)
  watch eval {SELECT blocker, kind FROM advisory_waits WHERE waiter = $me} {
    lappend $kind [nameOf $blocker]
  }
  set text {}
  if {$hard ne ""} { lappend text for [join [lsort $hard] ,] }
  if {$soft ne ""} { lappend text behind [join [lsort $soft] ,] }
  join $text
}
proc spec::nameOf {session} {
  variable id
  foreach {name number} [array get id] {
    if {$number == $session} { return $name }
  }
  return $session
}
proc spec::waiting {} {
  variable id
  variable stopped
  set names {}
  watch eval {SELECT session FROM advisory_locks WHERE NOT granted} {
    set name [nameOf $session]
    if {[info exists id($name)] && ![info exists stopped($name)]} {
      lappend names $name
    }
  }
  lsort -unique $names
}

# Closes all sessions. No lock and no request may be left.
proc spec::finish {failed} {
  variable how
  variable id
  set names [array names id]
  if {$failed} {
    foreach number [array names id] {
      catch { watch eval {SELECT advisory_cancel($number)} }
    }
    ${how}::forget $names
    array unset id
    return
  }
  foreach name $names { ${how}::close $name }
  array unset id
  set left [watch eval {
    SELECT session, key, mode, granted FROM advisory_locks
  }]
  if {$left ne ""} { error "left at the end: $left" }
}
proc spec::end {} {
  foreach way {processes threads inline} { ${way}::end }
  catch { watch close }
}

# What runs the SQL of a session in its process or thread. The session's
# connection is `db`, or has a name of its own.
set spec::there {
  proc spec_run {db sql} {
    list [catch { $db eval $sql } result] $result [$db errorcode]
  }
  proc spec_open {db file} {
    interlock_open $db $file
    $db timeout 5000
  }
}

# ---- each session in a process --------------------------------------------

# The processes are used for one race after the other.
namespace eval spec::processes {
  variable idle {}
  variable of         ;# session -> process
  variable count 0
}
proc spec::processes::open {name file} {
  variable idle
  variable of
  if {$idle eq ""} {
    set process [process spec[incr spec::processes::count]]
    process::eval $process $spec::there
  } else {
    set idle [lassign $idle process]
  }
  set of($name) $process
  process::eval $process [list spec_open db $file]
}
proc spec::processes::start {name sql} {
  variable of
  process::start $of($name) [list spec_run db $sql]
}
# Whether the answer is there, or comes within so many ms.
proc spec::processes::ready {name ms} {
  variable of
  if {![process::running $of($name)]} { return 1 }
  process::await $of($name) [expr {[clock milliseconds] + $ms}]
  expr {![process::running $of($name)]}
}
proc spec::processes::answer {name} {
  variable of
  process::wait $of($name)
}
proc spec::processes::close {name} {
  variable of
  variable idle
  process::eval $of($name) {db close}
  lappend idle $of($name)
}
proc spec::processes::kill {name} {
  variable of
  process::kill $of($name)
}
proc spec::processes::signal {name signal} {
  variable of
  process::signal $of($name) $signal
}
proc spec::processes::interrupt {name address} { signal $name USR1 }
# The processes of a race that failed are not used again.
proc spec::processes::forget {names} {
  variable of
  foreach name $names { catch { process::kill $of($name) } }
}
proc spec::processes::end {} {
  variable idle
  foreach process $idle { process::close $process }
  set idle {}
}

# ---- each session in a thread of this process -----------------------------

namespace eval spec::threads {
  variable idle {}
  variable of         ;# session -> thread
  variable got        ;# thread -> its answer
  variable late 0
}
proc spec::threads::there {} {
  expr {![in_testfixture] && ![catch { package require Thread }]}
}
proc spec::threads::open {name file} {
  variable idle
  variable of
  if {$idle eq ""} {
    set thread [thread::create -preserved]
    thread::send $thread [list source $world::home/test/lib/world.tcl]
    thread::send $thread world::wrap
    thread::send $thread $spec::there
  } else {
    set idle [lassign $idle thread]
  }
  set of($name) $thread
  thread::send $thread [list spec_open db $file]
}
proc spec::threads::start {name sql} {
  variable of
  variable got
  unset -nocomplain got($of($name))
  thread::send -async $of($name) [list spec_run db $sql] \
    ::spec::threads::got($of($name))
}
proc spec::threads::ready {name ms} {
  variable of
  variable got
  update
  set timer [after $ms [list set ::spec::threads::late 1]]
  set late 0
  trace add variable got write ::spec::threads::stir
  if {![info exists got($of($name))]} { vwait ::spec::threads::late }
  trace remove variable got write ::spec::threads::stir
  after cancel $timer
  info exists got($of($name))
}
proc spec::threads::stir {args} { set ::spec::threads::late 0 }
proc spec::threads::answer {name} {
  variable of
  variable got
  set answer $got($of($name))
  unset got($of($name))
  return $answer
}
proc spec::threads::close {name} {
  variable of
  variable idle
  thread::send $of($name) {db close}
  lappend idle $of($name)
}
proc spec::threads::interrupt {name address} {
  if {[catch { watch eval {SELECT helper_interrupt($address)} }]} {
    set path $spec::helper
    watch eval {SELECT load_extension($path)}
    watch eval {SELECT helper_interrupt($address)}
  }
}
# The waits were cancelled. A thread that still hangs is left as it is.
proc spec::threads::forget {names} {
  variable of
  foreach name $names {
    catch { ready $name 1000 }
    catch { thread::send -async $of($name) {db close} }
  }
}
proc spec::threads::end {} {
  variable idle
  foreach thread $idle { thread::release $thread }
  set idle {}
}

# ---- all sessions in this thread ------------------------------------------

namespace eval spec::inline {
  variable got        ;# session -> its answer
}
eval $spec::there
proc spec::inline::open {name file} { spec_open ::spec_$name $file }
proc spec::inline::start {name sql} {
  variable got
  set got($name) [spec_run ::spec_$name $sql]
}
proc spec::inline::ready {name ms} { return 1 }
proc spec::inline::answer {name} {
  variable got
  return $got($name)
}
proc spec::inline::close {name} { ::spec_$name close }
proc spec::inline::forget {names} {
  foreach name $names { catch { ::spec_$name close } }
}
proc spec::inline::end {} {}
