# SPDX-License-Identifier: 0BSD
# Check: functions can be seen whole. 9 of 10 have fewer than 40 lines; none
# has more than 80 unless a comment `length:` in it or above says why.

proc check::functions {root} {
  set problems {}
  set lengths {}
  foreach file [csource::ext $root *.c *.h] {
    set text [csource::slurp $root/$file]
    set rows [split $text \n]
    set before 0
    foreach {name from to} [csource::functions $text] {
      set length [expr {$to - $from + 1}]
      lappend lengths $length
      set reason [regexp {\mlength: \w} [join [lrange $rows $before $to]]]
      if {$length > 80 && !$reason} {
        lappend problems "$file:$from: ${name}() has $length lines and no\
          `length:` reason"
      }
      set before $to
    }
  }
  set lengths [lsort -integer $lengths]
  set p90 [lindex $lengths [expr {int(ceil(0.9 * [llength $lengths])) - 1}]]
  if {$p90 ne "" && $p90 >= 40} {
    lappend problems "ext: one function in ten has $p90 lines or more"
  }
  return $problems
}
