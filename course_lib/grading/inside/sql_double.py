"""What a learner uses of aiosqlite: connections and cursors whose statements the judge runs.

Left out: what needs the database itself, such as functions in Python and backups.
"""

import sqlite3
from collections.abc import AsyncIterator, Coroutine, Generator, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from course_lib.grading.inside.learner import Learner

__all__ = ["SqlConnection", "SqlCursor"]


class _Row(tuple[Any, ...]):
    """What sqlite3.Row is: a tuple that also goes by the columns' names."""

    names: tuple[str, ...] = ()

    def keys(self) -> list[str]:
        return list(self.names)

    def __getitem__(self, place: Any) -> Any:
        if not isinstance(place, str):
            return super().__getitem__(place)
        lower = [name.lower() for name in self.names]
        if place.lower() not in lower:
            raise IndexError("No item with that key")
        return super().__getitem__(lower.index(place.lower()))


class SqlCursor:
    """The rows of one statement, and what aiosqlite's cursor says of it."""

    def __init__(self, connection: "SqlConnection") -> None:
        self.connection = connection
        self.row_factory = connection.row_factory
        self.arraysize, self.lastrowid, self.rowcount = 1, None, -1
        self.description: tuple[Any, ...] | None = None
        self._rows: list[tuple[Any, ...]] = []

    async def _run(self, *request: Any) -> "SqlCursor":
        answer = await self.connection.ask(*request)
        self._rows = [tuple(row) for row in answer[1]]
        names = [(name, None, None, None, None, None, None) for name in answer[2]]
        self.description = tuple(names) or None
        self.lastrowid, self.rowcount = answer[3], answer[4]
        return self

    async def ask(self, how: str, sql: str, parameters: Any) -> "SqlCursor":
        """Run a statement with its parameters: "execute", "fetchall" or "insert"."""
        given = dict(parameters) if isinstance(parameters, dict) else list(parameters)
        return await self._run(how, sql, given)

    async def execute(self, sql: str, parameters: Any = ()) -> "SqlCursor":
        return await self.ask("execute", sql, parameters)

    async def executemany(self, sql: str, parameters: Iterable[Any]) -> "SqlCursor":
        rows = [dict(row) if isinstance(row, dict) else list(row) for row in parameters]
        return await self._run("executemany", sql, rows)

    async def executescript(self, script: str) -> "SqlCursor":
        return await self._run("executescript", script)

    def _made(self, row: tuple[Any, ...]) -> Any:
        if self.row_factory is sqlite3.Row:
            made = _Row(row)
            made.names = tuple(column[0] for column in self.description or ())
            return made
        return self.row_factory(self, row) if self.row_factory else row

    async def fetchone(self) -> Any:
        return self._made(self._rows.pop(0)) if self._rows else None

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        size = self.arraysize if size is None else size
        taken, self._rows = self._rows[:size], self._rows[size:]
        return [self._made(row) for row in taken]

    async def fetchall(self) -> list[Any]:
        return await self.fetchmany(len(self._rows))

    async def __aiter__(self) -> AsyncIterator[Any]:
        while self._rows:
            yield self._made(self._rows.pop(0))

    async def close(self) -> None:
        self._rows = []

    async def __aenter__(self) -> "SqlCursor":
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()


class _Statement:
    """What can be awaited, or entered with `async with`."""

    def __init__(self, work: Coroutine[Any, Any, Any]) -> None:
        self._work = work

    def __await__(self) -> Generator[Any, None, Any]:
        return self._work.__await__()

    async def __aenter__(self) -> Any:
        return await self._work

    async def __aexit__(self, *error: object) -> None: ...


class SqlConnection:
    """Stands for the judge's connection of that number."""

    row_factory: Any = None

    def __init__(self, learner: "Learner", number: int, options: dict[str, Any]) -> None:
        self._learner, self._number = learner, number
        self.in_transaction = False

    async def ask(self, *request: Any) -> list[Any]:
        """Put a request to the judge; the answer's first item is whether a transaction is open."""
        answer = await self._learner.effect(self._number, list(request))
        if answer is not None:
            self.in_transaction = answer[0]
        return answer or []

    @property
    def isolation_level(self) -> Any:
        return self._learner.ask(self._number, ["isolation"])

    @isolation_level.setter
    def isolation_level(self, level: str | None) -> None:
        self._learner.ask(self._number, ["isolation", level])

    @property
    def total_changes(self) -> int:
        return int(self._learner.ask(self._number, ["changes"]))

    def cursor(self) -> _Statement:
        return _Statement(self._cursor())

    async def _cursor(self) -> SqlCursor:
        return SqlCursor(self)

    def execute(self, sql: str, parameters: Any = ()) -> _Statement:
        return _Statement(SqlCursor(self).execute(sql, parameters))

    def executemany(self, sql: str, parameters: Iterable[Any]) -> _Statement:
        return _Statement(SqlCursor(self).executemany(sql, parameters))

    def executescript(self, script: str) -> _Statement:
        return _Statement(SqlCursor(self).executescript(script))

    def execute_insert(self, sql: str, parameters: Any = ()) -> _Statement:
        return _Statement(self._insert(sql, parameters))

    async def _insert(self, sql: str, parameters: Any) -> Any:
        return ((await SqlCursor(self).ask("insert", sql, parameters)).lastrowid,)

    def execute_fetchall(self, sql: str, parameters: Any = ()) -> _Statement:
        return _Statement(self._all(sql, parameters))

    async def _all(self, sql: str, parameters: Any) -> Any:
        return await (await SqlCursor(self).ask("fetchall", sql, parameters)).fetchall()

    async def commit(self) -> None:
        await self.ask("commit")

    async def rollback(self) -> None:
        await self.ask("rollback")

    async def close(self) -> None:
        await self.ask("close")

    async def _open(self) -> "SqlConnection":
        await self.ask("open")
        return self

    def __await__(self) -> Generator[Any, None, "SqlConnection"]:
        return self._open().__await__()

    async def __aenter__(self) -> "SqlConnection":
        return await self._open()

    async def __aexit__(self, *error: object) -> None:
        await self.close()
