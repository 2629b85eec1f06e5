// SPDX-License-Identifier: 0BSD
// Row locks for SELECT ... FOR UPDATE, and waits for locks that do not stop the
// event loop. Nothing here knows an ORM or a driver: an adapter gives each
// connection a Session, and sends each statement through it.
"use strict";
const { constants, openSync } = require("fs");
const { Socket } = require("net");

// How long a wait for the turn to write stops the event loop at a time, in ms.
const SLICE = 20;
// The advisory lock of those that wait for the turn.
const TURN = "interlock turn";

class RowLocked extends Error {
  constructor(message) {
    super(message);
    this.name = "RowLocked";
    this.code = "SQLITE_LOCKED";
  }
}

// A query whose rows cannot be locked.
function refuse(why) {
  throw new Error(`FOR UPDATE: ${why}; allowed is a SELECT from a table with ` +
    "a primary key, without DISTINCT, GROUP BY, UNION and aggregates");
}

class Session {
  // send(sql, values) returns a promise of the rows, as objects.
  constructor(send) {
    this.send = send;
    this.running = new Set();  // statements of the program
    this.locking = undefined;  // settled when the locks are held, or refused
    this.isOpen = false;       // a transaction
    // BEGIN and what SAVEPOINTs follow it, while it has sent nothing else.
    this.opened = undefined;
    this.pipe = undefined;     // of interlock_request_fd()
    this.decided = 0;          // how often it was readable
    this.wake = () => {};
  }

  // Runs work(), which sends the statement `sql` of the program.
  async run(sql, work) {
    while (this.locking) await this.locking;
    const done = this.noted(sql, work);
    this.running.add(done);
    try {
      return await done;
    } finally {
      this.running.delete(done);
    }
  }

  async noted(sql, work) {
    const opened = this.opened;
    this.opened = undefined;
    const result = await work();
    const [, word, second] = (/^\s*(\w+)\s*(\w*)/.exec(sql) ?? []).map(
      (text) => text.toUpperCase());
    if (word === "BEGIN") {
      this.isOpen = true;
      this.opened = [sql];
    } else if (word === "SAVEPOINT" && opened) {
      this.opened = [...opened, sql];
    } else if (word === "COMMIT" || word === "END"
               || (word === "ROLLBACK" && second !== "TO")) {
      this.isOpen = false;
    }
    return result;
  }

  // Runs work() while no statement of the program runs.
  async alone(work) {
    while (this.locking) await this.locking;
    let settle;
    this.locking = new Promise((resolve) => { settle = resolve; });
    try {
      await Promise.allSettled(this.running);
      return await work();
    } finally {
      this.locking = undefined;
      settle();
    }
  }

  async value(sql, ...values) {
    const [row] = await this.send(sql, values);
    return Object.values(row)[0];
  }

  // The columns of a table's primary key.
  async key(schema, table) {
    const rows = schema
      ? await this.send("SELECT name FROM pragma_table_info(?, ?) WHERE pk " +
          "ORDER BY pk", [table, schema])
      : await this.send("SELECT name FROM pragma_table_info(?) WHERE pk " +
          "ORDER BY pk", [table]);
    if (!rows.length) refuse(`${table} has no primary key`);
    return rows.map((row) => row.name);
  }

  // Locks rows of a table until the transaction ends, and returns their keys.
  // find() returns a promise of the keys, each an array. A locked row is waited
  // for, refused (nowait) or passed over (skip, then no more than `limit` rows
  // are locked).
  lockRows(table, find, { nowait, skip, shared, limit = Infinity }) {
    return this.alone(async () => {
      if (!this.isOpen) throw new Error("FOR UPDATE: there is no transaction");
      const writes = !shared || /^\s*BEGIN\s+[IE]/i.test(this.opened?.[0]);
      const keys = distinct(await this.beside(find));
      this.opened = undefined;
      const mode = shared ? "_shared" : "";
      const taken = [];
      // Two programs that lock the same rows do not wait for each other in a
      // cycle if both have one order.
      for (const key of skip ? keys : keys.sort(compare)) {
        if (taken.length >= limit) break;
        const marks = "?" + ", ?".repeat(key.length);
        if (await this.value(
          `SELECT try_row_xact_lock${mode}(${marks})`, table, ...key)) {
          taken.push(key);
        } else if (nowait) {
          throw new RowLocked(`row locked: ${table}(${key.join(", ")})`);
        } else if (!skip) {
          await this.waitInside("row", mode, table, ...key);
          taken.push(key);
        }
      }
      // Also if there is no such row: the program may be about to insert it.
      if (writes) await this.turn(nowait);
      return taken;
    });
  }

