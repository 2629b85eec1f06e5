# SPDX-License-Identifier: 0BSD
# Check: what comments and documents name exists. In comments of ext/ words
# that look like code (camelCase, `name()`), in all comments and documents
# the names of files, in documents their links and what these lead to.

namespace eval check {
  # What looks like a name of ours and is somebody else's.
  variable foreign {
    PostgreSQL MySQL MariaDB SQLAlchemy ActiveRecord JavaScript TypeORM
    MikroORM GitHub
    fork dlopen dlclose mmap fstat stat fallocate ftruncate rename fcntl
    memcpy malloc free sleep poll
    changes total_changes typeof last_insert_rowid
    sqlite3ext.h sqlite3.h update.c wal.c sqlite3.c tclsqlite.c
    tester.tcl
    malloc_common.tcl lock_common.tcl triggerC.test
  }
  # What the build makes.
  variable made {sql_text.h interlock-amalgam.c}
}

proc check::names {root} {
  set known [knownWords $root]
  set problems {}
  foreach file [csource::ext $root *.c *.h] {
    foreach {line comment} [csource::comments [csource::slurp $root/$file]] {
      lappend problems {*}[unknownWords $file $line $comment $known] \
        {*}[unknownFiles $root $file $line $comment]
    }
  }
  foreach file [csource::files $root sql/*/*.sql tool/* tool/check/* \
                  test/* test/*/* .ci/* Makefile] {
    if {[file isdirectory $root/$file]} continue
    if {[file extension $file] ni {.sql .tcl .test .sh ""}} continue
    set line 0
    foreach row [split [csource::slurp $root/$file] \n] {
      incr line
      if {[regexp {^\s*(?:#(?!include)|--)(.*)$} $row -> comment]} {
        lappend problems {*}[unknownFiles $root $file $line $comment]
      }
    }
  }
  foreach file [csource::files $root *.md */*.md ext/*/*.md] {
    lappend problems {*}[unknownLinks $root $file]
  }
  return $problems
}

# Every word of the code, of tests and SQL, and of SQLite's headers.
proc check::knownWords {root} {
  variable foreign
  set known [dict create]
  foreach word $foreign { dict set known $word 1 }
  set texts {}
  foreach file [csource::ext $root *.c *.h] {
    lappend texts [csource::without [csource::slurp $root/$file] comment]
  }
  foreach file [csource::files $root sql/*/*.sql test/*/*.tcl test/*.test] {
    lappend texts [csource::slurp $root/$file]
  }
  foreach header {sqlite3.h sqlite3ext.h} {
    if {[file exists /usr/include/$header]} {
      lappend texts [csource::without [csource::slurp /usr/include/$header] \
                       comment]
    }
  }
  foreach text $texts {
    foreach word [regexp -all -inline {\w+} $text] { dict set known $word 1 }
  }
  return $known
}

proc check::unknownWords {file line comment known} {
  set problems {}
  set fence 0
  foreach row [split $comment \n] {
    if {[string match "\*\* ```*" $row]} { set fence [expr {!$fence}] }
    # Where an idea comes from is said in other people's words, and so is
    # an example in another language.
    if {!$fence && ![regexp {^\*\* From:} $row]} {
      foreach word [lsort -unique [concat \
          [regexp -all -inline {\m[A-Za-z]*[a-z][A-Z][A-Za-z0-9]*\M} $row] \
          [regexp -all -inline {\m\w+\M(?=\(\))} $row]]] {
        if {![dict exists $known $word]} {
          lappend problems "$file:$line: names $word, which does not exist"
        }
      }
    }
    incr line
  }
  return $problems
}

proc check::unknownFiles {root file line comment} {
  variable foreign
  set problems {}
  foreach row [split $comment \n] {
    set pattern {[\w./*-]*\w\.(?:c|h|sql|tcl|test|md)\M(?!\w|\.\w)}
    append pattern {|\m(?:ext|sql|tool|test)/[\w*-]+(?:[/.][\w*-]+)*}
    foreach name [regexp -all -inline $pattern $row] {
      if {[regexp {^(?:\./)?build/|^\.} $name] || $name in $foreign} continue
      if {[fileExists $root $file $name]} continue
      lappend problems "$file:$line: names $name, which does not exist"
    }
    incr line
  }
  return $problems
}

# A name is complete, or without the folder. NAME.c stands for any.
proc check::fileExists {root file name} {
  variable made
  if {$name in $made || [regexp {^[A-Z_./]*[A-Z_]+\.[a-z]+$} $name]} {
    return 1
  }
  foreach folder [list . [file dirname $file] ext ext/* sql sql/* test test/* \
                    tool tool/check] {
    if {[llength [glob -nocomplain -directory $root $folder/$name]]} {
      return 1
    }
  }
  return 0
}

# The places of a page that can be linked to: headings, and what has an id.
proc check::anchors {path} {
  set out {}
  set fence 0
  foreach row [split [csource::slurp $path] \n] {
    if {[string match "```*" $row]} { set fence [expr {!$fence}] }
    if {$fence} continue
    if {[regexp {^#+ (.*)$} $row -> title]} {
      lappend out [::reference::anchor $title]
    }
    foreach {- id} [regexp -all -inline {<a id="([^"]+)">} $row] {
      lappend out $id
    }
  }
  return $out
}

proc check::unknownLinks {root file} {
  set problems {}
  set line 0
  set fence 0
  foreach row [split [csource::slurp $root/$file] \n] {
    incr line
    if {[string match "```*" $row]} { set fence [expr {!$fence}] }
    if {$fence} continue
    foreach {- target anchor} \
        [regexp -all -inline {\]\(([^)#\s]*)(?:#([^)\s]+))?[^)]*\)} $row] {
      if {[regexp {^[a-z]+:} $target]} continue
      set path [file join $root [file dirname $file] $target]
      if {$target eq ""} { set path $root/$file }
      if {![file exists $path]} {
        lappend problems "$file:$line: links to $target, which does not exist"
      } elseif {$anchor ne "" && [file extension $path] eq ".md"
                && $anchor ni [anchors $path]} {
        lappend problems "$file:$line: links to $target#$anchor, which does\
          not exist"
      }
    }
    foreach {- name} [regexp -all -inline {`([^`]+)`} $row] {
      lappend problems {*}[unknownFiles $root $file $line $name]
    }
  }
  return $problems
}
