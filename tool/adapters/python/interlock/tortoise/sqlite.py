# SPDX-License-Identifier: 0BSD
"""A backend of Tortoise ORM for SQLite, with select_for_update().

Each transaction has a connection of its own, so that the other tasks go on
while it waits. A connection is opened as that of Tortoise, and kept for later
transactions: at most `maxsize` of them, a credential, 5 if it is not given. A
database in memory has one connection, as with Tortoise.

A query locks the rows that it finds for the rest of the transaction, also with
nowait and skip_locked. It waits for a row only if it comes first in its
transaction: the rule about waiting of row_xact_lock. The credential
lock_timeout, in milliseconds, limits each wait. Tortoise takes a backend for
SQLite's if `sqlite` is in the name of its module.

A transaction waits for the turn to write before its first statement that reads
or writes a table. Without the turn, one that reads and then writes fails with
`database is locked` whenever another one has written in between. BEGIN
IMMEDIATE would not do: it could wait for no row, and it polls. Of four
processes with ten tasks each, which read and wrote for eight seconds, the
longest wait was 3.8 s with BEGIN IMMEDIATE, which fails after 5 s, and 0.25 s
with the turn. (They did 610 transactions a second, and 440.)
"""
import asyncio
import copy
import re

from tortoise.backends.base.client import (
    ConnectionWrapper, NestedTransactionContext, TransactionContext)
from tortoise.backends.sqlite.client import (
    SqliteClient, SqliteTransactionWrapper, translate_exceptions)
from tortoise.backends.sqlite.executor import SqliteExecutor
from tortoise.connection import get_connections
from tortoise.exceptions import OperationalError, TransactionManagementError

from .. import load_async, rows
from .pool import Pool, Single, interrupted

FOR_UPDATE = re.compile(r" FOR UPDATE(?: OF .*?)?( NOWAIT)?( SKIP LOCKED)?$")
LIMIT = re.compile(r" LIMIT (\?|\d+)$")

WRITES = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|REPLACE)\b", re.I)
# What reads the file or writes it; but a SELECT that may lock something, as
# SELECT row_xact_lock('t', value) FROM json_each(?), waits without the turn.
NEEDS_TURN = re.compile(
    r"\s*(?:INSERT|UPDATE|DELETE|REPLACE|WITH|CREATE|ALTER|DROP|PRAGMA|EXPLAIN"
    r"|SELECT(?=.*\bFROM\b)(?!.*lock\w*\s*\())\b", re.I | re.S)


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
        try:
            locked = await rows.lock_async(
                self.db.wait, self.model._meta.db_table, keys, bool(wanted[1]),
                bool(wanted[2]), limit=limit)
        except rows.RowLocked as e:
            raise OperationalError(e) from e
        self.db.has_turn()
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
        except OperationalError as e:
            if not str(e).startswith("no such column: found.%s" % key):
                raise
        meta = self.model._meta
        raise OperationalError(
            "select_for_update(): the key of %s is not read; allowed is an"
            " only() that has %s" % (meta.db_table, meta.pk_attr))


class Held(ConnectionWrapper):
    """The connection, for one statement. It is looked for when the statements
    before this one have ended: the transaction can have ended, too."""

    async def __aenter__(self):
        await self._lock.acquire()
        try:
            if not self.client._connection:
                await self.client.create_connection(with_db=True)
            return self.client._connection
        except BaseException:
            self._lock.release()
            raise


class Client(SqliteClient):
    executor_class = Executor
    capabilities = copy.copy(SqliteClient.capabilities)
    capabilities.__dict__["support_for_update"] = True

    def __init__(self, file_path, lock_timeout=None, maxsize=5, **kwargs):
        super().__init__(file_path, **kwargs)
        self.lock_timeout = -1 if lock_timeout is None else int(lock_timeout)
        self.maxsize = int(maxsize)
        self.in_memory = str(file_path) in ("", ":memory:")
        self._make_pools()

    def _make_pools(self):
        if self.in_memory:
            self._pool = self._writer = Single()
        else:
            self._pool = Pool(self.maxsize)
            self._writer = Pool(1, resets=False)

    async def create_connection(self, with_db):
        try:
            await super().create_connection(with_db)
        except BaseException:
            # Else the next task would take it as it is.
            if self._connection:
                connection, self._connection = self._connection, None
                await interrupted(connection, connection.close())
            raise

    async def open(self):
        """Another connection, opened as this one."""
        other = copy.copy(self)
        other._connection = None
        await other.create_connection(with_db=True)
        self._bound_loop = other._bound_loop
        return other._connection

    async def _post_connect(self):
        await super()._post_connect()
        await load_async(self._connection)
        await self._connection.execute_fetchall(
            "SELECT advisory_lock_timeout(?)", (self.lock_timeout,))

    def acquire_connection(self):
        return Held(self._lock, self)

    async def close(self):
        pools = self._pool, self._writer
        self._make_pools()
        for pool in pools:
            await pool.close()
        if self.in_memory:
            await super().close()
        else:
            # A task may be opening it.
            async with self._lock:
                await super().close()

    def _in_transaction(self):
        return Context(Transaction(self), self._pool)

    # A statement that writes is a transaction with the turn, and has another
    # connection than those that read, which would wait behind it; but not if
    # the program has sent BEGIN itself.

    @translate_exceptions
    async def _run(self, query, name, *values):
        in_begin = self._connection and self._connection.in_transaction
        if self.in_memory or in_begin or not WRITES.match(query):
            return await getattr(super(), name)(query, *values)
        async with Context(Transaction(self), self._writer, False) as db:
            return await getattr(db, name)(query, *values)

    async def execute_insert(self, query, values):
        return await self._run(query, "execute_insert", values)

    async def execute_many(self, query, values):
        return await self._run(query, "execute_many", values)

    async def execute_query(self, query, values=None):
        return await self._run(query, "execute_query", values)

    async def execute_query_dict(self, query, values=None):
        return await self._run(query, "execute_query_dict", values)

    async def read_beside(self, sql, values):
        raise TransactionManagementError(
            "select_for_update() needs a transaction: in_transaction()")


