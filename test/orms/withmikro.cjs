// SPDX-License-Identifier: 0BSD
const { EntitySchema, LockMode, MikroORM } = require("@mikro-orm/sqlite");
const { other, row, tryLock, version } = require("./steps.cjs");

const Account = new EntitySchema({
  name: "Account",
  tableName: "account",
  properties: {
    id: { type: "integer", primary: true, autoincrement: true },
    balance: { type: "integer" },
    version: { type: "integer", version: true },
  },
});
async function main() {
  let sent = "";
  const orm = await MikroORM.init({
    dbName: "shop.db", entities: [Account], colors: false, debug: ["query"],
    logger: (text) => { sent += text; } });
  const db = await orm.em.getConnection().getNativeClient();  //:load
  db.loadExtension("./build/interlock");  //:load

  await orm.schema.create();
  const one = (sql) => Object.values(db.prepare(sql).get())[0];
  one("SELECT versioned('account')");
  console.log("loaded", Number(one("SELECT interlock_version()") !== ""));
  console.log("~version MikroORM",
    version("@mikro-orm/core", one("SELECT sqlite_version()")));
  console.log("status", one("SELECT status FROM versioned_tables"));

  const first = orm.em.fork();
  const a = first.create("Account", { balance: 100 });
  await first.flush();
  a.balance = 90;
  await first.flush();
  console.log("saved", a.version, row());
  a.balance = 80;
  await first.flush();
  console.log("again", a.version, row());

  const second = orm.em.fork();
  const b = await second.findOne("Account", 1);
  a.balance -= 1;
  await first.flush();
  b.balance -= 2;
  try {
    await second.flush();
  } catch (e) {
    console.log(`~stale ${e.name}: ${e.message}`);
    console.log("stale", Number(
      e.name === "OptimisticLockError"  //:stale
    ));
  }

  other("UPDATE account SET balance = 50");
  a.balance -= 1;
  try {
    await first.flush();
  } catch (e) {
    console.log("unknown", Number(e.name === "OptimisticLockError"));
  }

  await orm.em.fork().transactional(async (em) => {  //:lock
    await em.execute(  //:lock
      "SELECT row_xact_lock('account', 1), write_turn()");  //:lock
    const c = await em.findOne("Account", 1);
    console.log("locked", tryLock());
    c.balance += 1;
  });
  console.log("free", tryLock());
  sent = "";
  await orm.em.fork().transactional((em) => em.findOne("Account", 1,
    { lockMode: LockMode.PESSIMISTIC_WRITE }));
  console.log("~lock", /select.*from/i.test(sent) && !/for update/i.test(sent)
    ? "silently left out" : sent);
  await orm.close();
  console.log("done");
}
main();
