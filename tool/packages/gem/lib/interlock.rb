# SPDX-License-Identifier: 0BSD
# Interlock for Ruby: loads the extension.
module Interlock
  VERSION = "@VERSION@"

  # The file of the extension, which was compiled when the gem was installed.
  def self.path
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
end
