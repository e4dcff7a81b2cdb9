"""Chapter 28's experiments: what arrives, when, how often, and what it costs the server.

`delivery`, `slow_reader` and `deploy` are what the sliders run: settings and a seed in, a Trace
out; the same seed gives the same events for every setting. They run the chapter's hub, queues and
reconnect rule on virtual time, over a log in this process, and leave out HTTP: a request is a
latency there and back. The notebook runs the whole stack beside them.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from collections.abc import Awaitable, Sequence
from contextlib import aclosing
from typing import NamedTuple

from course_lib.lab import World, load, measure
from course_lib.show import Histogram, Lanes, Level, Series, Trace
from course_lib.systems import realtime_notifications as rt

__all__ = [
    "LEAVING",
    "TRANSPORTS",
    "WAITS",
    "Account",
    "account",
    "delivery",
    "deploy",
    "polled",
    "slow_reader",
]

TRANSPORTS = ("polling", "long polling", "SSE", "WebSocket", "pub/sub, no log")
LATENCY = 0.03  # seconds one way
SENT_FOR = 20  # seconds of events in `delivery`
END = 26  # seconds shown: late arrivals are seen
HELD = 10  # seconds that a long poll is held
EDGES = [0, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 10]


class Account(NamedTuple):
    """What became of the notices that were sent, by their data."""

    sent: int
    missed: list[str]
    repeated: list[str]

    def __repr__(self) -> str:
        told = f"{self.sent} sent, {len(self.missed)} missed, {len(self.repeated)} repeated"
        return told + (f": missed {', '.join(self.missed)}" if self.missed else "")


def account(sent: Sequence[str], got: Sequence[str]) -> Account:
    """Compare what was sent with what arrived.

    >>> account(["a", "b", "c"], ["a", "c", "c"])
    3 sent, 1 missed, 1 repeated: missed b
    """
    times = Counter(got)
    return Account(
        len(sent), [one for one in sent if not times[one]], [one for one in times if times[one] > 1]
    )


# Delivery, by transport


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
    often a minute each client loses its network.
    """
    world = World(seed)
    hub = rt.Hub(rt.MemoryLog(world.time), spread=1.5, random=random.Random(seed))
    people = [Client(hub, world, number, seed) for number in range(clients)]
    running = [asyncio.ensure_future(hub.run())]
    for one in people:
        cuts = load.poisson(drops / 60, SENT_FOR, f"{seed} cuts {one.number}")
        running.append(asyncio.ensure_future(one.live(transport, interval, cuts)))
    sent = await _publish(hub, people, rate, seed)
    await asyncio.sleep(END - world.now)
    for task in running:
        task.cancel()
    return _delivery_picture(people, sent, f"{transport}, {clients} clients")


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


def _delivery_picture(people: list[Client], sent: list[Sent], title: str) -> Trace:
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
        summary=_delivery_words(len(sent), [d for _, d in delays], len(missed), len(requests)),
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


# Polling, in numbers


class Polled(NamedTuple):
    """What polling came to: the delays of all notices in seconds, and the share of empty polls."""

    delays: list[float]
    empty: float


async def polled(seed: int, every: float, rate: float, polls: int) -> Polled:
    """Poll the hub `polls` times, one every `every` seconds, without latency.

    Notices come at random, `rate` a second.
    """
    world = World(seed)
    hub = rt.Hub(rt.MemoryLog(world.time, keep=100))
    following = asyncio.ensure_future(hub.run())
    arrivals = load.poisson(rate, polls * every, seed)
    delays, empty, position, number = list[float](), 0, "0-0", 0
    for poll in range(1, polls + 1):
        while number < len(arrivals) and arrivals[number] < poll * every:
            await _at(arrivals[number])
            await hub.log.publish("ann", str(number))
            number += 1
        await _at(poll * every)
        page = await hub.fetch("ann", position)
        empty += not page.notices
        delays += [world.now - arrivals[int(notice.data)] for notice in page.notices]
        position = page.next
    following.cancel()
    return Polled(delays, empty / polls)


async def _at(when: float) -> None:
    await asyncio.sleep(max(0.0, when - asyncio.get_running_loop().time()))


# A client that reads too slowly


async def slow_reader(*, seed: int, policy: str, rate: int, reads: int, limit: int) -> Trace:
    """Ten seconds of `rate` notices a second about five orders, for one who reads `reads` a second.

    The policy is one of the queue's, or "unbounded".
    """
    world = World(seed)
    queue = rt.ClientQueue(limit if policy != "unbounded" else 10**9, _bounded(policy))
    waiting: list[tuple[float, float]] = [(0.0, 0)]
    events: list[tuple[float, int, str, str]] = []
    arrivals = load.poisson(rate, 10, seed)
    reading = asyncio.ensure_future(_read(world, queue, reads, waiting, events))

    async def put(number: int, t: float) -> None:
        before = queue.dropped
        queue.put(rt.Notice(f"{number}-1", "ann", f"notice {number}", f"order {number % 5}"))
        events.extend((t, 0, "denied", "dropped") for _ in range(queue.dropped - before))
        waiting.append((t, len(queue.waiting)))

    await load.replay(arrivals, put, origin=0)
    await asyncio.sleep(12 - world.now)
    reading.cancel()
    return _slow_picture(policy, waiting, events, limit, len(arrivals))


