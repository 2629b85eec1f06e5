# SPDX-License-Identifier: 0BSD
# What the clients do, and the log that rules.py reads: one dict an operation,
# with the times before and after it in ms, by a clock that all clients share.
#
# An operation is `ok`, `refused` (the database has said why it did nothing), or
# `unknown`: the answer was lost, and it may have happened.

import random
import re
import threading
import time

from engines import Refused, Unknown, HERE

CLIENTS = 8
KEYS = 4
TTL = 600          # ms, of a lease
STARTED = time.time() - time.monotonic()

TABLES = """
CREATE TABLE list(id INTEGER PRIMARY KEY, items TEXT NOT NULL,
  touched INTEGER NOT NULL DEFAULT 0);
CREATE TABLE entry(seq INTEGER PRIMARY KEY, id TEXT);
"""
TEXTS = """
SELECT versioned_sql('list');
SELECT fenced_sql('entry', 'token', 'leader');
"""


def lease_statements():
    """sql/lease.sql by the names of its statements."""
    with open(HERE + "/../../sql/lease.sql") as file:
        text = re.sub(r"^-- (?!STATEMENT).*\n", "", file.read(), flags=re.M)
    parts = re.split(r"^-- STATEMENT (\w+)\n", text, flags=re.M)[1:]
    return {name: " ".join(sql.split()).rstrip(";") if "BEGIN" not in sql
            else " ".join(sql.split())
            for name, sql in zip(parts[::2], parts[1::2])}


def now():
    return int((STARTED + time.monotonic()) * 1000)


