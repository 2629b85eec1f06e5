// SPDX-License-Identifier: 0BSD
// steps.cjs: what the programs in JavaScript share.
const { spawnSync } = require("node:child_process");

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
