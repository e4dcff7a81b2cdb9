"""Chapter 21's harness: one shop, five ways to place an order, and the books at the end.

`crash` lets every process die at every effect and asks `settled` of what is left. Leaves out: the
sliders (sagas_lab.py) and the systems themselves.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from course_lib.lab import CrashReport, World, crash_everywhere
from course_lib.systems import sagas

__all__ = [
    "STYLES",
    "Books",
    "Shop",
    "audit",
    "crash",
    "database",
    "journal",
    "open_shop",
    "open_style",
    "pay_back",
    "read",
    "settled",
]


@dataclass(frozen=True)
class Shop:
    """What the shop starts with: lamps, ann's money in cents, and room in the van."""

    lamps: int = 3
    money: int = 10_000
    room: int = 3
    idempotent: bool = True

    def rows(self) -> dict[str, str]:
        """The first row or rows of each service."""
        return {
            "stock": f"INSERT INTO item VALUES ('lamp', {self.lamps})",
            "payment": f"INSERT INTO account VALUES ('ann', {self.money}), ('shop', 0)",
            "shipping": f"INSERT INTO van VALUES ('van', 0, {self.room})",
            "notification": "INSERT INTO mailbox VALUES ('ann', 0)",
        }


async def open_shop(world: World, shop: Shop, clock: Callable[[], float] | None = None) -> None:
    """Put up the four services; without a clock, their notes are numbered in the order made."""
    ticks = clock or itertools.count(1).__next__
    world.part("shop", lambda: shop)
    world.part("clock", lambda: ticks)
    once = sagas.ONCE if shop.idempotent else ""
    for name, service in sagas.SERVICES.items():
        world.serve(name, sagas.Participant(service, database(world, name), ticks))
        async with world.sql("setup", name) as db:
            script = [service.schema, sagas.JOURNAL, once, sagas.HELD, shop.rows()[name]]
            await db.executescript(";".join(script))


def database(world: World, name: str) -> Callable[[], Any]:
    """What opens a connection of a service to its own database."""
    return lambda: world.sql(name, name)


# The books


@dataclass(frozen=True)
class Books:
    """What the four services say in the end, and what they had done, in order."""

    shop: Shop
    lamps: int
    ann: int
    till: int
    loaded: int
    sent: int
    done: tuple[tuple[str, str], ...] = field(repr=False)

    def history(self, order_id: str) -> tuple[str, ...]:
        """What was done for one order, in order."""
        return tuple(action for order, action in self.done if order == order_id)


async def audit(world: World) -> Books:
    """Read all four databases."""
    shop = world.part("shop", Shop)
    (lamps,) = await read(world, "stock", "SELECT on_hand FROM item")
    ann, till = await read(world, "payment", "SELECT balance FROM account ORDER BY name")
    (loaded,) = await read(world, "shipping", "SELECT loaded FROM van")
    (sent,) = await read(world, "notification", "SELECT sent FROM mailbox")
    notes = [note for name in sagas.SERVICES for note in await journal(world, name)]
    done = tuple((order, action) for _, order, action in sorted(notes))
    return Books(shop, lamps[0], ann[0], till[0], loaded[0], sent[0], done)


async def journal(world: World, service: str) -> list[tuple[float, str, str]]:
    """A service's notes of what it changed: (time, order, action)."""
    query = "SELECT at, order_id, action FROM journal WHERE changed > 0"
    return [(row[0], row[1], row[2]) for row in await read(world, service, query)]


async def read(world: World, name: str, query: str) -> Sequence[Any]:
    """The rows of a query in one of the databases."""
    async with world.sql("auditor", name) as db:
        return list(await db.execute_fetchall(query))


def settled(books: Books) -> None:
    """Money conserved, stock never negative, each saga completed or compensated, nothing twice."""
    count = Counter(books.done)
    actions = Counter(action for _, action in books.done)
    for (order, action), times in count.items():
        assert times == 1, f"{order}: {action} was done {times} times"
    for order in {order for order, _ in books.done}:
        _whole(order, books.history(order))
    assert books.lamps >= 0, f"{books.lamps} lamps in stock"
    assert books.ann + books.till == books.shop.money, "money was made or lost"
    assert books.till == 4000 * actions["ship"], "the till does not match what was shipped"
    assert books.lamps == books.shop.lamps - actions["ship"], "lamps do not match what was shipped"
    assert books.loaded == books.sent == actions["ship"], "parcels and mails do not match"


def _whole(order: str, history: tuple[str, ...]) -> None:
    """The order's history is one of those that a saga may have."""
    undone = sagas.ORDER_WORKFLOW.histories()
    if history in undone:
        return
    if "charge" in history and "ship" not in history and "refund" not in history:
        raise AssertionError(f"ann paid for {order}, and nothing was shipped")
    raise AssertionError(f"{order} is neither completed nor compensated: {', '.join(history)}")


