# SPDX-License-Identifier: 0BSD
# Check: clang-tidy and cppcheck have nothing to say. What is switched off
# is in .clang-tidy and below, each with its reason.

namespace eval check {
  variable cppcheckOff {
    missingIncludeSystem  "system headers are not parsed, on purpose"
    unusedFunction        "each file is looked at alone"
  }
}

proc check::lint {root} {
  set files [lmap file [csource::files $root ext/*.c] {
    string cat $root/ $file
  }]
  if {![llength $files]} return
  set problems {}
  foreach tool {tidy cppcheck} {
    foreach row [split [lint_$tool $root $files] \n] {
      if {[regexp {^\S+:\d+:\d+: .*(?:error|warning|style|performance|portab)} \
             $row] || [regexp {not found|couldn't execute} $row]} {
        lappend problems [string map [list $root/ ""] $row]
      }
    }
  }
  return $problems
}

# What a program prints, whatever its exit status.
proc check::output {args} {
  catch {exec -ignorestderr {*}$args 2>@1} text
  return $text
}

# Two files at a time: it is slow.
proc check::lint_tidy {root files} {
  return [output xargs -P 2 -n 1 -I FILE \
    clang-tidy --quiet --config-file=$root/.clang-tidy FILE -- \
    -std=c11 -I$root/build -I$root/ext << [join $files \n]]
}

proc check::lint_cppcheck {root files} {
  variable cppcheckOff
  set off {}
  foreach {what reason} $cppcheckOff { lappend off --suppress=$what }
  return [output cppcheck --quiet --enable=warning,performance,portability \
    --inline-suppr --std=c11 {*}$off --error-exitcode=1 \
    "--template={file}:{line}:{column}: {severity}: {message} \[{id}\]" \
    -I$root/build {*}$files]
}
