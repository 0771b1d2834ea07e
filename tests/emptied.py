"""pytest plugin: how a test that commits leaves the database, which is as empty as Django's flush leaves it.

Flush empties each of the tables, however few of them hold anything, and on PostgreSQL that takes longer than most of
these tests. Here each table is asked first, and its rows are deleted. What Django itself writes after every migration
stays, so it need not be written again.
"""

from __future__ import annotations

import functools
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

WRITTEN_BY_DJANGO = {"auth_permission", "django_content_type", "django_migrations"}


def pytest_configure() -> None:
    TransactionTestCase._fixture_teardown = teardown  # type: ignore[method-assign]


def teardown(case: TransactionTestCase) -> None:
    for name in case._databases_names(include_mirrors=False):
        empty(connections[name])


def empty(connection: BaseDatabaseWrapper) -> None:
    quoted = connection.ops.quote_name
    asked = " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {quoted(table)})" for table in tables(connection)
    )
    with (
        connection.constraint_checks_disabled(),
        transaction.atomic(connection.alias),
        connection.cursor() as cursor,
    ):
        cursor.execute(asked)
        for (table,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {quoted(table)}")


@functools.cache
def tables(connection: Any) -> list[str]:
    return sorted(set(connection.introspection.django_table_names(include_views=False)) - WRITTEN_BY_DJANGO)
