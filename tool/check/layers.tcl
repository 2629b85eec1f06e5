# SPDX-License-Identifier: 0BSD
# Check: includes in ext/ point downwards, as tool/layers.tcl says.

proc check::layers {root} {
  set problems {}
  foreach file [csource::files $root ext/*.c ext/*.h] {
    set from [file rootname [file tail $file]]
    set layer [::layers::of $from]
    if {$layer < 0} {
      lappend problems "$file: not in tool/layers.tcl"
      continue
    }
    set line 0
    foreach row [split [csource::slurp $root/$file] \n] {
      incr line
      if {![regexp {^\s*#\s*include\s*([<"])([^>"]+)} $row -> q header]} {
        continue
      }
      set to [file rootname $header]
      if {[string match "sqlite3*" $to]} {
        if {$layer < $::layers::sqliteFrom} {
          lappend problems "$file:$line: layer $layer includes SQLite"
        }
      } elseif {$q eq "\"" && ![::layers::allowed $from $to]} {
        lappend problems "$file:$line: layer $layer includes $header,\
          layer [::layers::of $to]"
      }
    }
  }
  return $problems
}
