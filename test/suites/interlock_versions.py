# SPDX-License-Identifier: 0BSD
# A plugin of pytest for SQLAlchemy's own tests: every connection loads
# Interlock, and every table with a version column of integers is declared
# versioned when it has been made. OPTIONS has the mode and the options.
import os

from interlock_report import used
from sqlalchemy import Integer, Table, event
from sqlalchemy.engine import Engine


@event.listens_for(Engine, "connect")
def load(connection, record):
    connection.enable_load_extension(True)
    connection.load_extension(os.environ["INTERLOCK"])
    connection.enable_load_extension(False)


@event.listens_for(Table, "after_create")
def declare(table, connection, **kw):
    options = os.environ["OPTIONS"].split()
    for column in table.columns:
        if column.name in ("version", "version_id") \
                and isinstance(column.type, Integer) \
                and not column.primary_key:
            connection.exec_driver_sql(
                "SELECT versioned(?, ?%s)" % (", ?" * len(options)),
                (table.name, column.name, *options)).all()
            used("declared")
