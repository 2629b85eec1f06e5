// SPDX-License-Identifier: 0BSD
// adapters.cjs: what the programs for the adapters in JavaScript have in
// common. main(program) does with each what adapters.py does with those in
// Python, and looks at what is particular to an event loop. A program has
//
//   open(), close(db)
//   raw(db, sql): the rows
//   transaction(db, work), and nested(tx, work): a savepoint in it
//   ids(tx, how): the ids of the rows of `counter` that a query locks. `how` is
//     share, nowait, skip, desc, limit, offset; or: `id > above OR id = or`;
//     below: `n < below`
//   seats(tx): the rows of `seat`, whose key has two columns, of train a
//   joined(tx): the ids of `counter` that a query with seat.no = counter.id
//     locks
//   refused: what cannot be locked, functions of a transaction
//   migrate(db, isSlow): runs one migration; lock is the name of its lock
const assert = require("node:assert");
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const { createInterface } = require("node:readline");

const TIMES = 25;

async function add(program, db, id) {
  await program.transaction(db, async (tx) => {
    assert.deepEqual(await program.ids(tx, { or: id }), [id]);
    const [{ n }] = await program.raw(tx,
      `SELECT n FROM counter WHERE id = ${id}`);
    await program.raw(tx, `UPDATE counter SET n = ${n + 1} WHERE id = ${id}`);
  });
}

