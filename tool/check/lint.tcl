# SPDX-License-Identifier: 0BSD
# Check: clang-tidy, cppcheck and gcc's analyzer report nothing. What is
# switched off is in .clang-tidy and below, each with its reason.
#
# They take minutes, so a file that was clean is not checked again until it or
# anything that it can include has changed: build/lint/ has a stamp for each.
# The stamps are made after every few files. clang's analyzer has a budget of
# nodes for each function: without a limit, records.c alone takes 22 s.

namespace eval check {
  variable cppcheckOff {
    missingIncludeSystem  "system headers are not parsed, on purpose"
  }
}

proc check::lint {root} {
  set stale [lmap file [csource::ext $root *.c] {
    if {[isClean $root $file]} continue
    string cat $root/ $file
  }]
  set problems {}
  for {set i 0} {$i < [llength $stale]} {incr i 8} {
    lappend problems {*}[lintFiles $root [lrange $stale $i $i+7]]
  }
  return $problems
}
proc check::lintFiles {root stale} {
  set problems {}
  foreach tool {tidy cppcheck gcc} {
    foreach row [split [lint_$tool $root $stale] \n] {
      set row [string map [list $root/ ""] $row]
      if {[regexp {^\S+:\d+:\d+: .*(?:error|warning|performance|portab)} $row]
          || [regexp {not found|couldn't execute|No such file} $row]} {
        lappend problems $row
      }
    }
  }
  markClean $root $stale $problems
  return $problems
}

# ---- stamps -----------------------------------------------------------------

proc check::stamp {root file} {
  return $root/build/lint/[string map {/ .} [file rootname $file]].ok
}

proc check::isClean {root file} {
  set stamp [stamp $root $file]
  if {![file exists $stamp]} { return 0 }
  foreach input [concat [csource::ext $root *.h] [csource::files $root \
                   $file build/sql_text.h .clang-tidy tool/check/lint.tcl]] {
    if {[file mtime $root/$input] >= [file mtime $stamp]} { return 0 }
  }
  return 1
}

# A problem that names none of the files may concern all of them.
proc check::markClean {root files problems} {
  foreach problem $problems {
    if {![regexp {^(ext/[\w/]+\.c):} $problem -> file]} return
    set bad($file) 1
  }
  file mkdir $root/build/lint
  foreach path $files {
    set file [string range $path [string length $root/] end]
    if {![info exists bad($file)]} { close [open [stamp $root $file] w] }
  }
}

# ---- the programs -----------------------------------------------------------

# What a program prints, whatever its exit status.
proc check::output {args} {
  catch {exec -ignorestderr {*}$args 2>@1} text
  return $text
}

# One command for each file, two at a time.
proc check::forEach {files args} {
  return [output xargs -d \n -P 2 -I FILE {*}$args << [join $files \n]]
}

proc check::lint_tidy {root files} {
  return [forEach $files \
    clang-tidy --quiet --config-file=$root/.clang-tidy FILE -- \
    -std=c11 -I$root/build -I$root/ext \
    -Xclang -analyzer-config -Xclang max-nodes=60000]
}

proc check::lint_gcc {root files} {
  return [forEach $files gcc -std=c11 -O1 -fanalyzer -Werror \
    -fdiagnostics-plain-output -I$root/build -I$root/ext -c FILE -o /dev/null]
}

proc check::lint_cppcheck {root files} {
  variable cppcheckOff
  set off {}
  foreach {what reason} $cppcheckOff { lappend off --suppress=$what }
  return [output cppcheck --quiet --enable=warning,performance,portability \
    --inline-suppr --std=c11 {*}$off --error-exitcode=1 \
    "--template={file}:{line}:{column}: {severity}: {message} \[{id}\]" \
    -I$root/build -I$root/ext {*}$files]
}
