// SPDX-License-Identifier: 0BSD
const { execFileSync } = require("node:child_process");
const { mkdirSync, writeFileSync } = require("node:fs");
const Database = require("better-sqlite3");
const { and, eq, sql } = require("drizzle-orm");
const { drizzle } = require("drizzle-orm/better-sqlite3");
const { migrate } = require("drizzle-orm/better-sqlite3/migrator");
const { integer, sqliteTable } = require("drizzle-orm/sqlite-core");
const { other, row, tryLock, version } = require("./steps.cjs");

const client = new Database("shop.db");
client.loadExtension("./build/interlock");  //:load
const db = drizzle(client);  //:load

const account = sqliteTable("account", {
  id: integer().primaryKey({ autoIncrement: true }),
  balance: integer(),
  version: integer().notNull().default(1),
});

// Writes what was read from `old`, if no other program has written it since.
function save(old, changes) {
  return db.update(account).set({ ...changes, version: old.version + 1 })
    .where(eq(account.id, old.id)).returning().get();
}

// A migration of drizzle-kit for the schema as it is now.
function generate(name, balance) {
  writeFileSync("schema.cjs", `
    const { integer, sqliteTable } = require("drizzle-orm/sqlite-core");
    exports.account = sqliteTable("account", {
      id: integer().primaryKey({ autoIncrement: true }),
      balance: ${balance},
      version: integer().notNull().default(1),
    });`);
  execFileSync(process.execPath, [
    process.env.NODE_PATH + "/drizzle-kit/bin.cjs", "generate",
    "--dialect=sqlite", "--schema=./schema.cjs", "--name=" + name],
    { stdio: "pipe" });
  migrate(db, { migrationsFolder: "./drizzle" });
}

const one = (text) => Object.values(client.prepare(text).get())[0];
generate("initial", "integer().notNull()");
one("SELECT versioned('account')");
console.log("loaded", Number(one("SELECT interlock_version()") !== ""));
console.log("~version Drizzle",
  version("drizzle-orm", one("SELECT sqlite_version()")));
console.log("status", one("SELECT status FROM versioned_tables"));

let a = db.insert(account).values({ balance: 100 }).returning().get();
a = save(a, { balance: 90 });
console.log("saved", a.version, row());
a = save(a, { balance: 80 });
console.log("again", a.version, row());

const b = db.select().from(account).get();
a = save(a, { balance: 79 });
try {
  save(b, { balance: 78 });
} catch (e) {
  console.log(`~stale ${e.name}: ${e.message}`);
  console.log("stale", Number(
    e.code === "SQLITE_CONSTRAINT_TRIGGER"  //:stale
  ));
}

other("UPDATE account SET balance = 50");
try {
  save(a, { balance: 77 });
} catch (e) {
  console.log("unknown", Number(e.code === "SQLITE_CONSTRAINT_TRIGGER"));
}

db.transaction((transaction) => {
  transaction.get(  //:lock
    sql`SELECT row_xact_lock('account', 1), write_turn()`);  //:lock
  const c = transaction.select().from(account).get();
  console.log("locked", tryLock());
  transaction.update(account).set({ balance: 51, version: c.version + 1 }).run();
});
console.log("free", tryLock());
console.log("~lock", db.select().from(account).for ? "?" : "has no such call");

generate("nullable", "integer()");
console.log("rebuilt", one("SELECT status FROM versioned_tables"));
one("SELECT versioned_repair()");
console.log("repaired", one("SELECT status FROM versioned_tables"), row());
client.close();
console.log("done");
