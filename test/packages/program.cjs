// SPDX-License-Identifier: 0BSD
// program.cjs DRIVER: the package of npm, with node:sqlite or better-sqlite3.
const interlock = require("sqlite-interlock");
const { version } = require("sqlite-interlock/package.json");

const driver = process.argv[2];
let db;
if (driver === "node:sqlite") {
  const { DatabaseSync } = require("node:sqlite");
  db = new DatabaseSync("shop.db", { allowExtension: true });
} else {
  const Database = require(driver);
  db = new Database("shop.db");
}
interlock.load(db);  //:load

const one = (sql) => Object.values(db.prepare(sql).get())[0];

console.log("loaded", Number(
  one("SELECT interlock_version()").split(" ")[0] === version));
console.log("~version", `${driver === "node:sqlite" ? "" : `${driver}, `}` +
  `Node ${process.versions.node}, SQLite ${one("SELECT sqlite_version()")}`);
console.log("declared", one("SELECT versioned('account')"));
try {
  db.prepare("UPDATE account SET balance = 0, version = 0").run();
} catch (e) {
  console.log("stale", Number(
    e.message.startsWith("stale write: account.version")));
}
console.log("locked", one("SELECT advisory_lock('invoices') > 0"));
console.log("tried", one("SELECT try_advisory_lock('printer')"));
console.log("waited", one("SELECT advisory_lock('scanner') > 0"));
db.close();
console.log("done");
