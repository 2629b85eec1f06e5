# SPDX-License-Identifier: 0BSD
# pip.sh PACKAGE==VERSION...: these into ./packages, unless they are there.
set -eu
ready=$(echo "$*" | tr ' ' ,)
[ ! -e "packages/ready,$ready" ] || exit 0
rm -rf packages
/usr/bin/python3 -m pip install --quiet --no-warn-script-location \
  --root-user-action=ignore --target packages "$@"
touch "packages/ready,$ready"
