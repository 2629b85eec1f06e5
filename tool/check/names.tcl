# SPDX-License-Identifier: 0BSD
# Check: what comments and documents name exists. It reads, in comments of ext/,
# words that look like code (camelCase, `name()`); in all comments and
# documents, names of files; and in documents, links. The steps of the lock
# manager's protocol are defined by one page, the code has them, and no text
# cites a number instead.

namespace eval check {
  # Words that look like names of this project and belong to another.
  variable foreign {
    PostgreSQL MySQL MariaDB SQLAlchemy ActiveRecord JavaScript TypeORM
    MikroORM GitHub
    fork dlopen dlclose mmap fstat stat fallocate ftruncate rename fcntl
    memcpy malloc free sleep poll
    changes total_changes typeof last_insert_rowid
    sql/lock sql/execquery
    sqlite3ext.h sqlite3.h update.c wal.c sqlite3.c tclsqlite.c
    tester.tcl
    malloc_common.tcl lock_common.tcl triggerC.test
  }
  # Files that the build makes.
  variable made {sql_text.h interlock-amalgam.c interlock.h}
  # The page that defines the steps, and the pattern of a step's name.
  variable stepPage ext/core/README.md
  variable step {[A-Z]+(?:-[A-Z]+)+}
  # Citations of pages that a reader does not have, and of numbers that no page
  # defines; the last one in the lock manager only.
  variable citations {
    {\m(?:protocol|semantics|design|house|LOCKS)\.md\M}
    {\.\./shared\M}
    {(?i)\m(?:protocol|section|steps?) \d+\.\d+(?: [a-z])?\M}
    {(?i)\mrules? \d+[a-z]?\M}
  }
  variable citationsOfSteps {
    {\m4\.(?:\d|1[0-5])(?: [a-h])?\M(?! (?:[mun]?s|times)\M)}
  }
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
                  tool/install/* tool/bench/*.tcl \
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
  lappend problems {*}[steps $root] {*}[tags $root] {*}[citations $root]
  return $problems
}

# All words of the code, of tests and SQL, and of SQLite's headers.
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
    # Where an idea comes from is told in the words of other projects, and so is
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

# Whether a file of this name exists. A name is complete, or without its folder.
# NAME.c stands for any file.
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

# The anchors of a page: its headings, and elements with an id.
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

# ---- the steps of the protocol ---------------------------------------------

# The page defines a step by a row of a table with the head `| step | in |`:
# `| THE-STEP | `function` | what |`. Each function of the second cell has the
# step in a comment of its body. Comments of ext/core/ and test/core/ name no
# other steps, and the page names no other.
proc check::steps {root} {
  variable stepPage
  if {![file exists $root/$stepPage]} return
  set page [csource::slurp $root/$stepPage]
  set problems {}
  set bodies [stepsOfFunctions $root]
  set defined [dict create]
  foreach {line name functions} [stepRows $page] {
    if {[dict exists $defined $name]} {
      lappend problems "$stepPage:$line: defines the step $name once more"
    }
    dict set defined $name 1
    if {$functions eq ""} {
      lappend problems "$stepPage:$line: says not where the step $name is"
    }
    foreach function $functions {
      if {[dict exists $bodies $function $name]} continue
      lappend problems \
        "$stepPage:$line: $function has no comment with the step $name"
    }
  }
  lappend problems {*}[unknownSteps $stepPage 1 $page $defined]
  foreach file [csource::files $root ext/core/*.c ext/core/*.h test/core/*.c \
                  test/core/*.h] {
    foreach {line comment} [csource::comments [csource::slurp $root/$file]] {
      lappend problems {*}[unknownSteps $file $line $comment $defined]
    }
  }
  return [concat $problems [crashSteps $root $page]]
}

# The rows that define steps: line, step, list of functions.
proc check::stepRows {page} {
  variable step
  set out {}
  set line 0
  set inside 0
  foreach row [split $page \n] {
    incr line
    if {![string match |* $row]} { set inside 0 }
    if {[string match "| step | in |*" $row]} { set inside 1 }
    if {$inside && [regexp "^\\| ($step) \\| (\[^|]*)" $row -> name cell]} {
      lappend out $line $name \
        [lmap {- function} [regexp -all -inline {`(\w+)`} $cell] {
          set function
        }]
    }
  }
  return $out
}

# A dictionary: function of ext/core/, step that a comment of its body names.
proc check::stepsOfFunctions {root} {
  set out [dict create]
  foreach file [csource::files $root ext/core/*.c] {
    set text [csource::slurp $root/$file]
    set comments [csource::comments $text]
    foreach {name first last} [csource::functions $text] {
      foreach {line comment} $comments {
        if {$line < $first || $line > $last} continue
        foreach step [stepsIn $comment] { dict set out $name $step 1 }
      }
    }
  }
  return $out
}

# The steps that a text names. The name of a license is no step.
proc check::stepsIn {text} {
  variable step
  regsub -all {SPDX-License[^\n]*} $text "" text
  return [regexp -all -inline "\\m$step\\M" $text]
}

proc check::unknownSteps {file line text defined} {
  set problems {}
  foreach row [split $text \n] {
    foreach name [lsort -unique [stepsIn $row]] {
      if {[dict exists $defined $name]} continue
      lappend problems "$file:$line: names the step $name, which is not defined"
    }
    incr line
  }
  return $problems
}

# Each crash point of base.h has a row of the page, with the same steps in the
# same order: `X(POINT) /* STEP, STEP: what */` and `| POINT | STEP, STEP |`. It
# has the name of its first step, with _ for -.
proc check::crashSteps {root page} {
  variable stepPage
  variable step
  if {![file exists $root/ext/core/base.h]} return
  set problems {}
  set rows [dict create]
  foreach {- point steps} [regexp -all -inline -line \
      "^\\| (\[A-Z_]+) \\| ($step\(?:, $step)*) \\|" $page] {
    dict set rows $point $steps
  }
  set line 0
  set inside 0
  foreach row [split [csource::slurp $root/ext/core/base.h] \n] {
    incr line
    if {[string match "#define CRASH_POINTS*" $row]} { set inside 1; continue }
    if {!$inside} continue
    if {![regexp {^ *X\(([A-Z_]+)\) +/\* ([^:*]*)} $row -> point steps]} break
    if {![dict exists $rows $point]} {
      lappend problems \
        "ext/core/base.h:$line: the point $point has no row in $stepPage"
    } elseif {$point ne [string map {- _} [lindex [split $steps ,] 0]]} {
      lappend problems "ext/core/base.h:$line: the point $point does not have\
        the name of its first step: $steps"
    } elseif {[dict get $rows $point] ne $steps} {
      lappend problems "ext/core/base.h:$line: the point $point has the steps\
        $steps, in $stepPage [dict get $rows $point]"
    }
    dict unset rows $point
  }
  foreach point [dict keys $rows] {
    lappend problems "$stepPage: the point $point is not in ext/core/base.h"
  }
  return $problems
}

# ---- the tags of the rules -------------------------------------------------

# A rule is defined by a row of a table with the head `| tag |`, on one of two
# pages, and on one only. Specs and examples name it in their headings:
# `# Q4 by-cancel: text`. Comments of ext/core/ and test/core/ name those of
# granting.
proc check::tags {root} {
  set problems {}
  set defined [dict create]
  foreach page {test/spec/README.md ext/core/README.md} {
    if {![file exists $root/$page]} continue
    foreach {line tag} [tagRows [csource::slurp $root/$page]] {
      if {[dict exists $defined $tag]} {
        lappend problems "$page:$line: defines the rule $tag once more"
      }
      dict set defined $tag 1
    }
  }
  if {![dict size $defined]} return
  foreach {file line tag} [tagsNamed $root] {
    if {[dict exists $defined $tag]} continue
    lappend problems "$file:$line: the rule $tag is not defined"
  }
  return $problems
}

proc check::tagRows {page} {
  set out {}
  set line 0
  set inside 0
  foreach row [split $page \n] {
    incr line
    if {![string match |* $row]} { set inside 0 }
    if {[string match "| tag |*" $row]} { set inside 1 }
    if {$inside && [regexp {^\| ([A-Z]\d+[a-c]?) \|} $row -> tag]} {
      lappend out $line $tag
    }
  }
  return $out
}

proc check::tagsNamed {root} {
  set out {}
  foreach file [csource::files $root test/spec/*.spec test/core/examples.txt] {
    foreach {line text} [proseOf $file [csource::slurp $root/$file]] {
      if {![regexp {^ ((?:[A-Z]\d+[a-c]? )+)[\w-]+:} $text -> tags]} continue
      foreach tag $tags { lappend out $file $line $tag }
    }
  }
  foreach file [csource::files $root ext/core/*.c ext/core/*.h test/core/*.c \
                  test/core/*.h] {
    foreach {line comment} [csource::comments [csource::slurp $root/$file]] {
      foreach row [split $comment \n] {
        foreach tag [regexp -all -inline {\mG\d[a-c]?\M} $row] {
          lappend out $file $line $tag
        }
        incr line
      }
    }
  }
  return $out
}

# ---- citations -------------------------------------------------------------

proc check::citations {root} {
  set problems {}
  foreach folder {ext test tool sql} {
    foreach pattern {* */* */*/*} {
      foreach file [csource::files $root $folder/$pattern] {
        if {[file isdirectory $root/$file]} continue
        if {[file extension $file] ni {.c .h .sql .tcl .test .sh .md .spec .txt
            .mk ""}} continue
        lappend problems {*}[citationsOf $root $file]
      }
    }
  }
  return $problems
}

proc check::citationsOf {root file} {
  variable citations
  variable citationsOfSteps
  set patterns $citations
  if {[string match */core/* $file]} {
    set patterns [concat $citations $citationsOfSteps]
  }
  set problems {}
  foreach {line comment} [proseOf $file [csource::slurp $root/$file]] {
    foreach row [split $comment \n] {
      foreach pattern $patterns {
        if {![regexp $pattern $row what]} continue
        lappend problems "$file:$line: cites $what, which stands nowhere"
        break
      }
      incr line
    }
  }
  return $problems
}

# The prose of a file, as line and text: its comments, or all of a document.
proc check::proseOf {file text} {
  switch -- [file extension $file] {
    .c - .h { return [csource::comments $text] }
    .md     { return [list 1 $text] }
  }
  set out {}
  set line 0
  foreach row [split $text \n] {
    incr line
    if {[regexp {^\s*(?:#|--)(.*)$} $row -> comment]} {
      lappend out $line $comment
    }
  }
  return $out
}
