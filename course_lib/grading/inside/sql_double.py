"""What a learner uses of aiosqlite: connections and cursors whose statements the judge runs.

Left out: what needs the database itself, such as functions in Python and backups.
"""

from collections.abc import AsyncIterator, Generator, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from course_lib.grading.inside.learner import Learner

__all__ = ["SqlConnection", "SqlCursor"]


class SqlCursor:
    """The rows of one statement, and what aiosqlite's cursor says of it."""

    def __init__(self, answer: list[Any], factory: Any) -> None:
        self._rows = [tuple(row) for row in answer[1]]
        names = [(name, None, None, None, None, None, None) for name in answer[2]]
        self.description = tuple(names) or None
        self.lastrowid, self.rowcount = answer[3], answer[4]
        self._factory = factory

    def _made(self, row: tuple[Any, ...]) -> Any:
        return self._factory(self, row) if self._factory else row

    async def fetchone(self) -> Any:
        return self._made(self._rows.pop(0)) if self._rows else None

    async def fetchmany(self, size: int = 1) -> list[Any]:
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
    """A statement that can be awaited, or entered with `async with`."""

    def __init__(self, work: Any) -> None:
        self._work = work

    def __await__(self) -> Generator[Any, None, SqlCursor]:
        cursor: Generator[Any, None, SqlCursor] = self._work.__await__()
        return cursor

    async def __aenter__(self) -> SqlCursor:
        cursor: SqlCursor = await self._work
        return cursor

    async def __aexit__(self, *error: object) -> None: ...


class SqlConnection:
    """Stands for the judge's connection of that number."""

    row_factory: Any = None

    def __init__(self, learner: "Learner", number: int, options: dict[str, Any]) -> None:
        self._learner, self._number = learner, number
        self.in_transaction = False

    async def _ask(self, *request: Any) -> list[Any]:
        answer = await self._learner.effect(self._number, list(request))
        if answer is not None:
            self.in_transaction = answer[0]
        return answer or []

    async def _run(self, *request: Any) -> SqlCursor:
        return SqlCursor(await self._ask(*request), self.row_factory)

    def execute(self, sql: str, parameters: Any = ()) -> _Statement:
        given = dict(parameters) if isinstance(parameters, dict) else list(parameters)
        return _Statement(self._run("execute", sql, given))

    def executemany(self, sql: str, parameters: Iterable[Any]) -> _Statement:
        return _Statement(self._run("executemany", sql, [list(row) for row in parameters]))

    def executescript(self, script: str) -> _Statement:
        return _Statement(self._run("executescript", script))

    async def execute_fetchall(self, sql: str, parameters: Any = ()) -> list[Any]:
        return await (await self.execute(sql, parameters)).fetchall()

    async def commit(self) -> None:
        await self._ask("commit")

    async def rollback(self) -> None:
        await self._ask("rollback")

    async def close(self) -> None:
        await self._ask("close")

    async def _open(self) -> "SqlConnection":
        await self._ask("open")
        return self

    def __await__(self) -> Generator[Any, None, "SqlConnection"]:
        return self._open().__await__()

    async def __aenter__(self) -> "SqlConnection":
        return await self._open()

    async def __aexit__(self, *error: object) -> None:
        await self.close()
