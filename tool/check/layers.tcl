# SPDX-License-Identifier: 0BSD
# Check: includes in ext/ go where tool/layers.tcl allows it, and name the
# folder of what they include.

proc check::layers {root} {
  set problems {}
  foreach file [csource::ext $root *.c *.h] {
    regsub {^ext/} $file {} from
    if {![::layers::has $from]} {
      lappend problems "$file: not in tool/layers.tcl"
      continue
    }
    set line 0
    foreach row [split [csource::slurp $root/$file] \n] {
      incr line
      if {![regexp {^\s*#\s*include\s*([<"])([^>"]+)} $row -> q header]} {
        continue
      }
      if {[string match "sqlite3*" $header]} {
        if {![::layers::seesSqlite $from]} {
          lappend problems "$file:$line: includes SQLite"
        }
      } elseif {$q eq "\"" && ![::layers::allowed $from $header]} {
        lappend problems "$file:$line: may not include $header"
      }
    }
  }
  return $problems
}