# Five ways


class Style(Protocol):
    """A way to place an order, and to go on after a crash."""

    async def place(self, order: sagas.Order) -> str: ...
    async def recover(self) -> object: ...


class TryExcept:
    """The popular answer; it has nothing to recover from."""

    schema = ""

    def __init__(self, world: World, **patience: float) -> None:
        self.call = sagas.Caller(world.http("orders"), **patience)  # type: ignore[arg-type]

    async def place(self, order: sagas.Order) -> str:
        return await sagas.popular.try_except(self.call, order)

    async def recover(self) -> object:
        return None


def orchestrated(world: World, **patience: float) -> sagas.Orchestrator:
    """The orchestrator on node "orders"."""
    call = sagas.Caller(world.http("orders"), **patience)  # type: ignore[arg-type]
    return sagas.Orchestrator(sagas.SagaLog(database(world, "orders")), call)


def two_phase(world: World, **patience: float) -> sagas.Coordinator:
    """The coordinator of two-phase commit on node "orders"."""
    call = sagas.Caller(world.http("orders"), **patience)  # type: ignore[arg-type]
    return sagas.Coordinator(sagas.SagaLog(database(world, "orders")), call)


class Choreographed:
    """Four reactors, each on its service's node; nobody in the middle."""

    def __init__(self, world: World, **patience: float) -> None:
        self.redis = world.redis("orders")
        clock = world.part("clock", lambda: itertools.count(1).__next__)
        self.reactors = [
            sagas.Reactor(name, world.redis(name), database(world, name), clock)
            for name in sagas.SERVICES
        ]

    async def join(self) -> None:
        """Make all consumer groups."""
        for reactor in self.reactors:
            await reactor.join()

    async def place(self, order: sagas.Order) -> str:
        """Publish the order, and let the services react until nothing happens any more."""
        await sagas.choreography.place(self.redis, order)
        return await self._settle()

    async def _settle(self) -> str:
        while any([await reactor.poll() for reactor in self.reactors]):
            pass
        return "settled"

    async def recover(self) -> object:
        """What was read and not acknowledged comes first."""
        for reactor in self.reactors:
            await reactor.resume()
        return await self._settle()


def event_sourced(world: World, **patience: float) -> sagas.EventSourced:
    """The event-sourced saga on node "orders"."""
    call = sagas.Caller(world.http("orders"), **patience)  # type: ignore[arg-type]
    return sagas.EventSourced(sagas.EventStore(database(world, "orders")), call)


STYLES: dict[str, Callable[..., Style]] = {
    "try/except": TryExcept,
    "orchestrated": orchestrated,
    "choreographed": Choreographed,
    "two-phase commit": two_phase,
    "event-sourced": event_sourced,
}
SCHEMAS = {
    "orchestrated": sagas.SagaLog.SCHEMA,
    "two-phase commit": sagas.SagaLog.SCHEMA,
    "event-sourced": sagas.EventStore.SCHEMA,
}


async def open_style(world: World, style: str) -> None:
    """Put up what a style needs besides the four services."""
    if style in SCHEMAS:
        async with world.sql("setup", "orders") as db:
            await db.executescript(SCHEMAS[style])
    if style == "choreographed":
        await Choreographed(world).join()


def crash(
    style: str, shop: Shop | None = None, seen: Counter[tuple[str, ...]] | None = None
) -> CrashReport:
    """Crash every process at every effect while an order is placed this way; recover; ask.

    `seen` counts the histories that the crashes led to, and that of the run without one.
    """

    async def setup(world: World) -> None:
        await open_shop(world, shop or Shop())
        await open_style(world, style)

    async def scenario(world: World) -> None:
        with suppress(sagas.Unreachable):
            await STYLES[style](world).place(sagas.Order("order-1"))

    async def recover(world: World) -> Books:
        await STYLES[style](world).recover()
        books = await audit(world)
        if seen is not None:
            seen[books.history("order-1")] += 1
        return books

    return crash_everywhere(scenario, recover, settled, setup=setup)


async def pay_back(shop: Shop, times: int) -> Books:
    """Charge two orders, then ask `times` for the refund of the first: answers get lost."""
    world = World()
    await open_shop(world, shop)
    call = sagas.Caller(world.http("orders"))
    for order in ("order-1", "order-2"):
        await call("payment", "charge", sagas.Order(order))
    for _ in range(times):
        await call("payment", "refund", sagas.Order("order-1"))
    return await audit(world)
