"""Chapter 21's sliders: a few orders at once, refusals, lost requests, a crash, and five styles.

`orders` takes settings and a seed and returns a Trace; the same seed gives the same orders for
every setting. Leaves out: how an order is placed (sagas.py) and the drawing (show).
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from course_lib.experiments import sagas as shop
from course_lib.lab import World
from course_lib.lab.effect import Pending
from course_lib.show import Lanes, Series, States, Trace
from course_lib.systems import sagas

__all__ = ["CRASHES", "longest_lock", "orders", "saga_states"]

END = 15.0  # seconds played
APART = 0.4  # seconds between two orders
LOCAL = 0.0005  # seconds one way between a service and its own database
CRASHES = {"nobody": "", "the order service": "orders", "the payment service": "payment"}
ROWS = [["reserve", "charge", "ship", "notify", "completed"], ["compensated", "release", "refund"]]
HELD = "SELECT order_id, since, until FROM held"
BY_TABLE = ("orchestrated", "choreographed", "event-sourced")


class Heard(NamedTuple):
    """What became of an action, as its asker heard it."""

    time: float
    order: str
    action: str
    outcome: str


class Doomed(World):
    """A world in which one node dies right after its n-th effect was applied."""

    victim, effects_left = "", 0

    def arrive(self, pending: Pending) -> None:
        """As ever; then the victim may die."""
        super().arrive(pending)
        if pending.effect.who == self.victim:
            self.effects_left -= 1
            if self.effects_left == 0:
                self.kill(self.victim)


@dataclass
class Run:
    """One run: the world, the style, what was heard, and when each order was placed."""

    world: Doomed
    style: str
    heard: list[Heard] = field(default_factory=list)
    placed: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.up, self.died = asyncio.Event(), asyncio.Event()
        self.up.set()
        self.world.on_death(self._heard_of_death)
        self.tasks: list[asyncio.Task[Any]] = []

    def _heard_of_death(self, node: str) -> None:
        self.up.clear()
        self.died.set()

    def start(self, work: Awaitable[Any]) -> None:
        """Let something run beside the rest, until the end or until its node dies."""
        self.tasks.append(asyncio.ensure_future(work))

    def placing(self) -> shop.Style:
        """The style, as a new process has it; each answer that it hears is written down."""
        made = shop.STYLES[self.style](self.world, timeout=0.5, pause=0.25)
        if hasattr(made, "call"):
            made.call = self._listening(made.call)
        return made

    def _listening(self, call: Callable[..., Awaitable[str]]) -> Callable[..., Awaitable[str]]:
        async def listening(service: str, action: str, order: sagas.Order) -> str:
            outcome = "gave up"
            try:
                outcome = await call(service, action, order)
            finally:
                self.heard.append(Heard(self.world.now, order.id, action, outcome))
            return outcome

        return listening


async def orders(
    *,
    seed: int,
    style: str,
    placed: int,
    stock: int,
    payment: int,
    shipping: int,
    lost: int,
    latency: int,
    crash: str,
    after: int,
    down: float,
) -> Trace:
    """`placed` orders, 0.4 s apart; `stock`, `payment`, `shipping` and `lost` are percentages.

    `latency` is milliseconds one way, `after` the number of effects after which the node dies,
    `down` the seconds until it is started again.
    """
    run = Run(Doomed(seed, latency=latency / 1000), style)
    await _opened(run, lost / 100)
    run.world.victim, run.world.effects_left = CRASHES[crash], after
    chosen = [_order(seed, n, (stock, payment, shipping)) for n in range(1, placed + 1)]
    await _played(run, chosen, down)
    return await _picture(run)


async def longest_lock(style: str, down: float, seed: int = 0) -> float:
    """The longest time that a row was locked, seconds, when the order service dies half-way.

    It has asked for six things, and is started again after `down` seconds.
    """
    run = Run(Doomed(seed, latency=0.005), style)
    await _opened(run, 0)
    run.world.victim, run.world.effects_left = "orders", 6
    await _played(run, [sagas.Order("order-1")], down)
    locks, _ = await _locks(run.world)
    return max(end - start for start, end in locks)


async def _played(run: Run, chosen: Sequence[sagas.Order], down: float) -> None:
    """Place the orders, crash, start again; until the end of the time that is shown."""
    if run.style == "choreographed":
        for name in sagas.SERVICES:
            run.start(_react(run, name, resume=False))
    for number, order in enumerate(chosen):
        run.start(_place(run, order, APART * number))
    run.start(_restart(run, down))
    await asyncio.sleep(END - run.world.now)
    for task in run.tasks:
        task.cancel()
    await asyncio.gather(*run.tasks, return_exceptions=True)


async def _opened(run: Run, loss: float) -> None:
    world = run.world
    for name in sagas.SERVICES:
        world.link(name, name, latency=LOCAL)
        world.link("orders", name, latency=world.network.default.latency, loss=loss)
        world.link("setup", name)
    for name in ("orders", "redis"):
        world.link("setup", name)
    world.link("orders", "orders", latency=LOCAL)
    stocked = shop.Shop(lamps=99, money=1_000_000, room=99)
    await shop.open_shop(world, stocked, lambda: world.now)
    await shop.open_style(world, run.style)


def _order(seed: int, number: int, refusals: Sequence[int]) -> sagas.Order:
    """An order that one of the services will refuse, if the dice say so: the first of them does."""
    dice = random.Random(f"{seed} order {number}")
    item, customer, address = (dice.random() < share / 100 for share in refusals)
    return sagas.Order(
        f"order-{number}",
        customer="bob" if customer else "ann",
        item="unicorn" if item else "lamp",
        address="" if address else "Lyon",
    )


async def _place(run: Run, order: sagas.Order, at: float) -> None:
    """Place the order when it is time and the shop is open; what has to wait is tried again."""
    await asyncio.sleep(max(0.0, at - run.world.now))
    await run.up.wait()
    run.placed[order.id] = run.world.now
    if run.style == "choreographed":
        await sagas.choreography.place(run.world.redis("orders"), order)
        return
    placing = run.placing()
    with suppress(sagas.Unreachable):
        await placing.place(order)
        return
    await asyncio.sleep(2.0)
    await placing.recover()


async def _react(run: Run, name: str, resume: bool) -> None:
    """A service's worker in the choreography, until the node dies."""
    reactor = sagas.Reactor(
        name, run.world.redis(name), shop.database(run.world, name), lambda: run.world.now
    )
    if resume:
        await reactor.resume()
    while True:
        await reactor.poll(wait=60_000)


