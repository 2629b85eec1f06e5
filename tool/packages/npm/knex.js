// SPDX-License-Identifier: 0BSD
// Interlock for Knex: `client: client("better-sqlite3")`, or "sqlite3", in the
// configuration
//
//   loads the extension into each connection of the pool
//   forUpdate(), forShare(), noWait() and skipLocked() lock rows, until the
//     transaction ends
//   migrations take a lock that a killed process does not leave behind, in
//     place of Knex's row in a table
"use strict";
const { getLoadablePath } = require("./index.js");
const { Session, refuse } = require("./locks.js");

const READS = new Set(["select", "first", "pluck"]);
const WAITS = { noWait: "nowait", skipLocked: "skip" };

const sessions = new WeakMap();  // of connections
const clients = new Map();       // by the name of the driver

function client(driver = "better-sqlite3") {
  if (!clients.has(driver)) clients.set(driver, clientClass(driver));
  return clients.get(driver);
}

function clientClass(driver) {
  if (driver !== "better-sqlite3" && driver !== "sqlite3") {
    throw new Error(`client(${JSON.stringify(driver)}): Interlock's are ` +
      "better-sqlite3 and sqlite3");
  }
  const Base = require(`knex/lib/dialects/${driver}`);
  const Builder = builderClass(
    require("knex/lib/dialects/sqlite3/query/sqlite-querybuilder"));
  const Compiler = compilerClass(
    require("knex/lib/dialects/sqlite3/query/sqlite-querycompiler"));
  lockMigrations(require("knex/lib/migrations/migrate/Migrator").Migrator);

  class InterlockClient extends Base {
    queryBuilder() {
      return new Builder(this);
    }

    queryCompiler(builder, formatter) {
      return new Compiler(this, builder, formatter);
    }

    async acquireRawConnection() {
      const connection = await super.acquireRawConnection();
      await loaded(driver, connection);
      sessions.set(connection, new Session(async (sql, bindings) =>
        (await super._query(connection, { method: "raw", sql, bindings }))
          .response));
      return connection;
    }

    async _query(connection, query) {
      const session = sessions.get(connection);
      if (query.interlock) await lock(this, session, query);
      return session.run(query.sql, () => super._query(connection, query));
    }
  }
  return InterlockClient;
}

function loaded(driver, connection) {
  const file = getLoadablePath();
  if (driver === "better-sqlite3") return connection.loadExtension(file);
  return new Promise((resolve, reject) => connection.loadExtension(file,
    (error) => error ? reject(error) : resolve()));
}

// ---- SELECT ... FOR UPDATE --------------------------------------------------

// A query that the program runs is compiled by its builder, one inside it is
// not.
function builderClass(Base) {
  return class extends Base {
    toSQL(method, tz) {
      if (!this._single.lock) return super.toSQL(method, tz);
      const query = unlocked(this).toSQL(method, tz);
      return READS.has(query.method)
        ? Object.assign(query, { interlock: this.clone() }) : query;
    }
  };
}

function compilerClass(Base) {
  return class extends Base {
    toSQL(method, tz) {
      if (this.single.lock) refuse("this is a query inside another one");
      return super.toSQL(method, tz);
    }
  };
}

function unlocked(builder) {
  const copy = builder.clone();
  delete copy._single.lock;
  delete copy._single.lockTables;
  delete copy._single.waitMode;
  return copy;
}

