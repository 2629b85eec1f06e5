# SPDX-License-Identifier: 0BSD
# Interlock for ActiveRecord: every connection to SQLite loads the extension,
# and these calls, which SQLite's adapter ignores or lacks, take locks:
#
#   lock!, with_lock, and relations with `lock`: rows, until the transaction
#     ends; "FOR UPDATE NOWAIT", "FOR UPDATE SKIP LOCKED" and "FOR SHARE", too
#   with_advisory_lock(name, timeout_seconds), of a model: a name
#   migrations: Rails' lock, so that two processes do not migrate at once
#
# With `interlock_turns: true` in database.yml transactions wait in a queue for
# their turn to write, when they send their first statement.
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

      def begin_db_transaction
        super
        return unless @config[:interlock_turns]
        begin
          log("SELECT write_turn()", "TRANSACTION") do
            interlock_raw.get_first_value("SELECT write_turn()")
          end
        rescue StandardError
          # ActiveRecord does not know yet that the transaction has begun.
          interlock_raw.rollback
          raise
        end
      end

      # What ActiveRecord asks for a model's columns, at its first use, must not
      # begin the transaction: it would have read before its first lock.
      def exec_query(sql, name = nil, *values, **options)
        @interlock_schema = name == "SCHEMA"
        super
      ensure
        @interlock_schema = false
      end

      def materialize_transactions
        super unless @interlock_schema
      end

      # The one value of a statement, which no cache must answer.
      def interlock_value(sql)
        uncached { select_value(sql) }
      end

      # The first column of a query. While BEGIN has not been sent yet, it is
      # read without: in the transaction the read would fix what it sees before
      # the rows are locked.
      def interlock_column(sql)
        if interlock_raw.transaction_active?
          return uncached { select_values(sql) }
        end
        log(sql, "Interlock") do
          statement = interlock_raw.prepare(sql)
          begin
            statement.map { |row| row[0] }
          ensure
            statement.close
          end
        end
      end

      private

      # The driver's connection. raw_connection() would send BEGIN.
      def interlock_raw
        @raw_connection || @connection
      end

      def configure_connection
        super
        Interlock.load(interlock_raw)
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
        return super unless lock_value && connection.is_a?(Adapter)
        if connection.open_transactions == 0
          return klass.transaction { exec_queries(&block) }
        end
        keys = Interlock::ActiveRecord.lock_rows(self)
        found = except(:lock, :limit, :offset)
        found = found.where(klass.primary_key => keys)
        connection.uncached { found.send(:exec_queries, &block) }
      end
    end

    # Locks the rows that a relation finds, and waits for the turn to write: a
    # transaction that has read could not begin to write if another one had
    # written since. Returns the keys of these rows.
    def self.lock_rows(relation)
      mode, locked = clause(relation.lock_value)
      connection = relation.connection
      keys = wanted(relation, locked)
      # Two programs that lock the same rows do not wait for each other in a
      # cycle if both have one order.
      keys = keys.sort unless locked == :skip
      limit = relation.limit_value if locked == :skip
      table = connection.quote(relation.klass.table_name)
      function = "#{"try_" unless locked == :wait}row_xact_lock#{mode}"
      taken = keys.lazy.select do |key|
        got = connection.interlock_value(
          "SELECT #{function}(#{table}, #{connection.quote(key)})")
        refuse("row locked: #{relation.klass.table_name}(#{key})") if
          got == 0 && locked == :refuse
        got != 0
      end
      taken = limit ? taken.first(limit) : taken.to_a
      turn(connection, locked) if mode.empty?
      taken
    end

    def self.turn(connection, locked)
      attempt = "try_" if locked == :refuse
      return if connection.interlock_value("SELECT #{attempt}write_turn()") == 1
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
    def self.wanted(relation, locked)
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
      connection = relation.connection
      connection.interlock_column(
        connection.unprepared_statement { found.to_sql })
    end

    # For ActiveRecord::Base. The names are those of the gem with_advisory_lock.
    module AdvisoryLock
      # Runs the block with a lock on a name, and returns what it returns; or
      # false if the lock was not free within timeout_seconds. shared: others
      # can share the lock. transaction: it is held until the transaction ends.
      def with_advisory_lock(name, options = {})
        options = { timeout_seconds: options } unless options.is_a?(Hash)
        options.assert_valid_keys(:timeout_seconds, :shared, :transaction)
        mode = "#{"_xact" if options[:transaction]}_lock" \
               "#{"_shared" if options[:shared]}"
        key = connection.quote(name.to_s)
        return false unless Interlock::ActiveRecord.lock_name(
          connection, mode, key, options[:timeout_seconds])
        begin
          yield
        ensure
          unless options[:transaction]
            unlock = mode.sub("_lock", "_unlock")
            connection.interlock_value("SELECT advisory#{unlock}(#{key})")
          end
        end
      end
    end

    def self.lock_name(connection, mode, key, seconds)
      if seconds == 0
        tried = "SELECT try_advisory#{mode}(#{key})"
        return connection.interlock_value(tried) == 1
      end
      limit = ", wait_at_most(#{Integer(seconds * 1000)})" if seconds
      connection.interlock_value("SELECT advisory#{mode}(#{key}#{limit})")
      true
    rescue ::ActiveRecord::LockWaitTimeout
      false
    end
  end
end

ActiveRecord::ConnectionAdapters::SQLite3Adapter.prepend(
  Interlock::ActiveRecord::Adapter)
ActiveRecord::Relation.prepend(Interlock::ActiveRecord::Relation)
ActiveRecord::Base.extend(Interlock::ActiveRecord::AdvisoryLock)
