# SPDX-License-Identifier: 0BSD
"""A backend of Tortoise ORM for SQLite, with select_for_update().

A query locks the rows that it finds for the rest of the transaction, also with
nowait and skip_locked. It must come first in its transaction, unless that has
written before: the rule about waiting of row_xact_lock. Tortoise takes a
backend for SQLite's if `sqlite` is in the name of its module.
"""
import copy
import re

import aiosqlite
from tortoise.backends.base.client import NestedTransactionContext
from tortoise.backends.sqlite.client import (
    SqliteClient, SqliteTransactionContext, SqliteTransactionWrapper)
from tortoise.backends.sqlite.executor import SqliteExecutor
from tortoise.exceptions import OperationalError, TransactionManagementError

from .. import path, rows

FOR_UPDATE = re.compile(r" FOR UPDATE(?: OF .*?)?( NOWAIT)?( SKIP LOCKED)?$")
LIMIT = re.compile(r" LIMIT (\?|\d+)$")


class Executor(SqliteExecutor):
    async def execute_select(self, sql, values=None, custom_fields=None):
        wanted = FOR_UPDATE.search(sql)
        if wanted:
            sql, values = await self.lock_rows(
                sql[:wanted.start()], list(values or ()), wanted)
        return await super().execute_select(sql, values, custom_fields)

    async def lock_rows(self, sql, values, wanted):
        """Locks the rows that a query finds. Returns one that reads only
        these."""
        limit = None
        limited = LIMIT.search(sql)
        if wanted[2] and limited:
            sql = sql[:limited.start()]
            limit = values.pop() if limited[1] == "?" else int(limited[1])
        key = self.model._meta.db_pk_column
        keys = await self.db.read_beside(
            'SELECT "%s" FROM (%s)' % (key, sql), values)

        async def call(sql, values):
            (row,) = await self.db._connection.execute_fetchall(sql, values)
            return row[0]

        try:
            locked = await rows.lock_async(
                call, self.model._meta.db_table, keys, bool(wanted[1]),
                bool(wanted[2]), limit=limit)
        except rows.RowLocked as e:
            raise OperationalError(e) from e
        places = ", ".join("?" * len(locked))
        return ('SELECT * FROM (%s) WHERE "%s" IN (%s)' % (sql, key, places),
                values + [k for k, in locked])


class Client(SqliteClient):
    executor_class = Executor
    capabilities = copy.copy(SqliteClient.capabilities)
    capabilities.__dict__["support_for_update"] = True

    async def _post_connect(self):
        await super()._post_connect()
        await self._connection.enable_load_extension(True)
        await self._connection.load_extension(path())
        await self._connection.enable_load_extension(False)

    def _in_transaction(self):
        return SqliteTransactionContext(Transaction(self), self._lock)

    async def read_beside(self, sql, values):
        raise TransactionManagementError(
            "select_for_update() needs a transaction: in_transaction()")


class Transaction(SqliteTransactionWrapper):
    executor_class = Executor
    _changes = None

    async def begin(self):
        await super().begin()
        self._changes = self._connection.total_changes

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
