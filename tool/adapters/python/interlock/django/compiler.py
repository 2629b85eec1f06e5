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

    def refuse_some(self, meta):
        """Refuses a query whose rows are not rows of its table: also what would
        be computed of the locked rows alone."""
        query = self.query
        why = None
        if (query.combinator or meta.concrete_model._meta.parents
                or not isinstance(meta.pk.column, str)):
            why = "locks rows of one table with a key of one column"
        elif query.group_by is not None:
            why = "locks no groups: use it without an aggregate"
        elif query.distinct and query.is_sliced:
            why = "takes no slice of distinct()"
        elif any(a.contains_over_clause for a in query.annotations.values()):
            why = "takes no window functions"
        if why is not None:
            raise NotSupportedError(
                "interlock.django: select_for_update() " + why)

    def lock_rows(self):
        """Locks the rows that the query finds; the query then finds only
        these."""
        meta = self.query.get_meta()
        self.refuse_some(meta)
        found = self.query.clone()
        self.query = query = self.query.clone()
        found.select_for_update = False
        found.select_related = False
        if found.distinct:
            # With DISTINCT, Django would select what it orders by, too.
            found.distinct = False
            found.order_by = found.extra_order_by = ()
            found.default_ordering = False
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