// The shell of SQLite with Interlock: say(sql) returns the next line of it.
function shell() {
  const child = spawn("sqlite3", ["-bail", "-init", "/dev/null", "shop.db"],
    { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const closed = once(child, "close");
  const over = closed.then(() => { throw new Error("the shell has ended"); });
  over.catch(() => {});
  child.stdin.write(`.load "${process.env.INTERLOCK.replace(/\.so$/, "")}"\n`);
  return {
    async say(sql) {
      child.stdin.write(`${sql};\n`);
      return (await Promise.race([once(lines, "line"), over]))[0];
    },
    async kill() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}

// Until a session waits. This process looks, so its event loop is alive.
async function waits(other) {
  while (await other.say("SELECT count(*) FROM advisory_waits") === "0") {
    await new Promise(setImmediate);
  }
}

const failure = (promise) => promise.then(
  (value) => assert.fail(`done: ${JSON.stringify(value)}`),
  (e) => e.message);

async function main(program) {
  const [, , step, id] = process.argv;
  const db = await program.open();
  if (step === "add") {
    for (let i = 0; i < TIMES; i++) await add(program, db, Number(id));
  } else if (step === "migrate") {
    await program.migrate(db);
  } else {
    await look(program, db);
  }
  await program.close(db);
}

async function look(program, db) {
  const { raw, transaction, ids } = program;
  const held = async () => (await raw(db,
    `SELECT count(*) AS n FROM advisory_locks
     WHERE session = advisory_session()`))[0].n;
  await raw(db, "PRAGMA journal_mode = WAL");
  await raw(db, "CREATE TABLE counter(id INTEGER PRIMARY KEY, n INT)");
  await raw(db, "INSERT INTO counter VALUES(1, 0), (2, 0), (3, 0)");
  await raw(db, "CREATE TABLE seat(train TEXT, no INT, PRIMARY KEY(train, no))");
  await raw(db, "INSERT INTO seat VALUES('a', 2), ('a', 1), ('b', 1)");

  // Four processes, two of them on one row.
  const workers = [1, 1, 2, 3].map((n) => spawn(process.execPath,
    [process.argv[1], "add", n], { stdio: "inherit" }));
  const ended = await Promise.all(workers.map(
    async (worker) => (await once(worker, "close"))[0]));
  const [{ total }] = await raw(db, "SELECT sum(n) AS total FROM counter");

  const part = await transaction(db, (tx) =>
    ids(tx, { limit: 2, offset: 1 }));
  const other = shell();
  assert.equal(await other.say("SELECT row_lock('counter', 3) > 0"), "1");
  const nowait = await failure(transaction(db,
    (tx) => ids(tx, { or: 3, nowait: true })));
  const skip = await transaction(db, (tx) =>
    ids(tx, { skip: true, desc: true, limit: 1, or: 1, above: 0 }));
  assert.equal(await held(), 0);

  // While a transaction waits, this process goes on. Whatever the order of the
  // query, the row with the smallest key is locked first.
  await other.say("SELECT row_unlock('counter', 3)");
  assert.equal(await other.say("SELECT row_lock('counter', 1) > 0"), "1");
  const waiting = transaction(db, (tx) => ids(tx, { desc: true }));
  await waits(other);
  assert.equal(await other.say(`SELECT count(*) FROM advisory_locks
    WHERE kind = 'row' AND key <> 1`), "0");
  await other.say("SELECT row_unlock('counter', 1)");
  assert.deepEqual(await waiting, [3, 2, 1]);

  // A wait for a connection of the same process, which writes meanwhile: the
  // row is locked, and does not match any more.
  const second = await program.open();
  let go;
  const first = transaction(db, async (tx) => {
    await ids(tx, { or: 2 });
    await new Promise((resolve) => { go = resolve; });
    await raw(tx, "UPDATE counter SET n = 1000 WHERE id = 2");
  });
  while (!go) await new Promise(setImmediate);
  const then = transaction(second, async (tx) => {
    assert.deepEqual(await ids(tx, { or: 2, below: 500 }), []);
    return (await raw(tx, "SELECT n FROM counter WHERE id = 2"))[0].n;
  });
  await waits(other);
  go();
  await first;
  assert.equal(await then, 1000);
  await raw(db, "UPDATE counter SET n = 25 WHERE id = 2");

  // The same for the turn to write: of a query, and of a program that asks for
  // the turn only.
  for (const take of [
    (tx) => ids(tx, { or: 1 }), (tx) => raw(tx, "SELECT write_turn()")]) {
    go = undefined;
    const writer = transaction(db, async (tx) => {
      await take(tx);
      await new Promise((resolve) => { go = resolve; });
    });
    while (!go) await new Promise(setImmediate);
    const turn = transaction(second, (tx) => ids(tx, { or: 2 }));
    await waits(other);
    assert.equal(await other.say(`SELECT count(*) > 0 FROM advisory_locks
      WHERE key = 'interlock turn'`), "1");
    go();
    await writer;
    assert.deepEqual(await turn, [2]);
  }
  await program.close(second);

  // The limit of a wait, and what it leaves.
  await other.say("SELECT row_lock('counter', 3) > 0");
  await raw(db, "SELECT advisory_lock_timeout(20)");
  assert.match(await failure(transaction(db, (tx) => ids(tx, { or: 3 }))),
    /lock timeout: counter\(3\) is held by session/);
  await raw(db, "SELECT advisory_lock_timeout(-1)");
  await other.say("SELECT row_unlock('counter', 3)");
  assert.equal(await held(), 0);
  assert.equal((await raw(db, "SELECT withdraw_request() AS n"))[0].n, 0);

  // A shared lock; a savepoint before the query; a key of two columns.
  assert.equal(await transaction(db, async (tx) => {
    assert.deepEqual(await program.nested(tx,
      (inner) => ids(inner, { or: 2, share: true })), [2]);
    return (await raw(tx, `SELECT mode FROM advisory_locks
                           WHERE kind = 'row'`))[0].mode;
  }), "shared");
  await transaction(db, async (tx) => {
    assert.deepEqual((await program.seats(tx)).sort(), ["a 1", "a 2"]);
    assert.deepEqual((await raw(tx, `SELECT key FROM advisory_locks
      WHERE object = 'seat' AND kind = 'row' ORDER BY key`)).map((row) => row.key),
      ["('a',1)", "('a',2)"]);
    // No row is found after a write, and none beside the transaction.
    await raw(tx, "DELETE FROM counter");
    assert.deepEqual(await ids(tx, {}), []);
    await raw(tx, "INSERT INTO counter VALUES(1, 50), (2, 25), (3, 25)");
    assert.deepEqual(await ids(tx, {}), [1, 2, 3]);
  });

  // A read comes too early: what it saw could be from before the lock.
  assert.match(await failure(transaction(db, async (tx) => {
    await raw(tx, "SELECT n FROM counter");
    await ids(tx, { or: 1 });
  })), /lock wait refused:/);

  // What is sent while the transaction waits is sent later: it must not write
  // now. It stays in the transaction.
  assert.equal(await other.say("SELECT row_lock('counter', 1) > 0"), "1");
  assert.equal(await failure(transaction(db, async (tx) => {
    const locked = ids(tx, { or: 1 });
    await waits(other);
    const sent = Promise.resolve(
      raw(tx, "INSERT INTO counter VALUES(9, 9)"));
    await waits(other);
    assert.equal(await other.say(
      "INSERT INTO seat VALUES('c', 1) RETURNING no"), "1");
    await other.say("SELECT row_unlock('counter', 1)");
    await Promise.all([locked, sent]);
    assert.equal((await raw(tx, "SELECT n FROM counter WHERE id = 9"))[0].n, 9);
    throw new Error("enough");
  })), "enough");
  assert.equal((await raw(db, "SELECT count(*) AS n FROM counter"))[0].n, 3);

  // The rows of a table that is joined are not locked, and a row that is found
  // twice is locked once.
  await transaction(db, async (tx) => {
    const found = new Set(await program.joined(tx));
    assert.deepEqual([...found].sort(), [1, 2]);
    assert.deepEqual(await raw(tx, `SELECT object, key FROM advisory_locks
      WHERE kind = 'row' ORDER BY key`),
      [{ object: "counter", key: 1 }, { object: "counter", key: 2 }]);
  });

  for (const refused of program.refused) {
    assert.match(await failure(transaction(db, refused)), program.refusal);
  }
  assert.match(await failure(ids(db, { or: 1 })), program.outside);
  assert.equal(await held(), 0);

  // A process that migrates has the lock, and is killed.
  await other.say(`SELECT advisory_lock('${program.lock}') > 0`);
  await program.blocked(db, other, { waits, failure });
  await program.migrate(db);
  assert.equal((await raw(db, `SELECT count(*) AS n FROM sqlite_schema
                               WHERE name = 'migrated'`))[0].n, 1);
  assert.equal(await held(), 0);

  const shown = (list) => `[${list.join(", ")}]`;
  console.log(["adapter", shown(ended), total,
    nowait.match(/row locked: .*/)?.[0], shown(skip), shown(part)].join(", "));
}

exports.shell = shell;
exports.main = (program) => {
  main(program).catch((e) => {
    console.error(e);
    process.exit(1);
  });
};
