# SPDX-License-Identifier: 0BSD
# A plugin of pytest for sqlalchemy-dlock's own tests: every connection loads
# Interlock, and its locks are those for the database that NAMES says.
import os

import sqlalchemy_dlock.factory
from interlock_report import used
from sqlalchemy import event
from sqlalchemy.engine import Engine

sqlalchemy_dlock.factory.safe_name = lambda name: os.environ["NAMES"]


@event.listens_for(Engine, "connect")
def load(connection, record):
    connection.enable_load_extension(True)
    connection.load_extension(os.environ["INTERLOCK"])
    connection.enable_load_extension(False)


@event.listens_for(Engine, "after_cursor_execute")
def count(connection, cursor, statement, *rest):
    if "lock(" in statement.lower():
        used("locks")
