# SPDX-License-Identifier: 0BSD
# A reader of the lock file, written from ext/core/README.md ("Reading the
# file", "Keys") and the tables of ext/core/segment.h alone: it shows what
# advisory_locks, advisory_waits and advisory_sessions show, a row a line, the
# values separated by |, NULL as nothing.
#
#   python3 readlocks.py LOCKFILE locks|waits|sessions
#
# It reads a copy of the file. So it must run while no process changes it.

import fcntl
import os
import struct
import sys

LOCK_MAGIC = 0x496E74726C6B0000 | 6 << 8 | ord("L")
LOCK_PRINT = 0x2EF9F66D
SESSIONS, EXTENTS, EXTENT, RECORDS = 4096, 528384, 135168, 1024
LIVE, WAITING, GRANTED = 1, 1, 2
F_OFD_GETLK = 36
MODES = ["", "intention shared", "intention exclusive", "shared",
         "shared intention exclusive", "exclusive"]
# By mode: the modes that conflict with it.
CONFLICTS = [(), (5,), (3, 4, 5), (2, 4, 5), (2, 3, 4, 5), (1, 2, 3, 4, 5)]
KINDS = {5: "name", 6: "row", 7: "table", 8: "turn", 9: "semaphore",
         10: "listen", 11: "notify"}
ROW, TABLE, SEMAPHORE = 6, 7, 9


class File:
    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR)
        with open(path, "rb") as f:
            self.bytes = f.read()
        assert self.u64(0) == LOCK_MAGIC, hex(self.u64(0))
        assert self.u32(52) == LOCK_PRINT, hex(self.u32(52))
        whole, rest = divmod(self.u64(8) - EXTENTS, EXTENT)
        self.slots = whole * RECORDS + max(rest - 4096, 0) // 128

    def u32(self, at):
        return struct.unpack_from("=I", self.bytes, at)[0]

    def u64(self, at):
        return struct.unpack_from("=Q", self.bytes, at)[0]

    def record(self, i):
        i -= 1
        return EXTENTS + EXTENT * (i // RECORDS) + 4096 + 128 * (i % RECORDS)

    def dead(self, number):
        ask = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, (1 << 40) + number, 1, 0)
        answer = fcntl.fcntl(self.fd, F_OFD_GETLK, ask)
        return struct.unpack_from("h", answer)[0] == fcntl.F_UNLCK

    # The key of the record at an offset: 48 bytes, then text slots.
    def key(self, at):
        n = self.u32(at + 48) >> 16 & 255
        key = self.bytes[at + 80:at + 128][:n]
        text = self.u32(at + 56)
        while len(key) < n:
            slot = self.record(text)
            key += self.bytes[slot + 16:slot + 128][:n - len(key)]
            text = self.u32(slot + 8)
        return key


def high(word):
    return word >> 32


def low(word):
    return word & 0xFFFFFFFF


def sessions(f):
    found = {}
    for k in range(1, f.u32(56) + 1):
        at = SESSIONS + 128 * (k - 1)
        if low(f.u64(at)) != LIVE:
            continue
        label = f.bytes[at + 80:at + 120].rstrip(b"\0").decode()
        found[k] = {"generation": high(f.u64(at)), "now": f.u64(at + 16),
                    "id": f.u64(at + 32), "pid": f.u32(at + 56),
                    "dead": f.dead(f.u64(at + 8)), "label": label}
    return found


def records(f, live):
    found = []
    for i in range(1, f.slots + 1):
        at = f.record(i)
        state, k = f.u32(at) & 7, f.u32(at + 4)
        if state not in (WAITING, GRANTED) or k not in live:
            continue
        if live[k]["dead"]:
            continue
        if live[k]["generation"] != f.u32(at + 8):
            continue
        session_count, transaction_hold = f.u32(at + 12), f.u64(at + 32)
        now = live[k]["now"]
        if state == GRANTED and session_count == 0:
            if transaction_hold == 0 or high(transaction_hold) != high(now) \
                    or low(transaction_hold) > low(now):
                continue
        what = f.u32(at + 48)
        found.append({"kind": what >> 8 & 255, "key": f.key(at),
                      "ticket": f.u64(at + 16), "mode": what & 255,
                      "permits": what >> 24, "granted": state == GRANTED, "session": k,
                      "session_count": session_count,
                      "transaction_hold": transaction_hold,
                      "token": f.u64(at + 24), "since": f.u64(at + 40)})
    found.sort(key=lambda r: (r["kind"], r["key"], r["ticket"]))
    return found


