"""Taking uploads away: by their owner, and by a sweep that finds what nobody will finish.

The record goes first. Die after it, and the files belong to nobody: the next sweep finds them. The
other way round, a record would promise bytes that are gone.
Leaves out: when to sweep. Once an hour is plenty; running it twice at once does no harm.
"""

from __future__ import annotations

from typing import NamedTuple

from course_lib.systems.file_uploads.storage import Storage

__all__ = ["Swept", "is_orphan", "sweep", "terminate"]


class Swept(NamedTuple):
    """What a sweep took away: uploads that were too late, and files that belong to nobody."""

    uploads: int
    files: int


async def terminate(storage: Storage, name: str) -> None:
    """Delete an upload and its files."""
    parts = await storage.catalog.parts(name)
    await storage.catalog.forget(name)
    for part in parts:
        await storage.disk.delete(part.file)


def is_orphan(file: str, owned: set[str], offsets: dict[str, int]) -> bool:
    """Whether a file can never become part of an upload; its name is upload.start.token.

    A file that is being written right now starts at its upload's offset. One that starts below it
    has lost the race for good.

    >>> is_orphan("a1.0.x", owned=set(), offsets={"a1": 0}), is_orphan("a1.0.x", set(), {"a1": 9})
    (False, True)
    """
    if file in owned:
        return False
    name, start, _ = file.split(".")
    return name not in offsets or int(start) < offsets[name]


async def sweep(storage: Storage) -> Swept:
    """Delete expired uploads, then the files that belong to no upload."""
    late = await storage.catalog.expired(storage.clock())
    for name in late:
        await storage.catalog.forget(name)
    # The files are listed first: one that appears later is not looked at.
    files = await storage.disk.names()
    owned, offsets = await storage.catalog.files(), await storage.catalog.offsets()
    orphans = [file for file in files if is_orphan(file, owned, offsets)]
    for file in orphans:
        await storage.disk.delete(file)
    return Swept(len(late), len(orphans))