async def _restart(run: Run, down: float) -> None:
    """Start what died again, and let it recover."""
    await run.died.wait()
    await asyncio.sleep(down)
    victim = run.world.victim
    run.world.start(victim)
    run.up.set()
    if run.style == "choreographed" and victim != "orders":
        await _react(run, victim, resume=True)
    elif victim == "orders" and run.style != "choreographed":
        await run.placing().recover()


# The picture


async def _picture(run: Run) -> Trace:
    notes = {name: await shop.journal(run.world, name) for name in sagas.SERVICES}
    heard = sorted([*run.heard, *await _published(run)])
    locks, holders = await _locks(run.world)
    ends = {order: _end(order, notes, heard, run) for order in run.placed}
    ends |= dict.fromkeys(holders)
    stuck = [order for order, end in ends.items() if end is None]
    undone = sum(action in ("release", "refund") for each in notes.values() for *_, action in each)
    tracks: list[Any] = [saga_states(_moves(run, heard))] if run.style in BY_TABLE else []
    tracks += [_lanes(notes, heard), _flight(run, ends, notes), _locked(locks)]
    whole = sum(end is not None for end in ends.values())
    return Trace(
        end=_shown(tracks),
        title=f"{run.style}: {len(run.placed)} orders",
        summary=(
            f"{whole} of {len(ends)} orders whole, {len(stuck)} stuck, {undone} compensations, "
            f"rows locked for {sum(end - start for start, end in locks):.2f} s in all."
        ),
        tracks=tracks,
    )


def _shown(tracks: Sequence[Any]) -> float:
    """The seconds to show: until a second after the last thing that happened, at least four."""
    return min(END, max(4.0, 1.0 + math.ceil(max(float(track.last()) for track in tracks))))


