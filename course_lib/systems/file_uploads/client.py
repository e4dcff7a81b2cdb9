"""A client that resumes: it asks the server for the offset, and never trusts its own memory.

Whatever goes wrong (no connection, a break in the middle, an answer that never came, a server that
died), the next step is the same: wait a little, ask, go on from there.
Leaves out: keeping the upload's address over a restart of the client; store `upload.url`.
Source: tus 1.0.0; full jitter: AWS Architecture Blog, Exponential Backoff And Jitter (2015).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httpx

from course_lib.systems.file_uploads.checksum import Checksum

__all__ = ["GaveUp", "ResumingClient", "Sent", "Source", "backoff"]

Source = Callable[[int, int], bytes]
"""Reads the file: the bytes from start to before stop."""

TUS = {"Tus-Resumable": "1.0.0"}


class GaveUp(Exception):
    """The upload cannot go on: the server refuses it, or there were too many failures in a row."""


@dataclass(frozen=True)
class Sent:
    """One attempt to append: bytes `start` to before `stop`, and what became of it."""

    start: int
    stop: int
    outcome: str


def backoff(failures: int, draw: random.Random, base: float, longest: float) -> float:
    """The pause after so many failures in a row: evenly from 0 to base * 2^(failures - 1) seconds.

    >>> 0 <= backoff(3, random.Random(1), base=0.5, longest=30.0) <= 2.0
    True
    """
    return draw.uniform(0, min(longest, base * 2.0 ** (failures - 1)))


@dataclass
class ResumingClient:
    """Uploads a file over httpx to a tus server, in chunks, and resumes for ever or nearly so.

    >>> client = ResumingClient(httpx.AsyncClient(base_url="https://api"), read, size=1_000_000)
    >>> await client.upload()
    '/files/5f3c...'
    """

    http: httpx.AsyncClient
    read: Source
    size: int
    chunk: int = 8 * 1024 * 1024
    checksum: str | None = "sha256"
    metadata: str = ""
    piece: int = 64 * 1024
    base: float = 0.5
    longest: float = 30.0
    patience: int = 12
    draw: random.Random = field(default_factory=random.Random)
    told: Callable[[Sent], None] = lambda sent: None
    failures: int = 0

    async def upload(self) -> str:
        """Create an upload and send all; gives its address."""
        url = await self.create()
        await self.resume(url, 0)
        return url

    async def create(self) -> str:
        """Ask for a new upload. One whose answer was lost is left for the server's sweep."""
        headers = {**TUS, "Upload-Length": str(self.size)}
        if self.metadata:
            headers["Upload-Metadata"] = self.metadata
        answer = await self._until_answered("POST", "/files", headers)
        return answer.headers["Location"]

    async def offset(self, url: str) -> int:
        """How many bytes the server has."""
        answer = await self._until_answered("HEAD", url, TUS)
        return int(answer.headers["Upload-Offset"])

    async def resume(self, url: str, offset: int | None = None) -> None:
        """Send what is missing; without an offset the server is asked first."""
        if offset is None:
            offset = await self.offset(url)
        while offset < self.size:
            # A chunk that was kept in part is finished first: chunks keep their places.
            stop = min(offset - offset % self.chunk + self.chunk, self.size)
            reached = await self._append(url, offset, stop)
            if reached is None:
                await self._pause()
                reached = await self.offset(url)
            elif reached > offset:
                self.failures = 0
            offset = reached

    async def _append(self, url: str, start: int, stop: int) -> int | None:
        """Send one chunk; gives the new offset, or None if only the server can tell."""
        try:
            answer = await self.http.patch(
                url, content=self._pieces(start, stop), headers=self._headers(start, stop)
            )
        except httpx.TransportError as error:
            self.told(Sent(start, stop, type(error).__name__))
            return None
        self.told(Sent(start, stop, str(answer.status_code)))
        if answer.status_code == 204:
            return int(answer.headers["Upload-Offset"])
        if answer.status_code in (409, 460) or answer.status_code >= 500:
            return None
        raise GaveUp(f"the server answered {answer.status_code}: {answer.text[:200]}")

    def _headers(self, start: int, stop: int) -> dict[str, str]:
        headers = {
            **TUS,
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(stop - start),
            "Upload-Offset": str(start),
        }
        if self.checksum:
            headers["Upload-Checksum"] = Checksum.of(self.checksum, self.read(start, stop)).header
        return headers

    async def _pieces(self, start: int, stop: int) -> AsyncIterator[bytes]:
        for begin in range(start, stop, self.piece):
            yield self.read(begin, min(begin + self.piece, stop))

    async def _until_answered(
        self, method: str, url: str, headers: dict[str, str]
    ) -> httpx.Response:
        while True:
            try:
                answer = await self.http.request(method, url, headers=headers)
            except httpx.TransportError:
                await self._pause()
                continue
            if answer.status_code < 400:
                return answer
            if answer.status_code < 500 or answer.status_code == 507:
                raise GaveUp(f"{method} {url} was answered {answer.status_code}")
            await self._pause()

    async def _pause(self) -> None:
        self.failures += 1
        if self.failures > self.patience:
            raise GaveUp(f"{self.patience} failures in a row")
        await asyncio.sleep(backoff(self.failures, self.draw, self.base, self.longest))
