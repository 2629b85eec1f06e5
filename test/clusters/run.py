# SPDX-License-Identifier: 0BSD
# Interlock's plain SQL on engines that replicate: README.md here says what is
# done with each.
#
#   python3 run.py ?-build FOLDER? ?ENGINE...?
#
# One line a test; the last line is `N passed, N failed`, with how many engines
# were skipped, if any were: this machine cannot run them. With CI=true that is
# a failure.

import json
import os
import signal
import subprocess
import sys
import time

import page
import rules
from engines import (ENGINES, HERE, Refused, Skip, Sqlite, wait_for)
from workload import TABLES, TEXTS, Workload, lease_statements, now

HOME = os.path.dirname(os.path.dirname(HERE))
SECONDS = 240      # for one engine, once it is there
FLOOR = 150        # lists that are written between two events
ENTRIES = 5        # and entries
LEASE = lease_statements()


# ---- the texts --------------------------------------------------------------

def statements(build):
    """What an engine is given: one statement a line."""
    texts = subprocess.run(
        ["sqlite3", "-cmd", ".load " + build + "/interlock", ":memory:"],
        input=TABLES + TEXTS, capture_output=True, text=True,
        check=True).stdout
    return [one for one in
            " ".join(TABLES.split()).split("; ") + texts.splitlines()
            + [LEASE[name] for name in ("table", "kept", "grows", "replaced")]
            if one]


def install(engine, build):
    client = engine.connect(engine.leader())
    for sql in statements(build):
        client.execute(sql)
    client.close()


# ---- the clients, and what becomes of the leader ----------------------------

def progress(work, lists=FLOOR, entries=ENTRIES):
    """Waits until so many more are done."""
    had = work.done()
    wait_for("progress", lambda: all(
        done >= before + more for done, before, more in
        zip(work.done(), had, (lists, entries))))


def leader(engine):
    return wait_for("leader", lambda: [
        i for i in range(engine.nodes) if engine.leader() == i])[0]


def torment(engine, folder):
    """The leader is killed and comes back, twice, while clients write."""
    work = Workload(engine, LEASE)
    work.start()
    try:
        progress(work)
        for _ in range(2):
            victim = leader(engine)
            engine.kill(victim)
            if engine.spread:
                progress(work)
            engine.restart(victim)
            progress(work)
    finally:
        work.stop()
    log = work.finish()
    with open(folder + "/log.json", "w") as out:
        json.dump(log, out)
    problems = rules.broken(log)
    assert not problems, "\n".join(problems)
    counts = ["%d %s" % (sum(one["outcome"] == word for one in log), word)
              for word in ("ok", "refused", "unknown")]
    return ", ".join(counts)


# ---- what the rules must find -----------------------------------------------

def drop_triggers(engine, *tables):
    client = engine.connect(engine.leader())
    for name, table in client.query("SELECT name, tbl_name FROM sqlite_master"
                                    " WHERE type = 'trigger'"):
        if table in tables:
            client.execute('DROP TRIGGER "%s"' % name)
    client.close()


def mistaken(engine, seed, expected, lease=LEASE):
    """Clients where something is wrong: the rules must find out."""
    work = Workload(engine, lease, 100 * seed, seed)
    work.start()
    try:
        progress(work, FLOOR, 6 * ENTRIES)
    finally:
        work.stop()
    problems = rules.broken(work.finish())
    found = {name: sum(one.startswith(name) for one in problems)
             for name in expected}
    assert all(found.values()), "found only %s in %s" % (found, problems)
    return ", ".join("%s: %d" % one for one in found.items())


def without_triggers(engine):
    drop_triggers(engine, "list", "entry")
    return mistaken(engine, 2, ["update lost", "stale token accepted"])


# ---- every node -------------------------------------------------------------

def refused(text, client, sql, **args):
    try:
        said = client.execute(sql, **args)
    except Refused as e:
        said = str(e)
    assert text in str(said), "not `%s`: %s" % (text, said)


def acquired(client, name, owner):
    args = dict(name=name, owner=owner, now=now())
    client.execute(LEASE["begin"], **args)
    return client.execute(LEASE["acquire"], ttl_ms=60000, **args)


