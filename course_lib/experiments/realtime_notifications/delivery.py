"""The first sliders: notices to several clients over one transport, with drops."""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from collections.abc import Awaitable, Sequence
from contextlib import aclosing
from typing import NamedTuple

from course_lib.lab import World, load, measure
from course_lib.show import Histogram, Lanes, Series, Trace
from course_lib.systems import realtime_notifications as rt

__all__ = ["TRANSPORTS", "delivery"]

TRANSPORTS = ("polling", "long polling", "SSE", "WebSocket", "pub/sub, no log")
LATENCY = 0.03  # seconds one way
SENT_FOR = 20  # seconds of events
END = 26  # seconds shown: late arrivals are seen
HELD = 10  # seconds that a long poll is held
EDGES = [0, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 10]


class Client:
    """One user's client: where it is in the log, what it got and what it asked."""

    def __init__(self, hub: rt.Hub, world: World, number: int, seed: int):
        self.hub, self.world, self.number = hub, world, number
        self.user = f"user {number + 1}"
        self.position: str | None = None
        self.got: list[tuple[float, str]] = []
        self.requests: list[float] = []
        self.dice = random.Random(f"{seed} client {number}")

    async def ask(self) -> None:
        """Send a request."""
        self.requests.append(self.world.now)
        await asyncio.sleep(LATENCY)

    async def take(self, id: str) -> None:
        """A notice has arrived; a position moves with it."""
        self.got.append((self.world.now, id))
        self.position = id

    async def polls(self, every: float, wait: float) -> None:
        """Ask, and ask again `every` seconds later; the server may hold a question for `wait`."""
        while True:
            await self.ask()
            page = await self.hub.fetch(self.user, self.position, wait if self.position else 0)
            await asyncio.sleep(LATENCY)
            for notice in page.notices:
                await self.take(notice.id)
            self.position = page.next
            await asyncio.sleep(every)

    async def listens(self, resumes: bool) -> None:
        """Hold one connection open and take what comes."""
        await self.ask()
        after = self.position if resumes else None
        async with aclosing(self.hub.subscribe(self.user, after)) as items:
            async for item in items:
                await asyncio.sleep(LATENCY)
                match item:
                    case rt.Opened(id):
                        self.position = id
                    case rt.Notice(id):
                        await self.take(id)

    def session(self, transport: str, interval: float) -> Awaitable[None]:
        """What this client does while it has a network."""
        match transport:
            case "polling":
                return self.polls(interval, 0)
            case "long polling":
                return self.polls(0, HELD)
        return self.listens(resumes=transport != "pub/sub, no log")

    async def live(self, transport: str, interval: float, cuts: Sequence[float]) -> None:
        """Run sessions, each until the next cut, and come back with full jitter."""
        # Clients do not all start at one moment, or polls would march in step.
        await asyncio.sleep(self.dice.uniform(0, interval if transport == "polling" else 0.2))
        for cut in [*cuts, math.inf]:
            session = asyncio.ensure_future(self.session(transport, interval))
            await asyncio.wait([session], timeout=max(0.0, cut - self.world.now))
            session.cancel()
            await asyncio.wait([session])
            await asyncio.sleep(rt.full_jitter(0, base=1.5, cap=30, random=self.dice))


class Sent(NamedTuple):
    """One notice: when it was published, for which client, under which id."""

    time: float
    client: int
    id: str


async def delivery(
    *, seed: int, transport: str, clients: int, rate: float, interval: float, drops: float
) -> Trace:
    """Twenty seconds of notices to `clients` clients over one transport.

    `rate` is notices a second for each client, `interval` the seconds between polls, `drops` how
    often a minute each client loses its network. SSE and WebSocket are the same subscription to the
    hub, so their runs are the same.
    """
    world = World(seed)
    hub = rt.Hub(rt.MemoryLog(world.time), spread=1.5, random=random.Random(seed))
    people = [Client(hub, world, number, seed) for number in range(clients)]
    running = [asyncio.ensure_future(hub.run())]
    for one in people:
        cuts = load.poisson(drops / 60, SENT_FOR, f"{seed} cuts {one.number}")
        running.append(asyncio.ensure_future(one.live(transport, interval, cuts)))
    held: list[tuple[float, float]] = []
    running.append(asyncio.ensure_future(_watch(world, hub, held)))
    sent = await _publish(hub, people, rate, seed)
    await asyncio.sleep(END - world.now)
    for task in running:
        task.cancel()
    return _delivery_picture(people, sent, held, f"{transport}, {clients} clients")


async def _watch(world: World, hub: rt.Hub, held: list[tuple[float, float]]) -> None:
    """Write down twice a second how many requests the hub holds open."""
    while True:
        held.append((world.now, len(hub)))
        await asyncio.sleep(0.5)


async def _publish(hub: rt.Hub, people: list[Client], rate: float, seed: int) -> list[Sent]:
    times = sorted(
        (t, one.number)
        for one in people
        for t in load.poisson(rate, SENT_FOR, f"{seed} notices {one.number}", start=2.0)
    )

    async def publish(number: int, t: float) -> Sent:
        client = times[number][1]
        return Sent(t, client, await hub.log.publish(people[client].user, str(number)))

    return await load.replay([t for t, _ in times], publish, origin=0)


def _delivery_picture(
    people: list[Client], sent: list[Sent], held: list[tuple[float, float]], title: str
) -> Trace:
    published = {one.id: one for one in sent}
    events, delays, seen = [], [], Counter[str]()
    for t, lane, id in sorted((t, one.number, id) for one in people for t, id in one.got):
        seen[id] += 1
        delay = t - published[id].time
        events.append((t, lane, "admitted" if seen[id] == 1 else "denied", f"{delay:.2f} s late"))
        delays.append((t, delay))
    missed = [one for one in sent if not seen[one.id]]
    events += [(one.time, one.client, "failed", "missed") for one in missed]
    requests = sorted(t for one in people for t in one.requests)
    lanes = [one.user for one in people]
    names = ("delivered", "repeated", "missed")
    return Trace(
        end=END,
        title=title,
        summary=_delivery_words(len(sent), [d for _, d in delays], len(missed), len(requests))
        + f" At most {max(count for _, count in held):.0f} held open.",
        tracks=[
            Lanes("Notices", lanes, sorted(events), names),  # type: ignore[arg-type]
            Histogram("Delay from publishing to the client", delays, EDGES, unit="s"),
            Series(
                "Requests", {"requests": measure.rates(requests, 1.0, end=END)}, unit="a second"
            ),
        ],
    )


def _delivery_words(sent: int, delays: list[float], missed: int, requests: int) -> str:
    if not delays:
        return f"0 of {sent} delivered."
    mean, p95 = math.fsum(delays) / len(delays), measure.percentile(delays, 95)
    return (
        f"{sent - missed} of {sent} delivered, {missed} missed, delay {mean:.2f} s on average and "
        f"{p95:.2f} s at p95, {requests / END:.1f} requests a second."
    )
