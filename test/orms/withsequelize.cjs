// SPDX-License-Identifier: 0BSD
const { DataTypes, OptimisticLockError, Sequelize } = require("sequelize");
const { adapter, other, row, tryLock, version } = require("./steps.cjs");

const sequelize = new Sequelize({
  dialect: "sqlite", storage: "shop.db", logging: false });
const load = async (transaction) => {
  const db = await sequelize.connectionManager.getConnection(  //:load
    { type: "write", uuid: transaction?.id ?? "default" });  //:load
  await new Promise((resolve, reject) => db.loadExtension(  //:load
    "./build/interlock", (e) => e ? reject(e) : resolve()));  //:load
};
const Account = sequelize.define("Account", {
  id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
  balance: { type: DataTypes.INTEGER, allowNull: false },
}, { tableName: "account", timestamps: false, version: true });

async function main() {
  await load();
  const one = async (sql, options) => Object.values(
    (await sequelize.query(sql, { ...options, type: "SELECT" }))[0])[0];
  await sequelize.sync();
  await one("SELECT versioned('account')");
  console.log("loaded", Number(await one("SELECT interlock_version()") !== ""));
  console.log("~version Sequelize",
    version("sequelize", await one("SELECT sqlite_version()")));
  console.log("status", await one("SELECT status FROM versioned_tables"));

  const a = await Account.create({ balance: 100 });
  await a.update({ balance: 90 });
  console.log("saved", a.version, row());
  await a.update({ balance: 80 });
  console.log("again", a.version, row());

  const b = await Account.findByPk(1);
  await a.update({ balance: 79 });
  try {
    await b.update({ balance: 78 });
  } catch (e) {
    console.log(`~stale ${e.name}: ${e.message}`);
    console.log("stale", Number(
      e instanceof OptimisticLockError  //:stale
    ));
  }

  other("UPDATE account SET balance = 50");
  try {
    await a.update({ balance: 77 });
  } catch (e) {
    console.log("unknown", Number(e instanceof OptimisticLockError));
  }

  await sequelize.transaction(async (transaction) => {
    await load(transaction);
    const lock = "SELECT row_xact_lock('account', 1), write_turn()";  //:lock
    await one(lock, { transaction });  //:lock
    const c = await Account.findByPk(1, { transaction });
    console.log("locked", tryLock());
    await c.update({ balance: 51 }, { transaction });
  });
  console.log("free", tryLock());
  let sent = "";
  await Account.findByPk(1, { lock: true, logging: (sql) => { sent = sql; } });
  console.log("~lock", /FOR UPDATE/.test(sent) ? sent : "silently left out");

  await sequelize.getQueryInterface().changeColumn("account", "balance",
    { type: DataTypes.INTEGER, allowNull: true });
  console.log("rebuilt", await one("SELECT status FROM versioned_tables"));
  await one("SELECT versioned_repair()");
  console.log("repaired", await one("SELECT status FROM versioned_tables"),
    row());
  await sequelize.close();
  // Its driver is here, so Knex is tried with it.
  adapter("knex", { DRIVER: "sqlite3" });
  console.log("done");
}
main();
