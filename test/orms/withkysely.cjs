// SPDX-License-Identifier: 0BSD
const Database = require("better-sqlite3");
const { Kysely, SqliteDialect, sql } = require("kysely");
const { adapter, other, row, tryLock, version } = require("./steps.cjs");

const client = new Database("shop.db");
client.loadExtension("./build/interlock");  //:load
const db = new Kysely({  //:load
  dialect: new SqliteDialect({ database: client }) });  //:load

const save = (old, changes, on = db) => on.updateTable("account")
  .set({ ...changes, version: old.version + 1 })
  .where("id", "=", old.id).returningAll().executeTakeFirstOrThrow();

async function main() {
  const one = async (text, on = db) =>
    Object.values((await sql.raw(text).execute(on)).rows[0])[0];
  await db.schema.createTable("account")
    .addColumn("id", "integer", (c) => c.primaryKey().autoIncrement())
    .addColumn("balance", "integer", (c) => c.notNull())
    .addColumn("version", "integer", (c) => c.notNull().defaultTo(1))
    .execute();
  await one("SELECT versioned('account')");
  console.log("loaded", Number(await one("SELECT interlock_version()") !== ""));
  console.log("~version Kysely",
    version("kysely", await one("SELECT sqlite_version()")));
  console.log("status", await one("SELECT status FROM versioned_tables"));

  let a = await db.insertInto("account").values({ balance: 100 })
    .returningAll().executeTakeFirst();
  a = await save(a, { balance: 90 });
  console.log("saved", a.version, row());
  a = await save(a, { balance: 80 });
  console.log("again", a.version, row());

  const b = await db.selectFrom("account").selectAll().executeTakeFirst();
  a = await save(a, { balance: 79 });
  try {
    await save(b, { balance: 78 });
  } catch (e) {
    console.log(`~stale ${e.name}: ${e.message}`);
    console.log("stale", Number(
      e.code === "SQLITE_CONSTRAINT_TRIGGER"  //:stale
    ));
  }

  other("UPDATE account SET balance = 50");
  try {
    await save(a, { balance: 77 });
  } catch (e) {
    console.log("unknown", Number(e.code === "SQLITE_CONSTRAINT_TRIGGER"));
  }

  await db.transaction().execute(async (transaction) => {
    await sql`SELECT row_xact_lock('account', 1), write_turn()`  //:lock
      .execute(transaction);  //:lock
    const c = await transaction.selectFrom("account").selectAll()
      .executeTakeFirst();
    console.log("locked", tryLock());
    await save(c, { balance: 51 }, transaction);
  });
  console.log("free", tryLock());
  try {
    await db.selectFrom("account").selectAll().forUpdate().execute();
    console.log("~lock silently left out");
  } catch (e) {
    console.log(`~lock ${e.name}: ${e.message}`);
  }
  await db.destroy();
  adapter("kysely");
  console.log("done");
}
main();
