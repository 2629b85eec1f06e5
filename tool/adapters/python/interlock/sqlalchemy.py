# SPDX-License-Identifier: 0BSD
"""with_for_update() of SQLAlchemy's ORM: interlock.sqlalchemy.use(engine), or
use(async_engine).

A query for one entity locks the rows that it finds, for the rest of the
transaction; with nowait, skip_locked and read (a shared lock). It must come
first in its transaction, unless that has written before: the rule about waiting
of row_xact_lock. A transaction that must read before begins with the write
lock: execution_options(transaction_mode="IMMEDIATE") of an engine or a
connection.
"""
import asyncio

from sqlalchemy import event, inspect, tuple_
from sqlalchemy.engine import Engine
from sqlalchemy.exc import (ArgumentError, InvalidRequestError,
                            OperationalError)
from sqlalchemy.orm import Mapper, Session
from sqlalchemy.sql import Select, visitors

from . import load, rows

MODES = ("", "DEFERRED", "IMMEDIATE", "EXCLUSIVE")


def use(engine):
    """Loads Interlock into each connection of an engine, and begins
    transactions before their first statement. In AUTOCOMMIT there are none."""
    engine = getattr(engine, "sync_engine", engine)
    if find_beside(engine) is not None:
        return
    # The engines of engine.execution_options() have the same dialect.
    engine.dialect.interlock_beside = Beside(engine)
    event.listen(engine, "connect", connected)
    event.listen(engine, "checkin", returned)
    event.listen(engine, "begin", begun)
    event.listen(engine, "before_execute", executing)
    event.listen(engine, "handle_error", failed)
    if not event.contains(Session, "do_orm_execute", execute):
        event.listen(Session, "do_orm_execute", execute)


def find_beside(engine):
    return getattr(engine.dialect, "interlock_beside", None)


class Beside:
    """Connections of an engine's kind that are not of its pool: a program whose
    threads hold all of that could get no further one of it."""

    def __init__(self, engine):
        self.engine = engine
        self.other = None
        event.listen(engine, "engine_disposed", self.dispose)

    def connect(self):
        if self.other is None:
            self.other = Engine(self.engine.pool.recreate(),
                                self.engine.dialect, self.engine.url)
        return self.other.connect()

    def dispose(self, engine):
        other, self.other = self.other, None
        if other is not None:
            other.pool.dispose()


def connected(connection, record):
    load(connection)
    files = {row[1]: row[2] for row in fetch(connection,
                                             "PRAGMA database_list")}
    record.info["interlock_file"] = files["main"]


def returned(connection, record):
    """What a connection still holds when it returns to the pool is released."""
    if connection is not None:
        fetch(connection, "SELECT interlock_reset()")


def fetch(connection, sql):
    cursor = connection.cursor()
    try:
        cursor.execute(sql)
        return cursor.fetchall()
    finally:
        cursor.close()


def begun(connection):
    driver = connection.connection.driver_connection
    # None is AUTOCOMMIT, or what a program sets that sends BEGIN itself.
    if driver.isolation_level is not None and not driver.in_transaction:
        options = connection.get_execution_options()
        mode = options.get("transaction_mode", driver.isolation_level).upper()
        if mode not in MODES:
            raise ArgumentError("transaction_mode: %r; allowed is %s" % (
                mode, ", ".join(MODES[1:])))
        connection.exec_driver_sql("BEGIN " + mode)
        if mode not in ("", "DEFERRED"):
            connection.info["interlock_changes"] = None
            return
    connection.info["interlock_changes"] = driver.total_changes


def execute(state):
    wanted = getattr(state.statement, "_for_update_arg", None)
    if wanted is None:
        return None
    bind = state.session.get_bind(**state.bind_arguments)
    beside = find_beside(bind.engine)
    if beside is None:
        return None
    connection = state.session.connection(state.bind_arguments)
    return state.invoke_statement(lock_rows(
        connection, beside, state.statement, wanted, state.parameters))


def executing(connection, statement, *parameters):
    """Whatever comes here with FOR UPDATE has locked nothing."""
    for part in visitors.iterate(statement):
        if getattr(part, "_for_update_arg", None) is not None:
            refuse()


def failed(context):
    """A task that is cancelled waits for nothing: its connection is closed as
    soon as the thread that waits for it has returned."""
    if (isinstance(context.original_exception, asyncio.CancelledError)
            and context.connection is not None):
        context.connection.connection.dbapi_connection.run_async(
            lambda db: db.interrupt())


def refuse():
    raise InvalidRequestError(
        "interlock.sqlalchemy: with_for_update() needs a Session, and a SELECT"
        " from the one table of one mapped class, without of=")


def mapper_of(statement, wanted):
    """The mapped class whose rows a statement locks."""
    entities = set()
    if isinstance(statement, Select) and wanted.of is None:
        entities = {d.get("entity") for d in statement.column_descriptions}
    mapper = inspect(entities.pop(), raiseerr=False) if len(entities) == 1 \
        else None
    if (not isinstance(mapper, Mapper) or len(mapper.tables) != 1
            or statement.get_final_froms() != [mapper.local_table]):
        refuse()
    return mapper


def lock_rows(connection, beside, statement, wanted, parameters):
    """Locks the rows that a statement finds. Returns the statement that reads
    only these."""
    mapper = mapper_of(statement, wanted)
    statement = statement.with_for_update()  # a copy
    statement._for_update_arg = None
    key = mapper.primary_key
    found = statement.with_only_columns(*key, maintain_column_froms=True)
    limit = None
    if wanted.skip_locked and statement._limit_clause is not None:
        limit = statement._limit
        found = found.limit(None)
    statement = statement.limit(None).offset(None)
    keys = read_beside(connection, beside, found, parameters or {})

    def call(sql, values):
        return connection.exec_driver_sql(sql, values).scalar()

    try:
        locked = rows.lock(call, mapper.local_table.fullname, keys,
                           wanted.nowait, wanted.skip_locked, wanted.read,
                           limit)
    except rows.RowLocked as e:
        raise OperationalError(str(found), parameters, e) from e
    if len(key) == 1:
        return statement.where(key[0].in_([k for k, in locked]))
    return statement.where(tuple_(*key).in_(locked))


def read_beside(connection, beside, statement, parameters):
    """Reads on another connection; but on this one if it has written, for then
    only it sees what it has written, and no other can write; and if no other
    connection has its database, which is in memory."""
    changes = connection.info.get("interlock_changes")
    written = connection.connection.driver_connection.total_changes != changes
    query = connection.engine.url.query
    shared = query.get("cache") == "shared" or query.get("vfs") == "memdb"
    if written or not (connection.info.get("interlock_file") or shared):
        return [tuple(row) for row in connection.execute(statement, parameters)]
    with beside.connect() as other:
        return [tuple(row) for row in other.execute(statement, parameters)]
