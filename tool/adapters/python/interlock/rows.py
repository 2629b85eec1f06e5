# SPDX-License-Identifier: 0BSD
"""Row locks of SELECT ... FOR UPDATE, without any calls of a database.

An ORM first reads which rows a query finds, on another connection: a read in
the transaction itself would fix what it sees before the rows are locked. Then
it locks these rows, waits for its turn to write, since it could not begin to
write after a read if another program had written meanwhile, and reads these
rows, and only these, in the transaction.
"""


class RowLocked(Exception):
    """FOR UPDATE NOWAIT met a row that another transaction has locked."""


def locking(table, keys, nowait=False, skip_locked=False, shared=False,
            limit=None, parents=()):
    """A generator of (sql, values), to be sent the one value of each result.

    It locks the rows of a table for the rest of the transaction, and returns
    the list of the keys that it has locked. A key is a tuple of values. Rows
    are locked in the order of their keys, so that two programs that lock the
    same rows do not wait for each other in a circle; with skip_locked in the
    order given, and no more than limit.

    An object can have a row in other tables, too. Of these, parents has (table,
    keys), with a key for each one of keys, in the same order. Their rows are
    locked before those of the table.
    """
    attempt = "try_" if nowait or skip_locked else ""
    name = attempt + "row_xact_lock" + ("_shared" if shared else "")
    tables = [*parents, (table, keys)]

    def lock_row(table, key):
        sql = "SELECT %s(?%s)" % (name, ", ?" * len(key))
        return (yield sql, (table, *key))

    locked = []
    if skip_locked:
        for i, key in enumerate(keys):
            if limit is not None and len(locked) >= limit:
                break
            for of, its in tables:
                if not (yield from lock_row(of, its[i])):
                    break
            else:
                locked.append(key)
    else:
        for of, its in tables:
            for key in sorted(its):
                if not (yield from lock_row(of, key)) and nowait:
                    raise RowLocked("row locked: %s(%s)" % (
                        of, ", ".join(map(str, key))))
        locked = sorted(keys)
    # Also if there is no such row: the program may be about to insert it.
    if not shared and not nowait:
        yield "SELECT write_turn()", ()
    elif not shared and not (yield "SELECT try_write_turn()", ()):
        raise RowLocked("row locked: another transaction writes the database")
    return locked


def lock(call, *args, **kwargs):
    """Runs `locking` by call(sql, values), which returns one value."""
    steps = locking(*args, **kwargs)
    value = None
    try:
        while True:
            value = call(*steps.send(value))
    except StopIteration as end:
        return end.value


async def lock_async(call, *args, **kwargs):
    """The same by a coroutine."""
    steps = locking(*args, **kwargs)
    value = None
    try:
        while True:
            value = await call(*steps.send(value))
    except StopIteration as end:
        return end.value