class Workload:
    def __init__(self, engine, lease, first=1, seed=1, keys=KEYS):
        self.engine = engine
        self.lease = lease
        self.keys = range(first, first + keys)
        self.seed = seed
        self.log = []
        self.newest = 0        # token of the lease, as far as clients know
        self.over = threading.Event()
        self.failure = None

    def start(self):
        client = self.engine.connect(self.engine.leader())
        for key in self.keys:
            client.execute("INSERT INTO list(id, items) VALUES(:id, '')",
                           id=key)
        client.close()
        self.threads = [threading.Thread(target=self.run, args=(i,))
                        for i in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()
        if self.failure:
            raise self.failure

    def done(self):
        """How many lists were written, and entries made, and how often a
        holder got an answer that had lost its lease before it asked."""
        if self.failure:
            raise self.failure
        lists = entries = stale = newest = since = 0
        for one in list(self.log):
            ok = one["outcome"] == "ok"
            lists += ok and one["op"] == "add"
            entries += ok and one["op"] == "write"
            if one["op"] == "acquire" and one["token"] > newest:
                newest, since = one["token"], one["ended"]
            stale += (one["op"] == "write" and one["token"] < newest
                      and one["began"] > since
                      and (ok or "fenced" in str(one["text"])))
        return lists, entries, stale

    def run(self, number):
        try:
            Worker(self, number).work()
        except Exception as e:
            self.failure = e

    def finish(self):
        """The rows at the end, as the last operation of the log."""
        client = self.engine.connect(self.engine.leader())
        lists = client.query(
            "SELECT id, version, items, touched FROM list WHERE id >= :first",
            first=self.keys[0])
        entries = client.query(
            "SELECT seq, id, token FROM entry WHERE id LIKE :ids ORDER BY seq",
            ids="%d.%%" % self.seed)
        client.close()
        self.log.append({"op": "final", "outcome": "ok", "lists": lists,
                         "entries": entries})
        return self.log


class Worker:
    def __init__(self, workload, number):
        self.all = workload
        self.number = number
        self.random = random.Random("%d %d" % (workload.seed, number))
        self.client = workload.engine.connect(number % workload.engine.nodes)
        self.count = 0

    def work(self):
        while not self.all.over.is_set():
            what = self.random.choices(
                [self.append, self.touch, self.replace, self.lead],
                [65, 10, 10, 15])[0]
            try:
                what(self.random.choice(self.all.keys))
            except Unknown:
                self.all.over.wait(0.05)
            except Refused as e:
                # A leader that is going says so in many ways.
                self.note("other", now(), outcome="unknown", text=str(e))
                self.all.over.wait(0.05)
        self.client.close()

    def note(self, op, began, **about):
        self.all.log.append(dict(op=op, client=self.number, began=began,
                                 ended=now(), **about))

    def id(self):
        self.count += 1
        return "%d.%d.%d" % (self.all.seed, self.number, self.count)

    def attempt(self, op, act, refusal, **about):
        """Notes what has become of it, and returns what the database said."""
        began = now()
        text = None
        try:
            outcome = "ok" if act() else "refused"
        except Refused as e:
            text = str(e)
            # A statement that found the database locked has done nothing.
            outcome = "unknown"
            if refusal in text or "database is locked" in text:
                outcome = "refused"
        except Unknown as e:
            text = str(e)
            outcome = "unknown"
        self.note(op, began, outcome=outcome, text=text, **about)
        if outcome != "ok":
            self.all.over.wait(self.random.random() * 0.05)
        return text

    # ---- a versioned table --------------------------------------------------

    def row(self, key):
        began = now()
        # A node may answer with an old row, which a version makes harmless.
        rows = self.client.local("SELECT version, items, touched FROM list"
                                 " WHERE id = %d" % key)
        if not rows:
            return None
        version, items, touched = rows[0]
        self.note("read", began, outcome="ok", key=key, version=version,
                  items=items, touched=touched)
        return version, items

    def append(self, key):
        """Reads, computes, writes."""
        found = self.row(key)
        if found:
            version, items = found
            id = self.id()
            self.attempt("add", lambda: self.client.execute(
                "UPDATE list SET items = :items, version = :version"
                " WHERE id = :id", items=items + id + " ",
                version=version + 1, id=key),
                "stale write: list.version", key=key, id=id,
                version=version + 1)

    def replace(self, key):
        """The same by a DELETE and an INSERT: the key begins again."""
        found = self.row(key)
        if found:
            version, items = found
            id = self.id()
            self.attempt("add", lambda: self.client.transaction([
                ("DELETE FROM list WHERE id = :id AND version = :version",
                 dict(id=key, version=version)),
                ("INSERT INTO list(id, items, touched) SELECT :id, :items, 0"
                 " WHERE NOT EXISTS(SELECT 1 FROM list WHERE id = :id)",
                 dict(id=key, items=items + id + " "))])[1],
                "stale write: list.version", key=key, id=id, version=None)

    def touch(self, key):
        """A write that carries no version raises it."""
        self.attempt("touch", lambda: self.client.execute(
            "UPDATE list SET touched = touched + 1 WHERE id = :id", id=key),
            "stale write: list.version", key=key)

    # ---- a lease and a fenced table -----------------------------------------

    def run_lease(self, statement, **args):
        return self.client.execute(self.all.lease[statement],
                                   name="leader", **args)

    def lead(self, key):
        owner = self.id()
        began = now()
        args = dict(owner=owner, now=began)
        self.run_lease("begin", **args)
        if not self.run_lease("acquire", ttl_ms=TTL, **args):
            return
        rows = self.client.query(self.all.lease["token"], name="leader",
                                 owner=owner, now=now())
        if not rows:
            return
        token = rows[0][0]
        self.note("acquire", began, outcome="ok", token=token,
                  until=began + TTL)
        self.all.newest = max(self.all.newest, token)
        for _ in range(self.random.randint(1, 5)):
            self.entry(token)
            if self.random.random() < 0.2:
                renewed = now()
                self.attempt("renew", lambda: self.run_lease(
                    "renew", token=token, ttl_ms=TTL, now=renewed),
                    "lease kept", token=token, until=renewed + TTL)
        if self.random.random() < 0.5:
            self.attempt("release", lambda: self.run_lease(
                "release", token=token), "lease kept", token=token)
        else:
            # It is paused, does not notice that its lease has ended and
            # another client has it, and goes on.
            end = now() + 10 * TTL
            while self.all.newest == token and now() < end:
                if self.all.over.wait(0.02):
                    return
        self.entry(token)

    def entry(self, token):
        for _ in range(10):
            id = self.id()
            said = self.attempt("write", lambda: self.client.execute(
                "INSERT INTO entry(id, token) VALUES(:id, :token)",
                id=id, token=token), "fenced: entry.token", id=id,
                token=token)
            if "database is locked" not in str(said):
                break
