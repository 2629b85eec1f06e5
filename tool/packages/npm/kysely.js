// SPDX-License-Identifier: 0BSD
// Interlock for Kysely: dialect(SqliteDialect, config) is what
// new SqliteDialect(config) is, and
//
//   loads the extension into the connection
//   forUpdate(), forShare(), noWait() and skipLocked() lock rows, until the
//     transaction ends
//   migrators wait for each other
"use strict";
const { load } = require("./index.js");
const { Session, refuse } = require("./locks.js");

const LOCKS = {
  ForUpdate: {},
  ForNoKeyUpdate: {},
  ForShare: { shared: true },
  ForKeyShare: { shared: true },
};
const WAITS = { NoWait: { nowait: true }, SkipLocked: { skip: true } };

const sessions = new WeakMap();  // of connections

function dialect(SqliteDialect, config) {
  const inner = new SqliteDialect({
    ...config,
    database: async (options) => {
      const db = typeof config.database === "function"
        ? await config.database(options) : config.database;
      load(db);
      return db;
    },
  });
  const compile = (query, id) =>
    inner.createQueryCompiler().compileQuery(query, id);
  return {
    createDriver: () => overriding(inner.createDriver(), {
      async acquireConnection(driver, options) {
        return adopt(await driver.acquireConnection(options), compile);
      },
    }),
    createQueryCompiler: () => inner.createQueryCompiler(),
    createIntrospector: (db) => inner.createIntrospector(db),
    createAdapter: () => overriding(inner.createAdapter(), {
      acquireMigrationLock: (adapter, db, { lockTable }) =>
        onConnection(db, (session) => session.lockName(lockTable)),
      releaseMigrationLock: (adapter, db, { lockTable }) =>
        onConnection(db, (session) => session.unlockName(lockTable)),
    }),
  };
}

// An object with some methods replaced; they get the object itself first. Its
// class has private fields, which an heir would not have.
function overriding(object, methods) {
  return new Proxy(object, {
    get(target, name) {
      if (Object.hasOwn(methods, name)) {
        return (...args) => methods[name](target, ...args);
      }
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function onConnection(db, work) {
  return db.getExecutor().provideConnection(
    (connection) => work(sessions.get(connection)));
}

// Sends what a connection executes through a session.
function adopt(connection, compile) {
  if (sessions.has(connection)) return connection;
  const execute = connection.executeQuery.bind(connection);
  const stream = connection.streamQuery.bind(connection);
  const session = new Session(async (sql, parameters) =>
    (await execute({ sql, parameters, query: { kind: "RawNode" } })).rows);
  sessions.set(connection, session);
  connection.executeQuery = async (compiled, options) => {
    const bare = await lock(session, compiled, compile);
    return session.run(bare.sql, () => execute(bare, options));
  };
  connection.streamQuery = async function* (compiled, size, options) {
    const bare = await lock(session, compiled, compile);
    await session.run(bare.sql, () => {});
    yield* stream(bare, size, options);
  };
  return connection;
}

// Takes the locks that a query asks for. Returns the query that reads the
// locked rows; a query that asks for none as it is.
async function lock(session, compiled, compile) {
  const { query, queryId } = compiled;
  const modifiers = query.kind === "SelectQueryNode"
    ? query.endModifiers ?? [] : [];
  const wanted = modifiers.find(({ modifier }) => LOCKS[modifier]);
  if (!wanted) return compiled;
  const isLock = ({ modifier }) => LOCKS[modifier] || WAITS[modifier];
  const how = Object.assign({}, ...modifiers.map(
    ({ modifier }) => LOCKS[modifier] ?? WAITS[modifier]));
  const { schema, table, alias } = tableOf(query, wanted);
  const rest = modifiers.filter((modifier) => !isLock(modifier));
  const bare = { ...query, endModifiers: rest.length ? rest : undefined };
  let found = bare;
  if (how.skip && bare.limit) {
    how.limit = Number(bare.limit.limit.value);
    if (!Number.isInteger(how.limit)) refuse("the limit is no number");
    found = { ...bare, limit: undefined };
  }
  let columns;
  const keys = await session.lockRows(schema ? `${schema}.${table}` : table,
    async () => {
      columns = (await session.key(schema, table)).map(
        (name) => reference(alias, name));
      const { sql, parameters } = compile({ ...found, selections: columns.map(
        (node, i) => selection(node, `k${i}`)) }, queryId);
      return (await session.send(sql, parameters)).map(Object.values);
    }, how);
  return compile({ ...bare, limit: undefined, offset: undefined,
    where: both(bare.where, among(columns, keys)) }, queryId);
}

// The table whose rows a query locks.
function tableOf(query, { of }) {
  const isDistinct = query.distinctOn
    || query.frontModifiers?.some(({ modifier }) => modifier === "Distinct");
  if (isDistinct || query.groupBy || query.having || query.setOperations
      || query.from?.froms.length !== 1) {
    refuse("this is another query");
  }
  if (query.selections?.some(isAggregate)) refuse("it selects an aggregate");
  const from = query.from.froms[0];
  const node = from.kind === "AliasNode" ? from.node : from;
  if (node.kind !== "TableNode") refuse("FROM is no table");
  const { schema, identifier } = node.table;
  const alias = from.alias?.name ?? identifier.name;
  for (const other of of ?? []) {
    if (other.table?.identifier.name !== alias) refuse("`of` is another table");
  }
  return { schema: schema?.name, table: identifier.name, alias };
}
function isAggregate({ selection: node }) {
  return (node.kind === "AliasNode" ? node.node : node).kind
    === "AggregateFunctionNode";
}

// ---- nodes of Kysely -------------------------------------------------------

const identifier = (name) => ({ kind: "IdentifierNode", name });
const reference = (table, column) => ({
  kind: "ReferenceNode",
  table: {
    kind: "TableNode",
    table: { kind: "SchemableIdentifierNode", identifier: identifier(table) },
  },
  column: { kind: "ColumnNode", column: identifier(column) },
});
const selection = (node, alias) => ({
  kind: "SelectionNode",
  selection: { kind: "AliasNode", node, alias: identifier(alias) },
});

// The condition that a row has one of these keys.
function among(columns, keys) {
  if (!keys.length) {
    return { kind: "RawNode", sqlFragments: ["0"], parameters: [] };
  }
  const fragments = [""];
  const parameters = [];
  const add = (text) => { fragments[fragments.length - 1] += text; };
  const list = (nodes) => nodes.forEach((node, i) => {
    if (i) add(", ");
    parameters.push(node);
    fragments.push("");
  });
  add("(");
  list(columns);
  add(") in (values ");
  keys.forEach((key, i) => {
    add(i ? ", (" : "(");
    list(key.map((value) => ({ kind: "ValueNode", value })));
    add(")");
  });
  add(")");
  return { kind: "RawNode", sqlFragments: fragments, parameters };
}

function both(where, condition) {
  if (!where) return { kind: "WhereNode", where: condition };
  return { kind: "WhereNode", where: { kind: "AndNode",
    left: { kind: "ParensNode", node: where.where }, right: condition } };
}

module.exports = { dialect };
