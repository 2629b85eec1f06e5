# SPDX-License-Identifier: 0BSD
require "sequel"
require_relative "steps"

loads = proc { |db|  #:load
  db.enable_load_extension(true)  #:load
  db.load_extension("./build/interlock")  #:load
  db.enable_load_extension(false) }  #:load
DB = Sequel.sqlite("shop.db", after_connect: loads)  #:load

DB.create_table(:account) do
  primary_key :id
  Integer :balance, null: false
  Integer :version, null: false, default: 1
end
class Account < Sequel::Model(:account)
  plugin :optimistic_locking, lock_column: :version
end

def one(sql) = DB.get(Sequel.lit(sql))

one("versioned('account')")
gate = Queue.new
threads = 3.times.map do
  Thread.new { DB.synchronize { gate.pop; one("interlock_version()") } }
end
3.times { gate << 1 }
puts "loaded #{threads.map(&:value).count(&:itself) / 3}"
puts "~version Sequel #{Sequel::VERSION}, SQLite #{one("sqlite_version()")}"
status = "(SELECT status FROM versioned_tables)"
puts "status #{one(status)}"

a = Account.create(balance: 100)
a.update(balance: 90)
puts "saved #{a.version} #{row}"
a.update(balance: 80)
puts "again #{a.version} #{row}"

b = Account[1]
a.update(balance: 79)
begin
  b.update(balance: 78)
rescue Sequel::NoExistingObject => e  #:stale
  puts "~stale #{e.class}: #{e.message}"
  puts "stale 1"
end

other("UPDATE account SET balance = 50")
begin
  a.update(balance: 77)
rescue Sequel::NoExistingObject
  puts "unknown 1"
end

DB.transaction do
  DB.fetch("SELECT row_xact_lock('account', 1), write_turn()").first  #:lock
  c = Account[1]
  puts "locked #{try_lock}"
  c.update(balance: 51)
end
puts "free #{try_lock}"
puts "~lock #{for_update(Account.for_update.sql)}"

DB.alter_table(:account) { set_column_allow_null :balance }
puts "rebuilt #{one(status)}"
one("versioned_repair()")
puts "repaired #{one(status)} #{row}"
puts "done"
