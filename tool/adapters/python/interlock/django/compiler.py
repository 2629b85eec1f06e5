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
        if query.combinator:
            why = "locks the rows of one query, and not of a union"
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
        # An object of a model with parents has a row in the table of each.
        parents = find_parents(meta)
        tables = [(m._meta.db_table, pk_fields(m._meta))
                  for m in (*parents, meta.concrete_model)]
        found.add_fields([f.name for table, fields in tables for f in fields])
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

        keys = split_rows(self.connection.read_beside(*find), tables)
        try:
            locked = rows.lock(
                one, *keys.pop(), query.select_for_update_nowait,
                query.select_for_update_skip_locked, limit=limit, parents=keys)
        except rows.RowLocked as e:
            raise OperationalError(str(e)) from e
        query.where.add(self.is_one_of(pk_fields(meta), locked), AND)

    def is_one_of(self, fields, keys):
        """The condition that a row has one of these keys."""
        quote = self.connection.ops.quote_name
        table = quote(self.query.get_initial_alias())
        columns = ["%s.%s" % (table, quote(f.column)) for f in fields]
        marks = "(%s)" % ", ".join(["%s"] * len(fields))
        if not keys:
            sql = "1 = 0"
        elif len(fields) == 1:
            sql = "%s IN (%s)" % (columns[0], ", ".join(["%s"] * len(keys)))
        else:
            sql = "(%s) IN (VALUES %s)" % (
                ", ".join(columns), ", ".join([marks] * len(keys)))
        return ExtraWhere([sql], [value for key in keys for value in key])


def pk_fields(meta):
    """The fields of a model's primary key, which can be several from 5.2 on."""
    return getattr(meta, "pk_fields", None) or [meta.pk]


def find_parents(meta):
    """The models, the first ancestor first, whose tables have a part of an
    object of a model. A proxy has no table."""
    found = []
    for model in reversed(meta.get_parent_list()):
        model = model._meta.concrete_model
        if model is not meta.concrete_model and model not in found:
            found.append(model)
    return found


def split_rows(found, tables):
    """[(table, keys)] of rows that have the key of each table."""
    split = []
    first = 0
    for table, fields in tables:
        end = first + len(fields)
        split.append((table, [row[first:end] for row in found]))
        first = end
    return split
