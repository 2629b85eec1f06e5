# SPDX-License-Identifier: 0BSD
# The layers of ext/: for each concept (its .c and its .h) the layer, and
# the concepts of the same layer that it may include beside all lower ones.
#
# Used by the check of the includes and, in this order, as the table of
# contents of the amalgamation. Layers 0 to 2 know nothing of SQLite.

namespace eval layers {
  variable table {
    0 sql_text  {}
    0 base      {}
    0 atomic    {base}
    0 os        {base}
    0 os_unix   {base atomic os}
    1 segment   {}
    1 owner     {segment}
    1 table     {segment}
    2 graph     {}
    2 lock      {graph}
    2 lockview  {lock}
    3 token     {}
    3 sqlx      {}
    3 args      {sqlx}
    3 shape     {sqlx token}
    3 triggers  {sqlx shape token}
    3 session   {sqlx}
    4 registry  {}
    4 rule      {registry}
    4 status    {registry rule}
    4 versioned {registry rule status}
    4 expect    {versioned}
    4 guard     {}
    4 lease     {}
    5 functions {}
    5 vtab      {}
    6 interlock {}
  }
  # Built and tested by themselves until there is SQL on them (lock.mk): not
  # in the extension, nor in the amalgamation.
  variable apart {base atomic os os_unix segment owner table graph lock
                  lockview}
  # Made by tool/embed.tcl, not a file of ext/.
  variable generated {sql_text}
  # The lowest layer that may include SQLite's headers.
  variable sqliteFrom 3
}

# The concepts, in order.
proc layers::concepts {} {
  variable table
  set list {}
  foreach {layer concept siblings} $table { lappend list $concept }
  return $list
}

# The layer of a concept, or -1.
proc layers::of {concept} {
  variable table
  foreach {layer name siblings} $table {
    if {$name eq $concept} { return $layer }
  }
  return -1
}

# Whether one concept may include the header of another.
proc layers::allowed {from to} {
  variable table
  if {$from eq $to} { return 1 }
  foreach {layer name siblings} $table {
    if {$name eq $from} {
      set toLayer [of $to]
      return [expr {$toLayer >= 0 && $toLayer < $layer || $to in $siblings}]
    }
  }
  return 0
}
