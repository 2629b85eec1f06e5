# SPDX-License-Identifier: 0BSD
require "sqlite3"

db = SQLite3::Database.new("shop.db")
db.enable_load_extension(true)  #:load
db.load_extension("./build/interlock")  #:load
db.extended_result_codes = true

one = lambda { |sql, *values| db.get_first_value(sql, *values) }

puts "loaded #{one["SELECT interlock_version() <> ''"]}"
puts "~version sqlite3 #{SQLite3::VERSION}," \
     " SQLite #{one["SELECT sqlite_version()"]}"
puts "declared #{one["SELECT versioned('account')"]}"
begin
  db.execute("UPDATE account SET balance = 0, version = 0")
rescue SQLite3::ConstraintException => e
  puts "~stale #{e.class}: #{e.message.lines.first}"
  stale =
    e.code == 1811  #:stale
  puts "stale #{stale ? 1 : 0}"
end
puts "locked #{one["SELECT advisory_lock('invoices') > 0"]}"
puts "tried #{one["SELECT try_advisory_lock('printer')"]}"
puts "number #{one["SELECT try_advisory_lock(?)", 42]}"
jobs = one["SELECT skip_locked('job', 2, 'state = ''ready''', 'id')"]
puts "jobs #{jobs}"
puts "leased #{one["SELECT lease_acquire('report', 'client', 60000) > 0"]}"
begin
  db.execute("UPDATE report SET text = 'late', token = 1")
rescue SQLite3::ConstraintException => e
  puts "~fenced #{e.class}: #{e.message.lines.first}"
  fenced =
    e.message.start_with?("fenced:")  #:fenced
  puts "fenced #{fenced ? 1 : 0}"
end
one["SELECT advisory_lock_timeout(50)"]
begin
  one["SELECT advisory_lock('printer')"]
rescue SQLite3::BusyException => e
  puts "~timeout #{e.class}: #{e.message.lines.first}"
  timeout =
    e.code == 773  #:timeout
  puts "timeout #{timeout ? 1 : 0}"
end
one["SELECT advisory_lock_timeout(-1)"]
puts "waited #{one["SELECT advisory_lock('scanner') > 0"]}"
db.execute("SELECT key, mode FROM advisory_locks WHERE session =
            advisory_session() AND kind = 'advisory' ORDER BY key") do |row|
  puts "held #{row.join(" ")}"
end
db.close
puts "done"
