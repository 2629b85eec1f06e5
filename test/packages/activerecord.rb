# SPDX-License-Identifier: 0BSD
# activerecord.rb VERSION: the adapter in the gem. activerecord.rb -add N: adds
# 1 to the Nth row of each way of locking, 25 times. With -immediate in place of
# -add, too, in transactions that begin as those of ActiveRecord 8.0.
require "timeout"
require "active_record"
require "active_record/connection_adapters/sqlite3_adapter"
# As ActiveRecord 8.0.
if ARGV[0] == "-immediate"
  module ActiveRecord::ConnectionAdapters::SQLite3::DatabaseStatements
    def begin_db_transaction
      (@raw_connection || @connection).transaction(:immediate)
    end

    def begin_deferred_transaction(_isolation = nil)
      (@raw_connection || @connection).transaction(:deferred)
    end
  end
end
require "interlock/active_record"  #:load

def connect(settings = {})
  ActiveRecord::Base.establish_connection(
    adapter: "sqlite3", database: "shop.db", timeout: 60_000, **settings)
end
connect

class Account < ActiveRecord::Base
  self.table_name = "account"
  self.locking_column = "none"
end
class Job < ActiveRecord::Base
  self.table_name = "job"
end
class Counter < ActiveRecord::Base
  self.table_name = "counter"
end

def one(sql) = ActiveRecord::Base.connection.select_value(sql)

def assert(seen, wanted)
  raise "#{seen.inspect}, not #{wanted.inspect}" unless seen == wanted
end

def error
  yield
rescue ActiveRecord::ActiveRecordError, ArgumentError,
       WithAdvisoryLock::FailedToAcquireLock => e
  "#{e.class}: #{e.message}"
end

# Each adds 1 to a row, so that no addition of another process is lost. Each has
# three rows.
ADD = {
  "lock" => ->(id) {
    Counter.transaction do
      counter = Counter.lock.find(id)
      counter.update!(n: counter.n + 1)
    end
  },
  "with_lock" => ->(id) {
    counter = Counter.find(id)
    counter.with_lock { counter.update!(n: counter.n + 1) }
  },
  "advisory" => ->(id) {
    Counter.with_advisory_lock("counter") do
      counter = Counter.find(id)
      counter.update!(n: counter.n + 1)
    end
  },
  "turns" => ->(id) {
    Counter.transaction do
      counter = Counter.find(id)
      counter.update!(n: counter.n + 1)
    end
  },
}
if %w[-add -immediate].include?(ARGV[0])
  ADD.each_with_index do |(how, add), i|
    connect(interlock_turns: true) if how == "turns"
    25.times { add[3 * i + ARGV[1].to_i] }
  end
  exit
end

puts "loaded #{one("SELECT interlock_version()").split.first == ARGV[0] ? 1 : 0}"
puts "~version ActiveRecord #{ActiveRecord.version}," \
     " SQLite #{one("SELECT sqlite_version()")}"
puts "declared #{one("SELECT versioned('account')")}"
stale = error { one("UPDATE account SET balance = 0, version = 0") }
puts "stale #{stale.include?("stale write: account.version") ? 1 : 0}"

assert Account.with_advisory_lock("invoices") { 7 }, 7
Account.with_advisory_lock("invoices", timeout_seconds: 5) do
  held = one("SELECT mode FROM advisory_locks WHERE key = 'invoices'")
  puts "locked #{held == "exclusive" ? 1 : 0}"
