"""Questions that every page asks, put together once for all pages."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection, models, transaction
from django.db.models import Expression
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.subqueries import UpdateQuery

M = TypeVar("M", bound=models.Model)
Value = int | str | datetime | UUID


class Given(Expression):
    """A place in a query for a value that is known only when it is asked."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


class Counts:
    """How many rows each of several queries finds, by one statement.

    To put five such queries together takes Django several times as long as the database takes to answer them, so that
    is done at the first call. `queries` gives them by name, with a `Given` wherever the answer depends on who asks;
    nothing else in them may change while the process lives, also not the clock.
    """

    def __init__(self, queries: Callable[[], Mapping[str, models.QuerySet[Any]]]) -> None:
        self._queries = queries
        self._names: list[str] = []
        self._statements: dict[str, tuple[str, list[Any]]] = {}

    def __call__(self, **given: Value) -> dict[str, int]:
        """The counts by name."""
        statement, places = self._statements.get(connection.vendor) or self._put_together()
        with connection.cursor() as cursor:
            cursor.execute(statement, _filled(places, given))
            return dict(zip(self._names, cursor.fetchone(), strict=True))

    def _put_together(self) -> tuple[str, list[Any]]:
        names, parts, places = [], [], []
        for name, rows in self._queries().items():
            inner, params = rows.order_by().values("pk").query.get_compiler(connection=connection).as_sql()
            names.append(name)
            parts.append(f"(SELECT COUNT(*) FROM ({inner}) {name})")  # noqa: S608 - both are ours
            places += params
        self._names = names
        self._statements[connection.vendor] = statement = f"SELECT {', '.join(parts)}", places
        return statement


class Rows(Generic[M]):
    """The rows that one query finds, as `Counts`: `query` gives it with a `Given` wherever it depends on who asks."""

    def __init__(self, query: Callable[[], models.QuerySet[M]]) -> None:
        self._query = query
        self._kept: dict[str, tuple[models.QuerySet[M], SQLCompiler, str, list[Any]]] = {}

    def __call__(self, **given: Value) -> list[M]:
        """The rows in the order of the query, anew each time."""
        rows, compiler, statement, places = self._kept.get(connection.vendor) or self._put_together()
        told = statement, tuple(_filled(places, given))
        mine: Any = copy.copy(compiler)
        mine.connection, mine.as_sql = connection, lambda *args, **options: told
        asked: Any = rows.all()
        asked.query.get_compiler = lambda *args, **options: mine
        return list(asked)

    def _put_together(self) -> tuple[models.QuerySet[M], SQLCompiler, str, list[Any]]:
        rows = self._query()
        compiler = rows.query.get_compiler(connection=connection)
        statement, places = compiler.as_sql()
        self._kept[connection.vendor] = kept = rows, compiler, statement, list(places)
        return kept


class Update:
    """One UPDATE, as `Rows`: `query` gives the rows and `values` what they get, with a `Given` wherever it depends."""

    def __init__(self, query: Callable[[], models.QuerySet[Any]], **values: Any) -> None:
        self._query, self._values = query, values
        self._kept: dict[str, tuple[str, list[Any]]] = {}

    def __call__(self, **given: Value) -> int:
        """How many rows were changed."""
        statement, places = self._kept.get(connection.vendor) or self._put_together()
        with transaction.mark_for_rollback_on_error(connection.alias), connection.cursor() as cursor:
            cursor.execute(statement, _filled(places, given))
            return int(cursor.rowcount)

    def _put_together(self) -> tuple[str, list[Any]]:
        query: Any = self._query().query.chain(UpdateQuery)
        query.add_update_values(self._values)
        statement, places = query.get_compiler(connection=connection).as_sql()
        self._kept[connection.vendor] = kept = statement, list(places)
        return kept


def _filled(places: list[Any], given: Mapping[str, Value]) -> list[Any]:
    values = [given[one.name] if isinstance(one, Given) else one for one in places]
    return [_adapted(value) if isinstance(value, (datetime, UUID)) else value for value in values]


def _adapted(value: datetime | UUID) -> Any:
    """As the fields of the model would give it to this database."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value if connection.features.has_native_uuid_field else value.hex
