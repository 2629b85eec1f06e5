# SPDX-License-Identifier: 0BSD
# django_concurrency.sh VERSION ?COLUMN?: django-concurrency's tests. Its fields
# are declared as versions, or beside them the column COLUMN. 2.6.0 is the last
# version that has its tests with it.
set -eu
. "$(dirname "$0")/pip.sh"
get django-concurrency "$1" pytest==7.4.4 pytest-django==4.9.0 mock==5.2.0 \
  django==4.2.20 django-webtest==1.9.12 django-reversion==5.1.0
rm -f "$PWD"/concurrency.db*
export COLUMN="${2-}" DBENGINE=sqlite DBNAME="$PWD/concurrency.db" \
  DJANGO_SETTINGS_MODULE=demo.settings
run src:tests/demoapp -o addopts= -p interlock_concurrency tests
