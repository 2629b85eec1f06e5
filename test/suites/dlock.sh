# SPDX-License-Identifier: 0BSD
# dlock.sh NAMES: sqlalchemy-dlock's tests, with its locks of NAMES, which is
# postgresql or mysql. 0.1.1 is the last version that has its tests with it. Two
# tests are left out: each fails by chance, on any database, since it starts its
# clock after the holder has started to count the second that it must measure.
set -eu
. "$(dirname "$0")/pip.sh"
get sqlalchemy-dlock 0.1.1 pytest==7.4.4 sqlalchemy==1.4.54 libscrc==1.8.1 \
  python-dotenv==1.0.1
rm -rf "$PWD"/dlock.db*
success=test_timeout_success
export NAMES="$1" SQLALCHEMY_DLOCK_1="sqlite:///$PWD/dlock.db"
run src -p interlock_dlock tests \
  --deselect tests/test_multiprocess.py::MutliProcessTestCase::$success \
  --deselect tests/test_multithread.py::MutliThreadTestCase::$success
