"""The records of an object store, in SQLite: objects, and multipart uploads with their parts.

An object appears all at once: bytes lie in files of their own, and one statement makes them the
object. Whoever reads meanwhile sees the old one or the new one. Deleting what was replaced is the
sweep's work. Leaves out: versions, listing, and copies on several machines.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import aiosqlite

from course_lib.systems.file_uploads.multipart import Stored

__all__ = ["Multipart", "Object", "Objects"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    key TEXT PRIMARY KEY, size INTEGER NOT NULL, kind TEXT NOT NULL, etag TEXT NOT NULL,
    files TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS multiparts (
    id TEXT PRIMARY KEY, key TEXT NOT NULL, size INTEGER NOT NULL, kind TEXT NOT NULL,
    expires REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS pieces (
    upload TEXT NOT NULL, number INTEGER NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
    file TEXT NOT NULL, PRIMARY KEY (upload, number)
) WITHOUT ROWID;
"""

PUT = "INSERT OR REPLACE INTO objects VALUES (:key, :size, :kind, :etag, :files)"

# A piece of an upload that was completed or given up in the meantime belongs to nobody.
PUT_PIECE = """
INSERT OR REPLACE INTO pieces SELECT id, :number, :size, :etag, :file FROM multiparts
WHERE id = :upload AND expires > :now
"""


@dataclass(frozen=True)
class Object:
    """One object: its key, size in bytes, type, ETag, and the files that hold it, in order."""

    key: str
    size: int
    kind: str
    etag: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class Multipart:
    """One multipart upload that is open: `size` is the most bytes that may come together."""

    id: str
    key: str
    size: int
    kind: str
    expires: float


class Objects:
    """Objects and open multipart uploads in a database."""

    def __init__(self, connect: Callable[[], aiosqlite.Connection]) -> None:
        self._connect = connect

    async def prepare(self) -> None:
        """Make the tables, if they are not there."""
        async with self._connect() as db:
            await db.executescript(SCHEMA)

    async def put(self, made: Object) -> None:
        """Let this be the object of its key."""
        async with self._connect() as db:
            await db.execute(PUT, {**vars(made), "files": json.dumps(made.files)})
            await db.commit()

    async def get(self, key: str) -> Object | None:
        """The object of a key."""
        async with self._connect() as db:
            cursor = await db.execute("SELECT * FROM objects WHERE key = ?", (key,))
            row = await cursor.fetchone()
        if row is None:
            return None
        key, size, kind, etag, files = row
        return Object(key, size, kind, etag, tuple(json.loads(files)))

    async def begin(self, upload: Multipart) -> None:
        """Open a multipart upload."""
        async with self._connect() as db:
            values = vars(upload)
            await db.execute(
                "INSERT INTO multiparts VALUES (:id, :key, :size, :kind, :expires)", values
            )
            await db.commit()

    async def multipart(self, name: str, now: float) -> Multipart | None:
        """An upload that is open and not too late."""
        async with self._connect() as db:
            query = "SELECT * FROM multiparts WHERE id = ? AND expires > ?"
            row = await (await db.execute(query, (name, now))).fetchone()
        return Multipart(*row) if row else None

    async def put_piece(self, upload: str, number: int, stored: Stored, now: float) -> bool:
        """Let this be the part of its number, if the upload is still open: whether it was."""
        values = {"upload": upload, "number": number, "now": now, **stored._asdict()}
        async with self._connect() as db:
            cursor = await db.execute(PUT_PIECE, values)
            await db.commit()
            return cursor.rowcount == 1

    async def pieces(self, upload: str) -> dict[int, Stored]:
        """The parts of an upload by number."""
        query = "SELECT number, size, etag, file FROM pieces WHERE upload = ? ORDER BY number"
        async with self._connect() as db, db.execute(query, (upload,)) as cursor:
            return {row[0]: Stored(*row[1:]) for row in await cursor.fetchall()}

    async def complete(self, upload: str, made: Object) -> bool:
        """Make the object and close the upload, in one transaction: whether it was open."""
        async with self._connect() as db:
            closed = await db.execute("DELETE FROM multiparts WHERE id = ?", (upload,))
            if closed.rowcount == 0:
                return False
            await db.execute(PUT, {**vars(made), "files": json.dumps(made.files)})
            await db.execute("DELETE FROM pieces WHERE upload = ?", (upload,))
            await db.commit()
            return True

    async def abort(self, upload: str) -> bool:
        """Give an upload up: whether it was open."""
        async with self._connect() as db:
            cursor = await db.execute("DELETE FROM multiparts WHERE id = ?", (upload,))
            await db.execute("DELETE FROM pieces WHERE upload = ?", (upload,))
            await db.commit()
            return cursor.rowcount == 1

    async def expire(self, now: float) -> int:
        """Give up all uploads that are too late; how many they were."""
        late = "SELECT id FROM multiparts WHERE expires <= ?"
        async with self._connect() as db:
            await db.execute(f"DELETE FROM pieces WHERE upload IN ({late})", (now,))
            cursor = await db.execute("DELETE FROM multiparts WHERE expires <= ?", (now,))
            await db.commit()
            return cursor.rowcount

    async def files(self) -> set[str]:
        """The files that belong to an object or to a part."""
        async with self._connect() as db:
            whole = await (await db.execute("SELECT files FROM objects")).fetchall()
            parts = await (await db.execute("SELECT file FROM pieces")).fetchall()
        return {file for row in whole for file in json.loads(row[0])} | {row[0] for row in parts}
