// SPDX-License-Identifier: 0BSD
// sql.js has no extensions and no files: it reads the bytes of one in which the
// tables were declared elsewhere.
const { readFileSync } = require("node:fs");
const { version } = require(require.resolve("sql.js").replace(
  /node_modules\/([^/]+)\/.*/, "node_modules/$1/package.json"));

require("sql.js")().then(SQL => {
  const db = new SQL.Database(readFileSync("shop.db"));
  console.log("~version", `sql.js ${
    version}, SQLite ${
    db.exec("SELECT sqlite_version()")[0].values[0][0]}`);
  try {
    db.run("UPDATE account SET balance = 0, version = 0");
  } catch (e) {
    console.log(`~stale ${e.name}: ${e.message}`);
    console.log("stale", Number(
      e.message.startsWith("stale write:")  //:stale
    ));
  }
  try {
    db.run("UPDATE report SET text = 'late', token = 1");
  } catch (e) {
    console.log(`~fenced ${e.name}: ${e.message}`);
    console.log("fenced", Number(
      e.message.startsWith("fenced:")  //:fenced
    ));
  }
  db.close();
  console.log("done");
});
