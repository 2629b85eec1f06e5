// SPDX-License-Identifier: 0BSD
// steps.cjs: what the programs in JavaScript share.
const { spawnSync } = require("node:child_process");
const { copyFileSync, mkdirSync, readdirSync } = require("node:fs");
const { resolve } = require("node:path");

exports.other = (...words) => {
  const { stdout, stderr } = spawnSync(
    "sh", [process.env.SRC + "/other.sh", ...words], { encoding: "utf8" });
  return (stdout + stderr).trim();
};
exports.row = () => exports.other("SELECT balance, version FROM account");
exports.tryLock = () =>
  exports.other("-load", "SELECT try_row_lock('account', 1)");
exports.version = (name, sqlite) => {
  const { version } = require(require.resolve(name).replace(
    new RegExp(`/node_modules/${name}/.*`),
    `/node_modules/${name}/package.json`));
  return `${version}, SQLite ${sqlite}`;
};

// What an adapter does in its own program, with a database of its own. It is
// copied, since package.json beside it is a template.
exports.adapter = (name, more = {}) => {
  const { ROOT, SRC } = process.env;
  const source = `${ROOT}/tool/packages/npm`;
  mkdirSync("adapter");
  for (const file of readdirSync(source)) {
    if (file.endsWith(".js")) copyFileSync(`${source}/${file}`,
      `adapter/${file}`);
  }
  spawnSync(process.execPath, [`${SRC}/adapter${name}.cjs`], {
    cwd: "adapter", stdio: "inherit",
    env: { ...process.env, ...more, ADAPTERS: resolve("adapter"),
      INTERLOCK: resolve("build/interlock.so") } });
};
