"""Bytes in, bytes out: a body becomes parts on disk, and a finished upload is its parts in turn.

A part is written to a file that nobody else knows. Then one statement makes it part of the upload.
Die before it, and the file is rubbish; die after it, and the bytes are there. No lock, no byte
written twice, and no copy at the end. Memory: one block, whatever the file.
Leaves out: compression, and keeping parts on several disks.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from starlette.requests import ClientDisconnect

from course_lib.systems.file_uploads.catalog import Catalog, Part, Upload
from course_lib.systems.file_uploads.checksum import Checksum
from course_lib.systems.file_uploads.content import ENOUGH, sniff
from course_lib.systems.file_uploads.disk import Disk
from course_lib.systems.file_uploads.offsets import check_append
from course_lib.systems.file_uploads.refused import Refused

__all__ = ["Rules", "Storage", "new_token"]

KIB, MIB = 1024, 1024 * 1024


def new_token() -> str:
    """An id that nobody can guess: 128 random bits."""
    return secrets.token_hex(16)


@dataclass(frozen=True)
class Rules:
    """What may be uploaded: sizes in bytes, times in seconds; `types` None means any type."""

    max_size: int = 1024 * MIB
    quota: int = 4096 * MIB
    lifetime: float = 24 * 3600.0
    types: frozenset[str] | None = None
    part_size: int = 4 * MIB
    block_size: int = 256 * KIB

    def check_type(self, head: bytes) -> None:
        """Refuse a file by its first bytes, whatever it is called."""
        kind = sniff(head)
        if self.types is not None and kind not in self.types:
            raise Refused(415, f"the file is {kind}, which may not be uploaded")


@dataclass(frozen=True)
class Storage:
    """Where uploads live: their records, their bytes, the clock, and what makes new names."""

    catalog: Catalog
    disk: Disk
    clock: Callable[[], float]
    token: Callable[[], str] = new_token
    rules: Rules = field(default_factory=Rules)

    async def append(
        self, upload: Upload, body: AsyncIterator[bytes], checksum: Checksum | None = None
    ) -> int:
        """Append a body at the upload's offset; gives the new offset.

        Without a checksum every `part_size` bytes are kept, and so is what had arrived when the
        client left. With one, all bytes are kept or none.
        """
        intake = _Intake(self, upload, checksum)
        try:
            async for piece in body:
                await intake.take(piece)
        except ClientDisconnect:
            if checksum is None:
                await intake.keep()
            raise
        return await intake.finish()

    async def read(self, upload: Upload) -> AsyncIterator[bytes]:
        """The bytes of an upload so far, block by block."""
        for part in await self.catalog.parts(upload.id):
            for start in range(0, part.stop - part.start, self.rules.block_size):
                yield await self.disk.read(part.file, start, self.rules.block_size)

    async def head(self, upload: Upload) -> bytes:
        """The first bytes, enough to tell the type."""
        head = b""
        for part in await self.catalog.parts(upload.id):
            if len(head) < ENOUGH:
                head += await self.disk.read(part.file, 0, ENOUGH - len(head))
        return head


class _Intake:
    """One request's bytes on their way: blocks into a part, the part into the upload."""

    def __init__(self, storage: Storage, upload: Upload, checksum: Checksum | None) -> None:
        self.storage, self.upload, self.checksum = storage, upload, checksum
        self.digest = hashlib.new(checksum.algorithm) if checksum else None
        self.start = self.stop = upload.offset
        self.block = bytearray()
        self.head = b""
        self.before: bytes | None = None
        self._new_file()

    def _new_file(self) -> None:
        self.file = f"{self.upload.id}.{self.start}.{self.storage.token()}"

    async def take(self, piece: bytes) -> None:
        """Add some bytes; a full block is written, a full part is kept."""
        check_append(self.stop, self.upload.length, self.stop, len(piece))
        self.block += piece
        self.stop += len(piece)
        rules = self.storage.rules
        if len(self.block) >= rules.block_size:
            await self._write()
        if self.checksum is None and self.stop - self.start >= rules.part_size:
            await self.keep()

    async def finish(self) -> int:
        """Check and keep what is left; gives the new offset."""
        if self.checksum and self.digest:
            await self._write()
            try:
                self.checksum.check(self.digest.digest())
            except Refused:
                await self.storage.disk.delete(self.file)
                raise
        await self.keep()
        return self.stop

    async def keep(self) -> None:
        """Make what was received part of the upload: first the bytes, then the record."""
        await self._write()
        if self.stop == self.start:
            return
        await self._check_type()
        part = Part(self.start, self.stop, self.file)
        if not await self.storage.catalog.commit(self.upload.id, part):
            await self.storage.disk.delete(self.file)
            raise Refused(409, "somebody else has appended in the meantime")
        self.start = self.stop
        self._new_file()

    async def _write(self) -> None:
        if self.block:
            data = bytes(self.block)
            self.block.clear()
            if self.digest:
                self.digest.update(data)
            if len(self.head) < ENOUGH:
                self.head += data[: ENOUGH - len(self.head)]
            await self.storage.disk.append(self.file, data)

    async def _check_type(self) -> None:
        """As soon as there are enough bytes, and in any case before the last one is kept."""
        rules = self.storage.rules
        if rules.types is None or self.upload.offset >= ENOUGH:
            return
        if self.before is None:
            self.before = await self.storage.head(self.upload)
        head = self.before + self.head
        if len(head) >= ENOUGH or self.stop == self.upload.length:
            try:
                rules.check_type(head[:ENOUGH])
            except Refused:
                await self.storage.disk.delete(self.file)
                raise
