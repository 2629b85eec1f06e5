#!/bin/sh
# SPDX-License-Identifier: 0BSD
# bugs.sh [NUMBERS]: builds every seeded mistake (ext/base.h BUG_...) and says
# which program finds it and how fast.  Fails if one is not found.
core="ext/os_unix.c ext/segment.c ext/owner.c ext/table.c ext/graph.c ext/lock.c ext/lockview.c"
out=build/lock/bugs; mkdir -p $out; missed=0
build(){ gcc -std=c11 -w -O1 -g -DINTERLOCK_TEST $3 -DINTERLOCK_BUG=$1 $core test/lock/$2.c -o $out/$2 -lpthread; }
try(){ # name command...
  name=$1; shift; t0=$(date +%s%N)
  timeout 200 "$@" >$out/log 2>&1; rc=$?
  if [ $rc != 0 ] && [ $rc != 124 ]; then
    echo "bug $b found by $name in $(( ($(date +%s%N)-t0)/1000000 )) ms:" \
      "$(grep -v '^lk.*tests$' $out/log | head -1 | cut -c1-90)"
    return 0
  fi; return 1; }
for b in ${*:-$(seq 1 27)}; do
  build $b lkmodel; try model $out/lkmodel 200000 5 && continue
  build $b lkunit -DINTERLOCK_DEBUG; try unit $out/lkunit test/lock && continue
  build $b lkcrash -DINTERLOCK_CRASH; try crash $out/lkcrash && continue
  build $b lktorture -DINTERLOCK_DEBUG; build $b lkcheck
  for seed in 1 2 3; do
    try torture test/lock/torture.sh $out 16 200000 $seed && continue 2
  done
  echo "bug $b NOT FOUND"; missed=1
done
exit $missed
