"""A participant does each action once, whatever comes twice, late or at the same time."""

import asyncio
from collections.abc import Awaitable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.lab import World, explore, run
from course_lib.systems import sagas
from tests.systems.sagas.shop import Books, Shop, audit, caller, database, opened

ACTIONS = {
    "stock": ["reserve", "release"],
    "payment": ["charge", "refund"],
    "shipping": ["ship"],
    "notification": ["notify"],
}
ORDER = sagas.Order("order-1")
REQUESTS = st.tuples(st.sampled_from(["charge", "refund"]), st.sampled_from(["order-1", "order-2"]))


async def after(*asks: tuple[str, str], shop: Shop | None = None) -> tuple[list[str], Books]:
    """The answers to these actions of order 1, and the books then."""
    world = await opened(shop)
    call = caller(world)
    return [await call(service, action, ORDER) for service, action in asks], await audit(world)


@pytest.mark.parametrize("service", ACTIONS)
def test_once(service: str) -> None:
    """Each action, asked for three times, is done once and answered the same."""
    action = ACTIONS[service][0]
    answers, books = run(after(*[(service, action)] * 3))
    assert answers == ["done"] * 3
    assert books.done == ((ORDER.id, action),)


def test_there_and_back() -> None:
    """An undo brings the numbers back, and an undo asked for twice is done once."""
    _, books = run(after(*[("payment", a) for a in ("charge", "refund", "refund")]))
    assert (books.ann, books.till) == (10_000, 0)


@pytest.mark.parametrize("service", ["stock", "payment"])
def test_the_undo_that_comes_first(service: str) -> None:
    """An undo of nothing changes nothing, and the action that comes after it is refused."""
    action, undo = ACTIONS[service]
    answers, books = run(after((service, undo), (service, action), (service, undo)))
    assert answers == ["done", "refused", "done"]
    assert books.done == ()
    assert (books.lamps, books.ann) == (3, 10_000)


def test_a_late_duplicate() -> None:
    """A charge that comes again after its refund takes nothing."""
    answers, books = run(after(*[("payment", a) for a in ("charge", "refund", "charge")]))
    assert answers == ["done"] * 3
    assert books.ann == 10_000


@pytest.mark.parametrize(
    ("shop", "service", "action"),
    [
        (Shop(lamps=0), "stock", "reserve"),
        (Shop(money=3_999), "payment", "charge"),
        (Shop(room=0), "shipping", "ship"),
    ],
)
def test_refused(shop: Shop, service: str, action: str) -> None:
    """What a service cannot do it refuses; that leaves no note, so it may be asked again."""
    answers, books = run(after((service, action), shop=shop))
    assert (answers, books.done) == (["refused"], ())


def test_unknown_action() -> None:
    """An action of another service is not found."""

    async def status() -> int:
        world = await opened()
        body = {"id": "order-1"}
        return (await world.http("orders").post("http://stock/charge", json=body)).status_code

    assert run(status()) == 404


@settings(deadline=None, max_examples=30)
@given(st.lists(REQUESTS, max_size=8))
def test_any_requests(asks: list[tuple[str, str]]) -> None:
    """After any requests in any order: nothing twice, money conserved, refunds follow charges."""

    async def story() -> Books:
        world = await opened()
        call = caller(world)
        for action, order in asks:
            await call("payment", action, sagas.Order(order))
        return await audit(world)

    books = run(story())
    assert len(set(books.done)) == len(books.done)
    assert books.ann + books.till == 10_000
    for order in ("order-1", "order-2"):
        assert books.history(order) in ((), ("charge",), ("charge", "refund"))


def together(*actions: str) -> Awaitable[Books]:
    """Several workers of the payment service, each with one action, at the same time."""

    async def scenario(world: World) -> Books:
        from course_lib.experiments.sagas import open_shop

        await open_shop(world, Shop())

        async def one(number: int, action: str) -> None:
            async with world.sql(f"worker {number}", "payment") as db:
                wanted = sagas.SERVICES["payment"].action(action)
                await sagas.perform(db, wanted, ORDER, at=float(number))

        await asyncio.gather(*[one(n, action) for n, action in enumerate(actions)])
        return await audit(world)

    return scenario  # type: ignore[return-value]


def test_in_every_order() -> None:
    """Two workers with the same charge, in every order of their effects: charged once."""
    found = explore(together("charge", "charge"), lambda books: books.ann == 6_000, budget=60)  # type: ignore[arg-type]
    assert found.holds, found


def test_charge_and_refund_race() -> None:
    """A charge and its refund at once, in every order: ann has her money in the end."""
    found = explore(together("charge", "refund"), lambda books: books.ann == 10_000, budget=60)  # type: ignore[arg-type]
    assert found.holds, found


def test_without_the_index() -> None:
    """Without the unique index, a refund that is asked for twice is paid twice."""
    from course_lib.experiments.sagas import pay_back

    forgetful, careful = (run(pay_back(Shop(idempotent=i), times=2)) for i in (False, True))
    assert (forgetful.ann, forgetful.till) == (10_000, 0)
    assert (careful.ann, careful.till) == (6_000, 4_000)


# Promises


async def promised(*phases: str, order: str = "order-1") -> tuple[list[str], list[object], Books]:
    """Answers to phases of a charge; the locks; the books."""
    world = await opened()
    call = caller(world)
    answers = [await call("payment", f"charge/{phase}", sagas.Order(order)) for phase in phases]
    async with database(world, "payment")() as db:
        rows = await db.execute_fetchall("SELECT order_id FROM held WHERE until IS NULL")
    return answers, [row[0] for row in rows], await audit(world)


@pytest.mark.parametrize(
    ("phases", "answers", "locks", "ann"),
    [
        (("prepare",), ["done"], ["order-1"], 10_000),
        (("prepare", "prepare"), ["done"] * 2, ["order-1"], 10_000),
        (("prepare", "commit"), ["done"] * 2, [], 6_000),
        (("prepare", "commit", "commit"), ["done"] * 3, [], 6_000),
        (("prepare", "abort"), ["done"] * 2, [], 10_000),
        (("abort", "prepare"), ["done", "refused"], [], 10_000),
        (("prepare", "abort", "prepare"), ["done", "done", "refused"], [], 10_000),
    ],
)
def test_phases(phases: tuple[str, ...], answers: list[str], locks: list[str], ann: int) -> None:
    """A promise locks, a decision lets go, and each may be asked for twice or come too late."""
    said, held, books = run(promised(*phases))
    assert (said, held, books.ann) == (answers, locks, ann)


def test_a_lock_keeps_others_out() -> None:
    """While ann's account is promised to one order, another order of hers is told to wait."""

    async def story() -> list[str]:
        call = caller(await opened())
        first, second = sagas.Order("order-1"), sagas.Order("order-2")
        asks = [(first, "prepare"), (second, "prepare"), (first, "abort"), (second, "prepare")]
        return [await call("payment", f"charge/{phase}", order) for order, phase in asks]

    assert run(story()) == ["done", "locked", "done", "done"]
