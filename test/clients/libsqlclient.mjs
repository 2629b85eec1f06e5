// SPDX-License-Identifier: 0BSD
// @libsql/client loads no extension: libsql, on which it rests, loads one into
// every connection that is opened later.
import { createRequire } from "node:module";
const require = createRequire(process.env.NODE_PATH + "/");
const { createClient } = require("@libsql/client");
const Database = require("libsql");

new Database(":memory:").loadExtension("./build/interlockauto");  //:load
const db = createClient({ url: "file:shop.db" });  //:load

const one = async (sql, ...args) => (await db.execute({ sql, args })).rows[0][0];

console.log("loaded", await one("SELECT interlock_version() <> ''"));
console.log("~version", `@libsql/client ${
  require("./@libsql/client/package.json").version}, SQLite ${
  await one("SELECT sqlite_version()")}`);
console.log("declared", await one("SELECT versioned('account')"));
try {
  await db.execute("UPDATE account SET balance = 0, version = 0");
} catch (e) {
  console.log(`~stale ${e.name}: ${e.message}`);
  console.log("stale", Number(
    e.extendedCode === "SQLITE_CONSTRAINT_TRIGGER"  //:stale
  ));
}
console.log("locked", await one("SELECT advisory_lock('invoices') > 0"));
console.log("tried", await one("SELECT try_advisory_lock('printer')"));
console.log("number", await one("SELECT try_advisory_lock(?)", 42));
console.log("jobs", await one(
  "SELECT skip_locked('job', 2, 'state = ''ready''', 'id')"));
console.log("leased", await one(
  "SELECT lease_acquire('report', 'client', 60000) > 0"));
try {
  await db.execute("UPDATE report SET text = 'late', token = 1");
} catch (e) {
  console.log(`~fenced ${e.name}: ${e.message}`);
  console.log("fenced", Number(
    e.message.startsWith("SQLITE_CONSTRAINT: fenced:")  //:fenced
  ));
}
await one("SELECT advisory_lock_timeout(50)");
try {
  await one("SELECT advisory_lock('printer')");
} catch (e) {
  console.log(`~timeout ${e.name}: ${e.message}`);
  console.log("timeout", Number(
    e.rawCode === 773  //:timeout
  ));
}
await one("SELECT advisory_lock_timeout(-1)");
console.log("waited", await one("SELECT advisory_lock('scanner') > 0"));
for (const [key, mode] of (await db.execute(
  `SELECT key, mode FROM advisory_locks WHERE session = advisory_session()
   AND kind = 'advisory' ORDER BY key`)).rows.map(r => [r.key, r.mode])) {
  console.log("held", key, mode);
}
db.close();
console.log("done");
