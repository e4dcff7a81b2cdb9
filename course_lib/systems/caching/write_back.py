"""Write-back: a write is acknowledged once the cache has it, and reaches the database later.

Writes of one key coalesce: a flush writes the last value only. A flush takes everything that is
dirty at one moment as one batch, and writes it in one transaction, so the database always holds
some moment of the past and never a later write without an earlier one. Batches are numbered; a
flusher that slept through the next batch changes nothing. At most `bound` keys are dirty: a write
that would be one more flushes first. So a cache that forgets everything loses the last values of
at most `bound` keys, none older than `flush_every` and the flush itself.
Leaves out: a database that refuses a value after it was acknowledged; validate before.
Source: Hennessy and Patterson, Computer Architecture (write-back, dirty blocks).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple, Protocol

__all__ = ["Batch", "Buffer", "WriteBack"]


class Batch(NamedTuple):
    """What one flush writes: a number that only grows, and the last value of each dirty key."""

    number: int
    items: dict[str, str]


class Buffer(Protocol):
    """Holds acknowledged writes until they are in the database."""

    async def stage(self, key: str, value: str, bound: int) -> bool: ...
    async def staged(self, key: str) -> str | None: ...
    async def begin(self) -> Batch | None: ...
    async def done(self, batch: int) -> None: ...


class BatchDatabase(Protocol):
    """A database that takes a batch in one transaction, and each batch once."""

    async def write_batch(self, batch: int, items: Mapping[str, str]) -> bool: ...


class Reader(Protocol):
    """How keys that are not dirty are read; LeasedCacheAside does."""

    async def read(self, key: str) -> str | None: ...
    async def forget(self, *keys: str) -> None: ...


class WriteBack:
    """Acknowledges from the buffer; `bound` keys may be dirty, for about `flush_every` seconds.

    >>> shop = WriteBack(buffer, database, reader, bound=100, flush_every=1.0)
    >>> await shop.write("cup", "8 EUR"), await shop.write("cup", "9 EUR")    # two acknowledged
    >>> await shop.flush()                                                     # one row written
    1
    """

    def __init__(
        self,
        buffer: Buffer,
        database: BatchDatabase,
        reader: Reader,
        bound: int = 100,
        flush_every: float = 1.0,
    ) -> None:
        if bound < 1:
            raise ValueError(f"bound is how many keys may be dirty, at least 1: {bound}")
        self.buffer = buffer
        self.database = database
        self.reader = reader
        self.bound, self.flush_every = bound, flush_every

    async def read(self, key: str) -> str | None:
        """The last acknowledged value: from the buffer if it is there, else through the reader."""
        staged = await self.buffer.staged(key)
        return staged if staged is not None else await self.reader.read(key)

    async def write(self, key: str, value: str) -> None:
        """One round trip to the buffer, unless it is full: then the writer pays for a flush."""
        while not await self.buffer.stage(key, value, self.bound):
            await self.flush()

    async def flush(self) -> int:
        """Write what is dirty as one batch; returns the number of rows.

        A batch that a dead flusher left behind is taken up again. It is let go only when it is
        committed and the reader has forgotten what was there, so a crash in between loses nothing.
        """
        batch = await self.buffer.begin()
        if batch is None:
            return 0
        written = await self.database.write_batch(batch.number, batch.items)
        await self.reader.forget(*batch.items)
        await self.buffer.done(batch.number)
        return len(batch.items) if written else 0

    async def run(self) -> None:
        """Flush every `flush_every` seconds, for ever; a task for each server."""
        while True:
            await asyncio.sleep(self.flush_every)
            await self.flush()
