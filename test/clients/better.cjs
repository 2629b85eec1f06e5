// SPDX-License-Identifier: 0BSD
// better-sqlite3, and libsql, which has the same calls.
const name = process.argv[2];
const Database = require(name);
const { version } = require(require.resolve(name).replace(
  /(node_modules|lib)\/([^/]+)\/.*/, "$1/$2/package.json"));

const db = new Database("shop.db");
db.loadExtension("./build/interlock");  //:load

const one = (sql, ...values) =>
  Object.values(db.prepare(sql).get(...values))[0];

console.log("loaded", one("SELECT interlock_version() <> ''"));
console.log("~version", `${name} ${
  version}, SQLite ${
  one("SELECT sqlite_version()")}`);
console.log("declared", one("SELECT versioned('account')"));
try {
  db.prepare("UPDATE account SET balance = 0, version = 0").run();
} catch (e) {
  console.log(`~stale ${e.name}: ${e.message}`);
  console.log("stale", Number(
    e.code === "SQLITE_CONSTRAINT_TRIGGER"  //:stale
  ));
}
console.log("locked", one("SELECT advisory_lock('invoices') > 0"));
console.log("tried", one("SELECT try_advisory_lock('printer')"));
console.log("number", one("SELECT try_advisory_lock(?)", 42));
console.log("jobs", one(
  "SELECT skip_locked('job', 2, 'state = ''ready''', 'id')"));
console.log("leased", one(
  "SELECT lease_acquire('report', 'client', 60000) > 0"));
try {
  db.prepare("UPDATE report SET text = 'late', token = 1").run();
} catch (e) {
  console.log(`~fenced ${e.name}: ${e.message}`);
  console.log("fenced", Number(
    e.message.startsWith("fenced:")  //:fenced
  ));
}
one("SELECT advisory_lock_timeout(50)");
try {
  one("SELECT advisory_lock('printer')");
} catch (e) {
  console.log(`~timeout ${e.name} ${e.code}: ${e.message}`);
  console.log("timeout", Number(
    e.message.startsWith("lock timeout:")  //:timeout
  ));
}
one("SELECT advisory_lock_timeout(-1)");
console.log("waited", one("SELECT advisory_lock('scanner') > 0"));
for (const { key, mode } of db.prepare(
  `SELECT key, mode FROM advisory_locks WHERE session = advisory_session()
   AND kind = 'advisory' ORDER BY key`).all()) {
  console.log("held", key, mode);
}
db.close();
console.log("done");
