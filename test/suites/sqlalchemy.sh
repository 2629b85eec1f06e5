# SPDX-License-Identifier: 0BSD
# sqlalchemy.sh VERSION: SQLAlchemy's tests of version columns, on the sources
# of that version and in the folder in which this runs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=/usr/bin/python3
if [ ! -e ready ]; then
  $python -m pip install --quiet --no-warn-script-location --upgrade \
    --root-user-action=ignore --target packages \
    pytest==7.4.4 greenlet==3.0.3 typing-extensions==4.12.2
  $python -m pip download --quiet --no-binary :none: --no-deps \
    --no-binary sqlalchemy "sqlalchemy==$1"
  tar -xzf ./*qlalchemy-"$1".tar.gz
  touch ready
fi
cd ./*qlalchemy-"$1"
PYTHONPATH=../packages:$here:lib exec $python -B -W ignore -m pytest -q \
  -p no:cacheprovider -p interlock_versions test/orm/test_versioning.py
