"""Five ways to place an order, under a crash at every point."""

from collections import Counter

import pytest

from course_lib.experiments.sagas import STYLES, Books, Shop, audit, crash, settled
from course_lib.lab import run
from course_lib.systems import sagas
from tests.systems.sagas.shop import caller, database, opened

SOUND = [style for style in STYLES if style != "try/except"]
SHOPS = {
    "goes well": Shop(),
    "no lamp": Shop(lamps=0),
    "no money": Shop(money=100),
    "no room": Shop(room=0),
}


@pytest.mark.parametrize("shop", SHOPS)
@pytest.mark.parametrize("style", STYLES)
def test_undisturbed(style: str, shop: str) -> None:
    """Without a crash every style keeps the invariants, and an order that can be done is done."""

    async def story() -> Books:
        world = await opened(SHOPS[shop], style)
        await STYLES[style](world).place(sagas.Order("order-1"))
        return await audit(world)

    books = run(story())
    settled(books)
    assert ("notify" in books.history("order-1")) == (shop == "goes well")


@pytest.mark.parametrize("shop", SHOPS)
@pytest.mark.parametrize("style", SOUND)
def test_crash_everywhere(style: str, shop: str) -> None:
    """Each process dies at each effect, before and after: T1..Tn or T1..Tj Cj..C1, money whole."""
    seen: Counter[tuple[str, ...]] = Counter()
    report = crash(style, SHOPS[shop], seen)
    assert report.holds, report
    assert report.points + 1 == sum(seen.values()) > 10  # and once undisturbed
    assert set(seen) <= set(sagas.ORDER_WORKFLOW.histories())


def test_try_except_breaks() -> None:
    """The popular answer strands a charge, and an answer that was lost is taken for a no."""
    report = crash("try/except", Shop(room=0))
    told = Counter((failure.who, failure.message) for failure in report.failures)
    paid = "ann paid for order-1, and nothing was shipped"
    assert told["orders", paid] > 0
    assert told["payment", paid] > 0
    assert report.points > len(report.failures) > report.points / 3


@pytest.mark.parametrize("style", SOUND)
def test_needs_idempotent_participants(style: str) -> None:
    """No style holds over participants without a unique note: something is done twice."""
    report = crash(style, Shop(idempotent=False))
    assert not report.holds
    assert all("times" in failure.message for failure in report.failures)


# The orchestrator


def test_goes_on_from_the_log() -> None:
    """What the log holds is not asked for again; what comes next is."""

    async def story() -> tuple[list[str], list[str]]:
        world = await opened(style="orchestrated")
        asked = []

        async def call(service: str, action: str, order: sagas.Order) -> str:
            asked.append(action)
            return "done"

        log = sagas.SagaLog(database(world, "orders"))
        await log.begin(sagas.Order("order-1"))
        for number, event in enumerate(["done", "done"], start=1):
            await log.append("order-1", number, event)
        return await sagas.Orchestrator(log, call).recover(), asked

    assert run(story()) == (["completed"], ["ship", "notify"])


def test_a_silent_service_is_given_up() -> None:
    """A charge that nobody answers is undone; the undo waits until somebody answers."""

    async def story() -> tuple[list[str], list[str], Books]:
        world = await opened(style="orchestrated")
        placing = sagas.Orchestrator(sagas.SagaLog(database(world, "orders")), caller(world))
        world.stop("payment")
        with pytest.raises(sagas.Unreachable):
            await placing.place(sagas.Order("order-1"))
        waiting = await placing.recover()
        world.start("payment")
        return waiting, await placing.recover(), await audit(world)

    waiting, ended, books = run(story())
    assert (waiting, ended) == (["refund"], ["compensated"])
    assert books.history("order-1") == ("reserve", "release")


def test_the_pivot_is_asked_again() -> None:
    """A shipment that nobody answers is not undone, for the van may have left."""

    async def story() -> tuple[list[str], list[str]]:
        world = await opened(style="orchestrated")
        placing = sagas.Orchestrator(sagas.SagaLog(database(world, "orders")), caller(world))
        world.stop("shipping")
        with pytest.raises(sagas.Unreachable):
            await placing.place(sagas.Order("order-1"))
        waiting = await placing.recover()
        world.start("shipping")
        return waiting, await placing.recover()

    assert run(story()) == (["ship"], ["completed"])


def test_a_request_that_overtakes() -> None:
    """A charge that was stuck on its way and arrives after its refund takes nothing."""

    async def story() -> Books:
        world = await opened(style="orchestrated")
        world.link("orders", "payment", latency=2.0)
        call = caller(world, attempts=1, timeout=1.0)
        placing = sagas.Orchestrator(sagas.SagaLog(database(world, "orders")), call)
        with pytest.raises(sagas.Unreachable):
            await placing.place(sagas.Order("order-1"))
        world.link("orders", "payment")
        await placing.recover()
        import asyncio

        await asyncio.sleep(10)
        return await audit(world)

    settled(run(story()))


# Choreography


def test_reactions_cover_the_table() -> None:
    """Each move of the table that leads to an action is the reaction of exactly one service."""
    flow = sagas.ORDER_WORKFLOW
    wanted = {
        (f"{action}.{event}", after)
        for (action, event), after in flow.table.items()
        if event != "gave up" and not flow.is_over(after)
    }
    heard = [pair for s in sagas.SERVICES for pair in sagas.reactions(flow, s).items()]
    assert sorted(heard) == sorted([*wanted, ("order.placed", "reserve")])


# Two-phase commit


def test_no_half_order_is_seen() -> None:
    """Until all have promised, no number has changed; a refusal of the last leaves no lock."""

    async def story() -> tuple[Books, list[int]]:
        world = await opened(Shop(room=0), "two-phase commit")
        placing = sagas.Coordinator(sagas.SagaLog(database(world, "orders")), caller(world))
        assert await placing.place(sagas.Order("order-1")) == "compensated"
        locks = []
        for name in sagas.SERVICES:
            async with world.sql("auditor", name) as db:
                query = "SELECT COUNT(*) FROM held WHERE until IS NULL"
                locks += [row[0] for row in await db.execute_fetchall(query)]
        return await audit(world), locks

    books, locks = run(story())
    assert books.done == ()
    assert locks == [0, 0, 0, 0]


def test_waits_for_a_lock_and_gives_up() -> None:
    """An order that meets a lock waits for it so often as was said, and is then aborted."""

    async def story() -> tuple[str, float]:
        world = await opened(style="two-phase commit")
        call = caller(world)
        await call("payment", "charge/prepare", sagas.Order("other"))
        log = sagas.SagaLog(database(world, "orders"))
        placing = sagas.Coordinator(log, call, waits=4, pause=0.5)
        return await placing.place(sagas.Order("order-1")), world.now

    assert run(story()) == ("compensated", 2.0)
