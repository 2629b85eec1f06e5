// SPDX-License-Identifier: 0BSD
const { promisify } = require("node:util");
const sqlite3 = require("sqlite3");

(async () => {
  const db = new sqlite3.Database("shop.db");
  await promisify(db.loadExtension.bind(db))("./build/interlock");  //:load

  const get = promisify(db.get.bind(db));
  const one = async (sql, ...values) =>
    Object.values(await get(sql, ...values))[0];

  console.log("loaded", await one("SELECT interlock_version() <> ''"));
  console.log("~version", `sqlite3 ${
    require("sqlite3/package.json").version}, SQLite ${
    await one("SELECT sqlite_version()")}`);
  console.log("declared", await one("SELECT versioned('account')"));
  try {
    await promisify(db.run.bind(db))(
      "UPDATE account SET balance = 0, version = 0");
  } catch (e) {
    console.log(`~stale ${e.name}: ${e.message}`);
    console.log("stale", Number(
      e.message.startsWith("SQLITE_CONSTRAINT: stale write:")  //:stale
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
    await promisify(db.run.bind(db))(
      "UPDATE report SET text = 'late', token = 1");
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
      e.message.startsWith("SQLITE_BUSY: lock timeout:")  //:timeout
    ));
  }
  await one("SELECT advisory_lock_timeout(-1)");
  console.log("waited", await one("SELECT advisory_lock('scanner') > 0"));
  for (const { key, mode } of await promisify(db.all.bind(db))(
    `SELECT key, mode FROM advisory_locks WHERE session = advisory_session()
     AND kind = 'advisory' ORDER BY key`)) {
    console.log("held", key, mode);
  }
  await promisify(db.close.bind(db))();
  console.log("done");
})();
