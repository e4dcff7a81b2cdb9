"""Files on a real disk, without making the event loop wait; and what any disk must offer.

Names come from the server (`parts.py`), and a name with a separator is an error all the same.
Leaves out fsync: a killed process loses nothing that was written, a power failure may.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Protocol

__all__ = ["Disk", "LocalDisk"]


class Disk(Protocol):
    """Files by name, as the systems use them; the lab's `world.disk` offers the same."""

    async def append(self, name: str, data: bytes) -> None: ...
    async def read(self, name: str, start: int = 0, size: int | None = None) -> bytes: ...
    async def size(self, name: str) -> int: ...
    async def delete(self, name: str) -> None: ...
    async def names(self) -> list[str]: ...


class LocalDisk:
    """The files of one folder.

    >>> await LocalDisk(Path("/srv/uploads")).append("a1.0.x", b"hello")
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __repr__(self) -> str:
        return f"LocalDisk({str(self.folder)!r})"

    def path(self, name: str) -> Path:
        """Where a file lies; ValueError for a name that this server cannot have made."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            raise ValueError(f"no name of ours: {name!r}")
        return self.folder / name

    async def append(self, name: str, data: bytes) -> None:
        """Write at the end of a file, which is made if it is not there."""
        await asyncio.to_thread(self._append, self.path(name), data)

    @staticmethod
    def _append(path: Path, data: bytes) -> None:
        with path.open("ab", buffering=0) as file:
            file.write(data)

    async def read(self, name: str, start: int = 0, size: int | None = None) -> bytes:
        """Read `size` bytes from `start`, or all that follow."""
        return await asyncio.to_thread(self._read, self.path(name), start, size)

    @staticmethod
    def _read(path: Path, start: int, size: int | None) -> bytes:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(-1 if size is None else size)

    async def size(self, name: str) -> int:
        """The bytes in a file."""
        return (await asyncio.to_thread(self.path(name).stat)).st_size

    async def delete(self, name: str) -> None:
        """Delete a file; it is no error if there is none."""
        await asyncio.to_thread(self.path(name).unlink, missing_ok=True)

    async def names(self) -> list[str]:
        """The names of all files, sorted."""
        return await asyncio.to_thread(lambda: sorted(path.name for path in self.folder.iterdir()))
