# SPDX-License-Identifier: 0BSD
# Interlock's plain SQL on engines that replicate: README.md here says what is
# done with each.
#
#   python3 run.py ?-build FOLDER? ?ENGINE...?
#
# The engine `sqlite`, which is none, shows what the rules find.
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

sys.dont_write_bytecode = True     # beside the sources
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
        ["sqlite3", "-cmd", '.load "' + build + '/interlock"', ":memory:"],
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

def progress(work, lists=FLOOR, entries=ENTRIES, stale=0):
    """Waits until so many more are done."""
    wanted = [before + more for before, more in
              zip(work.done(), (lists, entries, stale))]
    try:
        wait_for("progress", lambda: all(
            done >= least for done, least in zip(work.done(), wanted)))
    except TimeoutError:
        raise TimeoutError("%s, not %s" % (work.done(), wanted)) from None


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
            progress(work, stale=3)
    finally:
        work.stop()
        with open(folder + "/log.json", "w") as out:
            json.dump(work.log, out)
    log = work.finish()
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


def untormented(engine, seed, lease=LEASE, stale=3):
    work = Workload(engine, lease, 100 * seed, seed, 1)
    work.start()
    try:
        progress(work, 2 * FLOOR, stale=stale)
    finally:
        work.stop()
    return work.finish()


def must_find(expected, log):
    problems = rules.broken(log)
    found = {name: sum(one.startswith(name) for one in problems)
             for name in expected}
    assert all(found.values()), "found only %s" % found
    return ", ".join("%s: %d" % one for one in found.items())


def without_triggers(engine):
    drop_triggers(engine, "list", "entry")
    return must_find(["update lost", "stale token accepted"],
                     untormented(engine, 2))


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


def same(got, wanted):
    assert got == wanted, "%s, not %s" % (got, wanted)


def each_node(engine):
    """Through each node stale versions and tokens are refused, and what is
    written through it is seen through all."""
    for i in range(engine.nodes):
        engine.lead(i)
        client, other = [engine.connect(n % engine.nodes) for n in (i, i + 1)]
        update = "UPDATE list SET touched = 0, version = :v WHERE id = 1"
        version = client.query("SELECT version FROM list WHERE id = 1")[0][0]
        refused("stale write: list.version", client, update, v=version - 1)
        refused("version ahead: list.version", client, update, v=version + 2)
        same(client.execute(update, v=version + 1), 1)
        for n in range(engine.nodes):
            reader = engine.connect(n)
            wait_for("row on node %d" % n, lambda: reader.local(
                "SELECT version FROM list WHERE id = 1") == [[version + 1]])
            reader.close()
        for one in (client, other):
            refused("stale write: list.version", one, update, v=version + 1)

        owner = "through %d" % i
        insert = "INSERT INTO entry(id, token) VALUES('x', :token)"
        release = LEASE["release"]
        wait_for("lease", lambda: acquired(client, "leader", owner))
        token = token_of(client, "leader", owner)
        same(acquired(other, "leader", "another"), 0)
        same(other.query(LEASE["assert"], name="leader", token=token,
                         now=now()), [[1]])
        for one in (client, other):
            same(one.execute(insert, token=token), 1)
            refused("fenced: entry.token", one, insert, token=token - 1)
            refused("fenced: entry.token", one, "UPDATE entry SET id = 'y'")
        same(client.execute(release, name="leader", token=token), 1)
        same(acquired(other, "leader", "another"), 1)
        refused("fenced: entry.token", client, insert, token=token)
        token = token_of(other, "leader", "another")
        same(other.execute(release, name="leader", token=token), 1)
        client.close()
        other.close()


# ---- the page ---------------------------------------------------------------

def start_again(engine, folder):
    """What the page forbids has broken the nodes."""
    engine.stop()
    engine.start(folder)


