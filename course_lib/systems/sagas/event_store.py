"""An event store over SQLite: what happened, in order, and never changed.

A stream is one thing's history; its state is the fold of its events. `append` names the version
that the writer has seen, and fails if somebody else was quicker: optimistic, without a lock. A
snapshot keeps a state, so that a long stream need not be read from its beginning. Leaves out:
changing the form of old events (chapter 27) and deleting personal data.
Source: Young, CQRS Documents (2010), on the event storage; Fowler, Event Sourcing (2005).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any, NamedTuple

import aiosqlite

__all__ = ["Event", "EventStore", "WrongVersion"]

SCHEMA = """
CREATE TABLE events (position INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT, version INTEGER,
                     kind TEXT, data TEXT, UNIQUE (stream, version));
CREATE TABLE snapshots (stream TEXT PRIMARY KEY, version INTEGER, state TEXT);
"""
LATER = "SELECT position, stream, version, kind, data FROM events WHERE "


class WrongVersion(Exception):
    """Somebody else has appended since this version was read: read again, decide again."""


class Event(NamedTuple):
    """One thing that happened; `position` counts all events, `version` those of the stream."""

    position: int
    stream: str
    version: int
    kind: str
    data: Any


class EventStore:
    """Appends and reads; `connect` opens a connection to its database."""

    SCHEMA = SCHEMA

    def __init__(self, connect: Callable[[], aiosqlite.Connection]) -> None:
        self._connect = connect

    async def append(self, stream: str, version: int, kind: str, data: Any = None) -> int:
        """Append an event as number `version` + 1, or raise WrongVersion; the new version.

        >>> await store.append("order-1", 0, "placed"), await store.append("order-1", 1, "done")
        (1, 2)
        """
        row = (stream, version + 1, kind, json.dumps(data))
        async with self._connect() as db:
            try:
                await db.execute(
                    "INSERT INTO events (stream, version, kind, data) VALUES (?, ?, ?, ?)", row
                )
            except sqlite3.IntegrityError:
                raise WrongVersion(f"{stream} has moved on from version {version}") from None
            await db.commit()
        return version + 1

    async def read(self, stream: str, after: int = 0) -> list[Event]:
        """The events of one stream, after a version."""
        return await self._events("stream = ? AND version > ? ORDER BY version", (stream, after))

    async def all_after(self, position: int, limit: int = 100) -> list[Event]:
        """The events of all streams, after a position: what projections read."""
        return await self._events("position > ? ORDER BY position LIMIT ?", (position, limit))

    async def _events(self, where: str, values: tuple[Any, ...]) -> list[Event]:
        async with self._connect() as db:
            rows = await db.execute_fetchall(LATER + where, values)
        return [Event(p, stream, v, kind, json.loads(data)) for p, stream, v, kind, data in rows]

    async def head(self) -> int:
        """The position of the last event; 0 if there is none."""
        async with self._connect() as db:
            rows = list(await db.execute_fetchall("SELECT MAX(position) FROM events"))
        return int(rows[0][0] or 0)

    # Snapshots

    async def snapshot(self, stream: str) -> tuple[int, Any]:
        """The version and the state of the latest snapshot; (0, None) if there is none."""
        query = "SELECT version, state FROM snapshots WHERE stream = ?"
        async with self._connect() as db:
            rows = list(await db.execute_fetchall(query, (stream,)))
        return (rows[0][0], json.loads(rows[0][1])) if rows else (0, None)

    async def keep(self, stream: str, version: int, state: Any) -> None:
        """Keep a state as the snapshot of its version; an older one is replaced."""
        async with self._connect() as db:
            row = (stream, version, json.dumps(state))
            await db.execute("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?)", row)
            await db.commit()
