# SPDX-License-Identifier: 0BSD
# For the tests of RECIPES.md, FORMS.md and MIGRATIONS.md of sql/: their code,
# and Python programs that run it, one or several at once. A test file sources
# it after harness.tcl.
#
# Python has the system's SQLite in every world, so these tests would show
# nothing new in most of them. In `quick`, which `make test` runs on any
# machine, a recipe is skipped if something that it needs is not installed.
# Elsewhere tool/deps has installed everything, and a missing program is a
# failure.

source [file join $world::home tool csource.tcl]
source [file join $world::home tool example.tcl]

# PATH may lead to another python3, such as pyenv's, which loads no extensions.
set python /usr/bin/python3
set workers 4
set each 20             ;# what a worker adds, 1 by 1
set seconds 60          ;# for a process

# ---- the recipes ----------------------------------------------------------

# Fences by {heading language}, in the order of the page: those of some headings
# or, with `but` before these, of all others.
set recipes_of {}
set recipes_page RECIPES.md
proc recipes_read {args} {
  set but [expr {[lindex $args 0] eq "but"}]
  set text [csource::slurp $world::home/sql/$::recipes_page]
  set headings {}
  set line 0
  foreach row [split $text \n] {
    incr line
    if {[regexp {^##+ (.*)$} $row - title]} { lappend headings $line $title }
  }
  foreach {info first rows} [example::fences $text] {
    set under ""
    foreach {line title} $headings {
      if {$line < $first} { set under $title }
    }
    if {($under in $args) == $but} continue
    dict lappend ::recipes_of [list $under $info] [join $rows \n]\n
  }
}

# The next recipe under a heading. Each is returned once; see recipes_left.
proc recipe {heading language} {
  set key [list $heading $language]
  set rest [lassign [dict get $::recipes_of $key] text]
  dict set ::recipes_of $key $rest
  return $text
}

# The recipes that neither this test nor examples.test has used.
proc recipes_left {} {
  set left {}
  dict for {key texts} $::recipes_of {
    lassign $key heading language
    if {[llength $texts] && [example::way $language] eq ""} {
      lappend left $key
    }
  }
  return $left
}

# Skips a test, and the recipes under these headings, which it would run.
proc recipes_skip {name package args} {
  skip_test $name "$package: tool/deps full"
  set ::recipes_of [dict filter $::recipes_of script {key texts} {
    expr {[lindex $key 0] ni $args}
  }]
}

# ---- Python ---------------------------------------------------------------

# Runs Python. Returns its output, errors included.
proc python {args} {
  catch {
    exec timeout --kill-after=5 $::seconds env PYTHONPATH=[pwd] \
      PYTHONDONTWRITEBYTECODE=1 DJANGO_SETTINGS_MODULE=settings \
      $::python {*}$args </dev/null 2>@1
  } output
  return $output
}
proc python_has {module} {
  expr {[python -c "import $module"] eq ""}
}
# Something may be missing in `make test` only.
proc recipes_need {there package} {
  needs {$there || [world] ne "quick"} "$package: tool/deps full"
}
proc spit {file text} {
  file mkdir [file dirname $file]
  set fd [open $file w]
  puts -nonewline $fd $text
  close $fd
}

# All workers begin together.
set python_loop {
import sys
print("ready", flush=True)
sys.stdin.readline()
for i in range(EACH):
    CALL
}

# Runs a program and then a call again and again, in all workers. Returns what
# went wrong, or "".
proc python_crowd {program meanwhile call} {
  append program [string map [list EACH $::each CALL $call] $::python_loop]
  spit worker.py $program
  set pipes {}
  for {set i 0} {$i < $::workers} {incr i} {
    lappend pipes [open |[list timeout --kill-after=5 $::seconds \
      env PYTHONPATH=[pwd] PYTHONDONTWRITEBYTECODE=1 \
      DJANGO_SETTINGS_MODULE=settings \
      $::python worker.py test.db $world::library $meanwhile 2>@1] r+]
  }
  set wrong {}
  foreach pipe $pipes {
    if {[gets $pipe line] < 0 || $line ne "ready"} { lappend wrong $line }
  }
  foreach pipe $pipes { catch { puts $pipe go; flush $pipe } }
  foreach pipe $pipes {
    if {[set said [read $pipe]] ne ""} { lappend wrong $said }
    if {[catch { close $pipe } message]} { lappend wrong $message }
  }
  return $wrong
}