async def _published(run: Run) -> list[Heard]:
    """What the services of a choreography published; each entry's id holds its time."""
    if run.style != "choreographed":
        return []
    redis, found = run.world.redis("auditor"), []
    began = 1000 * (run.world.time() - run.world.now)
    for action, event in sagas.ORDER_WORKFLOW.table:
        entries: Any = await redis.xrange(f"{action}.{event}")
        for number, fields in entries:
            time = (int(number.split("-")[0]) - began) / 1000
            found.append(Heard(time, sagas.choreography.order_of(fields).id, action, event))
    return found


def _end(order: str, notes: Any, heard: list[Heard], run: Run) -> float | None:
    """When the order was whole; None if it is not."""
    mine = sorted((at, action) for each in notes.values() for at, o, action in each if o == order)
    history = tuple(action for _, action in mine)
    if history not in sagas.ORDER_WORKFLOW.histories():
        return None
    told = [each.time for each in heard if each.order == order and each.outcome != "gave up"]
    if not history and not told and run.style == "choreographed":
        return None
    return float(max([run.placed[order], *[at for at, _ in mine], *told]))


def saga_states(runs: dict[str, list[tuple[float, str]]]) -> States:
    """The order saga's state machine, drawn from its table."""
    table = sagas.ORDER_WORKFLOW.table
    return States("Order sagas", table, runs, start=sagas.ORDER_WORKFLOW.start, rows=ROWS)


def _moves(run: Run, heard: list[Heard]) -> dict[str, list[tuple[float, str]]]:
    """Each order's events, as far as they follow one another in the table."""
    workflow, moves = sagas.ORDER_WORKFLOW, {}
    for order in run.placed:
        state, events = workflow.start, []
        for each in heard:
            if (
                each.order == order
                and each.action == state
                and (state, each.outcome) in workflow.table
            ):
                events.append((each.time, each.outcome))
                state = workflow.move(state, each.outcome)
        moves[order] = events
    return moves


def _lanes(notes: Any, heard: list[Heard]) -> Lanes:
    """Per service what was done, undone and refused."""
    names, services = list(sagas.SERVICES), sagas.ORDER_WORKFLOW.services
    events = []
    for lane, name in enumerate(names):
        for at, order, action in notes[name]:
            undo = action in ("release", "refund")
            events.append((at, lane, "denied" if undo else "admitted", f"{action} of {order}"))
    for each in heard:
        action = each.action.split("/")[0]
        if each.outcome == "refused":
            lane = names.index(services[action])
            events.append((each.time, lane, "failed", f"{action} of {each.order}"))
    words = ("done", "undone", "refused")
    return Lanes("Services", names, sorted(events), names=words)  # type: ignore[arg-type]


def _flight(run: Run, ends: dict[str, float | None], notes: Any) -> Series:
    """Orders under way, and those that nobody works on any more although they are not whole."""
    flight, stuck = [], []
    for order, end in ends.items():
        flight += [(run.placed[order], 1), *([(end, -1)] if end is not None else [])]
        if end is None:
            mine = [at for each in notes.values() for at, o, _ in each if o == order]
            stuck += [(max([run.placed[order], *mine]), 1)]
    lines = {"in flight": _summed(flight), "of these stuck": _summed(stuck)}
    return Series("Orders under way", lines, unit="orders")


def _summed(changes: Sequence[tuple[float, int]]) -> list[tuple[float, float]]:
    points, total = [(0.0, 0.0)], 0
    for time, change in sorted(changes):
        total += change
        points.append((min(time, END), total))
    return points


async def _locks(world: World) -> tuple[list[tuple[float, float]], list[str]]:
    """When rows were locked: from first write to commit, and from promise to decision.

    And the orders that hold a lock in the end.
    """
    found, holders = [], []
    for name in sagas.SERVICES:
        began = None
        for effect in (e for e in world.log if e.who == name and e.target == name):
            if effect.what.startswith(("INSERT", "UPDATE")) and began is None:
                began = effect.time
            elif effect.what in ("COMMIT", "ROLLBACK") and began is not None:
                found.append((began, effect.time))
                began = None
        for order, since, until in await shop.read(world, name, HELD):
            found.append((since, END if until is None else until))
            holders += [order] if until is None else []
    whole = [(start, end) for start, end in found if start is not None and end is not None]
    return whole, holders


def _locked(locks: list[tuple[float, float]]) -> Series:
    changes = [*[(start, 1) for start, _ in locks], *[(end, -1) for _, end in locks]]
    return Series("Rows locked", {"rows": _summed(changes)}, unit="rows")
