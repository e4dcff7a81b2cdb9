"""A file over a link that drops, as picture and as numbers: what the sliders run.

It lets the client's policy and the server's offset core (`check_append`) talk over the lab's link,
without HTTP and SQLite, so that a slider answers at once; a test holds it against the real client
and the real server, to the millisecond and the byte. Leaves out the drawing (show).
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import mean

from course_lib.lab import World, run
from course_lib.lab.drive import exponential
from course_lib.show import Cells, Series, Trace
from course_lib.systems import file_uploads as fu

__all__ = ["KIB", "MIB", "MODES", "STATES", "Transfer", "drops", "mean_of", "picture", "transfer"]

KIB, MIB = 1024, 1024 * 1024


FILE = 16 * MIB


PIECE = 64 * KIB


MODES = ("whole chunks", "every byte", "nothing")


STATES = ("waiting", "sending", "stored", "dropped", "mended")


def drops(mean_bytes: float, seed: int) -> Iterator[int]:
    """Where connections break, in bytes sent so far: on average one in `mean_bytes`.

    The same seed gives the same places for every setting.

    >>> next(drops(4 * MIB, seed=29)) > 0
    True
    """
    draw, at = random.Random(f"{seed} drops"), 0.0
    while True:
        at += exponential(draw) * mean_bytes
        yield math.ceil(at)


@dataclass
class Transfer:
    """A file on its way in chunks over one link; sizes in bytes, times in seconds."""

    size: int
    chunk: int
    bandwidth: float
    rtt: float
    parallel: int = 1
    mode: str = "whole chunks"
    pause: float = 0.5
    breaks: Iterator[int] = field(default_factory=lambda: iter(()))
    events: list[tuple[float, int, str, str]] = field(default_factory=list)
    stored: list[tuple[float, float]] = field(default_factory=lambda: [(0.0, 0)])
    sent: list[tuple[float, float]] = field(default_factory=lambda: [(0.0, 0)])
    broken: int = 0

    async def run(self) -> float:
        """Send all chunks; gives the seconds it took."""
        loop = asyncio.get_running_loop()
        self.world = World()
        self.world.link("client", "server", self.rtt / 2, bandwidth=self.bandwidth)
        self.next_break = next(self.breaks, None)
        todo = iter(range(math.ceil(self.size / self.chunk)))
        workers = [self._worker(todo) for _ in range(self.parallel)]
        await asyncio.gather(*workers)
        return loop.time()

    async def _worker(self, todo: Iterator[int]) -> None:
        for number in todo:
            await self._chunk(number)

    async def _chunk(self, number: int) -> None:
        """Send one chunk until the server has it all; it says what it has kept."""
        length = min(self.chunk, self.size - number * self.chunk)
        kept, end = 0, "stored"
        while kept < length:
            self._tell(number, "sending")
            await asyncio.sleep(self.rtt)  # the request finds its server
            passed = await self._send(kept, length)
            kept += self._kept(kept, passed, length)
            if kept == length and passed is None:
                await asyncio.sleep(self.rtt)  # the last byte there, the answer back
            else:
                self._tell(number, "dropped")
                self.broken, end = self.broken + 1, "mended"
                await asyncio.sleep(self.pause + self.rtt)  # wait, then ask for the offset
        self._tell(number, end)

    def _kept(self, kept: int, passed: int | None, length: int) -> int:
        """How many bytes the server adds to what it has: the mode is its policy."""
        fu.check_append(kept, length, kept, passed)
        if passed is None:
            self._store(length - kept)
            return length - kept
        if self.mode != "every byte":
            return 0
        self._store(passed)
        return passed

    async def _send(self, start: int, stop: int) -> int | None:
        """Send bytes; None if all passed, else how many did until the connection broke."""
        network = self.world.network
        loop = asyncio.get_running_loop()
        piece = PIECE if self.parallel > 1 else stop - start
        for begin in range(start, stop, piece):
            size = min(piece, stop - begin)
            self._arm(size)
            passed, breaks = network.carry("client", "server", size)
            left = network.departure("client", "server", passed, loop.time())
            await asyncio.sleep(left - loop.time())
            self.sent.append((loop.time(), self.sent[-1][1] + passed))
            if breaks:
                return begin - start + passed
        return None

    def _arm(self, size: int) -> None:
        """Hand the link the next break, once it is near: `drops` has no end."""
        flow = self.world.network.flow("client", "server")
        while self.next_break is not None and self.next_break <= flow.carried + size:
            flow.breaks.append(self.next_break)
            self.next_break = next(self.breaks, None)

    def _store(self, size: int) -> None:
        now, before = asyncio.get_running_loop().time(), self.stored[-1][1]
        self.stored += [(now, before), (now, before + size)]  # a step: it was not there before

    def _tell(self, number: int, state: str) -> None:
        self.events.append((asyncio.get_running_loop().time(), number, state, ""))

    @property
    def sent_again(self) -> float:
        """Bytes that were sent in vain."""
        return self.sent[-1][1] - self.size


async def transfer(
    *,
    seed: int,
    kept: str,
    chunk: int,
    parallel: int,
    between_drops: int,
    bandwidth: float,
    rtt: int,
    pause: float,
) -> Trace:
    """A file of 16 MiB; `kept` is what the server keeps of a chunk that broke off.

    `chunk` is in KiB, `between_drops` in MiB sent on average, `bandwidth` in MiB/s, `rtt` in ms,
    `pause` in seconds before the client tries again.
    """
    size = FILE if kept == "nothing" else chunk * KIB
    check_hopeless(size, between_drops * MIB, kept)
    one = Transfer(
        size=FILE,
        chunk=size,
        bandwidth=bandwidth * MIB,
        rtt=rtt / 1000,
        parallel=parallel,
        mode=kept,
        pause=pause,
        breaks=drops(between_drops * MIB, seed),
    )
    return picture(one, await one.run())


def check_hopeless(chunk: int, between_drops: int, kept: str) -> None:
    """Say so where nearly every attempt breaks, instead of trying for ever."""
    attempts = math.exp(min(50.0, chunk / between_drops))
    if kept != "every byte" and attempts > 400:
        raise ValueError(
            f"A piece of {chunk / MIB:g} MiB needs about {attempts:,.0f} attempts, with a drop in "
            f"every {between_drops / MIB:g} MiB: that upload does not end. Make the chunk smaller."
        )


def picture(one: Transfer, seconds: float) -> Trace:
    """The chunk map, and what was sent beside what was stored."""
    again = one.sent_again / MIB
    cells = math.ceil(one.size / one.chunk)
    name = f"Chunks of {one.chunk / KIB:,g} KiB"
    lines = {"sent": _mib(one.sent), "stored": _mib(one.stored)}
    return Trace(
        end=seconds,
        title=f"{one.size // MIB} MiB; the server keeps {one.mode}",
        summary=f"{seconds:.1f} s, {one.broken} drops, {again:.2f} MiB sent again.",
        tracks=[
            Cells(name, cells, STATES, one.events),
            Series("Bytes", lines, unit="MiB", limit=one.size / MIB, shape="line"),
        ],
    )


def _mib(points: list[tuple[float, float]], most: int = 200) -> list[tuple[float, float]]:
    """At most about so many points, in MiB; the last one always."""
    every = math.ceil(len(points) / most)
    return [(t, v / MIB) for t, v in [*points[:-1:every], points[-1]]]


def mean_of(
    measure: Callable[[Transfer, float], float], make: Callable[[int], Transfer], runs: int
) -> float:
    """The mean over seeds 0, 1, ...: `make(seed)` is run, `measure(transfer, seconds)` is taken."""
    made = [make(seed) for seed in range(runs)]
    return mean(measure(each, run(each.run())) for each in made)
