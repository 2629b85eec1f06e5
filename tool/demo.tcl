# SPDX-License-Identifier: 0BSD
# `make demo`: what Interlock is for, in under a minute, on a real file.
#
# Eight processes add to the same rows as programs do: they read, compute and
# write. They do so on a plain table, then on a versioned one, then with one
# writer that leaves out the version. Then they compete for one thing, by
# SQLite's own lock, by write turns and by an advisory lock, whose holder is
# killed. Then they share a queue of jobs, and some of them are killed. The demo
# exits with 1 if the versioned table lost an update, if the lock was not
# granted to the first in the queue, or if a job was lost or done twice.
#
#   tclsh tool/demo.tcl [LIBRARY [PART...]] the demo, or parts of it: versioned,
#                                           turns, killed, jobs
#   tclsh tool/demo.tcl worker KIND FILE N  one writer; `go` on stdin starts it
#   tclsh tool/demo.tcl taker KIND FILE MS LIBRARY   takes a lock many times
#   tclsh tool/demo.tcl holder FILE LIBRARY          takes one, and keeps it
#   tclsh tool/demo.tcl jobber FILE LIBRARY          does jobs of a queue

package require sqlite3

set PROCESSES 8
set ROWS 4
set EACH 250
set FOR 1500            ;# ms that a lock is contended for
set JOBS 400
set PATIENCE 60000      ;# ms until a worker is given up

# ---- a writer -------------------------------------------------------------

# Adds 1 to a row, n times, and returns how often that was refused. The
# connection does not load the extension: the triggers are plain SQL in the
# file.
proc worker {kind file n} {
  sqlite3 db $file
  db timeout 30000
  db eval {PRAGMA synchronous = NORMAL}
  expr {srand([pid])}
  puts ready
  flush stdout
  if {[gets stdin line] < 0} { exit 1 }
  set refused 0
  for {set i 0} {$i < $n} {incr i} {
    set id [expr {1 + int(rand() * $::ROWS)}]
    while {[catch { write-$kind $id } msg]} {
      if {![string match "stale write:*" $msg]} { error $msg }
      incr refused
    }
  }
  db close
  puts $refused
}
proc write-plain {id} {
  set balance [db onecolumn {SELECT balance FROM account WHERE id = $id}]
  incr balance
  db eval {UPDATE account SET balance = $balance WHERE id = $id}
}
proc write-carrying {id} {
  db eval {SELECT balance, version FROM account WHERE id = $id} {}
  incr balance
  incr version
  db eval {UPDATE account SET balance = $balance, version = $version
           WHERE id = $id}
}

# ---- takers of a lock -----------------------------------------------------

proc with_library {file library} {
  sqlite3 db $file
  db timeout 30000
  db enable_load_extension 1
  db eval {SELECT load_extension($library)}
}

# Takes the lock, holds it for 1 ms and releases it, again and again for a
# number of ms. Prints how long each wait was, in us.
proc taker {kind file ms library} {
  with_library $file $library
  puts ready
  flush stdout
  if {[gets stdin line] < 0} { exit 1 }
  set waits {}
  set end [expr {[clock microseconds] + 1000 * $ms}]
  while {[set start [clock microseconds]] < $end} {
    take-$kind
    lappend waits [expr {[clock microseconds] - $start}]
    after 1
    give-$kind
  }
  db close
  puts $waits
}
proc take-sqlite {} { db eval {BEGIN IMMEDIATE} }
proc give-sqlite {} { db eval {COMMIT} }
proc take-turn {} { db eval {BEGIN; SELECT write_turn()} }
proc give-turn {} { db eval {COMMIT} }
proc take-interlock {} { db eval {SELECT advisory_lock('printer')} }
proc give-interlock {} { db eval {SELECT advisory_unlock('printer')} }

proc holder {file library} {
  with_library $file $library
  puts [db onecolumn {SELECT advisory_session()}]
  flush stdout
  if {[gets stdin line] < 0} { exit 1 }
  db eval {SELECT advisory_lock('printer')}
  puts [clock microseconds]
  flush stdout
  gets stdin line
}

# ---- a worker of a queue --------------------------------------------------

# Does jobs until none is left. One transaction writes what a job has done and
# that it is done. A process that dies before it commits has done nothing, and
# its lock is free.
proc jobber {file library} {
  with_library $file $library
  puts ready
  flush stdout
  if {[gets stdin line] < 0} { exit 1 }
  while {[db exists {SELECT 1 FROM job WHERE state = 'ready'}]} {
    set id [string trim [db onecolumn {
      SELECT skip_locked('job', 1, 'state = ''ready''', 'id')
    }] {[]}]
    if {$id eq ""} { after 2; continue }       ;# others have the last ones
    after 1                                    ;# the work
    db eval {
      BEGIN IMMEDIATE;
      INSERT INTO done(job) VALUES($id);
      UPDATE job SET state = 'done' WHERE id = $id;
      COMMIT;
      SELECT row_unlock('job', $id);
    }
  }
  db close
  puts end
}

