# SPDX-License-Identifier: 0BSD
# npm.sh: installs the package of npm here, without a network.
# npm.sh compile: as on a machine for which no library was made. Without
# scripts the package then says what to type; with them it is compiled.
set -eu
rm -rf node_modules package.json
install() {
  npm install --silent --offline --no-save --cache cache --prefix . "$@" \
    "$BUILD"/packages/npm/*.tgz
}
if [ "${1-}" != compile ]; then
  install
  [ ! -e node_modules/sqlite-interlock/build ]
  exit 0
fi
install --ignore-scripts
rm -r node_modules/sqlite-interlock/prebuilt
said=$(node -p 'require("sqlite-interlock").getLoadablePath()' 2>&1) && exit 1
command=$(echo "$said" | sed -n 's/.* yet; this compiles it: //p' | head -n 1)
CC=false sh -c "$command" 2>said && exit 1
grep -q 'cannot compile the extension with false' said
sh -c "$command"
rm -r node_modules/sqlite-interlock/build
npm rebuild --silent --offline --cache cache --prefix .
[ -e node_modules/sqlite-interlock/build/interlock.so ]
