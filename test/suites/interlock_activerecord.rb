# SPDX-License-Identifier: 0BSD
# For ActiveRecord's own tests: every connection loads Interlock, by the adapter
# of the gem, and every table with a version column is declared versioned when
# it has been made. OPTIONS has the mode and the options.
require "minitest"

# INTERLOCK names the extension: the gem is not installed here.
$LOAD_PATH.unshift ENV.fetch("SRC") + "/../../tool/packages/gem/lib"
require "interlock/active_record"

module Suite
  VERSIONS = %w[lock_version custom_lock_version version].freeze
  OPTIONS = ENV.fetch("OPTIONS").split.freeze
  @declared = @passed = 0
  class << self
    attr_accessor :declared, :passed
  end

  module Adapter
    def create_table(name, **options, &block)
      super
      columns(name).each { |column| declare(name, column) }
    end

    private

    def declare(table, column)
      return unless VERSIONS.include?(column.name) && column.type == :integer
      words = [table.to_s, column.name, *OPTIONS].map { |word| quote(word) }
      select_value("SELECT versioned(#{words.join(", ")})")
      Suite.declared += 1
    end
  end

  module Reporter
    def record(result)
      super
      if result.passed?
        Suite.passed += 1
      elsif !result.skipped?
        puts "\n~failed #{result.klass}.#{result.name}"
      end
    end

    def report
      super
      puts "\n~passed #{Suite.passed}", "~declared #{Suite.declared}"
    end
  end
end
ActiveRecord::ConnectionAdapters::SQLite3Adapter.prepend(Suite::Adapter)
Minitest::CompositeReporter.prepend(Suite::Reporter)