if {[lindex $argv 0] in {worker taker holder jobber}} {
  {*}$argv
  exit 0
}

# ---- the demo -------------------------------------------------------------

set parts [lassign $argv library]
if {$parts eq ""} { set parts {versioned turns killed jobs} }
if {$library eq ""} {
  set library [file join [file dirname [file dirname \
      [file normalize [info script]]]] build interlock]
}
set tmp [expr {[info exists env(TMPDIR)] ? $env(TMPDIR) : "/tmp"}]
set folder [file join $tmp interlock-demo-[pid]]
file mkdir $folder
set file [file join $folder bank.db]
set workers {}

proc finish {code} {
  foreach fd $::workers { catch { exec kill [pid $fd] } }
  file delete -force $::folder
  exit $code
}
proc say {text} { puts $text; flush stdout }

# Shows a statement and runs it.
proc type {sql} {
  say "    sqlite> $sql"
  set r [db eval $sql]
  if {$r ne ""} { say "    [join $r |]" }
}

# A line from a worker. Gives up if none comes.
proc hear {fd} {
  set timer [after $::PATIENCE { say "a worker hangs"; finish 1 }]
  fileevent $fd readable [list set ::heard($fd) 1]
  vwait ::heard($fd)
  fileevent $fd readable {}
  after cancel $timer
  if {[gets $fd line] < 0} { say "a worker failed"; finish 1 }
  return $line
}

# Starts another process of this script.
proc launch {args} {
  lappend ::workers [open |[list [info nameofexecutable] [info script] \
      {*}$args 2>@stderr] r+]
}
# Lets a process begin.
proc go {fd} { puts $fd go; flush $fd }

# Runs writers of these kinds at once. Prints and returns how many updates were
# lost.
proc race {kinds} {
  global file workers EACH
  db eval {UPDATE account SET balance = 0}
  set workers {}
  foreach kind $kinds { launch worker $kind $file $EACH }
  foreach fd $workers { hear $fd }
  set start [clock milliseconds]
  foreach fd $workers { go $fd }
  set refused 0
  foreach fd $workers { incr refused [hear $fd] }
  set ms [expr {[clock milliseconds] - $start}]
  foreach fd $workers { close $fd }
  set workers {}
  set wanted [expr {[llength $kinds] * $EACH}]
  set sum [db onecolumn {SELECT sum(balance) FROM account}]
  set lost [expr {$wanted - $sum}]
  say [format "    %d additions: %d kept, %d lost, %d refused and retried\
 (%.1f s)\n" $wanted $sum $lost $refused [expr {$ms / 1000.0}]]
  return $lost
}

# Lets takers of a kind compete for the lock.
proc contend {kind} {
  global file workers library
  set workers {}
  for {set i 0} {$i < $::PROCESSES} {incr i} {
    launch taker $kind $file $::FOR $library
  }
  foreach fd $workers { hear $fd }
  foreach fd $workers { go $fd }
  set counts {}
  set waits {}
  foreach fd $workers {
    set us [hear $fd]
    lappend counts [llength $us]
    lappend waits {*}$us
  }
  foreach fd $workers { close $fd }
  set workers {}
  say "    how often each had it: [lsort -integer $counts]"
  say "    the longest wait: [tcl::mathfunc::max {*}$waits] us\n"
}

# Workers queue for a lock, and its holder is killed. Returns whether the next
# one in the queue, and no other, was granted it.
proc killed {} {
  global file workers library
  set workers {}
  for {set i 0} {$i < $::PROCESSES} {incr i} { launch holder $file $library }
  foreach fd $workers { hear $fd }
  go [lindex $workers 0]
  hear [lindex $workers 0]
  foreach fd [lrange $workers 1 end] {
    set pid [pid $fd]
    go $fd
    while {![db exists {SELECT 1 FROM advisory_locks WHERE pid = $pid}]} {
      after 5
    }
  }
  type "SELECT sum(granted) AS hold, sum(NOT granted) AS wait\
 FROM advisory_locks;"
  set first [lindex $workers 0]
  say "\n    $ kill -9 [pid $first]"
  set start [clock microseconds]
  exec kill -9 [pid $first]
  set next [lindex $workers 1]
  set us [expr {[hear $next] - $start}]
  say "    The first in the queue, [pid $next], had it [format %.1f \
    [expr {$us / 1000.0}]] ms later.\n"
  set holders [db eval {SELECT pid FROM advisory_locks WHERE granted}]
  set right [expr {$holders eq [pid $next]}]
  foreach fd [concat [list $first] [lreverse [lrange $workers 1 end]]] {
    catch { exec kill -9 [pid $fd] }
    catch { close $fd }
  }
  set workers {}
  return $right
}

