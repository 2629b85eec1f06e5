# SPDX-License-Identifier: 0BSD
# fasteners.sh VERSION: fasteners' tests of locks between processes, on
# Interlock's.
set -eu
. "$(dirname "$0")/pip.sh"
get fasteners "$1" pytest==7.4.4 diskcache==5.6.3 more-itertools==10.5.0
rm -f "$PWD"/locks.db*
export LOCKS="$PWD/locks.db"
run . -p interlock_fasteners tests/test_process_lock.py \
  tests/test_reader_writer_lock.py
