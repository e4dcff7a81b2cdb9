"""A small object store: bodies become files, files become objects, and the API is called back.

It knows no users: a request passes if its grant is signed (`presign.py`; the routes are in
`store_routes.py`). When an object is complete it calls the API back, signed as well, and again
until it is answered. Leaves out: copies, versions, ranges, and a queue for call-backs that outlives
a restart: the API looks for itself when a client says "complete" (`direct.py`).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import ClientDisconnect

from course_lib.systems.file_uploads.content import ENOUGH, fits
from course_lib.systems.file_uploads.disk import Disk
from course_lib.systems.file_uploads.multipart import Stored
from course_lib.systems.file_uploads.objects import Object, Objects
from course_lib.systems.file_uploads.refused import Refused
from course_lib.systems.file_uploads.storage import new_token

__all__ = ["Store", "sign_event"]

BLOCK = 256 * 1024
Notify = Callable[[bytes, str], Awaitable[bool]]
"""Sends an event and its signature to the API; whether it was answered."""


async def nobody(event: bytes, signature: str) -> bool:
    """The call-back where nobody wants to be called."""
    return True


@dataclass(frozen=True)
class Store:
    """Where objects live, and the secret that grants are signed with."""

    objects: Objects
    disk: Disk
    clock: Callable[[], float]
    secret: bytes
    token: Callable[[], str] = new_token
    notify: Notify = nobody
    least_part: int = 5 * 1024 * 1024

    async def receive(self, body: AsyncIterator[bytes], most: int) -> Stored:
        """Stream a body into a new file; Refused, and no file, if it is too large or breaks off."""
        # The time in the name tells the sweep which files may still be on their way.
        file = f"{int(self.clock()):012d}.{self.token()}"
        size, digest, block = 0, hashlib.md5(usedforsecurity=False), bytearray()

        async def write() -> None:
            digest.update(block)
            await self.disk.append(file, bytes(block))
            block.clear()

        try:
            async for piece in body:
                size += len(piece)
                if size > most:
                    raise Refused(413, f"at most {most} bytes are allowed")
                block += piece
                if len(block) >= BLOCK:
                    await write()
            await write()
        except (Refused, ClientDisconnect):
            await self.disk.delete(file)
            raise
        return Stored(size, f'"{digest.hexdigest()}"', file)

    async def check_type(self, kind: str, *files: str) -> None:
        """Refuse an object whose first bytes are of another type than was granted."""
        head = b""
        for file in files:
            if len(head) < ENOUGH:
                head += await self.disk.read(file, 0, ENOUGH - len(head))
        if not fits(kind, head):
            raise Refused(415, f"the first bytes are not those of {kind}")

    async def read(self, made: Object) -> AsyncIterator[bytes]:
        """An object's bytes, block by block."""
        for file in made.files:
            size = await self.disk.size(file)
            for start in range(0, size, BLOCK):
                yield await self.disk.read(file, start, BLOCK)

    async def tell(self, made: Object) -> None:
        """Call the API back until it answers, at most five times, each time twice as late."""
        event = json.dumps({"key": made.key, "size": made.size, "etag": made.etag}).encode()
        for attempt in range(5):
            if await self.notify(event, sign_event(self.secret, event)):
                return
            await asyncio.sleep(2.0**attempt)

    async def sweep(self, grace: float = 24 * 3600.0) -> tuple[int, int]:
        """Give up uploads that are too late, and delete files of nobody that are older than that.

        Gives how many uploads and how many files. A younger file may still be on its way.
        """
        late = await self.objects.expire(self.clock())
        owned = await self.objects.files()
        names = [name for name in await self.disk.names() if name not in owned]
        orphans = [name for name in names if int(name.split(".")[0]) <= self.clock() - grace]
        for file in orphans:
            await self.disk.delete(file)
        return late, len(orphans)


def sign_event(secret: bytes, event: bytes) -> str:
    """The signature of a call-back, so that nobody else can say that an upload is complete."""
    return hmac.new(secret, b"event\n" + event, hashlib.sha256).hexdigest()
