# SPDX-License-Identifier: 0BSD
# Interlock for ActiveRecord: every connection to SQLite loads the extension,
# and these calls, which SQLite's adapter ignores or lacks, take locks:
#
#   lock!, with_lock, and relations with `lock`: rows, until the transaction
#     ends; "FOR UPDATE NOWAIT", "FOR UPDATE SKIP LOCKED" and "FOR SHARE", too
#   with_advisory_lock(name, timeout_seconds), of a model: a name; and the rest
#     of what the gem with_advisory_lock has
#   migrations: Rails' lock, so that two processes do not migrate at once
#
# With `interlock_turns: true` in database.yml transactions wait in a queue for
# their turn to write, when they send their first statement that takes no lock.
# `interlock_timeout: 5000` limits each wait, in milliseconds.
#
# While a thread waits, other threads run. When a connection goes back to its
# pool, it gives back its locks. The query cache answers neither the calls above
# nor Interlock's functions of SQL, and is empty after them.
require "active_record"
require "active_record/connection_adapters/sqlite3_adapter"
require "interlock"

module Interlock
  module ActiveRecord
    # What is locked by each clause: [mode, what becomes of a locked row].
    CLAUSES = {
      "FOR UPDATE" => ["", :wait],
      "FOR UPDATE NOWAIT" => ["", :refuse],
      "FOR UPDATE SKIP LOCKED" => ["", :skip],
      "FOR SHARE" => ["_shared", :wait],
      "FOR SHARE NOWAIT" => ["_shared", :refuse],
      "FOR SHARE SKIP LOCKED" => ["_shared", :skip],
    }.freeze

    # SQL that calls a function of Interlock's, or reads a table of its.
    CALLS = /
      \b(?:\w*_(?:un)?lock(?:_\w+)? | \w*lock_rows\w* | \w*skip_locked |
         release_all_locks | lease_\w+ | \w*write_turn\w* | (?:un)?listen\w* |
         \w*notify | withdraw_request | interlock_\w+ | advisory_\w+ |
         (?:un)?(?:versioned|fenced|guarded)\w* | expect_\w+)\s*\( |
      \b(?:advisory_(?:locks|waits|sessions|stats) |
         (?:versioned|fenced|guarded)_tables | versioned_log)\b
    /ix.freeze

    # Whether this ActiveRecord can begin immediately and deferred.
    IMMEDIATE =
      ::ActiveRecord::ConnectionAdapters::SQLite3::DatabaseStatements
      .method_defined?(:begin_deferred_transaction)

    # For SQLite3Adapter.
    module Adapter
      def supports_advisory_locks?
        true
      end

      # A part of the id of Rails' lock for migrations. The lock is one of the
      # file, whatever name a process has for it.
      def current_database
        "main"
      end

      def get_advisory_lock(id)
        interlock_value("SELECT try_advisory_lock(#{Integer(id)})") == 1
      end

      def release_advisory_lock(id)
        interlock_value("SELECT advisory_unlock(#{Integer(id)})") == 1
      end

      # From 8.0 on ActiveRecord sends BEGIN IMMEDIATE. After that a transaction
      # cannot wait for locks, so one that begins with a lock, or has turns, is
      # begun as before.
      def begin_db_transaction
        turns = @config[:interlock_turns]
        if (turns || @interlock_locking) && IMMEDIATE
          begin_deferred_transaction
        else
          super
        end
        @interlock_turn_due = turns
      end

      # A transaction that is to have the turn must not get from the cache what
      # was read before it. It would not even begin.
      def transaction(**options, &block)
        clear_query_cache if @config[:interlock_turns] && open_transactions == 0
        super
      end

      # What ActiveRecord asks for a model's columns, at its first use, must not
      # begin the transaction: it would have read before its first lock.
      # The second of these is ActiveRecord's from 7.1 on.
      %i[exec_query internal_exec_query].each do |query|
        define_method(query) do |sql, name = nil, *values, **options|
          # The query may open the connection, which sends others.
          outer = @interlock_schema
          @interlock_schema = outer || name == "SCHEMA"
          super(sql, name, *values, **options)
        ensure
          @interlock_schema = outer
        end
      end

      # The turn is waited for when the first statement is about to be sent that
      # takes no lock. With the turn a transaction could not wait for locks.
      def materialize_transactions
        return if @interlock_schema
        super
        return if !@interlock_turn_due || @interlock_locking
        @interlock_turn_due = false
        return unless interlock_raw.transaction_active?
        Waiting.new do |sql, *values|
          log(sql, "TRANSACTION") { interlock_send(sql, *values) }
        end.call("write_turn")
      end

      # The names of with_advisory_lock whose blocks are running.
      def interlock_names
        @interlock_names ||= []
      end

      # The one value of a statement.
      def interlock_value(sql)
        locking = @interlock_locking
        @interlock_locking = true
        uncached { select_value(sql) }
      ensure
        @interlock_locking = locking
      end

      # Takes a lock, as Interlock.wait. What was read before it is not certain
      # to be true any more.
      def interlock_wait(function, *values, timeout: nil)
        Waiting.new(timeout) do |sql, *bound|
          interlock_value(sql.gsub("?") { quote(bound.shift) })
        end.call(function, *values)
        @interlock_turn_due = false if function == "write_turn"
        clear_query_cache
        true
      end

      # For a connection that goes back to its pool.
      def interlock_reset
        raw = @raw_connection || @connection
        return if raw.nil? || raw.closed?
        interlock_names.clear
        interlock_send("SELECT interlock_reset()")
        interlock_limit
      rescue SQLite3::Exception
        # Its locks end with it.
        disconnect!
      end

      # The first column of a query. While BEGIN has not been sent yet, it is
      # read without: in the transaction the read would fix what it sees before
      # the rows are locked.
      def interlock_column(sql)
        if interlock_raw.transaction_active?
          return uncached { select_values(sql) }
        end
        log(sql, "Interlock") do
          interlock_rows(sql).map { |row| row[0] }
        end
      end

      private

      # The driver's connection. raw_connection() would send BEGIN. From 7.1 on
      # it is opened by the first statement only.
      def interlock_raw
        connect! if !(@raw_connection || @connection)
        @raw_connection || @connection
      end

      def interlock_rows(sql, *values)
        statement = interlock_raw.prepare(sql)
        statement.bind_params(*values)
        statement.to_a
      ensure
        statement&.close
      end

      def interlock_send(sql, *values)
        interlock_rows(sql, *values).dig(0, 0)
      end

      def configure_connection
        super
        Interlock.load(interlock_raw)
        interlock_limit
      end

      def interlock_limit
        limit = @config[:interlock_timeout]
        interlock_send("SELECT advisory_lock_timeout(?)", Integer(limit)) if
          limit
      end

      # Of the query cache.
      def cache_sql(sql, *)
        return super unless CALLS.match?(sql)
        begin
          yield
        ensure
          clear_query_cache
        end
      end

      def lookup_sql_cache(sql, *)
        super unless CALLS.match?(sql)
      end

      def translate_exception(exception, message:, sql:, binds:)
        kind = case exception.message
               when /\A(?:lock timeout|row locked):/
                 ::ActiveRecord::LockWaitTimeout
               when /\Adeadlock detected:/
                 ::ActiveRecord::Deadlocked
               end
        kind ? kind.new(message, sql: sql, binds: binds) : super
      end
    end

    # For relations of models.
    module Relation
      private

      def exec_queries(&block)
        return super unless lock_value
        Interlock::ActiveRecord.connected(klass) do |connection|
          return super unless connection.is_a?(Adapter)
          if connection.open_transactions == 0
            return klass.transaction { exec_queries(&block) }
          end
          keys = Interlock::ActiveRecord.lock_rows(self, connection)
          found = except(:lock, :limit, :offset)
          found = found.where(klass.primary_key => keys)
          connection.uncached { found.send(:exec_queries, &block) }
        end
      end
    end

    # Calls the block with a model's connection. From 7.2 on a call that keeps
    # it for the thread is deprecated: only the block has it, if none has yet.
    def self.connected(model, &block)
      return model.with_connection(&block) if
        model.respond_to?(:with_connection)
      yield model.connection
    end

    # Locks the rows that a relation finds, and waits for the turn to write: a
    # transaction that has read could not begin to write if another one had
    # written since. Returns the keys of these rows.
    def self.lock_rows(relation, connection)
      mode, locked = clause(relation.lock_value)
      keys = wanted(relation, connection, locked)
      # Two programs that lock the same rows do not wait for each other in a
      # cycle if both have one order.
      keys = keys.sort unless locked == :skip
      limit = relation.limit_value if locked == :skip
      table = relation.klass.table_name
      function = "row_xact_lock#{mode}"
      taken = keys.lazy.select do |key|
        next connection.interlock_wait(function, table, key) if locked == :wait
        got = connection.interlock_value(
          "SELECT try_#{function}(#{connection.quote(table)}," \
          " #{connection.quote(key)})")
        refuse("row locked: #{table}(#{key})") if got == 0 && locked == :refuse
        got != 0
      end
      taken = limit ? taken.first(limit) : taken.to_a
      turn(connection, locked) if mode.empty?
      connection.clear_query_cache
      taken
    end

    def self.turn(connection, locked)
      return connection.interlock_wait("write_turn") unless locked == :refuse
      return if connection.interlock_value("SELECT try_write_turn()") == 1
      refuse("row locked: another transaction writes the database")
    end

    def self.refuse(message)
      raise ::ActiveRecord::LockWaitTimeout, message
    end

    def self.clause(lock)
      return CLAUSES["FOR UPDATE"] if lock == true
      CLAUSES.fetch(lock.to_s.upcase.squish) do
        raise ArgumentError, "lock(#{lock.inspect}): SQLite with Interlock" \
          " takes #{CLAUSES.keys.join(", ")}"
      end
    end

    # The keys of the rows that a relation finds, in its order.
    def self.wanted(relation, connection, locked)
      key = relation.klass.primary_key
      if !key.is_a?(String) || relation.eager_loading? ||
         relation.distinct_value || relation.group_values.any? ||
         !relation.having_clause.empty? || !relation.from_clause.empty?
        raise ArgumentError, "lock: Interlock locks rows of one table that" \
          " has a primary key of one column, without distinct, group, from" \
          " and eager_load"
      end
      found = relation.except(:lock, :select, :includes, :preload)
      found = found.except(:limit) if locked == :skip
      found = found.select(relation.klass.arel_table[key])
      connection.interlock_column(
        connection.unprepared_statement { found.to_sql })
    end

    # For models. The names, and what they do, are those of the gem
    # with_advisory_lock. A model of another database has that gem's, if it was
    # loaded before.
    module AdvisoryLock
      Result = Struct.new(:lock_was_acquired?, :result)

      # Runs the block with a lock on a name, and returns what it returns; or
      # false if the lock was not free within timeout_seconds. shared: others
      # can share the lock. transaction: it is held until the transaction ends.
      # disable_query_cache: in the block no cache answers. blocking: a deadlock
      # is as a timeout.
      def with_advisory_lock(name, options = {}, &block)
        found = with_advisory_lock_result(name, options, &block)
        found.lock_was_acquired? ? found.result : false
      end

      # The same, with an error in place of false.
      def with_advisory_lock!(name, options = {}, &block)
        found = with_advisory_lock_result(name, options, &block)
        return found.result if found.lock_was_acquired?
        raise WithAdvisoryLock::FailedToAcquireLock, name
      end

      # The same; the result says whether the lock was granted.
      def with_advisory_lock_result(name, options = {}, &block)
        Interlock::ActiveRecord.connected(self) do |connection|
          return super unless connection.is_a?(Adapter)
          options = { timeout_seconds: options } unless options.is_a?(Hash)
          options.assert_valid_keys(:timeout_seconds, :shared, :transaction,
                                    :disable_query_cache, :blocking)
          if options[:transaction] && !connection.transaction_open?
            raise ArgumentError, "with_advisory_lock: transaction: true needs" \
              " an open transaction"
          end
          Interlock::ActiveRecord.with_name(connection, name, options, &block)
        end
      end

      # Whether a connection holds a lock on the name, this one or another.
      def advisory_lock_exists?(name)
        Interlock::ActiveRecord.connected(self) do |connection|
          return super unless connection.is_a?(Adapter)
          connection.interlock_value(
            "SELECT EXISTS(SELECT 1 FROM advisory_locks" \
            " WHERE kind = 'advisory' AND schema = 'main'" \
            " AND key = #{connection.quote(name.to_s)})") == 1
        end
      end

      # The name whose block is running: of several the outermost; or nil.
      def current_advisory_lock
        current_advisory_locks.first
      end

      # The names whose blocks are running, the outermost first.
      def current_advisory_locks
        Interlock::ActiveRecord.connected(self) do |connection|
          return super unless connection.is_a?(Adapter)
          connection.interlock_names.dup
        end
      end
    end

    # For instances of models.
    module OfInstance
      delegate :with_advisory_lock, :with_advisory_lock!,
               :advisory_lock_exists?, to: "self.class"
    end

    # "advisory_lock" and its kin.
    def self.lock_function(start, verb, options)
      "#{start}advisory#{"_xact" if options[:transaction]}_#{verb}" \
        "#{"_shared" if options[:shared]}"
    end

    def self.lock_name(connection, name, options)
      seconds = options[:timeout_seconds]
      return connection.interlock_wait(
        lock_function("", "lock", options), name.to_s,
        timeout: seconds || Float::INFINITY) unless seconds && seconds <= 0
      tried = connection.interlock_value(
        "SELECT #{lock_function("try_", "lock", options)}" \
        "(#{connection.quote(name.to_s)})")
      connection.clear_query_cache
      tried == 1
    rescue ::ActiveRecord::LockWaitTimeout
      false
    rescue ::ActiveRecord::Deadlocked
      raise unless options[:blocking]
      false
    end

    # Takes the lock, and runs the block with it. Returns a Result. What
    # interrupts the thread must not come between the lock and its release.
    def self.with_name(connection, name, options, &block)
      if options[:disable_query_cache]
        run = block
        block = -> { connection.uncached(&run) }
      end
      Thread.handle_interrupt(Object => :never) do
        next AdvisoryLock::Result.new(false) unless
          lock_name(connection, name, options)
        AdvisoryLock::Result.new(
          true, holding(connection, name, options, &block))
      end
    end

    # Runs a block with a lock that has been taken.
    def self.holding(connection, name, options)
      connection.interlock_names.push(name.to_s)
      Thread.handle_interrupt(Object => :immediate) { yield } if block_given?
    ensure
      connection.interlock_names.pop
      unless options[:transaction]
        unlock = lock_function("", "unlock", options)
        connection.interlock_value(
          "SELECT #{unlock}(#{connection.quote(name.to_s)})")
      end
    end
  end
end

# What a program rescues that was written for the gem.
module WithAdvisoryLock
  unless const_defined?(:FailedToAcquireLock)
    class FailedToAcquireLock < StandardError
      def initialize(name)
        super("the advisory lock #{name.inspect} was not free in time")
      end
    end
  end
end

ActiveRecord::ConnectionAdapters::SQLite3Adapter.prepend(
  Interlock::ActiveRecord::Adapter)
ActiveRecord::ConnectionAdapters::SQLite3Adapter.set_callback(
  :checkin, :before, :interlock_reset)
ActiveRecord::Relation.prepend(Interlock::ActiveRecord::Relation)
ActiveRecord::Base.extend(Interlock::ActiveRecord::AdvisoryLock)
ActiveRecord::Base.include(Interlock::ActiveRecord::OfInstance)