def shown(value):
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.hex().upper()
    return str(value)


def literal(value):
    if isinstance(value, bytes):
        return "x'%s'" % value.hex()
    if isinstance(value, str):
        return "'%s'" % value.replace("'", "''")
    return str(value)


# The values of a row's key.
def values(key):
    name = key.index(0)
    n = key[name + 1]
    at = (name + 2 + n + 3) & ~3
    out = []
    for i, kind in enumerate(key[name + 2:name + 2 + n]):
        if kind == 1 or kind == 2:
            form = "=q" if kind == 1 else "=d"
            out.append(struct.unpack_from(form, key, at)[0])
            at += 8
            continue
        size = len(key) - at
        if i < n - 1:
            size = key[at]
            at += 1
        part = key[at:at + size]
        out.append(part.decode() if kind == 3 else part)
        at += size
    return out


# Object and key as SQL shows them.
def named(record):
    kind, key = record["kind"], record["key"]
    if kind == 1:
        return None, struct.unpack("=q", key)[0]
    if kind == 2:
        return None, "(%d,%d)" % struct.unpack("=ii", key)
    if kind in (3, 5, 9, 10, 11):
        return None, key.decode()
    if kind == 4:
        return None, key
    if kind == ROW:
        found = values(key)
        one = found[0] if len(found) == 1 else "(%s)" % ",".join(
            literal(v) for v in found)
        return key[:key.index(0)].decode(), one
    return key.decode() if kind == TABLE else None, None


def show_locks(f):
    live = sessions(f)
    for r in records(f, live):
        s = live[r["session"]]
        scopes = []
        if r["granted"]:
            if r["session_count"]:
                scopes.append(("session", r["session_count"]))
            if r["transaction_hold"]:
                scopes.append(("transaction", 1))
        else:
            scopes.append(
                ("transaction" if r["transaction_hold"] else "session", 0))
        for scope, count in scopes:
            row = (s["id"], KINDS.get(r["kind"], "advisory"), *named(r),
                   "permit" if r["kind"] == SEMAPHORE else MODES[r["mode"]],
                   scope, int(r["granted"]), count,
                   r["token"] if r["granted"] else None, s["pid"], s["label"],
                   r["since"])
            print("|".join(shown(v) for v in row))


def show_waits(f):
    live = sessions(f)
    all_records = records(f, live)
    k, txn = f.u32(112), f.u32(108)
    writer = k if txn and k in live and txn == high(live[k]["now"]) \
        and f.u32(248) == live[k]["generation"] \
        and not live[k]["dead"] else 0
    pairs = {}
    for r in all_records:
        if r["granted"]:
            continue
        held = sum(1 for q in all_records if q["granted"]
                   and q["kind"] == r["kind"] and q["key"] == r["key"])
        for q in all_records:
            if q["session"] == r["session"] or q["kind"] != r["kind"] \
                    or q["key"] != r["key"] \
                    or q["mode"] not in CONFLICTS[r["mode"]]:
                continue
            pair = (live[r["session"]]["id"], live[q["session"]]["id"])
            if q["granted"]:
                if held >= r["permits"]:
                    pairs[pair] = "hard"
            elif q["ticket"] < r["ticket"]:
                pairs.setdefault(pair, "soft")
        if writer and writer != r["session"] and r["kind"] in (ROW, TABLE):
            pairs[live[r["session"]]["id"], live[writer]["id"]] = "hard"
    for (waiter, blocker), kind in sorted(pairs.items()):
        print("%d|%d|%s" % (waiter, blocker, kind))


def show_sessions(f):
    for s in sorted(sessions(f).values(), key=lambda s: s["id"]):
        print("%d|%d|%s|%d" % (s["id"], s["pid"], s["label"], s["dead"]))


if __name__ == "__main__":
    lock_file = File(sys.argv[1])
    {"locks": show_locks, "waits": show_waits,
     "sessions": show_sessions}[sys.argv[2]](lock_file)
