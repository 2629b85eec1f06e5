# SPDX-License-Identifier: 0BSD
"""A backend of Tortoise ORM for SQLite, with select_for_update().

A query locks the rows that it finds for the rest of the transaction, also with
nowait and skip_locked. It must come first in its transaction, unless that has
written before: the rule about waiting of row_xact_lock. The credential
lock_timeout, in milliseconds, limits each wait. Tortoise takes a backend for
SQLite's if `sqlite` is in the name of its module.
"""
import asyncio
import copy
import re
import sqlite3

import aiosqlite
from tortoise.backends.base.client import NestedTransactionContext
from tortoise.backends.sqlite.client import (
    SqliteClient, SqliteTransactionContext, SqliteTransactionWrapper,
    translate_exceptions)
from tortoise.backends.sqlite.executor import SqliteExecutor
from tortoise.connection import get_connections
from tortoise.exceptions import OperationalError, TransactionManagementError

from .. import load_async, rows

FOR_UPDATE = re.compile(r" FOR UPDATE(?: OF .*?)?( NOWAIT)?( SKIP LOCKED)?$")
LIMIT = re.compile(r" LIMIT (\?|\d+)$")


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


async def value(connection, sql, values):
    """The one value of a statement that may wait. A cancel ends the wait: until
    its thread returns, the connection takes no other statement."""
    async def run():
        (row,) = await connection.execute_fetchall(sql, values)
        return row[0]

    running = asyncio.ensure_future(run())
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        # Again, because the thread may not have begun with the statement.
        await ended(running, connection._conn.interrupt)
        raise


class Executor(SqliteExecutor):
    async def execute_select(self, sql, values=None, custom_fields=None):
        wanted = FOR_UPDATE.search(sql)
        if wanted:
            sql, values = await self.lock_rows(
                sql[:wanted.start()], list(values or ()), wanted)
        return await super().execute_select(sql, values, custom_fields)

    @translate_exceptions
    async def lock_rows(self, sql, values, wanted):
        """Locks the rows that a query finds. Returns one that reads only
        these."""
        limit = None
        limited = LIMIT.search(sql)
        if wanted[2] and limited:
            sql = sql[:limited.start()]
            limit = values.pop() if limited[1] == "?" else int(limited[1])
        keys = await self.find_keys(sql, values)

        async def call(sql, values):
            return await value(self.db._connection, sql, values)

        try:
            locked = await rows.lock_async(
                call, self.model._meta.db_table, keys, bool(wanted[1]),
                bool(wanted[2]), limit=limit)
        except rows.RowLocked as e:
            raise OperationalError(e) from e
        places = ", ".join("?" * len(locked))
        return ('SELECT * FROM (%s) AS found WHERE found."%s" IN (%s)' % (
                    sql, self.model._meta.db_pk_column, places),
                values + [k for k, in locked])

    async def find_keys(self, sql, values):
        # SQLite takes "key" for a text if there is no such column, found."key"
        # never.
        key = self.model._meta.db_pk_column
        try:
            return await self.db.read_beside(
                'SELECT found."%s" FROM (%s) AS found' % (key, sql), values)
        except sqlite3.OperationalError as e:
            if not str(e).startswith("no such column: found.%s" % key):
                raise
        meta = self.model._meta
        raise OperationalError(
            "select_for_update(): the key of %s is not read; allowed is an"
            " only() that has %s" % (meta.db_table, meta.pk_attr))


class Client(SqliteClient):
    executor_class = Executor
    capabilities = copy.copy(SqliteClient.capabilities)
    capabilities.__dict__["support_for_update"] = True

    def __init__(self, file_path, lock_timeout=None, **kwargs):
        super().__init__(file_path, **kwargs)
        self.lock_timeout = lock_timeout

    async def _post_connect(self):
        await super()._post_connect()
        await load_async(self._connection)
        if self.lock_timeout is not None:
            await self._connection.execute_fetchall(
                "SELECT advisory_lock_timeout(?)", (int(self.lock_timeout),))

    def _in_transaction(self):
        return Context(Transaction(self), self._lock)

    async def read_beside(self, sql, values):
        raise TransactionManagementError(
            "select_for_update() needs a transaction: in_transaction()")


class Context(SqliteTransactionContext):
    """Leaves nothing held if it is cancelled before its block begins, or if
    COMMIT fails."""

    async def __aenter__(self):
        await self._trxlock.acquire()
        try:
            await self.ensure_connection()
            await self.connection.begin()
        except BaseException:
            if self.connection._connection:
                await self.connection.undo()
            self._trxlock.release()
            raise
        self.token = get_connections().set(
            self.connection_name, self.connection)
        return self.connection


class Transaction(SqliteTransactionWrapper):
    executor_class = Executor
    _changes = None

    async def begin(self):
        await super().begin()
        self._changes = self._connection.total_changes

    async def commit(self):
        try:
            await super().commit()
        except BaseException:
            if not self._finalized:
                await self.undo()
            raise

    async def undo(self):
        """Rolls back whatever the connection still does. Its thread does that
        last, even if a cancelled task waits no more."""
        await ended(asyncio.ensure_future(self._connection.rollback()))

    def _in_transaction(self):
        nested = Transaction(self)
        nested._changes = self._changes
        return NestedTransactionContext(nested)

    async def read_beside(self, sql, values):
        """Reads on another connection; but on this one if it has written, for
        then only it sees what it has written, and no other can write."""
        written = self._connection.total_changes != self._changes
        if written or self.file() == ":memory:":
            return await self._connection.execute_fetchall(sql, values)
        async with aiosqlite.connect(self.file()) as other:
            return await other.execute_fetchall(sql, values)

    def file(self):
        top = self
        while isinstance(top, Transaction):
            top = top._parent
        return top.filename


client_class = Client