class Context(TransactionContext):
    """A transaction on a connection of a pool. With is_current the task's
    queries belong to it."""

    def __init__(self, client, pool, is_current=True):
        self.client = client
        self.connection_name = client.connection_name
        self.pool = pool
        self.is_current = is_current

    async def __aenter__(self):
        client = self.client
        self.connection = await self.pool.acquire(client._parent)
        client._connection = self.connection
        try:
            await client.begin()
        except BaseException:
            await self.end(True)
            raise
        if self.is_current:
            self.token = get_connections().set(self.connection_name, client)
        return client

    async def __aexit__(self, kind, error, trace):
        cut = True
        try:
            # end() rolls back what was not committed.
            if kind is None:
                if not self.client._finalized:
                    await self.client.commit()
                cut = False
        finally:
            try:
                if self.is_current:
                    get_connections().reset(self.token)
            finally:
                await self.end(cut)

    async def end(self, cut):
        # A task that began inside of the block, and goes on after it, must not
        # meet the connection in another transaction.
        self.client._finalized = True
        self.client._connection = None
        await self.pool.release(self.client._parent, self.connection, cut)


class Transaction(SqliteTransactionWrapper):
    executor_class = Executor
    _turn = False

    def __init__(self, connection):
        self._outer = getattr(connection, "_top", None)
        super().__init__(connection)
        if self._outer:
            self._lock = self._outer._lock
        else:
            self._own = None

    @property
    def _top(self):
        # No attribute: in a cycle, an old client would keep its connections.
        return self._outer or self

    # A nested one has that of the outermost, and loses it with that.
    @property
    def _connection(self):
        if not self._top._own:
            raise TransactionManagementError("the transaction has ended")
        return self._top._own

    @_connection.setter
    def _connection(self, connection):
        self._top._own = connection

    def acquire_connection(self):
        return Held(self._lock, self)

    async def begin(self):
        await self._connection.execute("BEGIN")
        # A database in memory has no other writers.
        self._turn = self._parent.in_memory

    def _in_transaction(self):
        return NestedTransactionContext(Transaction(self))

    def has_turn(self):
        self._top._turn = True

    async def take_turn(self, query):
        if not self._top._turn and NEEDS_TURN.match(query):
            await self.wait("SELECT write_turn()", ())
            self.has_turn()

    async def execute_insert(self, query, values):
        await self.take_turn(query)
        return await super().execute_insert(query, values)

    async def execute_many(self, query, values):
        await self.take_turn(query)
        return await super().execute_many(query, values)

    async def execute_query(self, query, values=None):
        await self.take_turn(query)
        return await super().execute_query(query, values)

    async def execute_query_dict(self, query, values=None):
        await self.take_turn(query)
        return await super().execute_query_dict(query, values)

    @translate_exceptions
    async def wait(self, sql, values):
        """The one value of a statement that may wait. A cancel ends the wait:
        until its thread returns, the connection takes no other statement."""
        async with self.acquire_connection() as connection:
            running = asyncio.ensure_future(
                connection.execute_fetchall(sql, values))
            try:
                return (await asyncio.shield(running))[0][0]
            except asyncio.CancelledError:
                await interrupted(connection, running)
                raise

    @translate_exceptions
    async def read_beside(self, sql, values):
        """Reads on the connection for statements outside of transactions; but
        on this one if it has the turn: no other can write meanwhile, and only
        this one sees what it has written."""
        client = self if self._top._turn else self._top._parent
        async with client.acquire_connection() as connection:
            return [tuple(row) for row in
                    await connection.execute_fetchall(sql, values)]


client_class = Client
