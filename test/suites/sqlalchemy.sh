# SPDX-License-Identifier: 0BSD
# sqlalchemy.sh VERSION: SQLAlchemy's tests of version columns.
set -eu
. "$(dirname "$0")/pip.sh"
get sqlalchemy "$1" pytest==7.4.4 greenlet==3.5.6 typing-extensions==4.12.2
run lib -p interlock_versions test/orm/test_versioning.py
