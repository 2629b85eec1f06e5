// SPDX-License-Identifier: 0BSD
// adapterkysely.cjs: see adapters.cjs.
const assert = require("node:assert");
const Database = require("better-sqlite3");
const { Kysely, SqliteDialect, sql } = require("kysely");
const { Migrator } = require("kysely/migration");
const interlock = require(process.env.ADAPTERS + "/kysely.js");
const { main } = require("./adapters.cjs");

const raw = async (db, text) => (await sql.raw(text).execute(db)).rows;

function ids(tx, how) {
  let query = tx.selectFrom("counter as c").select("c.id")
    .orderBy("c.id", how.desc ? "desc" : "asc");
  if (how.or) {
    query = query.where(sql`c.id > ${how.above ?? 9} or c.id = ${how.or}`);
  }
  if (how.below) query = query.where("n", "<", how.below);
  if (how.limit) query = query.limit(how.limit);
  if (how.offset) query = query.offset(how.offset);
  query = how.share ? query.forShare() : query.forUpdate("c");
  if (how.nowait) query = query.noWait();
  if (how.skip) query = query.skipLocked();
  return query.execute().then((rows) => rows.map((row) => row.id));
}

const migrate = async (db) => {
  const { error } = await new Migrator({
    db,
    provider: { getMigrations: async () => ({
      one: { up: (on) => raw(on, "CREATE TABLE migrated(id)") },
    }) },
  }).migrateToLatest();
  if (error) throw error;
};

main({
  open: () => new Kysely({
    dialect: interlock.dialect(SqliteDialect, {
      database: () => new Database("shop.db") }),
  }),
  close: (db) => db.destroy(),
  raw,
  ids,
  transaction: (db, work) => db.transaction().execute(work),
  async nested(tx, work) {
    await raw(tx, "SAVEPOINT inner");
    const result = await work(tx);
    await raw(tx, "RELEASE inner");
    return result;
  },
  async seats(tx) {
    const rows = await tx.selectFrom("seat").selectAll()
      .where("train", "=", "a").forUpdate().execute();
    return rows.map(({ train, no }) => `${train} ${no}`);
  },
  joined: (tx) => tx.selectFrom("counter")
    .innerJoin("seat", "seat.no", "counter.id").select("id")
    .forUpdate("counter").execute().then((rows) => rows.map(({ id }) => id)),
  refused: [
    (tx) => tx.selectFrom("counter").select("n").distinct().forUpdate()
      .execute(),
    (tx) => tx.selectFrom("counter").select((e) => e.fn.countAll().as("n"))
      .forUpdate().execute(),
    (tx) => tx.selectFrom(["counter", "seat"]).select("n").forUpdate()
      .execute(),
    (tx) => tx.selectFrom("counter").innerJoin("seat", "no", "n").select("n")
      .forUpdate("seat").execute(),
    // One in a subquery reaches SQLite.
    (tx) => tx.selectFrom("counter").select("id").where("id", "in", (e) =>
      e.selectFrom("counter").select("id").forUpdate()).execute(),
  ],
  refusal: /^FOR UPDATE: |near "for": syntax error|near "update": syntax error/,
  outside: /^FOR UPDATE: there is no transaction/,
  lock: "kysely_migration_lock",
  migrate,
  async blocked(db, other, { waits }) {
    const ready = migrate(db);
    // The connection of `db` is the migrator's until it has ended.
    const looking = require("./adapters.cjs").shell();
    await waits(looking);
    await other.kill();
    await ready;
    await looking.kill();
  },
});
