# SPDX-License-Identifier: 0BSD
"""Locks for a block of Python, as `with` takes them."""
import contextlib


class LockTimeout(TimeoutError):
    """A lock was not granted in time. The text names its holder."""


def locked(db, key, timeout=None, shared=False):
    """Holds an advisory lock for a block, whose `as` gets the fencing token:

    with interlock.locked(db, "invoices", timeout=5) as token:

    timeout is in seconds: 0 does not wait, a negative one waits without limit;
    None is what advisory_lock_timeout says. A wait needs a connection without
    an open transaction. The lock belongs to the connection, so threads and
    tasks that exclude each other need a connection each.

    If a transaction is open where the block ends, the lock is held until the
    transaction ends: before COMMIT no other connection can read what it has
    written.
    """
    return holding(db, "advisory", (key,), timeout, shared)


def row_locked(db, table, *key, timeout=None, shared=False):
    """The same for a row of a table."""
    return holding(db, "row", (table, *key), timeout, shared)


@contextlib.contextmanager
def holding(db, kind, args, timeout, shared):
    """Holds a lock of any kind that has functions KIND_lock and KIND_unlock."""
    suffix = "_shared" if shared else ""
    marks = ", ".join("?" * len(args))
    limit = ()
    option = ""
    if timeout is not None:
        limit = (-1 if timeout < 0 else round(timeout * 1000),)
        option = ", wait_at_most(?)"
    try:
        token, = db.execute("SELECT %s_lock%s(%s%s)" % (
            kind, suffix, marks, option), args + limit).fetchone()
    except Exception as e:
        if str(e).startswith("lock timeout:"):
            raise LockTimeout(str(e)) from e
        raise
    try:
        yield token
    finally:
        try:
            if db.in_transaction:
                # Granted at once, since the connection holds the lock.
                db.execute("SELECT %s_xact_lock%s(%s)" % (kind, suffix, marks),
                           args).fetchone()
        finally:
            db.execute("SELECT %s_unlock%s(%s)" % (kind, suffix, marks),
                       args).fetchone()
