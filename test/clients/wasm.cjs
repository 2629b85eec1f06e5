// SPDX-License-Identifier: 0BSD
// node-sqlite3-wasm has no extensions; the tables were declared elsewhere.
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
