# SPDX-License-Identifier: 0BSD
# wheel.sh: installs the wheel for this machine into a fresh environment. Its
# name, and those of the others, must say what auditwheel finds in them.
set -eu
for wheel in "$BUILD"/packages/wheel/*.whl; do
  platform=${wheel##*-none-}
  platform=${platform%.whl}
  said=$(PYTHONPATH=packages /usr/bin/python3 -m auditwheel show "$wheel" |
    tr '\n' ' ')
  case $said in
    *"consistent with the following platform tag: \"$platform\""*) ;;
    *) echo "$wheel: $said"; exit 1 ;;
  esac
done
/usr/bin/python3 -m venv --clear venv
venv/bin/pip install --quiet --no-index -f "$BUILD"/packages/wheel \
  sqlite-interlock
venv/bin/pip check
