# SPDX-License-Identifier: 0BSD
"""with_for_update() of SQLAlchemy's ORM: interlock.sqlalchemy.use(engine).

A query for one entity locks the rows that it finds, for the rest of the
transaction; with nowait, skip_locked and read (a shared lock). It must come
first in its transaction, unless that has written before: the rule about waiting
of row_xact_lock.
"""
from sqlalchemy import event, inspect, tuple_
from sqlalchemy.exc import InvalidRequestError, OperationalError
from sqlalchemy.orm import Mapper, Session
from sqlalchemy.sql import Select, visitors

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

    # Whatever comes here with FOR UPDATE has locked nothing.
    @event.listens_for(engine, "before_execute")
    def executing(connection, statement, *parameters):
        for part in visitors.iterate(statement):
            if getattr(part, "_for_update_arg", None) is not None:
                refuse()


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


def lock_rows(session, engine, statement, wanted, parameters):
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
