# SPDX-License-Identifier: 0BSD
# What must hold of every log of workload.py. This program knows no engine, no
# trigger and no statement, only the rules.
#
# The last operation of a log is the state at the end.


def of(log, op, outcome="ok"):
    return [one for one in log
            if one["op"] == op and one["outcome"] == outcome]


def kept(name, log, op, found):
    """What was accepted is there once, what was refused is not, and what is
    there was asked for."""
    for id in {one["id"] for one in of(log, op)} - set(found):
        yield "%s lost: %s" % (name, id)
    for id in {one["id"] for one in of(log, op, "refused")} & set(found):
        yield "%s refused, and done: %s" % (name, id)
    for id in set(found) - {one["id"] for one in log if one["op"] == op}:
        yield "%s of no client: %s" % (name, id)
    for id in {id for id in found if found.count(id) > 1}:
        yield "%s done twice: %s" % (name, id)


def versions(log, final):
    lists = {key: items.split() for key, _, items, _ in final["lists"]}
    yield from kept("update", log, "add", sum(lists.values(), []))
    carried = {}
    for one in of(log, "add"):
        at = (one["key"], one["version"])
        if one["version"] is None:
            continue
        if at in carried:
            yield "version twice: key %d, version %d" % at
        carried[at] = one["id"]
    for key, items in lists.items():
        order = [id for (k, _), id in sorted(carried.items()) if k == key]
        if order != [id for id in items if id in order]:
            yield "order of versions: key %d" % key
    # A row that was read is one that the list has been, and stays so for its
    # version.
    rows = {(key, version): (items, touched)
            for key, version, items, touched in final["lists"]}
    for one in of(log, "read"):
        at = (one["key"], one["version"])
        row = (one["items"], one["touched"])
        if rows.setdefault(at, row) != row:
            yield "version twice: key %d, version %d" % at
        items = one["items"].split()
        if items != lists[one["key"]][:len(items)]:
            yield "a row that was never there: key %d, version %d" % at


def leases(log, final):
    held = sorted(of(log, "acquire"), key=lambda one: one["token"])
    for one in held:
        one["ends"] = max(one["until"], *[0] + [
            renewal["until"] for renewal in of(log, "renew")
            if renewal["token"] == one["token"]])
        # A release that was lost may have ended it as well.
        ends = [end["began"] for end in log if end["op"] == "release"
                and end["token"] == one["token"]
                and end["outcome"] != "refused"]
        one["released"] = bool(ends)
        one["ends"] = min([one["ends"]] + ends)
    for a, b in zip(held, held[1:]):
        if a["token"] == b["token"]:
            yield "token twice: %d" % a["token"]
        # The time that b has given the database is that of its beginning.
        if a["ends"] > (b["ended"] if a["released"] else b["began"]):
            yield "held by two: %d and %d" % (a["token"], b["token"])
        if a["began"] > b["ended"]:
            yield "tokens went back: %d and %d" % (a["token"], b["token"])


def fences(log, final):
    yield from kept("entry", log, "write",
                    [id for _, id, _ in final["entries"]])
    tokens = [token for _, _, token in final["entries"]]
    for a, b in zip(tokens, tokens[1:]):
        if a > b:
            yield "stale token accepted: %d after %d" % (b, a)
    # Nor after the next holder was told that it holds the lease.
    for one in of(log, "write"):
        for next in of(log, "acquire"):
            if next["token"] > one["token"] and next["ended"] < one["began"]:
                yield "stale token accepted: %d, %d" % (one["token"],
                                                        next["token"])


def broken(log):
    """A list of what is wrong."""
    final = log[-1]
    found = []
    for rule in (versions, leases, fences):
        found.extend(rule(log[:-1], final))
    return sorted(set(found))
