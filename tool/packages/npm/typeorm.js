// SPDX-License-Identifier: 0BSD
// Interlock for TypeORM: use(new DataSource({ type: "better-sqlite3", ... }))
//
//   loads the extension into the connection
//   setLock("pessimistic_write") and "pessimistic_read", and `lock` of find(),
//     lock rows until the transaction ends; with setOnLocked("nowait") and
//     setOnLocked("skip_locked")
//   runMigrations() and undoLastMigration() wait for those of other processes
"use strict";
const { load } = require("./index.js");
const { Session, refuse } = require("./locks.js");

const LOCKS = {
  pessimistic_write: false,
  for_no_key_update: false,
  pessimistic_read: true,
  for_key_share: true,
};

const sessions = new WeakMap();  // of data sources
let isPatched = false;

// Must be called before initialize().
function use(source) {
  const { options, driver } = source;
  if (options.type !== "better-sqlite3") {
    throw new Error(`use: the type of the data source is ${options.type}; ` +
      "allowed is better-sqlite3");
  }
  if (sessions.has(source)) return source;
  patch(require("typeorm").SelectQueryBuilder.prototype);
  const { prepareDatabase } = options;
  driver.options.prepareDatabase = async (db) => {
    await prepareDatabase?.(db);
    load(db);
  };
  // All query runners of a data source are one.
  const create = driver.createQueryRunner;
  driver.createQueryRunner = function (mode) {
    const runner = create.call(driver, mode);
    if (Object.hasOwn(runner, "query")) return runner;
    const query = runner.query.bind(runner);
    const session = new Session(query);
    sessions.set(source, session);
    runner.query = (sql, ...rest) =>
      session.run(sql, () => query(sql, ...rest));
    return runner;
  };
  for (const name of ["runMigrations", "undoLastMigration"]) {
    const migrate = source[name].bind(source);
    source[name] = (...args) => alone(source, () => migrate(...args));
  }
  sessions.set(source, undefined);
  return source;
}

// Runs migrate() while no other process migrates.
async function alone(source, migrate) {
  // It makes the session.
  source.createQueryRunner();
  const session = sessions.get(source);
  const name = source.options.migrationsTableName ?? "migrations";
  await session.lockName(`${name}_lock`);
  try {
    return await migrate();
  } finally {
    await session.unlockName(`${name}_lock`);
  }
}

function patch(prototype) {
  if (isPatched) return;
  isPatched = true;
  const { createLockExpression, executeEntitiesAndRawResults, loadRawResults,
          executeCountQuery } = prototype;
  const locks = (builder) => sessions.has(builder.dataSource)
    && builder.expressionMap.lockMode in LOCKS;

  prototype.createLockExpression = function () {
    if (!locks(this)) return createLockExpression.call(this);
    // The query that the program runs is read without its lock.
    refuse("this is a query inside another one");
  };

  prototype.executeEntitiesAndRawResults = function (runner) {
    const { skip, take, joinAttributes } = this.expressionMap;
    if (locks(this) && (skip || take) && joinAttributes.length) {
      return Promise.reject(new Error("FOR UPDATE: skip and take, or findOne," +
        " with relations; allowed are limit and offset, and a query for the" +
        " relations of their own"));
    }
    return executeEntitiesAndRawResults.call(this, runner);
  };

  prototype.loadRawResults = async function (runner) {
    const builder = locks(this) ? await lock(this) : this;
    return loadRawResults.call(builder, runner);
  };

  // The count of all rows, beside a page of them.
  prototype.executeCountQuery = function (runner) {
    return executeCountQuery.call(locks(this) ? unlocked(this) : this, runner);
  };
}

function unlocked(builder) {
  const copy = builder.clone();
  copy.expressionMap.lockMode = undefined;
  return copy;
}

// Takes the locks that a query asks for. Returns the query for the locked rows.
async function lock(builder) {
  const { lockMode, lockTables, onLocked, mainAlias, groupBys, havings,
          selectDistinct, selects, limit, take } = builder.expressionMap;
  if (!mainAlias.hasMetadata || groupBys.length || havings.length
      || selectDistinct || selects.some(isAggregate)) {
    refuse("this is another query");
  }
  if (lockTables) refuse("lockTables");
  const { metadata } = mainAlias;
  const column = ({ propertyPath }) => `${mainAlias.name}.${propertyPath}`;
  const how = { shared: LOCKS[lockMode], nowait: onLocked === "nowait",
    skip: onLocked === "skip_locked" };
  const found = unlocked(builder);
  if (how.skip) {
    how.limit = limit ?? take;
    found.expressionMap.limit = found.expressionMap.take = undefined;
  }
  found.expressionMap.queryEntity = false;
  found.expressionMap.selects = metadata.primaryColumns.map((key, i) =>
    ({ selection: column(key), aliasName: `k${i}` }));
  const session = sessions.get(builder.dataSource);
  const keys = await session.lockRows(metadata.tablePath, async () =>
    (await session.send(...found.getQueryAndParameters())).map(Object.values),
  how);
  const rest = unlocked(builder);
  Object.assign(rest.expressionMap, { cache: false, limit: undefined,
    offset: undefined, take: undefined, skip: undefined });
  among(rest, metadata.primaryColumns.map(column), keys);
  return rest;
}

function isAggregate({ selection }) {
  return /^\s*(count|sum|avg|total|min|max|group_concat)\s*\(/i.test(selection);
}

// Adds the condition that a row has one of these keys.
function among(builder, columns, keys) {
  const values = keys.map((key, i) => `(${key.map((value, j) => {
    builder.setParameter(`interlock_${i}_${j}`, value);
    return `:interlock_${i}_${j}`;
  }).join(", ")})`);
  const { expressionMap } = builder;
  const before = expressionMap.extraAppendedAndWhereCondition;
  const condition = keys.length
    ? `(${columns.join(", ")}) IN (VALUES ${values.join(", ")})` : "0";
  expressionMap.extraAppendedAndWhereCondition = before
    ? `(${before}) AND ${condition}` : condition;
}

module.exports = { use };
