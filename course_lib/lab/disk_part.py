"""The world's disk: files by name, each operation one effect; a node's death leaves them alone.

Operations are async, as those of a real service must be: a blocking write in the event loop makes
everybody wait. Leaves out folders, a full disk, and power failures (nothing is ever unsynced).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from course_lib.lab.world import World

__all__ = ["Disk", "disk"]


def disk(world: World, who: str, name: str) -> Disk:
    """The files of disk `name`, as node `who` reads and writes them."""
    disks: dict[str, dict[str, bytearray]] = world.part("disk", dict)
    return Disk(world, who, name, disks.setdefault(name, {}))


class Disk:
    """Files by name: append, read a range, size, delete, list.

    >>> async def note(disk):
    ...     await disk.append("log", b"one ")
    ...     await disk.append("log", b"two")
    ...     return await disk.read("log", 4), await disk.size("log")
    >>> from course_lib.lab import World, run
    >>> run(note(World().disk("server")))
    (b'two', 7)
    """

    def __init__(self, world: World, who: str, name: str, files: dict[str, bytearray]):
        self.world, self.who, self.name, self.files = world, who, name, files

    def __repr__(self) -> str:
        size = sum(map(len, self.files.values()))
        return f"Disk({len(self.files)} files, {size:,} bytes)"

    async def append(self, name: str, data: bytes) -> None:
        """Write at the end of a file, which is made if it is not there."""
        what = f"append {len(data):,} bytes to {name}"
        await self._effect(
            what, name, lambda: self.files.setdefault(name, bytearray()).extend(data)
        )

    async def read(self, name: str, start: int = 0, size: int | None = None) -> bytes:
        """Read `size` bytes from `start`, or the rest; FileNotFoundError if there is none."""
        stop = None if size is None else start + size
        data = await self._effect(
            f"read {name}", name, lambda: bytes(self._file(name)[start:stop]), writes=False
        )
        return bytes(data)

    async def size(self, name: str) -> int:
        """The bytes in a file; FileNotFoundError if there is none."""
        return int(
            await self._effect(f"size of {name}", name, lambda: len(self._file(name)), writes=False)
        )

    async def delete(self, name: str) -> None:
        """Delete a file; it is no error if there is none."""
        await self._effect(f"delete {name}", name, lambda: self.files.pop(name, None))

    async def names(self) -> list[str]:
        """The names of all files, sorted."""
        return list(await self._effect("list", None, lambda: sorted(self.files), writes=False))

    def _file(self, name: str) -> bytearray:
        if name not in self.files:
            raise FileNotFoundError(name)
        return self.files[name]

    async def _effect(
        self, what: str, name: str | None, apply: Callable[[], object], writes: bool = True
    ) -> Any:
        keys = None if name is None else frozenset((name,))
        return await self.world.effect(
            self.who, self.name, what, apply, keys=keys, writes=writes, shown=_shown
        )


def _shown(result: object) -> object:
    return f"{len(result):,} bytes" if isinstance(result, bytes) else "ok"