def _bounded(policy: str) -> rt.Policy:
    return policy if policy in rt.POLICIES else "drop oldest"  # type: ignore[return-value]


async def _read(
    world: World,
    queue: rt.ClientQueue,
    reads: int,
    waiting: list[tuple[float, float]],
    events: list[tuple[float, int, str, str]],
) -> None:
    try:
        while True:
            notice = await queue.get()
            assert notice is not None
            events.append((world.now, 0, "admitted", notice.data))
            waiting.append((world.now, len(queue.waiting)))
            await asyncio.sleep(1 / reads)
    except rt.Overflow:
        events.append((world.now, 0, "failed", "disconnected: resumes from the log"))


def _slow_picture(
    policy: str,
    waiting: list[tuple[float, float]],
    events: list[tuple[float, int, str, str]],
    limit: int,
    sent: int,
) -> Trace:
    most = max(value for _, value in waiting)
    count = Counter(event[2] for event in events)
    cut = next((f", disconnected at {t:.1f} s" for t, _, o, _ in events if o == "failed"), "")
    bound = None if policy == "unbounded" else limit
    return Trace(
        end=12,
        title=f"{policy}, one slow reader",
        summary=(
            f"{count['admitted']} of {sent} read, {count['denied']} dropped, "
            f"at most {most} waiting{cut}."
        ),
        tracks=[
            Lanes("Notices", ["ann"], sorted(events), ("read", "dropped", "disconnected")),
            Series("Waiting for ann", {"waiting": waiting}, unit="notices", limit=bound),
        ],
    )


# A deploy

AT = 5.0  # seconds: when the server goes
LEAVING = ("killed", "drained")
WAITS = ("always 3 s", "doubling, no jitter", "full jitter")


async def deploy(
    *, seed: int, clients: int, leaving: str, wait: str, capacity: int, spread: int
) -> Trace:
    """All clients lose their server at 5 s and connect again; a server takes `capacity` a second.

    leaving: "killed" cuts all at once; "drained" sends them away over `spread` seconds, each with a
        wait of its own.
    wait: what a client that was cut, or turned away, does by itself.
    """
    world, dice = World(seed), random.Random(seed)
    attempts: list[tuple[float, int, str, str]] = []
    connected: list[tuple[float, float]] = [(0.0, clients)]
    taken = Counter[int]()

    async def client(number: int) -> None:
        drained = leaving == "drained"
        await _at(AT + (spread * number / clients if drained else 0))
        connected.append((world.now, connected[-1][1] - 1))
        pause = dice.uniform(0, spread) if drained else _pause(wait, 0, dice)
        for failures in range(1, 40):
            await asyncio.sleep(pause)
            second = math.floor(world.now)
            if taken[second] < capacity:
                break
            attempts.append((world.now, 0, "denied", f"try {failures}"))
            pause = _pause(wait, failures, dice)
        taken[second] += 1
        attempts.append((world.now, 0, "admitted", f"try {failures}"))
        connected.append((world.now, connected[-1][1] + 1))

    await asyncio.gather(*map(client, range(clients)))
    return _deploy_picture(sorted(attempts), connected, clients, capacity, f"{leaving}, {wait}")


def _pause(wait: str, failures: int, dice: random.Random) -> float:
    if wait == "always 3 s":
        return rt.popular.back_in(failures)
    if wait == "doubling, no jitter":
        return float(min(30, 1 * 2**failures))
    return rt.full_jitter(failures, base=3, cap=30, random=dice)


def _deploy_picture(
    attempts: list[tuple[float, int, str, str]],
    connected: list[tuple[float, float]],
    clients: int,
    capacity: int,
    title: str,
) -> Trace:
    times = [t for t, *_ in attempts]
    end = math.ceil(times[-1]) + 1
    rate = measure.rates(times, 1.0, end=end)
    peak = max(value for _, value in rate)
    return Trace(
        end=end,
        title=title,
        summary=(
            f"{len(times)} attempts for {clients} clients, at most {peak:.0f} in a second; all are "
            f"back {times[-1] - AT:.1f} s after the server went."
        ),
        tracks=[
            Series("Attempts to connect", {"attempts": rate}, unit="a second", limit=capacity),
            Level("Connected", connected, clients, unit="clients"),
        ],
    )
