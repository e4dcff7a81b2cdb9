"""What is stored, in SQLite: uploads, and their parts. One statement decides each question.

An upload's offset is not a column: it is where its last part ends. So a part and the new offset
come into being together, and there is nothing to keep in step. Each statement that decides carries
its condition with it, so that no two servers can both be told yes.
Leaves out: users. `owner` is whoever the application has verified.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import aiosqlite

from course_lib.systems.file_uploads.lifecycle import require, state_of
from course_lib.systems.file_uploads.refused import Refused

__all__ = ["Catalog", "Part", "Upload"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, length INTEGER NOT NULL,
    metadata TEXT NOT NULL, expires REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS parts (
    upload TEXT NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL, file TEXT NOT NULL,
    PRIMARY KEY (upload, start)
) WITHOUT ROWID;
"""

OFFSET = "(SELECT coalesce(max(stop), 0) FROM parts WHERE upload = uploads.id)"

FIND = f"SELECT id, owner, length, metadata, expires, {OFFSET} FROM uploads WHERE id = ?"

# An unfinished upload counts with its whole length: the room is promised.
CREATE = f"""
INSERT INTO uploads SELECT :id, :owner, :length, :metadata, :expires
WHERE :length <= :quota - (
    SELECT coalesce(sum(length), 0) FROM uploads
    WHERE owner = :owner AND (expires > :now OR {OFFSET} = length)
)
"""

COMMIT = f"""
INSERT INTO parts SELECT id, :start, :stop, :file FROM uploads
WHERE id = :id AND {OFFSET} = :start AND :stop <= length
"""


@dataclass(frozen=True)
class Upload:
    """One upload's record; `expires` is in seconds since 1970."""

    id: str
    owner: str
    length: int
    metadata: str
    expires: float
    offset: int

    def state(self, now: float) -> str:
        """Where it is in its life: see `lifecycle.py`."""
        return state_of(self.offset, self.length, self.expires, now)


@dataclass(frozen=True)
class Part:
    """Bytes from `start` to before `stop`, in a file of their own."""

    start: int
    stop: int
    file: str


class Catalog:
    """Uploads and parts in a database; `connect` opens a connection, as `aiosqlite.connect` does.

    >>> catalog = Catalog(lambda: aiosqlite.connect("uploads.sqlite"))
    """

    def __init__(self, connect: Callable[[], aiosqlite.Connection]) -> None:
        self._connect = connect

    async def prepare(self) -> None:
        """Make the tables, if they are not there."""
        async with self._connect() as db:
            await db.executescript(SCHEMA)

    async def create(self, upload: Upload, quota: int, now: float) -> None:
        """Record a new upload, if it fits into what its owner may store; else 507."""
        wanted = {**vars(upload), "quota": quota, "now": now}
        if not await self._decide(CREATE, wanted):
            raise Refused(507, f"{upload.owner} may store {quota:,} bytes, and has too few left")

    async def find(self, name: str, action: str, now: float) -> Upload:
        """The upload, if `action` is possible in its state; else Refused with its status."""
        async with self._connect() as db, db.execute(FIND, (name,)) as cursor:
            row = await cursor.fetchone()
        upload = Upload(*row) if row else None
        require(upload.state(now) if upload else "gone", action)
        assert upload is not None
        return upload

    async def commit(self, name: str, part: Part) -> bool:
        """Add a part, if the upload still ends where the part starts: whether it was added."""
        return await self._decide(COMMIT, {"id": name, **vars(part)})

    async def parts(self, name: str) -> list[Part]:
        """The parts of an upload, in order."""
        query = "SELECT start, stop, file FROM parts WHERE upload = ? ORDER BY start"
        async with self._connect() as db, db.execute(query, (name,)) as cursor:
            return [Part(*row) for row in await cursor.fetchall()]

    async def forget(self, name: str) -> None:
        """Delete an upload's record and parts, in one transaction."""
        async with self._connect() as db:
            await db.execute("DELETE FROM parts WHERE upload = ?", (name,))
            await db.execute("DELETE FROM uploads WHERE id = ?", (name,))
            await db.commit()

    async def expired(self, now: float) -> list[str]:
        """The uploads that are unfinished and too late."""
        query = f"SELECT id FROM uploads WHERE expires <= ? AND {OFFSET} < length ORDER BY id"
        async with self._connect() as db, db.execute(query, (now,)) as cursor:
            return [row[0] for row in await cursor.fetchall()]

    async def offsets(self) -> dict[str, int]:
        """Every upload's offset."""
        async with self._connect() as db, db.execute(f"SELECT id, {OFFSET} FROM uploads") as cursor:
            return {row[0]: row[1] for row in await cursor.fetchall()}

    async def files(self) -> set[str]:
        """The files that belong to an upload."""
        async with self._connect() as db, db.execute("SELECT file FROM parts") as cursor:
            return {row[0] for row in await cursor.fetchall()}

    async def _decide(self, statement: str, values: dict[str, object]) -> bool:
        async with self._connect() as db:
            cursor = await db.execute(statement, values)
            await db.commit()
            return cursor.rowcount == 1
