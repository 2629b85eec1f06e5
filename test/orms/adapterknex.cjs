// SPDX-License-Identifier: 0BSD
// adapterknex.cjs: see adapters.cjs. The variable DRIVER names the driver.
const assert = require("node:assert");
const Knex = require("knex");
const { Model } = require("objection");
const { client } = require(process.env.ADAPTERS + "/knex.js");
const { main } = require("./adapters.cjs");

const raw = (db, text) => db.raw(text);

async function ids(tx, how) {
  const query = tx("counter as c").orderBy("c.id", how.desc ? "desc" : "asc");
  if (how.or) {
    query.where("c.id", ">", how.above ?? 9).orWhere("c.id", how.or);
  }
  if (how.below) query.where("n", "<", how.below);
  if (how.limit) query.limit(how.limit);
  if (how.offset) query.offset(how.offset);
  if (how.share) query.forShare(); else query.forUpdate("c");
  if (how.nowait) query.noWait();
  if (how.skip) query.skipLocked();
  return query.pluck("c.id");
}

class Seat extends Model {
  static tableName = "seat";
  static idColumn = ["train", "no"];
}

// In a transaction, as Knex does it, or without.
const migrate = (db, transaction = true) => db.migrate.latest({
  migrationSource: {
    getMigrations: async () => [transaction ? "one" : "two"],
    getMigrationName: (name) => name,
    getMigration: async (name) => ({
      up: (on) => raw(on, transaction ? "CREATE TABLE migrated(id)"
        : "CREATE TABLE once(id)"),
      down: async () => {},
      config: { transaction },
    }),
  },
  disableMigrationsListValidation: true,
});

main({
  open: () => Knex({
    client: client(process.env.DRIVER),  //:adapter
    connection: { filename: "shop.db" },
    useNullAsDefault: true,
    log: { warn() {} },
  }),
  close: (db) => db.destroy(),
  raw,
  ids,
  transaction: (db, work) => db.transaction(work),
  nested: (tx, work) => tx.transaction(work),
  async seats(tx) {
    const rows = await Seat.query(tx).where({ train: "a" }).forUpdate();
    const first = await tx("seat").where({ train: "a" }).orderBy("no")
      .forUpdate().first();
    assert.deepEqual(first, { train: "a", no: 1 });
    return rows.map(({ train, no }) => `${train} ${no}`);
  },
  joined: (tx) => tx("counter").join("seat", "seat.no", "counter.id")
    .forUpdate("counter").pluck("id"),
  refused: [
    (tx) => tx("counter").distinct("n").forUpdate(),
    (tx) => tx("counter").count().forUpdate(),
    (tx) => tx("counter").join("seat", "no", "n").select("n")
      .forUpdate("seat"),
    (tx) => tx(tx("counter").as("t")).forUpdate(),
    (tx) => tx("counter").whereIn("id", tx("counter").select("id").forUpdate()),
    (tx) => tx("counter").whereIn("id", function () {
      this.from("counter").select("id").forUpdate();
    }),
  ],
  refusal: / - FOR UPDATE: |^FOR UPDATE: /,
  outside: / - FOR UPDATE: there is no transaction/,
  lock: "knex_migrations_lock",
  migrate,
  async blocked(db, other, { failure }) {
    for (const transaction of [true, false]) {
      assert.match(await failure(migrate(db, transaction)), /already locked/);
    }
    await other.kill();
    // What Knex leaves behind when it is killed is no obstacle.
    await raw(db, "UPDATE knex_migrations_lock SET is_locked = 1");
    await migrate(db, false);
  },
});
