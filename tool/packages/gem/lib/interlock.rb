# SPDX-License-Identifier: 0BSD
# Interlock for Ruby: loads the extension, and waits for locks outside of
# SQLite. Inside of it a wait makes all threads of Ruby stand still.
module Interlock
  VERSION = "@VERSION@"

  # The file of the extension: the one that the variable INTERLOCK names, or
  # that which was compiled when the gem was installed.
  def self.path
    return ENV["INTERLOCK"] if ENV["INTERLOCK"]
    places = [__dir__, *Gem.loaded_specs["@NAME@"]&.extension_dir]
    files = places.map { |place| File.join(place, "interlock/interlock.so") }
    files.find { |file| File.exist?(file) } or
      raise LoadError, "there is no interlock.so in #{places.join(" or ")}:" \
        " this compiles it: gem pristine @NAME@ --extensions"
  end

  # Loads it into a connection, a SQLite3::Database.
  def self.load(db)
    db.enable_load_extension(true)
    begin
      db.load_extension(path)
    ensure
      db.enable_load_extension(false)
    end
    db
  end

  # Takes a lock, as wait(db, "row_xact_lock", "account", 1): like the function
  # of SQL, but while it waits other threads run, and Timeout, Thread#raise and
  # signals end it. `timeout` is in seconds; without it advisory_lock_timeout of
  # the connection counts. The functions are advisory_lock, row_lock,
  # table_lock, these with _xact and _shared, and write_turn. Returns true; an
  # error is the function's. After an interruption the lock may be held: release
  # it in `ensure`.
  def self.wait(db, function, *values, timeout: nil)
    send = lambda do |sql, *bound|
      statement = db.prepare(sql)
      begin
        statement.bind_params(*bound)
        statement.step[0]
      ensure
        statement.close
      end
    end
    Waiting.new(timeout, &send).call(function, *values)
  end

  # One wait. The block sends a statement and returns its one value.
  class Waiting
    FUNCTION = /\A(advisory|row|table)(_xact)?_lock(_shared)?\z/.freeze
    # The advisory lock of those that wait for the turn. The package of npm has
    # the same.
    TURN = "interlock turn"
    # How long a wait for the turn sleeps between two attempts, in seconds, and
    # how long it may stay inside of SQLite, in milliseconds.
    PAUSES = [0.001, 0.01].freeze
    SLICES = [5, 100].freeze

    def initialize(timeout = nil, &send)
      @timeout = timeout
      @send = send
    end

    def call(function, *values)
      # What interrupts the thread must not come between a lock and its note.
      Thread.handle_interrupt(Object => :never) do
        if function == "write_turn" && values.empty?
          turn
        elsif (found = FUNCTION.match(function))
          take(*found.captures, values)
        else
          raise ArgumentError, "Interlock does not wait by #{function}"
        end
      end
      true
    end

    private

    def value(name, *values)
      @send.call("SELECT #{name}(#{(["?"] * values.size).join(", ")})", *values)
    end

    # No request has transaction scope.
    def take(kind, xact, mode, values)
      return request(kind, mode, values) unless xact
      return if value("try_#{kind}_xact_lock#{mode}", *values) == 1
      request(kind, mode, values)
      begin
        value("#{kind}_xact_lock#{mode}", *values)
      ensure
        value("#{kind}_unlock#{mode}", *values)
      end
    end

    # Takes a lock of session scope. The request keeps its place in the queue
    # while the thread sleeps on the descriptor.
    def request(kind, mode, values)
      name = "request_#{kind}_lock#{mode}"
      granted = value(name, *values)
      return if granted
      begin
        decided = IO.for_fd(value("interlock_request_fd"), autoclose: false)
        until granted
          break unless sleeping { IO.select([decided], nil, nil, left) }
          granted = value(name, *values)
        end
      ensure
        value("withdraw_request") unless granted
      end
      expired(kind, mode, values) unless granted
    end

    # The function fails with a text that names the holder. Or the lock has
    # become free.
    def expired(kind, mode, values)
      marks = "?, " * values.size
      @send.call("SELECT #{kind}_lock#{mode}(#{marks}wait_at_most(0))", *values)
    end

    # Waits for the turn to write. There is no request for a turn: those that
    # wait for it request a lock first, which only one of them holds.
    def turn
      first = @send.call("SELECT CASE WHEN try_advisory_xact_lock(?)" \
                         " THEN 1 + try_write_turn() ELSE 0 END", TURN)
      return if first == 2
      take("advisory", "_xact", nil, [TURN]) if first == 0
      @busy = @send.call("PRAGMA busy_timeout")
      @send.call("PRAGMA busy_timeout = 0") if @busy > 0
      pause, slice = PAUSES[0], 0
      until queue(slice)
        # A queue moves on until slices reach the end of it.
        slice = @elsewhere ? (2 * slice).clamp(*SLICES) : 0
        sleeping { sleep([pause, left].compact.min) }
        pause = [2 * pause, PAUSES[1]].min
      end
    ensure
      @send.call("PRAGMA busy_timeout = #{@busy}") if @busy && @busy > 0
    end

    # Waits in the queue of the turn for some milliseconds. Returns whether it
    # has come. If it has not, @elsewhere says whether another process has it:
    # of this process a thread must run to give it up, or SQLite's lock.
    def queue(slice)
      slice = [slice, (left * 1000).ceil].min if left
      value("write_turn", slice) == 1
    rescue StandardError => e
      holder = e.message[/lock timeout:.*?\(pid (\d+)\)/, 1]
      busy = e.message.include?("database is locked")
      raise unless holder ? left != 0 : busy && busy?
      @busy_since = nil if holder
      @elsewhere = holder && holder.to_i != Process.pid
      false
    end

    # Whether a wait for SQLite's lock may go on, as busy_timeout says.
    def busy?
      @busy_since ||= now
      now - @busy_since < @busy / 1000.0
    end

    # Seconds until the wait ends, or nil.
    def left
      @end ||= begin
        limit = @timeout ||
                @send.call("SELECT advisory_lock_timeout()") / 1000.0
        limit < 0 ? Float::INFINITY : now + limit
      end
      @end == Float::INFINITY ? nil : [@end - now, 0].max
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    def sleeping(&block)
      Thread.handle_interrupt(Object => :immediate, &block)
    end
  end
end
