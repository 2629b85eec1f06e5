# SPDX-License-Identifier: 0BSD
# other.sh PLATFORM COMPILER...: the library of the wheel for PLATFORM, which
# the package of npm must have too, and a program for that machine with SQLite
# inside.
set -eu
wheel=$(echo "$BUILD"/packages/wheel/*-none-$1.whl)
shift
unzip -qop "$wheel" interlock/interlock.so >interlock.so
tar -xzf "$BUILD"/packages/npm/*.tgz
for file in package/prebuilt/*/interlock.so; do
  if cmp -s "$file" interlock.so; then found=$file; fi
done
echo "$found"
sqlite=$(tclsh "$ROOT"/tool/sqlite.tcl amalgamation)
version=$(tclsh "$ROOT"/tool/install/pages.tcl version)
"$@" -w -O0 -DVERSION="\"$version\"" -I"$sqlite" -o program \
  "$SRC"/program.c "$sqlite"/sqlite3.c -lpthread -ldl -lm
