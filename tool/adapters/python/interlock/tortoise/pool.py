# SPDX-License-Identifier: 0BSD
"""Connections of aiosqlite, each for one transaction at a time.

A connection that comes back is as a new one: its transaction and its locks have
ended, and nothing of the transaction's runs any more, whether it ended by a
COMMIT, an error or a cancel. One that cannot be made so is closed.
"""
import asyncio
import contextlib

from tortoise.exceptions import OperationalError

RESET = "SELECT interlock_reset(), advisory_lock_timeout(?)"


async def ended(task, again=lambda: None):
    """Waits for a task, which a cancel of this one does not end. Calls again()
    now and then."""
    while not task.done():
        again()
        try:
            await asyncio.wait({task}, timeout=0.02)
        except asyncio.CancelledError:
            pass
    return None if task.cancelled() else task.exception()


def interrupt(connection):
    # A connection that is closed has nothing to interrupt.
    with contextlib.suppress(Exception):
        connection._conn.interrupt()


async def interrupted(connection, awaitable):
    """Waits for what runs on a connection, and interrupts it. More than once,
    because the thread may not have begun with it."""
    return await ended(
        asyncio.ensure_future(awaitable), lambda: interrupt(connection))


async def roll_back(connection, cut):
    """Ends what the connection still does; with cut at once."""
    if cut:
        await interrupted(connection, connection.execute_fetchall("SELECT 1"))
    if connection.in_transaction:
        await connection.rollback()


class Pool:
    """At most `size` connections. With resets=False for statements that leave
    neither a lock nor a setting behind."""

    def __init__(self, size, resets=True):
        self._resets = resets
        self._slots = asyncio.Semaphore(size)
        self._open = set()      # those that are not being closed
        self._free = []
        self._opening = 0
        self._returns = set()   # tasks
        self._closed = False

    def __del__(self):
        # Tortoise drops a client whose event loop has ended. The thread of a
        # connection keeps what it did last, and so the connection.
        for connection in self._open:
            connection.stop()

    async def acquire(self, client):
        await self._slots.acquire()
        try:
            if self._closed:
                raise OperationalError("closed before the transaction began")
            return self._free.pop() if self._free else await self._new(client)
        except BaseException:
            self._slots.release()
            raise

    async def _new(self, client):
        self._opening += 1
        try:
            connection = await client.open()
            self._open.add(connection)
            return connection
        finally:
            self._opening -= 1

    async def release(self, client, connection, cut):
        """A cancel of the caller does not end it."""
        task = asyncio.ensure_future(
            self._take_back(connection, cut, client.lock_timeout))
        self._returns.add(task)
        task.add_done_callback(self._returns.discard)
        await asyncio.shield(task)

    async def _take_back(self, connection, cut, lock_timeout):
        try:
            await roll_back(connection, cut)
            if self._resets:
                await connection.execute_fetchall(RESET, (lock_timeout,))
            self._free.append(connection)
        except BaseException:
            await self._close_one(connection)
        finally:
            self._slots.release()

    async def _close_one(self, connection):
        # aiosqlite does not end a second close() of a connection.
        if connection in self._open:
            self._open.remove(connection)
            await interrupted(connection, connection.close())

    async def close(self):
        """Closes all connections, also those of open transactions."""
        self._closed = True
        await asyncio.shield(asyncio.ensure_future(self._close_all()))

    async def _close_all(self):
        while self._open or self._opening:
            for connection in [*self._open]:
                await self._close_one(connection)
            await asyncio.sleep(0)
        if self._returns:
            await asyncio.wait(self._returns)


class Single:
    """The same for the one connection of a database in memory."""

    async def acquire(self, client):
        await client._lock.acquire()
        try:
            if not client._connection:
                await client.create_connection(with_db=True)
            return client._connection
        except BaseException:
            client._lock.release()
            raise

    async def release(self, client, connection, cut):
        await asyncio.shield(asyncio.ensure_future(
            self._take_back(client, connection, cut)))

    async def _take_back(self, client, connection, cut):
        try:
            await roll_back(connection, cut)
        finally:
            client._lock.release()

    async def close(self):
        pass