def token_of(client, name, owner):
    return client.query(LEASE["token"], name=name, owner=owner,
                        now=now())[0][0]


def each_node(engine):
    """Through each node stale versions and tokens are refused, and what is
    written through it is seen through all."""
    for i in range(engine.nodes):
        engine.lead(i)
        client, other = [engine.connect(n % engine.nodes) for n in (i, i + 1)]
        update = "UPDATE list SET touched = 0, version = :v WHERE id = 1"
        version = client.query("SELECT version FROM list WHERE id = 1")[0][0]
        for wrong in (version - 1, version + 2):
            refused("stale write: list.version", client, update, v=wrong)
        assert client.execute(update, v=version + 1) == 1
        for n in range(engine.nodes):
            reader = engine.connect(n)
            wait_for("row on node %d" % n, lambda: reader.local(
                "SELECT version FROM list WHERE id = 1") == [[version + 1]])
            reader.close()
        for one in (client, other):
            refused("stale write: list.version", one, update, v=version + 1)

        owner = "through %d" % i
        insert = "INSERT INTO entry(id, token) VALUES('x', :token)"
        wait_for("lease", lambda: acquired(client, "leader", owner))
        token = token_of(client, "leader", owner)
        assert acquired(other, "leader", "another") == 0
        assert other.query(LEASE["assert"], name="leader", token=token,
                           now=now()) == [[1]]
        for one in (client, other):
            assert one.execute(insert, token=token) == 1
            refused("fenced: entry.token", one, insert, token=token - 1)
            refused("fenced: entry.token", one,
                    "UPDATE entry SET id = 'y'")
        assert client.execute(LEASE["release"], name="leader",
                              token=token) == 1
        assert acquired(other, "leader", "another") == 1
        refused("fenced: entry.token", client, insert, token=token)
        assert other.execute(LEASE["release"], name="leader", token=token_of(
            other, "leader", "another")) == 1
        client.close()
        other.close()


# ---- main -------------------------------------------------------------------

class Sum:
    passed = failed = skipped = 0

    def line(self, engine, test, outcome, seconds, text):
        setattr(self, outcome, getattr(self, outcome) + 1)
        print(("%-8s %-10s %-8s %5.1f s  %s" % (
            engine, test, outcome, seconds, text)).rstrip(), flush=True)

    def step(self, engine, test, act, *args, **named):
        """True if it has passed."""
        began = time.monotonic()
        try:
            outcome, text = "passed", act(*args, **named) or ""
        except Skip as e:
            outcome, text = "skipped", str(e)
            if os.environ.get("CI") == "true":
                outcome = "failed"
        except Exception as e:
            outcome = "failed"
            text = "%s: %s" % (type(e).__name__, e)
        self.line(engine, test, outcome, time.monotonic() - began, text)
        return outcome == "passed"

    def cluster(self, engine, build):
        folder = build + "/clusters/run/" + engine.name
        if not self.step(engine.name, "get", engine.get,
                         build + "/clusters", build + "/interlock.so"):
            return
        signal.alarm(SECONDS)
        try:
            # A step needs what the one before it has left.
            for test, act, *rest in (
                    ("start", engine.start, folder),
                    ("page", page.run, engine, HOME, folder),
                    ("install", install, engine, build),
                    ("rules", torment, engine, folder),
                    ("each node", each_node, engine),
                    ("mistaken", without_triggers, engine)):
                if not self.step(engine.name, test, act, *rest):
                    break
        finally:
            engine.stop()
            signal.alarm(0)


def main(args):
    build = HOME + "/build"
    if args[:1] == ["-build"]:
        build = os.path.abspath(args[1])
        args = args[2:]
    signal.signal(signal.SIGALRM, too_long)
    total = Sum()
    for name in args or ENGINES:
        total.cluster(ENGINES[name](), build)
    last = "%d passed, %d failed" % (total.passed, total.failed)
    if total.skipped:
        last += ", %d skipped" % total.skipped
    print(last)
    return int(total.failed > 0 or not total.passed)


def too_long(*_):
    raise TimeoutError("the engine takes longer than %d s" % SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