# Workers take jobs, and some are killed meanwhile. Returns whether each job was
# done once.
proc jobs {} {
  global file workers library JOBS
  db eval {
    CREATE TABLE job(id INTEGER PRIMARY KEY, state TEXT DEFAULT 'ready');
    CREATE TABLE done(job INTEGER);
    WITH RECURSIVE n(i) AS (
      SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < CAST($JOBS AS INTEGER)
    )
    INSERT INTO job(id) SELECT i FROM n;
  }
  set workers {}
  for {set i 0} {$i < $::PROCESSES} {incr i} { launch jobber $file $library }
  foreach fd $workers { hear $fd }
  foreach fd $workers { go $fd }
  set killed 0
  foreach fd [lrange $workers 0 2] {
    incr killed
    while {[db onecolumn {SELECT count(*) FROM done}] < $killed * $JOBS / 8} {
      after 1
    }
    exec kill -9 [pid $fd]
    catch { close $fd }
  }
  set workers [lrange $workers 3 end]
  foreach fd $workers { hear $fd; close $fd }
  set workers {}
  set times [db eval {
    SELECT count(*) FILTER (WHERE n = 1), count(*) FILTER (WHERE n > 1),
           count(*) FILTER (WHERE n = 0)
    FROM (SELECT count(done.job) AS n FROM job LEFT JOIN done
          ON done.job = job.id GROUP BY job.id)
  }]
  say [format "    %d jobs, %d workers killed (kill -9): %d done once, %d\
 twice, %d lost\n" $JOBS $killed {*}$times]
  return [expr {$times eq [list $JOBS 0 0]}]
}

sqlite3 db $file
db timeout 30000
db eval {PRAGMA journal_mode = WAL}
db enable_load_extension 1
set lost 0
set next 1
set right 1

if {"versioned" in $parts} {
  db eval {
    CREATE TABLE account(id INTEGER PRIMARY KEY, balance INTEGER);
    INSERT INTO account VALUES(1, 0), (2, 0), (3, 0), (4, 0);
  }
  say "$PROCESSES processes, $ROWS rows of one table in a file;\
 each process adds 1, $EACH times:\n"
  say "    SELECT balance FROM account WHERE id = ?"
  say "    UPDATE account SET balance = (read + 1) WHERE id = ?\n"
  say "1. Without Interlock"
  race [lrepeat $PROCESSES plain]

  say "2. The table versioned, the writers carrying the version they read\n"
  say "    sqlite> .load ./build/interlock"
  db eval {SELECT load_extension($library)}
  type "SELECT versioned('account');"
  say "\n    SELECT balance, version FROM account WHERE id = ?"
  say "    UPDATE account SET balance = (read + 1), version = (read + 1)\
 WHERE id = ?\n"
  set lost [race [lrepeat $PROCESSES carrying]]

  say "3. One writer of the $PROCESSES forgets the version"
  race [concat [lrepeat [expr {$PROCESSES - 1}] carrying] plain]
  say "    What it overwrites is lost: an UPDATE that carries no version is not
    checked. It does raise the version, so the others see that the row has
    changed, and none of them overwrites it.\n"
} else {
  db eval {SELECT load_extension($library)}
}

if {"turns" in $parts} {
  say "4. $PROCESSES processes want to write, 1 ms each, again and again for\
 [expr {$FOR / 1000.0}] s\n"
  say "    BEGIN IMMEDIATE; (work, 1 ms); COMMIT          -- busy_timeout 30 s"
  contend sqlite
  say "    BEGIN; SELECT write_turn(); (work, 1 ms); COMMIT"
  contend turn
  say "    SELECT advisory_lock('printer'); (work, 1 ms);\
 SELECT advisory_unlock('printer')"
  contend interlock
}

if {"killed" in $parts} {
  say "5. $PROCESSES processes stand in the queue, and the holder is killed\n"
  set next [killed]
}

if {"jobs" in $parts} {
  say "6. $PROCESSES workers share a queue of jobs\n"
  say "    SELECT skip_locked('job', 1, 'state = ''ready''', 'id')"
  say "    (work); BEGIN IMMEDIATE; (note it done); COMMIT"
  say "    SELECT row_unlock('job', id)\n"
  set right [jobs]
}

if {!$next} { say "the lock did not go to the first in the queue" }
if {$lost != 0} { say "the versioned table lost $lost updates" }
if {!$right} { say "jobs were lost, or done twice" }
finish [expr {!$next || $lost != 0 || !$right}]
