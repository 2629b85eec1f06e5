# SPDX-License-Identifier: 0BSD
# Check: every script parses: `sh -n`, `bash -n`, Tcl's `info complete`.

proc check::scripts {root} {
  set problems {}
  foreach file [csource::files $root tool/* tool/check/* tool/install/* \
                  tool/packages/*/*/*/* \
                  tool/bench/*.tcl \
                  test/*.tcl \
                  test/*.test test/*.sh .ci/*] {
    if {[file isdirectory $root/$file]} continue
    set text [csource::slurp $root/$file]
    set first [lindex [split $text \n] 0]
    if {[regexp {^#!.*\m(sh|bash)\M} $first -> shell]} {
      if {[catch {exec $shell -n $root/$file} message]} {
        lappend problems "$file: [string map [list $root/ ""] $message]"
      }
    } elseif {[file extension $file] in {.tcl .test}
              || [regexp {^#!.*tclsh} $text]} {
      if {![info complete $text]} {
        lappend problems "$file: ends inside a brace, bracket or quote"
      }
    }
  }
  return $problems
}
