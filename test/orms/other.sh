# SPDX-License-Identifier: 0BSD
# other.sh SQL: what a program that knows nothing of the ORM gets for it.
# other.sh -load SQL: the same with Interlock.
if [ "$1" = -load ]; then
  exec sqlite3 -init /dev/null -cmd '.load ./build/interlock' shop.db "$2"
fi
exec sqlite3 -init /dev/null -cmd '.timeout 5000' shop.db "$1"
