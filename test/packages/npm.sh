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
  # The adapters for ORMs load, by require and by import.
  node -e 'for (const [orm, name] of [
      ["knex", "client"], ["kysely", "dialect"], ["typeorm", "use"]]) {
      if (!require(`sqlite-interlock/${orm}`)[name]) process.exit(1);
      import(`sqlite-interlock/${orm}`).then((module) => {
        if (!module[name]) process.exit(1);
      });
    }'
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