end
assert one("SELECT count(*) FROM advisory_locks WHERE key = 'invoices'"), 0
puts "tried #{Account.with_advisory_lock("printer", 0) { 1 } || 0}"
assert Account.with_advisory_lock("printer", 0.01) { 1 }, false
assert Account.with_advisory_lock("printer", -0.001) { 1 }, false
Account.transaction do
  Account.with_advisory_lock("a", transaction: true, shared: true) {}
  assert one("SELECT mode || ' ' || scope FROM advisory_locks
              WHERE key = 'a'"), "shared transaction"
end
assert one("SELECT count(*) FROM advisory_locks WHERE key = 'a'"), 0

# The rest of what the gem with_advisory_lock has.
granted = Account.with_advisory_lock_result("a") { false }
assert [granted.lock_was_acquired?, granted.result], [true, false]
granted = Account.with_advisory_lock_result("printer", timeout_seconds: 0) { 1 }
assert [granted.lock_was_acquired?, granted.result], [false, nil]
assert Account.with_advisory_lock("a"), nil
assert Account.with_advisory_lock!("a") { 7 }, 7
assert error { Account.with_advisory_lock!("printer", timeout_seconds: 0) {} },
       "WithAdvisoryLock::FailedToAcquireLock: the advisory lock" \
       " \"printer\" was not free in time"
assert Account.current_advisory_lock, nil
Account.new.with_advisory_lock("a") do
  Account.new.with_advisory_lock!("b", shared: true) do
    Account.with_advisory_lock("a", timeout_seconds: 0) do
      assert Account.current_advisory_lock, "a"
      assert Account.current_advisory_locks, %w[a b a]
    end
    assert %w[a b].map { |name| Account.new.advisory_lock_exists?(name) },
           [true, true]
  end
end
begin
  Account.with_advisory_lock("a") { raise KeyError }
rescue KeyError
  assert Account.current_advisory_locks, []
end
assert %w[a b printer].map { |name| Account.advisory_lock_exists?(name) },
       [false, false, true]
assert error { Account.with_advisory_lock("a", transaction: true) {} },
       "ArgumentError: with_advisory_lock: transaction: true needs an open" \
       " transaction"
assert error { Account.with_advisory_lock("a", seconds: 1) {} }[/\A\w+:/],
       "ArgumentError:"
cached = ->(options) do
  Account.cache do
    one("SELECT 1 AS cached")
    Account.with_advisory_lock("a", options) do
      Account.connection.query_cache_enabled
    end
  end
end
assert [cached[{}], cached[{ disable_query_cache: true }]], [true, false]

# The other process has locked the first job.
assert error { Job.lock("for update nowait").find(1) },
       "ActiveRecord::LockWaitTimeout: row locked: job(1)"
assert Job.lock("FOR UPDATE SKIP LOCKED").order(:id).map(&:id), [2, 3]
assert Job.lock("FOR UPDATE SKIP LOCKED").order(:id).first.id, 2
assert Job.lock.order(id: :desc).limit(1).pluck(:id), [3]
assert Job.lock.order(:id).offset(1).limit(2).map(&:id), [2, 3]
assert Job.lock.where("id > 1").order(id: :desc).map(&:id), [3, 2]
one("SELECT advisory_lock_timeout(10)")
timeout = error { Job.find(1).lock! }
assert timeout[/\A.*?: .*? timeout:/],
       "ActiveRecord::LockWaitTimeout: SQLite3::BusyException: lock timeout:"
one("SELECT advisory_lock_timeout(-1)")
assert error { Job.lock("LOCK IN SHARE MODE").to_a }[/\A\w+: lock\("LOCK/],
       "ArgumentError: lock(\"LOCK"
[Job.lock.distinct, Job.lock.group(:state), Job.lock.from("job"),
 Job.lock.eager_load(:itself_not_there)].each do |refused|
  assert error { refused.to_a }[/\A\w+: lock: /], "ArgumentError: lock: "
end
Job.transaction do
  Job.first
  assert error { Job.lock.find(2) }[/\A.*? lock wait refused:/],
         "ActiveRecord::StatementInvalid: SQLite3::BusyException:" \
         " lock wait refused:"
end

Job.transaction do
  Job.lock.pluck(:id)
  Job.lock.count
  assert one("SELECT count(*) FROM advisory_locks WHERE session =
              advisory_session()"), 0
end

# A deadlock: each of two processes holds what the other one waits for.
def shell(*statements)
  shell = IO.popen(["sqlite3", "-init", "/dev/null", "shop.db"], "r+")
  shell.puts ".load \"#{Interlock.path}\"", *statements
  shell
end
other = shell("SELECT advisory_lock('y') > 0;")
assert other.gets, "1\n"
Account.with_advisory_lock("x") do
  other.puts "SELECT advisory_lock('x') > 0;"
  Timeout.timeout(60) do
    Thread.pass until one("SELECT count(*) FROM advisory_waits") == 1
  end
  assert error { Account.with_advisory_lock("y") {} }[/\A.*? detected:/],
         "ActiveRecord::Deadlocked: SQLite3::LockedException:" \
         " deadlock detected:"
  assert Account.with_advisory_lock("y", blocking: true) { 1 }, false
end
other.close

# A row stays locked until the transaction ends, and no cache answers.
MODE = "SELECT group_concat(mode) FROM advisory_locks WHERE kind = 'row' AND
        session = advisory_session()"
ActiveRecord::Base.cache do
  2.times do
    Job.transaction do
      Job.lock("FOR SHARE").find(2)
      assert Job.uncached { one(MODE) }, "shared"
    end
  end
  Job.transaction do
    2.times { Job.lock.find(2) }
    Job.find(3).lock!
    assert Job.uncached { one(MODE) }, "exclusive,exclusive"
  end
end
assert one("SELECT count(*) FROM advisory_locks WHERE session =
            advisory_session()"), 0

# Two processes that migrate: the second one is refused.
class Create < ActiveRecord::Migration[6.1]
  def up
    create_table(:counter) { |t| t.integer :n, null: false, default: 0 }
  end
end
ActiveRecord::Migration.verbose = false
Create.version = 1 if Create.respond_to?(:version=)
# Rails 7.1 makes objects of both classes, and 7.2 keeps them with the pool.
base = ActiveRecord::Base.connection_pool
base = ActiveRecord::Base.connection unless base.respond_to?(:schema_migration)
tables = [base.schema_migration]
tables << base.internal_metadata if base.respond_to?(:internal_metadata)
migrator = lambda do
  migration = Create.new("create", 1)
  ActiveRecord::Migrator.new(:up, [migration], *tables, 1)
end
tables.each(&:create_table)
ActiveRecord::InternalMetadata.create_table if tables.size == 1
id = migrator[].send(:generate_migrator_advisory_lock_id)
other = shell("SELECT advisory_lock(#{id}) > 0;")
assert other.gets, "1\n"
assert error { migrator[].migrate }[/\A[\w:]+/],
       "ActiveRecord::ConcurrentMigrationError:"
other.close
migrator[].migrate

# Four processes, two of them on one row.
12.times { Counter.create! }
workers = [1, 1, 2, 3].map { |n| spawn(RbConfig.ruby, $0, "-add", n.to_s) }
workers.each { |pid| assert Process.wait2(pid)[1].exitstatus, 0 }
assert Counter.order(:id).pluck(:n), [50, 25, 25] * 4

# The same where transactions begin immediately. One waits for a lock of a
# connection that has no transaction.
Counter.update_all(n: 0)
other = shell("SELECT row_lock('counter', 3) > 0;")
other.gets
workers = [1, 1, 2, 3].map do |n|
  spawn(RbConfig.ruby, $0, "-immediate", n.to_s)
end
Timeout.timeout(60) do
  Thread.pass until one("SELECT count(*) FROM advisory_waits
                         WHERE object = 'counter' AND key = 3") > 0
end
other.close
workers.each { |pid| assert Process.wait2(pid)[1].exitstatus, 0 }
assert Counter.order(:id).pluck(:n), [50, 25, 25] * 4

# Four threads of one process on one row.
ADD.each_with_index do |(how, add), i|
  connect(interlock_turns: true) if how == "turns"
  threads = 4.times.map { Thread.new { 25.times { add[3 * i + 1] } } }
  Timeout.timeout(60) { threads.each(&:join) }
  assert Counter.find(3 * i + 1).n, 150
end

# With turns a transaction waits for locks before it waits for its turn.
HELD = "SELECT key FROM advisory_locks WHERE session = advisory_session() AND
        kind = 'turn'"
def turns = Counter.uncached { ActiveRecord::Base.connection.select_rows(HELD) }
other = shell("SELECT row_lock('counter', 1), advisory_lock('b') > 0;")
other.gets
counter = Counter.find(1)
waiting = Thread.new do
  Counter.transaction do
    Counter.with_advisory_lock("b", transaction: true)
    counter.lock!
    turns
  end
end
Thread.pass until one("SELECT count(*) FROM advisory_waits") == 1
other.close
assert waiting.value, [[nil]]
Counter.transaction { Counter.with_advisory_lock("b") {} }
assert turns, []

# A wait ends at its limit, or when the thread is interrupted.
connect(interlock_timeout: 200)
Counter.with_advisory_lock("b") do
  raised = [Timeout::Error, ActiveRecord::LockWaitTimeout]
  waiting = 2.times.map do |i|
    Thread.new do
      Timeout.timeout(i == 0 ? 0.1 : 60) do
        Counter.transaction do
          Counter.connection.interlock_wait("advisory_xact_lock", "b")
        end
      end
    rescue Timeout::Error, ActiveRecord::LockWaitTimeout => e
      e.class
    end
  end
  Thread.pass until one("SELECT count(*) FROM advisory_waits") > 0
  assert waiting.map(&:value), raised
  assert one("SELECT count(*) FROM advisory_waits"), 0
end

# Processes that take turns without a pause do not keep this one out.
connect
stop = "stop"
writers = 2.times.map do
  fork do
    db = Interlock.load(SQLite3::Database.new("shop.db"))
    db.busy_timeout(60_000)
    until File.exist?(stop)
      db.transaction { db.get_first_value("SELECT write_turn()") }
    end
    exit!
  end
end
Counter.update_all(n: 0)
Timeout.timeout(60) { 25.times { ADD["lock"][1] } }
File.write(stop, "")
writers.each { |pid| Process.wait(pid) }
assert Counter.find(1).n, 25

# A plain writer has SQLite's lock.
writer = Thread.new do
  Counter.transaction do
    Counter.update_all(n: 3)
    sleep 0.2
  end
end
Thread.pass until Counter.connection_pool.connections.any? do |connection|
  connection.transaction_open? && connection.current_transaction.materialized?
end
sleep 0.05
ADD["lock"][1]
writer.join
assert Counter.find(1).n, 4

# The query cache of a request answers no call of Interlock's, and forgets what
# was read before a lock.
shop = SQLite3::Database.new("shop.db")
shop.busy_timeout(60_000)
locks = {
  "lock" => -> { Counter.lock.find(2) },
  "with_lock" => -> { Counter.find(2).lock! },
  "advisory" => -> { Counter.with_advisory_lock("b", transaction: true) },
  "advisory, tried" => -> { Counter.with_advisory_lock("b", 0) },
  "SQL" => -> { one("SELECT advisory_xact_lock('b'), write_turn()") },
  "relation" => -> {
    lock = Arel.sql("row_xact_lock('counter', 2)")
    Counter.from("(SELECT 1)").pick(lock)
  },
  "turns" => -> {},
}
locks.each do |how, lock|
  connect(interlock_turns: true) if how == "turns"
  Counter.update_all(n: 0)
  Counter.cache do
    Counter.find(2)
    shop.execute("UPDATE counter SET n = 50")
    Counter.transaction do
      lock.call
      counter = Counter.find(2)
      counter.update!(n: counter.n + 1)
    end
  end
  assert [how, Counter.find(2).n], [how, 51]
end
connect
Counter.cache do
  assert 2.times.map { one("SELECT try_advisory_lock('printer')") }, [0, 0]
  2.times do
    assert one("SELECT advisory_lock('b') > 0"), 1
    assert one("SELECT count(*) FROM advisory_locks WHERE key = 'b'"), 1
    assert one("SELECT advisory_unlock('b')"), 1
  end
  assert one("SELECT count(*) FROM advisory_locks WHERE key = 'b'"), 0
end

# A connection that goes back to the pool gives back what it holds, and keeps
# its limit.
connect(interlock_timeout: 500)
seen = 2.times.map do
  Counter.connection_pool.with_connection do |connection|
    connection.select_value("SELECT try_advisory_lock('b')")
    connection.select_value("SELECT advisory_lock_timeout(7)")
  end
end
assert seen, [500, 500]
assert Counter.advisory_lock_exists?("b"), false

# Without timeout_seconds the wait has no limit.
connect
one("SELECT advisory_lock_timeout(1)")
waited = Account.with_advisory_lock("scanner") { 1 }
puts "waited #{waited}"
puts "done"
