"""Events, snapshots and the projection: one truth, read in several ways."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.experiments.sagas import open_shop, open_style
from course_lib.lab import World, crash_everywhere, explore, run
from course_lib.systems import sagas
from tests.systems.sagas.shop import Shop, caller, database, opened

EVENTS = st.lists(st.sampled_from(["done", "refused", "gave up"]), max_size=6)


async def store_in(world: World) -> sagas.EventStore:
    """A fresh store on the order service's node."""
    await open_style(world, "event-sourced")
    return sagas.EventStore(database(world, "orders"))


async def view_in(world: World, store: sagas.EventStore) -> sagas.OrdersView:
    """A fresh view in a database of its own."""
    async with world.sql("setup", "view") as db:
        await db.executescript(sagas.OrdersView.SCHEMA)
    return sagas.OrdersView(store, database(world, "view"))


async def placed(count: int, shop: Shop | None = None) -> tuple[World, sagas.EventSourced]:
    """Some orders, each driven to its end."""
    world = await opened(shop or Shop(room=1), "event-sourced")
    placing = sagas.EventSourced(sagas.EventStore(database(world, "orders")), caller(world))
    for number in range(1, count + 1):
        await placing.place(sagas.Order(f"order-{number}"))
    return world, placing


def test_one_append_wins() -> None:
    """Two writers with the same version, in every order: exactly one of them appends."""

    async def scenario(world: World) -> int:
        store = await store_in(world)
        await store.append("order-1", 0, "placed")

        async def one(who: str) -> int:
            mine = sagas.EventStore(lambda: world.sql(who, "orders"))
            try:
                return await mine.append("order-1", 1, "done")
            except sagas.WrongVersion:
                return 0

        return sum(await asyncio.gather(one("a"), one("b")))

    found = explore(scenario, lambda versions: versions == 2)
    assert found.holds, found
    assert found.orders > 1


def test_two_drivers() -> None:
    """Two workers may drive one saga: it is done once, and both see the same end."""

    async def story() -> tuple[list[str], list[str]]:
        world, placing = await placed(0, Shop())
        await placing.store.append("order-1", 0, "placed", {"id": "order-1"})
        other = sagas.EventSourced(
            sagas.EventStore(lambda: world.sql("worker", "orders")),
            sagas.Caller(world.http("worker")),
        )
        ends = await asyncio.gather(
            *[each.drive(await each.load("order-1")) for each in (placing, other)]
        )
        return list(ends), [event.kind for event in await placing.store.read("order-1")]

    ends, kinds = run(story())
    assert ends == ["completed", "completed"]
    assert kinds == ["placed", "done", "done", "done", "done"]


def test_a_snapshot_saves_reading() -> None:
    """With a snapshot only the later events are read, and the state is the same."""

    async def story() -> tuple[sagas.event_sourced.Loaded, sagas.event_sourced.Loaded]:  # type: ignore[name-defined]
        _, placing = await placed(2)
        short = await placing.load("order-2")
        async with placing.store._connect() as db:
            await db.execute("DELETE FROM snapshots")
            await db.commit()
        return short, await placing.load("order-2")

    short, long = run(story())
    assert (short.state, short.version) == (long.state, long.version) == ("compensated", 6)
    assert (short.read, long.read) == (2, 6)


@settings(deadline=None, max_examples=25)
@given(EVENTS, st.integers(1, 4))
def test_any_snapshot(events: list[str], every: int) -> None:
    """Whenever snapshots are kept, a saga read back is the fold of all its events."""

    async def story() -> tuple[str, str]:
        world = World()
        store = await store_in(world)
        answers = iter([*events, *["done"] * 9])

        async def call(service: str, action: str, order: sagas.Order) -> str:
            event = next(answers)
            known = (action, event) in sagas.ORDER_WORKFLOW.table
            return event if known else "done"

        placing = sagas.EventSourced(store, call, every=every)
        ended = await placing.place(sagas.Order("order-1"))
        return ended, (await placing.load("order-1")).state

    ended, loaded = run(story())
    assert ended == loaded


def test_lag_and_catching_up() -> None:
    """The lag counts the events that the view has not seen; catching up ends it."""

    async def story() -> list[object]:
        world, placing = await placed(2)
        view = await view_in(world, placing.store)
        told: list[object] = [await view.lag()]
        told += [await view.catch_up(limit=4), await view.lag(), await view.states()]
        return [*told, await view.catch_up(), await view.lag(), await view.states()]

    ends = {"order-1": "completed", "order-2": "compensated"}
    assert run(story()) == [11, 4, 7, {"order-1": "notify"}, 7, 0, ends]


def test_rebuild() -> None:
    """Thrown away and rebuilt, the view is what it was."""

    async def story() -> tuple[dict[str, str], dict[str, str]]:
        world, placing = await placed(3)
        view = await view_in(world, placing.store)
        await view.catch_up()
        before = await view.states()
        await view.rebuild()
        return before, await view.states()

    before, after = run(story())
    assert before == after != {}


def test_each_event_counts_once() -> None:
    """The projection dies at every effect, and goes on: rows and checkpoint stay together."""

    async def setup(world: World) -> None:
        await open_shop(world, Shop())
        store = await store_in(world)
        for number, kind in enumerate(["placed", "done", "refused"]):
            await store.append("order-1", number, kind, {"customer": "ann", "amount": 1})
        await view_in(world, store)

    async def catch_up(world: World) -> sagas.OrdersView:
        store = sagas.EventStore(lambda: world.sql("view", "orders"))
        view = sagas.OrdersView(store, lambda: world.sql("view", "view"))
        await view.catch_up(limit=2)
        await view.catch_up(limit=2)
        return view

    async def again(world: World) -> tuple[dict[str, str], int]:
        view = await catch_up(world)
        return await view.states(), await view.lag()

    report = crash_everywhere(
        catch_up, again, lambda told: told == ({"order-1": "release"}, 0), setup=setup
    )
    assert report.holds, report
    assert report.points > 10


def test_unknown_versions_are_refused() -> None:
    """An append with a version that was overtaken says so."""

    async def story() -> None:
        store = await store_in(World())
        await store.append("order-1", 0, "placed")
        await store.append("order-1", 0, "placed")

    with pytest.raises(sagas.WrongVersion, match="moved on from version 0"):
        run(story())
