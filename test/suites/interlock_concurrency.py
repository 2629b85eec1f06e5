# SPDX-License-Identifier: 0BSD
# A plugin of pytest for django-concurrency's own tests: every connection loads
# Interlock, and every table with one of its version fields is declared
# versioned when it has been made, on this field, or on the column COLUMN that
# no model has. OPTIONS has the mode and the options.
import os

from django.db.backends.signals import connection_created
from django.db.backends.sqlite3.schema import DatabaseSchemaEditor
from interlock_report import used

create_model = DatabaseSchemaEditor.create_model


def load(connection, **kw):
    connection.connection.enable_load_extension(True)
    connection.connection.load_extension(os.environ["INTERLOCK"])
    connection.connection.enable_load_extension(False)


def declare(self, model):
    create_model(self, model)
    from concurrency.fields import VersionField
    options = os.environ["OPTIONS"].split()
    column = os.environ["COLUMN"]
    for field in model._meta.local_fields:
        if isinstance(field, VersionField):
            with self.connection.cursor() as cursor:
                cursor.execute(
                    "SELECT versioned(%%s, %%s%s)" % (", %s" * len(options)),
                    (model._meta.db_table, column or field.column, *options))
            used("declared")


connection_created.connect(load)
DatabaseSchemaEditor.create_model = declare
