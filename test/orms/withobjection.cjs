// SPDX-License-Identifier: 0BSD
const knex = require("knex");
const { Model } = require("objection");
const { adapter, other, row, tryLock, version } = require("./steps.cjs");

const db = knex({
  client: "better-sqlite3",
  connection: { filename: "shop.db" },
  useNullAsDefault: true,
  pool: { afterCreate: (connection, done) => {  //:load
    connection.loadExtension("./build/interlock");  //:load
    done(null, connection);  //:load
  } },
});

class Account extends Model {
  static tableName = "account";

  // Carries the version: `account.$query().patch(...)`.
  async $beforeUpdate(options, context) {
    await super.$beforeUpdate(options, context);
    if (options.old) this.version = options.old.version + 1;
  }
}
Model.knex(db);

async function main() {
  await db.schema.createTable("account", (table) => {
    table.increments("id");
    table.integer("balance").notNullable();
    table.integer("version").notNullable().defaultTo(1);
  });
  const one = async (sql, on = db) => Object.values((await on.raw(sql))[0])[0];
  await one("SELECT versioned('account')");
  console.log("loaded", Number(await one("SELECT interlock_version()") !== ""));
  console.log("~version Objection",
    version("objection", await one("SELECT sqlite_version()")));
  console.log("status", await one("SELECT status FROM versioned_tables"));

  const { id } = await Account.query().insert({ balance: 100 });
  const a = await Account.query().findById(id);
  await a.$query().patch({ balance: 90 });
  console.log("saved", a.version, row());
  await a.$query().patch({ balance: 80 });
  console.log("again", a.version, row());

  const b = await Account.query().findById(id);
  await a.$query().patch({ balance: 79 });
  try {
    await b.$query().patch({ balance: 78 });
  } catch (e) {
    console.log(`~stale ${e.name}: ${e.message}`);
    console.log("stale", Number(
      e.message.includes(" - stale write:")  //:stale
    ));
  }

  // No part of it can be saved, either; nor an object without its version.
  const less = await Account.query().select("id", "balance").findById(id);
  for (const save of [
    () => b.$query().update({ balance: 78 }),
    () => less.$query().patch({ balance: 78 }),
  ]) {
    const e = await save().catch((e) => e);
    if (!String(e.message).includes(" - stale write:")) {
      throw new Error(`an object that is stale was saved: ${save}`);
    }
  }

  other("UPDATE account SET balance = 50");
  try {
    await a.$query().patch({ balance: 77 });
  } catch (e) {
    console.log("unknown", Number(e.message.includes(" - stale write:")));
  }

  await db.transaction(async (transaction) => {
    await transaction.raw(  //:lock
      "SELECT row_xact_lock('account', 1), write_turn()");  //:lock
    const c = await Account.query(transaction).findById(1);
    console.log("locked", tryLock());
    await c.$query(transaction).patch({ balance: 51 });
  });
  console.log("free", tryLock());
  const { sql } = Account.query().findById(1).forUpdate().toKnexQuery().toSQL();
  console.log("~lock", /for update/i.test(sql) ? sql : "silently left out");

  await db.schema.alterTable("account", (table) => {
    table.integer("balance").nullable().alter();
  });
  console.log("rebuilt", await one("SELECT status FROM versioned_tables"));
  await one("SELECT versioned_repair()");
  console.log("repaired", await one("SELECT status FROM versioned_tables"),
    row());
  await db.destroy();
  adapter("knex", { DRIVER: "better-sqlite3" });
  console.log("done");
}
main();