def page(engine, build, folder):
    """sql/CLUSTERS.md does on these nodes what it shows."""
    ports = [str(port) for pair in zip(engine.documented, engine.port)
             for port in pair]
    done = subprocess.run(
        ["tclsh", HERE + "/page.tcl", HOME, build, folder, engine.name,
         *ports], stdin=subprocess.DEVNULL, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout


# ---- SQLite itself: every mistake, and every lie in a log -------------------

def first(log, op, outcome):
    return next(one for one in log
                if one["op"] == op and one["outcome"] == outcome)


def lies(log):
    """Name, what must be found, and a change of a log that was right."""
    final = log[-1]
    row, entries = final["lists"][0], final["entries"]
    added = next(one for one in log if one["op"] == "add"
                 and one["outcome"] == "ok" and one["key"] == row[0])
    released = {one["token"] for one in log if one["op"] == "release"}
    held = sorted((one for one in log if one["op"] == "acquire"),
                  key=lambda one: one["token"])
    a, b = next(pair for pair in zip(held, held[1:])
                if pair[0]["token"] not in released)
    return {
        "update lost": lambda: row.__setitem__(
            2, row[2].replace(added["id"] + " ", "")),
        "update refused, and done":
            lambda: added.update(outcome="refused"),
        "update done twice": lambda: row.__setitem__(2, row[2] + row[2]),
        "update of no client": lambda: row.__setitem__(2, row[2] + "x "),
        "a row that was never there": lambda: first(
            log, "read", "ok").update(items="x "),
        "order of versions": lambda: row.__setitem__(
            2, " ".join(reversed(row[2].split()))),
        "entry lost": lambda: entries.remove(next(
            one for one in entries
            if one[1] == first(log, "write", "ok")["id"])),
        "entry refused, and done":
            lambda: first(log, "write", "ok").update(outcome="refused"),
        "stale token accepted": lambda: entries.reverse(),
        "token twice": lambda: a.update(token=b["token"]),
        "held by two": lambda: a.update(until=b["ended"] + 1),
        "tokens went back": lambda: a.update(began=b["ended"] + 1),
    }


def lie(text, name):
    log = json.loads(text)
    lies(log)[name]()
    return must_find([name], log)


def on_sqlite(total, build):
    folder = build + "/clusters/run/sqlite"
    unconditional = dict(LEASE, acquire=LEASE["acquire"].replace(
        " AND (owner = :owner OR expires <= :now)", ""))
    constant = dict(LEASE, acquire=LEASE["acquire"].replace(
        "max(token + 1, :now + 0)", "token"))
    log = []
    for test, expected, tables, lease, stale in (
            ("right", [], [], LEASE, 3),
            ("versions", ["update lost", "version twice"], ["list"], LEASE, 0),
            ("fences", ["stale token accepted"], ["entry"], LEASE, 3),
            ("leases", ["held by two"], [], unconditional, 0),
            ("tokens", ["token twice"], [], constant, 0)):
        engine = Sqlite()
        engine.start(folder)
        install(engine, build)
        drop_triggers(engine, *tables)

        def act():
            nonlocal log
            found = untormented(engine, 1, lease, stale)
            if expected:
                return must_find(expected, found)
            log = found
            problems = rules.broken(log)
            assert not problems, "\n".join(problems)
        total.step("sqlite", test, act)
    text = json.dumps(log)
    for name in lies(log):
        total.step("sqlite", "lie", lie, text, name)


# ---- main -------------------------------------------------------------------

class Sum:
    passed = failed = skipped = 0

    def line(self, engine, test, outcome, seconds, text):
        setattr(self, outcome, getattr(self, outcome) + 1)
        print(("%-10s %-10s %-8s %5.1f s  %s" % (
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
            steps = [("start", engine.start, folder),
                     ("page", page, engine, build, folder + ".page")]
            if engine.replicates:
                steps += [("limits", engine.limits),
                          ("start", start_again, engine, folder),
                          ("install", install, engine, build),
                          ("rules", torment, engine, folder),
                          ("each node", each_node, engine),
                          ("mistaken", without_triggers, engine)]
            for test, act, *rest in steps:
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
        if name == "sqlite":
            on_sqlite(total, build)
        else:
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
