# SPDX-License-Identifier: 0BSD
# `make demo`: what Interlock is for, in under a minute, on a real file.
#
# Eight processes add to the same rows the way programs do: read, compute,
# write. First as they are, then on a versioned table, then with one writer
# that forgets the version. Exits with 1 if the versioned table lost an
# update.
#
#   tclsh tool/demo.tcl [LIBRARY]           the demo
#   tclsh tool/demo.tcl worker KIND FILE N  one writer; `go` on stdin starts it

package require sqlite3

set PROCESSES 8
set ROWS 4
set EACH 250
set PATIENCE 60000      ;# ms until a worker is given up

# ---- a writer -------------------------------------------------------------

# Add 1 to a row, n times. Returns how often it was refused. This connection
# never loads the extension: the triggers are plain SQL in the file.
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

if {[lindex $argv 0] eq "worker"} {
  worker {*}[lrange $argv 1 end]
  exit 0
}

# ---- the demo -------------------------------------------------------------

set library [lindex $argv 0]
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

# Show a statement and run it.
proc type {sql} {
  say "    sqlite> $sql"
  set r [db eval $sql]
  if {$r ne ""} { say "    [join $r |]" }
}

# A line from a worker, or give up.
proc hear {fd} {
  set timer [after $::PATIENCE { say "a worker hangs"; finish 1 }]
  fileevent $fd readable [list set ::heard($fd) 1]
  vwait ::heard($fd)
  fileevent $fd readable {}
  after cancel $timer
  if {[gets $fd line] < 0} { say "a worker failed"; finish 1 }
  return $line
}

# Run writers of these kinds at once. Says and returns what was lost.
proc race {kinds} {
  global file workers EACH
  db eval {UPDATE account SET balance = 0}
  set workers {}
  foreach kind $kinds {
    lappend workers [open |[list [info nameofexecutable] [info script] \
        worker $kind $file $EACH 2>@stderr] r+]
  }
  foreach fd $workers { hear $fd }
  set start [clock milliseconds]
  foreach fd $workers { puts $fd go; flush $fd }
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

sqlite3 db $file
db timeout 30000
db eval {PRAGMA journal_mode = WAL}
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
db enable_load_extension 1
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

if {$lost != 0} {
  say "the versioned table lost $lost updates"
  finish 1
}
finish 0
