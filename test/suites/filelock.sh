# SPDX-License-Identifier: 0BSD
# filelock.sh VERSION: filelock's tests of its locks for readers and writers, on
# Interlock's. Three tests are left out: each fails by chance, also without
# Interlock, since it wants two calls to run in one thread of a pool. pytest
# leaves out a fourth, whose name begins like one of these.
set -eu
. "$(dirname "$0")/pip.sh"
get filelock "$1" pytest==8.4.2 pytest-mock==3.14.0 pytest-timeout==2.3.1 \
  pytest-asyncio==1.2.0
async=tests/test_async_read_write.py
run src -p interlock_filelock tests/test_read_write.py \
  tests/test_read_write_unit.py $async \
  --deselect $async::test_reentrant_write \
  --deselect $async::test_release_force \
  --deselect $async::test_nested_write_context_managers
