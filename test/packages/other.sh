# SPDX-License-Identifier: 0BSD
# other.sh PLATFORM MACHINE COMPILER...: the library of the wheel for PLATFORM,
# which the package of npm must have too, for what Node calls MACHINE, and a
# program for it with SQLite inside, linked with $LIBRARIES, too.
set -eu
wheel=$(echo "$BUILD"/packages/wheel/*-none-$1.whl)
machine=$2
shift 2
unzip -qop "$wheel" interlock/interlock.so >interlock.so
tar -xzf "$BUILD"/packages/npm/*.tgz
cmp "package/prebuilt/$machine/interlock.so" interlock.so
grep -qF "\`$machine\`" package/README.md
# SQLite opens it so that the names in it are seen by all that is loaded later.
names=$(readelf --dyn-syms --wide interlock.so |
  awk '$5 ~ /GLOBAL|WEAK/ && $7 != "UND" { print $8 }' | sort)
echo exports $names
[ "$(echo $names)" = "sqlite3_extension_init sqlite3_interlock_init\
 sqlite3_interlockauto_init" ]
case $machine in
  *-musl)
    needs=$(readelf --dynamic interlock.so | grep NEEDED)
    echo "$needs"
    echo "$needs" | grep -q '\[libc\.musl-[a-z0-9_]*\.so\.1\]$'
    [ "$(echo "$needs" | wc -l)" = 1 ] ;;
esac
sqlite=$(tclsh "$ROOT"/tool/sqlite.tcl amalgamation)
version=$(tclsh "$ROOT"/tool/install/pages.tcl version)
"$@" -w -O0 -DVERSION="\"$version\"" -I"$sqlite" -o program \
  "$SRC"/program.c "$sqlite"/sqlite3.c -lpthread -ldl -lm \
  ${LIBRARIES-}
