// SPDX-License-Identifier: 0BSD
// adaptertypeorm.cjs: see adapters.cjs.
const assert = require("node:assert");
const { DataSource, EntitySchema } = require("typeorm");
const interlock = require(process.env.ADAPTERS + "/typeorm.js");
const { main, shell } = require("./adapters.cjs");

const Counter = new EntitySchema({
  name: "counter",
  columns: {
    id: { type: "integer", primary: true, generated: true },
    n: { type: "integer", nullable: true },
  },
});
const Seat = new EntitySchema({
  name: "seat",
  columns: {
    train: { type: "text", primary: true },
    number: { type: "integer", primary: true, name: "no" },
  },
  relations: {
    counter: { type: "many-to-one", target: "counter",
      joinColumn: { name: "no" }, createForeignKeyConstraints: false },
  },
});
class Migrated1700000000000 {
  name = "Migrated1700000000000";
  async up(runner) { await runner.query("CREATE TABLE migrated(id)"); }
  async down() {}
}

const raw = (db, text) => db.query(text);
const lockOf = (how) => ({
  mode: how.share ? "pessimistic_read" : "pessimistic_write" });

async function ids(tx, how) {
  const order = how.desc ? "DESC" : "ASC";
  const query = tx.createQueryBuilder("counter", "c").orderBy("c.id", order)
    .setLock(lockOf(how).mode);
  if (how.or) {
    query.where("c.id > :above", { above: how.above ?? 9 })
      .orWhere("c.id = :id", { id: how.or });
  }
  if (how.below) query.andWhere("c.n < :below", { below: how.below });
  if (how.limit) query.limit(how.limit);
  if (how.offset) query.offset(how.offset);
  if (how.nowait) query.setOnLocked("nowait");
  if (how.skip) query.setOnLocked("skip_locked");
  return (await query.getMany()).map((row) => row.id);
}

main({
  open: () => interlock.use(new DataSource({
    type: "better-sqlite3",
    database: "shop.db",
    entities: [Counter, Seat],
    migrations: [Migrated1700000000000],
  })).initialize(),
  close: (db) => db.destroy(),
  raw,
  ids,
  transaction: (db, work) => db.transaction(work),
  nested: (tx, work) => tx.transaction(work),
  async seats(tx) {
    const rows = await tx.find("seat", { where: { train: "a" },
      lock: { mode: "pessimistic_write" } });
    const [one, count] = await tx.findAndCount("seat", { take: 1,
      order: { number: "DESC" }, lock: { mode: "pessimistic_write" },
      where: { train: "a" } });
    assert.deepEqual([one, count], [[{ train: "a", number: 2 }], 2]);
    assert.equal((await tx.findOne("seat", { where: { train: "a", number: 1 },
      lock: { mode: "pessimistic_write" } })).number, 1);
    return rows.map(({ train, number }) => `${train} ${number}`);
  },
  joined: (tx) => tx.createQueryBuilder("counter", "c")
    .innerJoin("seat", "s", "s.no = c.id").setLock("pessimistic_write")
    .getMany().then((rows) => rows.map(({ id }) => id)),
  refused: [
    (tx) => tx.createQueryBuilder("counter", "c").select("COUNT(*)", "n")
      .setLock("pessimistic_write").getRawMany(),
    (tx) => tx.createQueryBuilder("counter", "c").groupBy("c.n")
      .setLock("pessimistic_write").getRawMany(),
    async (tx) => {
      const error = await tx.findOne("seat", { where: { train: "a" },
        relations: { counter: true }, lock: { mode: "pessimistic_write" } })
        .catch((e) => e);
      assert.match(error.message, /with relations/);
      throw error;
    },
    (tx) => tx.find("counter",
      { lock: { mode: "pessimistic_write", tables: ["counter"] } }),
    (tx) => {
      const query = tx.createQueryBuilder("counter", "c");
      return query.where("c.id IN " + query.subQuery().select("d.id")
        .from("counter", "d").setLock("pessimistic_write").getQuery())
        .getMany();
    },
  ].map((query) => async (tx) => query(tx)),
  refusal: /^FOR UPDATE: /,
  outside: /transaction is required/,
  lock: "migrations_lock",
  migrate: (db) => db.runMigrations(),
  async blocked(db, other, { waits }) {
    const ready = db.runMigrations();
    const looking = shell();
    await waits(looking);
    await other.kill();
    await ready;
    await looking.kill();
  },
});
