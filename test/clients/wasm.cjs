// SPDX-License-Identifier: 0BSD
// node-sqlite3-wasm has no extensions; the table was declared elsewhere.
const { Database } = require("node-sqlite3-wasm");

const db = new Database("shop.db");
console.log("~version", `node-sqlite3-wasm ${
  require("node-sqlite3-wasm/package.json").version}, SQLite ${
  db.get("SELECT sqlite_version() AS v").v}`);
try {
  db.run("UPDATE account SET balance = 0, version = 0");
} catch (e) {
  console.log(`~stale ${e.name}: ${e.message}`);
  console.log("stale", Number(
    e.message.startsWith("stale write:")  //:stale
  ));
}
db.close();
console.log("done");
