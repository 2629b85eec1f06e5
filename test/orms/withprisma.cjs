// SPDX-License-Identifier: 0BSD
// The migration engine is Prisma's own, in WebAssembly: the command `prisma
// migrate` would get a binary that no registry has.
const { execFileSync } = require("node:child_process");
const { createRequire } = require("node:module");
const { symlinkSync, writeFileSync } = require("node:fs");
const { pathToFileURL } = require("node:url");
const { PrismaBetterSqlite3 } = require("@prisma/adapter-better-sqlite3");
const { bindMigrationAwareSqlAdapterFactory } = createRequire(
  require.resolve("@prisma/adapter-better-sqlite3"))(
  "@prisma/driver-adapter-utils");
const { other, row, tryLock, version } = require("./steps.cjs");

class Interlock extends PrismaBetterSqlite3 {  //:load
  async connect() {  //:load
    const adapter = await super.connect();  //:load
    adapter.client.loadExtension("./build/interlock");  //:load
    return adapter;  //:load
  }
}
const adapter = new Interlock({ url: "file:shop.db" });  //:load

const schema = (balance) => `
  generator client {
    provider = "prisma-client-js"
    output   = "./client"
  }
  datasource db {
    provider = "sqlite"
  }
  model Account {
    id      Int @id @default(autoincrement())
    balance ${balance}
    version Int @default(1)
    @@map("account")
  }`;
const files = (text) => ({ files: [{ path: "schema.prisma", content: text }] });

// Applies the migrations that lead to `text`, as `prisma migrate diff` writes
// them and `prisma migrate deploy` runs them.
const filters = { externalTables: [], externalEnums: [] };
const migrationsList = {
  baseDir: process.cwd(),
  lockfile: { path: "migration_lock.toml", content: 'provider = "sqlite"' },
  shadowDbInitScript: "",
  migrationDirectories: [],
};
let SchemaEngine;
let before = { tag: "empty" };
async function migrate(name, text) {
  const to = { tag: "schemaDatamodel", ...files(text) };
  let connection;
  const factory = bindMigrationAwareSqlAdapterFactory(adapter);
  const { connect } = factory;
  factory.connect = async () => {
    const result = await connect();
    connection = result.value;
    return result;
  };
  const engine = await SchemaEngine.new(
    { datamodels: [["schema.prisma", text]] }, () => {}, factory);
  const { stdout } = await engine.diff({
    from: before, to, script: true, exitCode: null, filters });
  before = to;
  migrationsList.migrationDirectories.push({ path: name, migrationFile: {
    path: "migration.sql", content: { tag: "ok", value: stdout } } });
  await engine.applyMigrations({ migrationsList, filters });
  // It has SQLite's lock on the file until then.
  await connection.dispose();
}

// Prisma takes every error of a trigger for one of a foreign key.
const isStale = (e) => e.meta.driverAdapterError.cause  //:stale
  .originalMessage.startsWith("stale write:");  //:stale

async function main() {
  writeFileSync("schema.prisma", schema("Int"));
  symlinkSync(process.env.NODE_PATH, "node_modules");
  execFileSync(process.execPath,
    [require.resolve("prisma/build/index.js"), "generate",
      "--schema=schema.prisma"],
    { stdio: "pipe", env: { ...process.env, CHECKPOINT_DISABLE: "1",
      PRISMA_SCHEMA_ENGINE_BINARY: "/bin/true" } });
  ({ SchemaEngine } = await import(pathToFileURL(
    require.resolve("@prisma/schema-engine-wasm"))));
  await migrate("20260101000000_initial", schema("Int"));

  const { PrismaClient } = require(process.cwd() + "/client");
  const db = new PrismaClient({ adapter });
  const one = async (text, on = db) =>
    Object.values((await on.$queryRawUnsafe(text))[0])[0];
  await one("SELECT versioned('account')");
  console.log("loaded", Number(await one("SELECT interlock_version()") !== ""));
  console.log("~version Prisma",
    version("@prisma/client", await one("SELECT sqlite_version()")));
  console.log("status", await one("SELECT status FROM versioned_tables"));

  const save = (old, changes, on = db) => on.account.update({
    where: { id: old.id }, data: { ...changes, version: old.version + 1 } });
  let a = await db.account.create({ data: { balance: 100 } });
  a = await save(a, { balance: 90 });
  console.log("saved", a.version, row());
  a = await save(a, { balance: 80 });
  console.log("again", a.version, row());

  const b = await db.account.findFirst();
  a = await save(a, { balance: 79 });
  try {
    await save(b, { balance: 78 });
  } catch (e) {
    console.log(`~stale ${e.name}: ${e.message.trim().split("\n").at(-1)}`);
    console.log("stale", Number(isStale(e)));
  }

  other("UPDATE account SET balance = 50");
  try {
    await save(a, { balance: 77 });
  } catch (e) {
    console.log("unknown", Number(isStale(e)));
  }

  await db.$transaction(async (tx) => {
    await tx  //:lock
      .$queryRaw`SELECT row_xact_lock('account', 1), write_turn()`;  //:lock
    const c = await tx.account.findUnique({ where: { id: 1 } });
    console.log("locked", tryLock());
    await save(c, { balance: 51 }, tx);
  });
  console.log("free", tryLock());
  try {
    await db.account.findFirst({ where: { id: 1 }, forUpdate: true });
    console.log("~lock silently left out");
  } catch (e) {
    console.log(`~lock ${e.name}: ${e.message.trim().split("\n").at(-1)}`);
  }

  await migrate("20260101000001_nullable", schema("Int?"));
  console.log("rebuilt", await one("SELECT status FROM versioned_tables"));
  await one("SELECT versioned_repair()");
  console.log("repaired", await one("SELECT status FROM versioned_tables"),
    row());
  await db.$disconnect();
  console.log("done");
}
main();
