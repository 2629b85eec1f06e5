# SPDX-License-Identifier: 0BSD
Gem::Specification.new do |s|
  s.name = "@NAME@"
  s.version = "@VERSION@"
  s.summary = "@DESCRIPTION@ for SQLite"
  s.description = "Loads Interlock, an extension of SQLite, into connections."
  s.authors = ["the authors of Interlock"]
  s.license = "0BSD"
  s.required_ruby_version = ">= 2.7"
  s.files = Dir["LICENSE", "README.md", "lib/**/*.rb", "ext/**/*.rb", "src/*"]
  s.extensions = ["ext/interlock/extconf.rb"]
end
