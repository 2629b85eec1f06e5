# SPDX-License-Identifier: 0BSD
# npm.sh PACKAGE@VERSION...: these into ./node_modules, unless they are there,
# and Node's own build. Peers that they ask for are named there, too.
set -eu
tclsh "$ROOT"/tool/sqlite.tcl node
ready=$(echo "$*" | tr ' /' ,_)
[ ! -e "node_modules/ready,$ready" ] || exit 0
rm -rf node_modules
PATH=$BUILD/sqlite/node/bin:$PATH npm install --silent --no-save \
  --legacy-peer-deps --prefix . "$@"
touch "node_modules/ready,$ready"
