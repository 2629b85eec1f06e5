# SPDX-License-Identifier: 0BSD
"""A database backend of Django for SQLite, with select_for_update().

A query locks the rows of its model that it finds for the rest of the
transaction, also with nowait and skip_locked. It must come first in atomic(),
unless that has written before: the rule about waiting of row_xact_lock. With
"transaction_mode": "IMMEDIATE" in OPTIONS a transaction may read before, as one
of ATOMIC_REQUESTS does.
"""
import contextlib
import os

from django.db.backends.sqlite3 import base, creation, features, operations

from .. import load


class DatabaseFeatures(features.DatabaseFeatures):
    has_select_for_update = True
    has_select_for_update_nowait = True
    has_select_for_update_skip_locked = True


class DatabaseOperations(operations.DatabaseOperations):
    compiler_module = "interlock.django.compiler"

    def for_update_sql(self, **kwargs):
        return ""  # the compiler locks


class DatabaseCreation(creation.DatabaseCreation):
    def _destroy_test_db(self, test_database_name, verbosity):
        super()._destroy_test_db(test_database_name, verbosity)
        if test_database_name and not self.is_in_memory_db(test_database_name):
            # Its lock file, if there were locks.
            with contextlib.suppress(FileNotFoundError):
                os.remove(test_database_name + "-interlock")


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = DatabaseFeatures
    ops_class = DatabaseOperations
    creation_class = DatabaseCreation
    _changes = None

    def get_new_connection(self, conn_params):
        connection = super().get_new_connection(conn_params)
        load(connection)
        return connection

    def _start_transaction_under_autocommit(self):
        super()._start_transaction_under_autocommit()
        self._changes = self.connection.total_changes

    def read_beside(self, sql, params):
        """Reads on another connection; but on this one if it has written, for
        then only it sees what it has written, and no other can write."""
        written = self.connection.total_changes != self._changes
        other = self
        if not written and not self.is_in_memory_db():
            other = self.copy()
        try:
            with other.cursor() as cursor:
                cursor.execute(sql, params)
                return cursor.fetchall()
        finally:
            if other is not self:
                other.close()
