# SPDX-License-Identifier: 0BSD
# For the suites in Python: a script reads this file and calls, in the folder in
# which it runs,
#
#   get NAME VERSION PACKAGE...   the sources of a version, into `tree`, and
#                                 what their tests need, into `packages`; once
#   run PATH WORD...              pytest in `tree`, which finds the sources in
#                                 PATH, with the words of this call
here=$(cd "$(dirname "$0")" && pwd)
python=/usr/bin/python3

get() {
  [ ! -e ready ] || return 0
  name=$1
  version=$2
  shift 2
  rm -rf sources tree
  mkdir sources tree
  # A setup.py may import pkg_resources, which setuptools 82 is without. The
  # variable may have no space in it.
  echo 'setuptools<81' >constraints.txt
  PIP_CONSTRAINT=$($python -c 'import pathlib
print(pathlib.Path("constraints.txt").absolute().as_uri())')
  export PIP_CONSTRAINT
  $python -m pip install --quiet --no-warn-script-location --upgrade \
    --root-user-action=ignore --target packages "$@"
  $python -m pip download --quiet --no-deps --no-binary "$name" \
    --dest sources "$name==$version"
  tar -xzf sources/*.tar.gz -C tree --strip-components 1
  touch ready
}
run() {
  path=$1
  shift
  packages=$PWD/packages
  cd tree
  PYTHONPATH=$path:$packages:$here exec $python -B -W ignore -m pytest -q \
    -p no:cacheprovider -p interlock_report "$@"
}
