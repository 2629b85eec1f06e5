# SPDX-License-Identifier: 0BSD
"""with_for_update() of SQLAlchemy's ORM: interlock.sqlalchemy.use(engine).

A query for one entity locks the rows that it finds, for the rest of the
transaction; with nowait, skip_locked and read (a shared lock). It must come
first in its transaction, unless that has written before: the rule about waiting
of row_xact_lock.
"""
from sqlalchemy import event, inspect, text, tuple_
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from . import load, rows


def use(engine):
    """Loads Interlock into each connection of an engine, and begins
    transactions before their first statement."""

    @event.listens_for(engine, "connect")
    def connected(connection, record):
        load(connection)
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begun(connection):
        connection.exec_driver_sql("BEGIN")
        connection.info["changes"] = connection.connection.total_changes

    @event.listens_for(engine, "checkin")
    def returned(connection, record):
        if connection is not None:
            connection.execute("SELECT interlock_reset()").fetchone()

    @event.listens_for(Session, "do_orm_execute")
    def execute(state):
        wanted = getattr(state.statement, "_for_update_arg", None)
        if wanted is None or state.session.get_bind().engine is not engine:
            return None
        return state.invoke_statement(
            lock_rows(state.session, engine, state.statement, wanted,
                      state.parameters))


def lock_rows(session, engine, statement, wanted, parameters):
    """Locks the rows that a statement finds. Returns the statement that reads
    only these."""
    entity = statement.column_descriptions[0]["entity"]
    mapper = inspect(entity)
    key = mapper.primary_key
    found = statement.with_only_columns(*key, maintain_column_froms=True)
    limit = None
    if wanted.skip_locked and statement._limit_clause is not None:
        limit = statement._limit
        found = found.limit(None)
        statement = statement.limit(None)
    keys = read_beside(session.connection(), engine, found, parameters or {})

    def call(sql, values):
        return session.connection().exec_driver_sql(sql, values).scalar()

    try:
        locked = rows.lock(call, mapper.local_table.fullname, keys,
                           wanted.nowait, wanted.skip_locked, wanted.read,
                           limit)
    except rows.RowLocked as e:
        raise OperationalError(str(found), parameters, e) from e
    if len(key) == 1:
        return statement.where(key[0].in_([k for k, in locked]))
    return statement.where(tuple_(*key).in_(locked))


def read_beside(connection, engine, statement, parameters):
    """Reads on another connection; but on this one if it has written, for then
    only it sees what it has written, and no other can write."""
    written = connection.connection.total_changes != connection.info["changes"]
    if written or engine.url.database in (None, "", ":memory:"):
        return [tuple(row) for row in connection.execute(statement, parameters)]
    with engine.connect() as other:
        return [tuple(row) for row in other.execute(statement, parameters)]