  // Reads outside the transaction, if that has done nothing yet: a read in it
  // would fix what it sees before the rows are locked. A transaction that has
  // written reads the newest values, and only it sees what it has written.
  async beside(read) {
    if (!this.opened) return read();
    await this.send("COMMIT", []);
    try {
      return await read();
    } finally {
      await this.send("BEGIN", []);
      for (const savepoint of this.opened.slice(1)) {
        await this.send(savepoint, []);
      }
    }
  }

  // Waits for the turn to write. A transaction that has read could not begin to
  // write if another one had written since. There is no request for a turn.
  // Those that wait for it so request a lock first, which only one holds. That
  // one sleeps in the function, a slice at a time: what holds the turn may be
  // another connection of this process.
  async turn(nowait) {
    if (await this.value("SELECT try_write_turn()")) return;
    if (nowait) {
      throw new RowLocked("row locked: another transaction writes the database");
    }
    await this.waitInside("advisory", "", TURN);
    const end = await this.deadline();
    for (;;) {
      const left = end - performance.now();
      try {
        await this.value("SELECT write_turn(?)",
          Math.max(0, Math.ceil(Math.min(left, SLICE))));
        return;
      } catch (e) {
        if (!e.message.includes("lock timeout:") || left <= SLICE) throw e;
      }
      await new Promise(setImmediate);
    }
  }

  async deadline() {
    const limit = Number(await this.value("SELECT advisory_lock_timeout()"));
    return limit < 0 ? Infinity : performance.now() + limit;
  }

  // Takes a lock of transaction scope. No request has that scope.
  async waitInside(kind, mode, ...args) {
    const marks = args.map(() => "?").join(", ");
    await this.wait(kind, mode, ...args);
    try {
      await this.value(`SELECT ${kind}_xact_lock${mode}(${marks})`, ...args);
    } finally {
      await this.value(`SELECT ${kind}_unlock${mode}(${marks})`, ...args);
    }
  }

  // Takes a lock of session scope: wait("row", "_shared", table, ...key).
  // advisory_lock_timeout limits the wait, as that of a function.
  async wait(kind, mode, ...args) {
    const marks = args.map(() => "?").join(", ");
    const request = `SELECT request_${kind}_lock${mode}(${marks})`;
    let seen = this.decided;
    let token = await this.value(request, ...args);
    if (token !== null) return token;
    try {
      const end = await this.deadline();
      await this.open();
      while (token === null) {
        if (!await this.readable(seen, end)) {
          await this.value("SELECT withdraw_request()");
          // Fails with a text that names the holder.
          return await this.value(
            `SELECT ${kind}_lock${mode}(${marks}, wait_at_most(0))`, ...args);
        }
        seen = this.decided;
        token = await this.value(request, ...args);
      }
      return token;
    } catch (e) {
      await this.value("SELECT withdraw_request()");
      throw e;
    }
  }

  // Node closes what it reads from, so it gets a descriptor of its own.
  async open() {
    if (this.pipe) return;
    const fd = await this.value("SELECT interlock_request_fd()");
    this.pipe = new Socket({ writable: false, fd: openSync(`/dev/fd/${fd}`,
      constants.O_RDONLY | constants.O_NONBLOCK) });
    this.pipe.on("error", () => {});
    this.pipe.on("data", () => {
      this.decided++;
      this.wake();
    });
    this.pipe.unref();
  }

  // True when the pipe was readable after `seen`, false at the end of the wait.
  async readable(seen, end) {
    if (this.decided !== seen) return true;
    this.pipe.ref();
    let timer;
    const woken = new Promise((resolve) => {
      this.wake = () => resolve(true);
      if (end !== Infinity) {
        timer = setTimeout(resolve, Math.max(0, end - performance.now()),
          false);
      }
    });
    const result = await woken;
    clearTimeout(timer);
    this.pipe.unref();
    return result;
  }

  // A lock on a name, for the connection.
  lockName(name) {
    return this.alone(() => this.wait("advisory", "", name));
  }
  unlockName(name) {
    return this.alone(() => this.value("SELECT advisory_unlock(?)", name));
  }
}

// A query with joins can find a row more than once.
function distinct(keys) {
  const text = (value) => Buffer.isBuffer(value)
    ? `x${value.toString("hex")}` : `${typeof value} ${value}`;
  return [...new Map(keys.map(
    (key) => [JSON.stringify(key.map(text)), key])).values()];
}

// The order in which rows are locked.
function compare(a, b) {
  const rank = (value) => Buffer.isBuffer(value) ? 2
    : typeof value === "string" ? 1 : 0;
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i], b[i]];
    if (rank(x) !== rank(y)) return rank(x) - rank(y);
    if (rank(x) === 2 && Buffer.compare(x, y)) return Buffer.compare(x, y);
    if (rank(x) < 2 && x < y) return -1;
    if (rank(x) < 2 && x > y) return 1;
  }
  return 0;
}

module.exports = { RowLocked, Session, refuse };
