# SPDX-License-Identifier: 0BSD
# Writes the Makefile by which RubyGems compiles the extension. It is a library
# of SQLite's and not of Ruby's, so mkmf has no part in it, nor Ruby's headers.
abort "interlock needs Linux" unless RUBY_PLATFORM =~ /linux/

require "rbconfig"
require "shellwords"

# RubyGems has put its own folder there.
target = RbConfig.expand(RbConfig::MAKEFILE_CONFIG["sitearchdir"].dup)
source = File.expand_path("../../src/interlock.c", __dir__).shellescape
File.write("Makefile", <<~MAKEFILE)
  CC = #{ENV["CC"] || "cc"}
  CFLAGS = -O2
  DESTDIR =
  sitearchdir = #{target}

  all: interlock.so

  interlock.so:
  \t$(CC) -std=c11 $(CFLAGS) -DNDEBUG -fPIC -shared -fvisibility=hidden \\
  \t  -o $@ #{source}

  install: interlock.so
  \tmkdir -p "$(DESTDIR)$(sitearchdir)/interlock"
  \tcp interlock.so "$(DESTDIR)$(sitearchdir)/interlock"

  clean:
  \trm -f interlock.so
MAKEFILE
