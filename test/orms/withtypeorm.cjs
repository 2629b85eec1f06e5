// SPDX-License-Identifier: 0BSD
const { DataSource, EntitySchema, TableColumn } = require("typeorm");
const { adapter, other, row, tryLock, version } = require("./steps.cjs");

const Account = new EntitySchema({
  name: "account",
  columns: {
    id: { type: "integer", primary: true, generated: true },
    balance: { type: "integer" },
    version: { type: "integer", version: true },
  },
});
class Create1700000000000 {
  name = "Create1700000000000";
  async up(runner) {
    await runner.query("CREATE TABLE account(id integer PRIMARY KEY"
      + " AUTOINCREMENT NOT NULL, balance integer NOT NULL,"
      + " version integer NOT NULL)");
    await runner.query("SELECT versioned('account')");
  }
  async down() {}
}
const source = new DataSource({
  type: "better-sqlite3",
  database: "shop.db",
  prepareDatabase: (db) => db.loadExtension("./build/interlock"),  //:load
  entities: [Account],
  migrations: [Create1700000000000],
});

async function main() {
  await source.initialize();
  await source.runMigrations();
  const accounts = source.getRepository("account");
  const one = async (sql) => Object.values((await source.query(sql))[0])[0];
  console.log("loaded", Number(await one("SELECT interlock_version()") !== ""));
  console.log("~version TypeORM",
    version("typeorm", await one("SELECT sqlite_version()")));
  console.log("status", await one("SELECT status FROM versioned_tables"));

  const a = await accounts.save({ balance: 100 });
  a.balance = 90;
  await accounts.save(a);
  console.log("saved", a.version, row());
  a.balance = 80;
  await accounts.save(a);
  console.log("again", a.version, row());

  const b = await accounts.findOneBy({ id: 1 });
  a.balance -= 1;
  await accounts.save(a);
  b.balance -= 2;
  try {
    await accounts.save(b);
  } catch (e) {
    console.log(`~stale ${e.name}: ${e.message}`);
    console.log("stale", Number(
      e.driverError.code === "SQLITE_CONSTRAINT_TRIGGER"  //:stale
    ));
  }

  other("UPDATE account SET balance = 50");
  a.balance -= 1;
  try {
    await accounts.save(a);
  } catch (e) {
    console.log("unknown",
      Number(e.driverError.code === "SQLITE_CONSTRAINT_TRIGGER"));
  }

  // What the page says: save() inserts a row that is gone once more.
  const gone = await accounts.save({ balance: 1 });
  const count = () => one(`SELECT count(*) FROM account WHERE id = ${gone.id}`);
  await source.query(`DELETE FROM account WHERE id = ${gone.id}`);
  gone.balance += 1;
  await accounts.save(gone);
  if (await count() !== 1) throw new Error("save() of a row that is gone");
  await source.query(`DELETE FROM account WHERE id = ${gone.id}`);

  await source.transaction(async (db) => {  //:lock
    await db.query("SELECT row_xact_lock('account', 1), write_turn()");  //:lock
    const c = await db.findOneBy("account", { id: 1 });
    console.log("locked", tryLock());
    c.balance += 1;
    await db.save("account", c);
  });
  console.log("free", tryLock());
  try {
    await source.transaction((db) => db.findOne("account", {
      where: { id: 1 }, lock: { mode: "pessimistic_write" } }));
    console.log("~lock silently left out");
  } catch (e) {
    console.log(`~lock ${e.name}: ${e.message.split("\n")[0]}`);
  }

  const runner = source.createQueryRunner();
  await runner.changeColumn("account", "balance", new TableColumn({
    name: "balance", type: "integer", isNullable: true }));
  await runner.release();
  console.log("rebuilt", await one("SELECT status FROM versioned_tables"));
  await one("SELECT versioned_repair()");
  console.log("repaired", await one("SELECT status FROM versioned_tables"),
    row());
  await source.destroy();
  adapter("typeorm");
  console.log("done");
}
main();
