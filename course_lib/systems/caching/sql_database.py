"""The store of record: one table in SQLite, one statement for each verb.

A row's version is its number in an AUTOINCREMENT sequence. REPLACE writes a new row, so each write
has a higher version than every write before it, and a number is never used twice.
Leaves out: schemas, indexes and pools (chapters 19 and 22), replicas.
Source: https://sqlite.org/autoinc.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import aiosqlite

__all__ = ["SqlDatabase"]

TABLE = """
CREATE TABLE IF NOT EXISTS items (
  version INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE NOT NULL, value TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS flushes (one INTEGER PRIMARY KEY, batch INTEGER NOT NULL);
INSERT OR IGNORE INTO flushes VALUES (1, 0);
"""


class SqlDatabase:
    """Rows by key, over one aiosqlite connection that is open and in autocommit mode.

    >>> async with aiosqlite.connect(":memory:", isolation_level=None) as connection:
    ...     database = await SqlDatabase.on(connection)
    ...     await database.write("cup", "7 EUR"), await database.read("cup")
    (1, '7 EUR')
    """

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        # What one task writes between BEGIN and COMMIT must not be another's transaction.
        self._writing = asyncio.Lock()

    @classmethod
    async def on(cls, connection: aiosqlite.Connection) -> SqlDatabase:
        """Make the tables if they are not there yet; ValueError without autocommit."""
        if connection.isolation_level is not None:
            raise ValueError(
                "open it with isolation_level=None: nothing here commits one statement"
            )
        await connection.executescript(TABLE)
        return cls(connection)

    async def read(self, key: str) -> str | None:
        """The value, or None if there is no such row."""
        select = "SELECT value FROM items WHERE key = ?"
        rows = list(await self._connection.execute_fetchall(select, (key,)))
        return rows[0][0] if rows else None

    async def write(self, key: str, value: str) -> int:
        """Write one row; returns its version."""
        replace = "REPLACE INTO items (key, value) VALUES (?, ?) RETURNING version"
        async with self._writing:
            rows = list(await self._connection.execute_fetchall(replace, (key, value)))
        return int(rows[0][0])

    async def version(self, key: str) -> int | None:
        """The row's version alone, for an entity tag; None if there is no such row."""
        select = "SELECT version FROM items WHERE key = ?"
        rows = list(await self._connection.execute_fetchall(select, (key,)))
        return int(rows[0][0]) if rows else None

    async def write_batch(self, batch: int, items: Mapping[str, str]) -> bool:
        """Write all items in one transaction, unless this batch or a later one was written before.

        Batches are numbered upwards; a writer that slept through the next batch changes nothing.
        """
        async with self._writing:
            await self._connection.execute("BEGIN IMMEDIATE")
            try:
                fresh = batch > await self._last_batch()
                if fresh:
                    replace = "REPLACE INTO items (key, value) VALUES (?, ?)"
                    await self._connection.executemany(replace, list(items.items()))
                    await self._connection.execute("UPDATE flushes SET batch = ?", (batch,))
                await self._connection.commit()
            except BaseException:
                await self._connection.rollback()
                raise
            return fresh

    async def _last_batch(self) -> int:
        rows = list(await self._connection.execute_fetchall("SELECT batch FROM flushes"))
        return int(rows[0][0])
