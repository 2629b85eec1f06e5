# SPDX-License-Identifier: 0BSD
require "active_record"
require "active_record/connection_adapters/sqlite3_adapter"
require_relative "steps"

module LoadInterlock  #:load
  def configure_connection  #:load
    super  #:load
    raw_connection.enable_load_extension(true)  #:load
    raw_connection.load_extension("./build/interlock")  #:load
    raw_connection.enable_load_extension(false)
  end  #:load
end  #:load
adapter = ActiveRecord::ConnectionAdapters::SQLite3Adapter  #:load
adapter.prepend(LoadInterlock)  #:load
ActiveRecord::Base.establish_connection(
  adapter: "sqlite3", database: "shop.db", timeout: 5000, pool: 4)

class Create < ActiveRecord::Migration[6.1]
  def up
    create_table :account do |t|
      t.integer :balance, null: false
      t.integer :version, null: false, default: 0
    end
    execute "SELECT versioned('account')"
  end
end
class Nullable < ActiveRecord::Migration[6.1]
  def up
    change_column :account, :balance, :integer, null: true
  end
end
class Account < ActiveRecord::Base
  self.table_name = "account"
  self.locking_column = "version"
end

def one(sql) = Account.connection.select_value(sql)

ActiveRecord::Migration.verbose = false
Create.new.migrate(:up)
loaded = 3.times.map do
  Thread.new { Account.connection_pool.with_connection {
    one("SELECT interlock_version()") } }
end.map(&:value)
puts "loaded #{loaded.count(&:itself) / 3}"
puts "~version ActiveRecord #{ActiveRecord.version}," \
     " SQLite #{one("SELECT sqlite_version()")}"
puts "status #{one("SELECT status FROM versioned_tables")}"

a = Account.create!(balance: 100)
a.update!(balance: 90)
puts "saved #{a.version} #{row}"
a.update!(balance: 80)
puts "again #{a.version} #{row}"

b = Account.find(1)
a.update!(balance: 79)
begin
  b.update!(balance: 78)
rescue ActiveRecord::StaleObjectError => e  #:stale
  puts "~stale #{e.class}: #{e.message}"
  puts "stale 1"
end

other("UPDATE account SET balance = 50")
begin
  a.update!(balance: 77)
rescue ActiveRecord::StaleObjectError
  puts "unknown 1"
end

Account.transaction do
  db = Account.connection  #:lock
  lock = "SELECT row_xact_lock('account', 1), write_turn()"  #:lock
  db.uncached { db.select_value(lock) }  #:lock
  db.clear_query_cache  #:lock
  c = Account.find(1)
  puts "locked #{try_lock}"
  c.update!(balance: 51)
end
puts "free #{try_lock}"
puts "~lock #{for_update(Account.lock.to_sql)}"

Nullable.new.migrate(:up)
Account.reset_column_information
puts "rebuilt #{one("SELECT status FROM versioned_tables")}"
one("SELECT versioned_repair()")
puts "repaired #{one("SELECT status FROM versioned_tables")} #{row}"
puts "done"
