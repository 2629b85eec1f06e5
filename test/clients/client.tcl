# SPDX-License-Identifier: 0BSD
package require sqlite3

sqlite3 db shop.db
db enable_load_extension 1 ;#:load
db eval {SELECT load_extension('./build/interlock')} ;#:load

puts "loaded [db onecolumn {SELECT interlock_version() <> ''}]"
puts "~version Tcl [info patchlevel], SQLite [db version]"
puts "declared [db onecolumn {SELECT versioned('account')}]"
catch { db eval {UPDATE account SET balance = 0, version = 0} } message
puts "~stale $message"
set stale [string match "stale write:*" $message] ;#:stale
puts "stale $stale"
if {[db errorcode] != 19} { puts "errorcode [db errorcode]" }
puts "locked [db onecolumn {SELECT advisory_lock('invoices') > 0}]"
puts "tried [db onecolumn {SELECT try_advisory_lock('printer')}]"
set number [expr {40 + 2}]
puts "number [db onecolumn {SELECT try_advisory_lock($number)}]"
puts "jobs [db onecolumn {
  SELECT skip_locked('job', 2, 'state = ''ready''', 'id')}]"
puts "leased [db onecolumn {
  SELECT lease_acquire('report', 'client', 60000) > 0}]"
catch { db eval {UPDATE report SET text = 'late', token = 1} } message
puts "~fenced $message"
set fenced [string match "fenced:*" $message] ;#:fenced
puts "fenced $fenced"
db eval {SELECT advisory_lock_timeout(50)}
catch { db eval {SELECT advisory_lock('printer')} } message
puts "~timeout $message"
set timeout [string match "lock timeout:*" $message] ;#:timeout
puts "timeout $timeout"
db eval {SELECT advisory_lock_timeout(-1)}
puts "waited [db onecolumn {SELECT advisory_lock('scanner') > 0}]"
db eval {SELECT key, mode FROM advisory_locks
         WHERE session = advisory_session() AND kind = 'advisory'
         ORDER BY key} {
  puts "held $key $mode"
}
db close
puts done
