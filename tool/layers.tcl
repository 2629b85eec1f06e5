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
    3 hashtext  {}
    3 json      {}
    3 pragma    {sqlx}
    3 shape     {sqlx token}
    3 skipping  {sqlx token shape}
    3 template  {sqlx}
    3 clause    {sqlx shape token}
    3 triggers  {sqlx shape template clause}
    3 guardset  {sqlx shape template clause triggers}
    3 lockkey   {sqlx args}
    3 rowkey    {sqlx args pragma shape lockkey}
    3 waiting   {}
    3 place     {waiting}
    3 lockerror {sqlx lockkey place waiting}
    3 txnscope  {sqlx}
    3 session   {sqlx place lockerror txnscope}
    4 registry  {}
    4 rule      {registry}
    4 status    {registry rule}
    4 plan      {}
    4 versioned {registry rule status plan}
    4 expect    {versioned}
    4 guardreg  {}
    4 guard     {plan guardreg}
    4 rowtab    {}
    4 lease     {}
    4 lockviews {}
    4 function  {}
    5 advisory  {}
    5 namelock  {}
    5 lockstatus {}
    5 turn      {}
    5 rowlock   {}
    5 guardcheck {}
    5 guardsql  {}
    5 skiplocked {}
    5 functions {advisory namelock lockstatus turn rowlock guardcheck
                 guardsql skiplocked}
    5 vtab      {}
    5 guardtab  {}
    5 lockvtab  {}
    6 interlock {}
  }
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
