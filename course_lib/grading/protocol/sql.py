"""An SQL connection as a handle: statements travel, all rows of an answer come back at once.

Left out: an answer read halfway; its rows are fetched before the statement's reply.
"""

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
        """Nothing is answered without waiting."""
        raise NotSendable("an SQL statement that does not wait")

    async def effect(self, payload: Any) -> object:
        """Run a statement; return its rows, columns, last row's id, row count and open state."""
        connection = self._connection
        match payload:
            case ["open"]:
                await connection
            case ["close"]:
                await connection.close()
                return None
            case ["commit"]:
                await connection.commit()
            case ["rollback"]:
                await connection.rollback()
            case ["execute", str(statement), list() | dict() as parameters]:
                return await self._answer(await connection.execute(statement, parameters))
            case ["executemany", str(statement), list(rows)]:
                return await self._answer(await connection.executemany(statement, rows))
            case ["executescript", str(script)]:
                return await self._answer(await connection.executescript(script))
            case _:
                raise NotSendable("an SQL request of no known form")
        return [connection.in_transaction]

    async def _answer(self, cursor: aiosqlite.Cursor) -> list[object]:
        rows = [list(row) for row in await cursor.fetchmany(MOST)]
        columns = [column[0] for column in cursor.description or ()]
        open_still = self._connection.in_transaction
        answer = [open_still, rows, columns, cursor.lastrowid, cursor.rowcount]
        await cursor.close()
        return answer
