# SPDX-License-Identifier: 0BSD
require "sqlite3"
require "timeout"
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

# Waits of four threads, and others that end without the lock.
def connect
  Interlock.load(SQLite3::Database.new("shop.db")).tap do |shop|
    shop.busy_timeout(60_000)
    shop.results_as_hash = true
  end
end
def assert(seen, wanted)
  raise "#{seen.inspect}, not #{wanted.inspect}" unless seen == wanted
end
def add(shop, *lock)
  shop.transaction do
    Interlock.wait(shop, *lock)
    Interlock.wait(shop, "write_turn")
    sleep 0.001
    shop.execute("UPDATE account SET balance = ?",
                 [shop.get_first_value("SELECT balance FROM account") + 1])
  end
end
[["row_xact_lock", "account", 1], ["table_xact_lock", "account"],
 ["advisory_xact_lock", "a"], ["write_turn"]].each do |lock|
  db.execute("UPDATE account SET balance = 0")
  threads = 4.times.map do
    Thread.new { connect.tap { |shop| 10.times { add(shop, *lock) } }.close }
  end
  Timeout.timeout(60) { threads.each(&:join) }
  assert one["SELECT balance FROM account"], 40
end
other = connect
assert Interlock.wait(other, "advisory_lock", "a"), true
ends = lambda do |error, text, &work|
  work.call
  raise "no #{error}"
rescue error => e
  assert e.message[text] && one["SELECT count(*) FROM advisory_waits"], 0
end
ends[SQLite3::BusyException, /^lock timeout: 'a' is held by/] do
  Interlock.wait(db, "advisory_lock", "a", timeout: 0.01)
end
ends[Timeout::Error, ""] do
  Timeout.timeout(0.05) { Interlock.wait(db, "advisory_lock_shared", "a") }
end
ends[SQLite3::InterruptException, /^lock wait cancelled:/] do
  session = one["SELECT advisory_session()"]
  Thread.new do
    Thread.pass until other.get_first_value(
      "SELECT advisory_cancel(#{session})") == 1
  end
  Interlock.wait(db, "advisory_lock", "a")
end
ends[ArgumentError, "Interlock does not wait by advisory_unlock"] do
  Interlock.wait(db, "advisory_unlock", "a")
end
other.close
# None leaves its request behind.
50.times do |i|
  Timeout.timeout(0.0002 * (1 + i % 5)) do
    Interlock.wait(db, "advisory_lock", "a")
  end
rescue Timeout::Error
ensure
  one["SELECT advisory_unlock_all()"]
end

puts "waited #{one["SELECT advisory_lock('scanner') > 0"]}"
db.close
puts "done"
