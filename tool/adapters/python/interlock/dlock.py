# SPDX-License-Identifier: 0BSD
"""sqlalchemy-dlock on SQLite: interlock.dlock.use(engine).

create_sadlock(connection_or_session, key) then makes a lock of Interlock's, and
create_async_sadlock() too, for an AsyncEngine. A key is an int, a str or bytes,
and is the key that other programs see. shared=True and xact=True are as with
PostgreSQL: the lock can be shared; it is held until the transaction ends, and
release() does not end it earlier.

A wait sleeps in the lock's queue, so `interval` has no meaning. It is subject
to the rule about waiting of advisory_lock: take the lock before the transaction
reads or writes.
"""
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy_dlock import registry
from sqlalchemy_dlock.exceptions import SqlAlchemyDLockDatabaseError
from sqlalchemy_dlock.lock.base import BaseAsyncSadLock, BaseSadLock

from .sqlalchemy import connected, returned


def use(engine):
    """Loads Interlock into each connection of an engine. What a connection
    still holds when it returns to the pool is released."""
    for classes, name in ((registry.REGISTRY, "SadLock"),
                          (registry.ASYNCIO_REGISTRY, "AsyncSadLock")):
        classes["sqlite"] = {"module": __name__, "class": name}
    engine = getattr(engine, "sync_engine", engine)
    event.listen(engine, "connect", connected)
    event.listen(engine, "checkin", returned)


class Request:
    """The statements of a lock, and what their results say."""

    def __init__(self, key, convert=None, shared=False, xact=False, **kwargs):
        if convert is not None:
            key = convert(key)
        if isinstance(key, (bytearray, memoryview)):
            key = bytes(key)
        if not isinstance(key, (int, str, bytes)):
            raise TypeError("the key of a lock is an int, a str or bytes,"
                            " and %r is not" % (key,))
        self.key = key
        self.shared = shared
        self.xact = xact

    def get_actual_key(self):
        return self.key

    def statement(self, function, *more):
        return text("SELECT %s%s(:key%s)" % (
            function, "_shared" if self.shared else "", "".join(more)))

    def acquiring(self, block, timeout):
        """(statement, parameters). A negative timeout is as 0."""
        kind = "advisory_xact_lock" if self.xact else "advisory_lock"
        if not block or (timeout is not None and timeout <= 0):
            return self.statement("try_" + kind), {"key": self.key}
        limit = -1 if timeout is None else round(timeout * 1000)
        return (self.statement(kind, ", wait_at_most(:limit)"),
                {"key": self.key, "limit": limit})

    def releasing(self):
        return self.statement("advisory_unlock"), {"key": self.key}

    def released(self, result):
        if not result:
            raise SqlAlchemyDLockDatabaseError(
                "the connection does not hold the lock %r" % (self.key,))


def refuse_but_timeout(error):
    if not str(error.orig).startswith("lock timeout:"):
        raise error


class SadLock(Request, BaseSadLock):
    def __init__(self, connection_or_session, key, **kwargs):
        Request.__init__(self, key, **kwargs)
        BaseSadLock.__init__(self, connection_or_session, self.key, **kwargs)

    def do_acquire(self, block=True, timeout=None, *args, **kwargs):
        try:
            return bool(self.connection_or_session.execute(
                *self.acquiring(block, timeout)).scalar_one())
        except OperationalError as e:
            refuse_but_timeout(e)
            return False

    def do_release(self, *args, **kwargs):
        if not self.xact:
            self.released(self.connection_or_session.execute(
                *self.releasing()).scalar_one())


class AsyncSadLock(Request, BaseAsyncSadLock):
    def __init__(self, connection_or_session, key, **kwargs):
        Request.__init__(self, key, **kwargs)
        BaseAsyncSadLock.__init__(self, connection_or_session, self.key,
                                  **kwargs)

    async def do_acquire(self, block=True, timeout=None, *args, **kwargs):
        try:
            return bool((await self.connection_or_session.execute(
                *self.acquiring(block, timeout))).scalar_one())
        except OperationalError as e:
            refuse_but_timeout(e)
            return False

    async def do_release(self, *args, **kwargs):
        if not self.xact:
            self.released((await self.connection_or_session.execute(
                *self.releasing())).scalar_one())
