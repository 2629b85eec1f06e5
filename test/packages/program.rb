# SPDX-License-Identifier: 0BSD
require "sqlite3"
require "interlock"  #:load

db = SQLite3::Database.new("shop.db")
Interlock.load(db)  #:load

one = lambda { |sql| db.get_first_value(sql) }

loaded = one["SELECT interlock_version()"].split.first == Interlock::VERSION
puts "loaded #{loaded ? 1 : 0}"
puts "~version sqlite3 #{SQLite3::VERSION}," \
     " SQLite #{one["SELECT sqlite_version()"]}"
puts "declared #{one["SELECT versioned('account')"]}"
begin
  db.execute("UPDATE account SET balance = 0, version = 0")
rescue SQLite3::ConstraintException => e
  puts "stale #{e.message.start_with?("stale write: account.version") ? 1 : 0}"
end
puts "locked #{one["SELECT advisory_lock('invoices') > 0"]}"
puts "tried #{one["SELECT try_advisory_lock('printer')"]}"
puts "waited #{one["SELECT advisory_lock('scanner') > 0"]}"
db.close
puts "done"
