# SPDX-License-Identifier: 0BSD
# Check: stores. Each field of the lock manager's Seg (ext/core/segment.h) is
# stored only where the letter in its comment allows:
#
#   O   in functions that open, attach or close the file
#   M   also where the thread owns the mutex, which the function asserts
#   A   also anywhere by atomic operations, and every read must be atomic too
#   S   anywhere: a scrap
#
# It sees accesses of the form p->field, where the function declares Seg *p, and
# pF->seg.field. It does not see a store through another pointer.

namespace eval check {
  variable storesOpeners {
    segOpen segClose segFormat findSeeds processAttach newFile attachFile
    abandonFiles
  }
}

proc check::stores {root} {
  set header ext/core/segment.h
  if {![file exists $root/$header]} return
  set problems {}
  set fields [storesFields [csource::slurp $root/$header]]
  if {![dict size $fields]} { return [list "$header:1: has no struct Seg"] }
  foreach file [csource::files $root ext/core/*.c ext/core/*.h] {
    set text [csource::without [csource::slurp $root/$file] comment string]
    set rows [split $text \n]
    set functions [csource::functions $text]
    set line 0
    foreach row $rows {           ;# functions of one line
      incr line
      if {[regexp {^\w.*\m(\w+)\([^(]*\)\{.*\}$} $row -> name]} {
        lappend functions $name $line $line
      }
    }
    foreach {name from to} $functions {
      set body [join [lrange $rows $from-1 $to-1] \n]
      foreach {line what} [storesOf $fields $name $body] {
        lappend problems "$file:[expr {$from + $line}]: $what"
      }
    }
  }
  return $problems
}

# The fields of Seg: name, letter; ? where the comment has none.
proc check::storesFields {text} {
  set fields [dict create]
  regexp {typedef struct Seg \{.*\n\} Seg;} $text body
  foreach row [split [expr {[info exists body] ? $body : ""}] \n] {
    if {![regexp {^  \w+ \*?(\w+);(?:\s+/\* ([OMAS]) )?} $row -> name letter]} {
      continue
    }
    dict set fields $name [expr {$letter eq "" ? "?" : $letter}]
  }
  return $fields
}

# The problems in a function: line, counted from 0, and text.
proc check::storesOf {fields function body} {
  variable storesOpeners
  set wrong {}
  set names [lmap {- name} [regexp -all -inline {\mSeg \*(\w+)} $body] {
    string cat $name ->
  }]
  set pattern "(?:\\m(?:[join [concat $names {{seg\.}}] |]))(\\w+)"
  foreach {all field} [regexp -all -inline -indices -- $pattern $body] {
    set name [string range $body {*}$field]
    if {![dict exists $fields $name] || $function in $storesOpeners} continue
    set before [string range $body 0 [lindex $all 0]-1]
    regsub {\w+->$} $before "" before            ;# pF->seg.field
    set after [string range $body [lindex $field 1]+1 end]
    set atomic [regexp {\matomic\w+\(&$} $before]
    set store [expr {[regexp {^\s*(?:=[^=]|[-+|&^]=|\+\+|--)} $after]
      || [regexp {(?:\+\+|--|\mmemset\(&|\matomic(?:Set|Cas|Add|Swap)\w*\(&)$} \
            $before]}]
    switch [dict get $fields $name] {
      O { set bad [expr {$store ? "stores" : ""}] }
      M {
        set held [regexp {\msegHeld\(|\mruleEnter\(RANK_MUTEX} $body]
        set bad [expr {$store && !$held ? "without segHeld stores" : ""}]
      }
      A { set bad [expr {$atomic ? "" : "not atomically uses"}] }
      S { set bad "" }
      default { set bad "uses, though no letter says where," }
    }
    if {$bad ne ""} {
      lappend wrong [regexp -all \n $before] "$function $bad Seg.$name"
    }
  }
  return $wrong
}
