# SPDX-License-Identifier: 0BSD
"""The compilers of interlock.django: a SELECT may lock rows first."""
from django.core.exceptions import EmptyResultSet
from django.db import NotSupportedError, OperationalError
from django.db.models.sql import compiler
from django.db.models.sql.compiler import (  # noqa: F401
    SQLAggregateCompiler, SQLDeleteCompiler, SQLInsertCompiler,
    SQLUpdateCompiler)
from django.db.models.sql.where import AND, ExtraWhere

from .. import rows


class SQLCompiler(compiler.SQLCompiler):
    def execute_sql(self, *args, **kwargs):
        query = self.query
        # Before Django 4.0 it is explain_query.
        explains = getattr(query, "explain_info", None) or getattr(
            query, "explain_query", False)
        if (query.select_for_update and self.connection.in_atomic_block
                and not explains):
            self.lock_rows()
        return super().execute_sql(*args, **kwargs)

    def lock_rows(self):
        """Locks the rows that the query finds; the query then finds only
        these."""
        meta = self.query.get_meta()
        if (self.query.combinator or meta.concrete_model._meta.parents
                or not isinstance(meta.pk.column, str)):
            raise NotSupportedError(
                "interlock.django: select_for_update() locks rows of one table"
                " with a key of one column")
        found = self.query.clone()
        self.query = query = self.query.clone()
        found.select_for_update = False
        found.select_related = False
        found.clear_select_clause()
        found.add_fields(["pk"])
        limit = None
        if query.select_for_update_skip_locked and query.high_mark is not None:
            limit = query.high_mark - query.low_mark
            found.set_limits(low=query.low_mark)
            found.high_mark = None
        try:
            find = found.get_compiler(connection=self.connection).as_sql()
        except EmptyResultSet:
            return  # as after none(), without a statement
        query.clear_limits()

        def one(sql, values):
            with self.connection.cursor() as cursor:
                cursor.execute(sql.replace("?", "%s"), values)
                return cursor.fetchone()[0]

        keys = self.connection.read_beside(*find)
        try:
            locked = rows.lock(
                one, meta.db_table, keys, query.select_for_update_nowait,
                query.select_for_update_skip_locked, limit=limit)
        except rows.RowLocked as e:
            raise OperationalError(str(e)) from e
        quote = self.connection.ops.quote_name
        places = ", ".join(["%s"] * len(locked))
        query.where.add(ExtraWhere(
            ["%s.%s IN (%s)" % (quote(query.get_initial_alias()),
                                quote(meta.pk.column), places)],
            [key for key, in locked]), AND)