// Takes the locks that a query asks for. The query then reads the locked rows.
async function lock(client, session, query) {
  const { lock: mode, lockTables, waitMode } = query.interlock._single;
  const builder = unlocked(query.interlock);
  const { schema, table, alias } = tableOf(builder, lockTables);
  const how = { shared: /share/i.test(mode), [WAITS[waitMode]]: true };
  const found = builder.clone().clearSelect();
  found._method = "select";
  if (how.skip && found._single.limit !== undefined) {
    how.limit = Number(found._single.limit);
    if (!Number.isInteger(how.limit)) refuse("the limit is no number");
    delete found._single.limit;
  }
  let columns;
  const keys = await session.lockRows(schema ? `${schema}.${table}` : table,
    async () => {
      columns = (await session.key(schema, table)).map(
        (name) => client.ref(`${alias}.${name}`));
      columns.forEach((column, i) => found.select(
        client.raw("? as ??", [column, `k${i}`])));
      const { sql, bindings } = compiled(client, found);
      return (await session.send(sql, bindings)).map(Object.values);
    }, how);
  delete builder._single.limit;
  delete builder._single.offset;
  Object.assign(query, compiled(client, among(client, builder, columns, keys)));
}

function compiled(client, builder) {
  const { sql, bindings } = builder.toSQL();
  return { sql: client.positionBindings(sql),
    bindings: client.prepBindings(bindings) };
}

// The table whose rows a query locks.
function tableOf(builder, lockTables) {
  const { table, schema } = builder._single;
  const isRefused = builder._statements.some(({ grouping, distinct, type }) =>
    grouping === "group" || grouping === "having" || grouping === "union"
    || distinct || type === "aggregate" || type === "aggregateRaw");
  if (isRefused) refuse("this is another query");
  if (typeof table !== "string") refuse("FROM is no table");
  const [, name, alias = name] = /^(.*?)(?:\s+as\s+(.*))?$/i.exec(table.trim());
  const [own, dot] = name.split(".");
  for (const other of (lockTables ?? []).flat()) {
    if (other !== alias) refuse(`${other} is another table`);
  }
  return dot ? { schema: own, table: dot, alias: alias === name ? dot : alias }
    : { schema, table: name, alias };
}

// Adds the condition that a row has one of these keys.
function among(client, builder, columns, keys) {
  const wheres = builder._statements.filter((s) => s.grouping === "where");
  builder.clearWhere();
  if (wheres.length) {
    builder.where(function () { this._statements.push(...wheres); });
  }
  if (!keys.length) return builder.whereRaw("0");
  const marks = (list) => `(${list.map(() => "?").join(", ")})`;
  return builder.whereRaw(
    `${marks(columns)} in (values ${keys.map(marks).join(", ")})`,
    [...columns, ...keys.flat()]);
}

// ---- migrations --------------------------------------------------------------

// The lock is refused if another process has it, as Knex's is. In a transaction
// it lasts until that ends: until then no other process sees what was done.
// Without one it belongs to a connection beside the pool, which may have only
// one, and that is the migrations'.
function lockMigrations(Migrator) {
  const { _getLock, _lockMigrations, _freeLock } = Migrator.prototype;
  const inTransaction = new WeakMap();
  const beside = new WeakMap();
  const isOurs = (migrator) =>
    [...clients.values()].some((c) => migrator.knex.client instanceof c);

  Migrator.prototype._getLock = function (trx) {
    inTransaction.set(this, trx !== undefined);
    return _getLock.call(this, trx);
  };

  Migrator.prototype._lockMigrations = async function (trx) {
    if (!isOurs(this)) return _lockMigrations.call(this, trx);
    const name = `${this.config.tableName}_lock`;
    let isFree;
    if (inTransaction.get(this)) {
      [{ isFree }] = await trx.raw(
        "SELECT try_advisory_xact_lock(?) AS isFree", [name]);
    } else {
      const { client } = this.knex;
      const connection = await client.acquireRawConnection();
      isFree = await sessions.get(connection).value(
        "SELECT try_advisory_lock(?)", name);
      if (isFree) beside.set(this, connection);
      else await client.destroyRawConnection(connection);
    }
    if (!isFree) throw new Error("Migration table is already locked");
  };

  Migrator.prototype._freeLock = async function (trx) {
    if (!isOurs(this)) return _freeLock.call(this, trx);
    const connection = beside.get(this);
    if (!connection) return;
    beside.delete(this);
    await this.knex.client.destroyRawConnection(connection);
  };
}

module.exports = { client };
