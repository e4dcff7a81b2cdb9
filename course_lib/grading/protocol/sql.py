"""An SQL connection as a handle: statements travel, all rows of an answer come back at once.

A statement runs in the judge, so it may reach no file but its database. Left out: an answer read
halfway; its rows are fetched before the statement's reply.
"""

import sqlite3
from collections.abc import Iterable
from typing import Any

import aiosqlite

from course_lib.grading.protocol.values import NotSendable

__all__ = ["Sql"]

MOST = 10_000  # rows of one answer


class Sql:
    """One connection that a check hands to a learner."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    def options(self) -> dict[str, object]:
        """Nothing to say."""
        return {}

    def ask(self, payload: Any) -> object:
        """Tell what is known without waiting; to set the isolation level is refused as here."""
        match payload:
            case ["isolation"]:
                return self._connection.isolation_level
            case ["isolation", None | str() as level]:
                self._connection.isolation_level = level  # type: ignore[assignment]
                return None
            case ["changes"]:
                return self._connection.total_changes
        raise NotSendable("an SQL statement that does not wait")

    async def effect(self, payload: Any) -> object:
        """Run a statement; return its rows, columns, last row's id, row count and open state."""
        connection = self._connection
        match payload:
            case ["open"]:
                await connection
                return [connection.in_transaction]
            case ["close"]:
                await connection.close()
                return None
        await connection.set_authorizer(_no_other_file)
        match payload:
            case ["commit"]:
                await connection.commit()
            case ["rollback"]:
                await connection.rollback()
            case ["execute", str(statement), list() | dict() as parameters]:
                return await self._answer(await connection.execute(statement, parameters))
            case ["fetchall", str(statement), list() | dict() as parameters]:
                return await self._all(statement, parameters)
            case ["insert", str(statement), list() | dict() as parameters]:
                row = await connection.execute_insert(statement, parameters)
                return [connection.in_transaction, [], [], row[0] if row else None, -1]
            case ["executemany", str(statement), list(rows)]:
                return await self._answer(await connection.executemany(statement, rows))
            case ["executescript", str(script)]:
                return await self._answer(await connection.executescript(script))
            case _:
                raise NotSendable("an SQL request of no known form")
        return [connection.in_transaction]

    async def _all(self, statement: str, parameters: Any) -> list[object]:
        """What `execute_fetchall` does, with an end to the rows: it would fetch any number."""
        connection, columns = self._connection, []

        def _execute_fetchall(sql: str, given: Any) -> list[Any]:
            cursor = connection._conn.execute(sql, given)
            columns.extend(_columns(cursor))
            return cursor.fetchmany(MOST + 1)

        # By this name the world knows it for one effect that brings its rows.
        found = await connection._execute(_execute_fetchall, statement, parameters)  # type: ignore[no-untyped-call]
        return [connection.in_transaction, _few(found), columns, None, -1]

    async def _answer(self, cursor: aiosqlite.Cursor) -> list[object]:
        rows = _few(await cursor.fetchmany(MOST + 1))
        columns = _columns(cursor)
        open_still = self._connection.in_transaction
        answer = [open_still, rows, columns, cursor.lastrowid, cursor.rowcount]
        await cursor.close()
        return answer


def _few(rows: Iterable[Any]) -> list[list[object]]:
    found = [list(row) for row in rows]
    if len(found) > MOST:
        raise NotSendable(f"an answer of more than {MOST:,} rows")
    return found


def _columns(cursor: aiosqlite.Cursor | sqlite3.Cursor) -> list[str]:
    return [column[0] for column in cursor.description or ()]


def _no_other_file(action: int, *about: object) -> int:
    """ATTACH and VACUUM INTO open files, and a pragma can name a folder."""
    attach = action == sqlite3.SQLITE_ATTACH and about[0] not in ("", None)
    pragma = action == sqlite3.SQLITE_PRAGMA and str(about[0]).endswith("_directory")
    return sqlite3.SQLITE_DENY if attach or pragma else sqlite3.SQLITE_OK
