"""The hub: each client gets each of its notices once, whatever happens in between."""

import asyncio
import math
import random
from contextlib import aclosing
from typing import Any

import pytest

from course_lib.experiments.realtime_notifications import coming_back, each_once
from course_lib.lab import World, explore, run
from course_lib.systems.realtime_notifications import (
    Bye,
    Gap,
    Hub,
    MemoryLog,
    Notice,
    Opened,
    Quiet,
    RedisLog,
)
from course_lib.systems.realtime_notifications.popular import join_then_look, look_then_join


def test_coming_back_in_every_order() -> None:
    """What is published while a client comes back reaches it once, in every order of effects."""
    scenario = coming_back(lambda hub, user, after: hub.subscribe(user, after))
    found = explore(scenario, each_once, budget=400)
    assert found.holds
    assert found.exhaustive


@pytest.mark.parametrize(
    ("subscribe", "got"),
    [(look_then_join, "missed, end"), (join_then_look, "missed, new, new, end")],
)
def test_the_popular_orders_break(subscribe: Any, got: str) -> None:
    """Looking first loses the notice in between, joining first sends it twice."""
    found = explore(coming_back(subscribe), each_once, budget=400)
    assert found.counterexample is not None
    assert found.counterexample.message == f"ann got {got}"


def in_world(scenario: Any, **options: Any) -> Any:
    """Run `scenario(world, hub)` beside a hub on a log in this process."""

    async def main() -> Any:
        world = World()
        hub = Hub(MemoryLog(world.time, keep=5), random=random.Random(1), **options)
        following = asyncio.ensure_future(hub.run())
        try:
            return await scenario(world, hub)
        finally:
            following.cancel()

    return run(main())


async def first(items: Any, count: int) -> list[Any]:
    """The first items of a subscription."""
    got = []
    async with aclosing(items) as coming:
        async for item in coming:
            got.append(item)
            if len(got) == count:
                break
    return got


def test_only_ones_own() -> None:
    """A client gets its user's notices and nobody else's; two of one user both do."""

    async def scenario(world: World, hub: Hub) -> list[list[Any]]:
        readers = [asyncio.ensure_future(first(hub.subscribe(u), 2)) for u in ("ann", "ann", "bob")]
        await asyncio.sleep(1)
        for user in ("cid", "ann", "bob"):
            await hub.log.publish(user, f"for {user}")
        return await asyncio.gather(*readers)

    got = in_world(scenario)
    assert [items[1].data for items in got] == ["for ann", "for ann", "for bob"]


def test_a_first_position() -> None:
    """Whoever is cut off before the first notice has a position, and misses nothing."""

    async def scenario(world: World, hub: Hub) -> list[str]:
        await hub.log.publish("ann", "old")
        await asyncio.sleep(0)
        (opened,) = await first(hub.subscribe("ann"), 1)
        await hub.log.publish("ann", "while away")
        back = await first(hub.subscribe("ann", opened.id), 2)
        return [item.data for item in back[1:]]

    assert in_world(scenario) == ["while away"]


def test_a_gap_is_told_first() -> None:
    """A client that was away for too long hears of the gap, then gets what is left."""

    async def scenario(world: World, hub: Hub) -> list[Any]:
        ids = [await hub.log.publish("ann", str(n)) for n in range(8)]
        return await first(hub.subscribe("ann", ids[0]), 7)

    opened, gap, *notices = in_world(scenario)
    assert isinstance(opened, Opened)
    assert isinstance(gap, Gap)
    assert [notice.data for notice in notices] == ["3", "4", "5", "6", "7"]


def test_heartbeats() -> None:
    """Silence is broken in time, again and again; a notice starts the wait anew."""

    async def scenario(world: World, hub: Hub) -> list[Any]:
        asyncio.get_running_loop().call_later(
            25, lambda: asyncio.ensure_future(hub.log.publish("ann", "x"))
        )
        times = []
        async with aclosing(hub.subscribe("ann")) as items:
            async for item in items:
                times.append((type(item).__name__, world.now))
                if len(times) == 5:
                    return times
        return times

    assert in_world(scenario, heartbeat=10) == [
        *(("Opened", 0.0), ("Quiet", 10.0), ("Quiet", 20.0), ("Notice", 25.0), ("Quiet", 35.0))
    ]
    assert Quiet.QUIET.value == "quiet"


def test_too_slow_and_back() -> None:
    """A client whose queue overflows is sent away, and gets every notice when it comes back."""

    async def scenario(world: World, hub: Hub) -> tuple[list[str], int]:
        got, byes, position = list[str](), 0, "0-0"
        telling = asyncio.ensure_future(tell(hub, 40, pause=0.1))
        while len(got) < 40:
            async with aclosing(hub.subscribe("ann", position)) as items:
                async for item in items:
                    if isinstance(item, Notice):
                        got.append(item.data)
                        position = item.id
                        await asyncio.sleep(0.15)
                    byes += isinstance(item, Bye)
                    if len(got) == 40:
                        break
        await telling
        return got, byes

    async def tell(hub: Hub, count: int, pause: float) -> None:
        for number in range(count):
            await hub.log.publish("ann", str(number))
            await asyncio.sleep(pause)

    async def main(world: World, hub: Hub) -> Any:
        hub.log = MemoryLog(world.time)
        restarted = asyncio.ensure_future(hub.run())
        result = await scenario(world, hub)
        restarted.cancel()
        return result

    got, byes = in_world(main, limit=3)
    assert got == [str(number) for number in range(40)]
    assert byes >= 3


def test_nobody_is_left_behind() -> None:
    """A subscription that ends, however it ends, leaves no queue in the hub."""

    async def scenario(world: World, hub: Hub) -> list[int]:
        reading = [asyncio.ensure_future(first(hub.subscribe("ann"), 99)) for _ in range(3)]
        await asyncio.sleep(1)
        sizes = [len(hub)]
        reading[0].cancel()
        await asyncio.wait(reading[:1])
        sizes.append(len(hub))
        await hub.drain()
        await asyncio.gather(*reading[1:])
        return [*sizes, len(hub), len(hub.queues)]

    assert in_world(scenario) == [3, 2, 0, 0]


def test_drain() -> None:
    """All are sent away evenly, each with a wait of its own; who comes then is sent on at once."""

    async def scenario(world: World, hub: Hub) -> Any:
        left = []

        async def client() -> None:
            async for item in hub.subscribe("ann"):
                if isinstance(item, Bye):
                    left.append((world.now, item))

        clients = [asyncio.ensure_future(client()) for _ in range(5)]
        await asyncio.sleep(1)
        await hub.drain(over=10)
        await asyncio.gather(*clients)
        return left, await first(hub.subscribe("ann"), 1)

    left, late = in_world(scenario, spread=20)
    assert [when for when, _ in left] == [1, 3, 5, 7, 9]
    waits = [bye.wait for _, bye in left]
    assert len(set(waits)) == 5
    assert all(0 <= wait <= 20 for wait in waits)
    assert {bye.reason for _, bye in left} == {"draining"}
    assert isinstance(late[0], Bye)


def test_fetch() -> None:
    """A poll answers at once; a long poll waits for the first notice, or in vain."""

    async def scenario(world: World, hub: Hub) -> list[Any]:
        loop = asyncio.get_running_loop()
        seen = []
        page = await hub.fetch("ann", None)
        seen.append((page.notices, world.now))
        loop.call_later(7, lambda: asyncio.ensure_future(hub.log.publish("ann", "x")))
        page = await hub.fetch("ann", page.next, wait=30)
        seen.append(([n.data for n in page.notices], world.now))
        page = await hub.fetch("ann", page.next, wait=30)
        seen.append((page.notices, world.now))
        return [*seen, len(hub)]

    assert in_world(scenario) == [([], 0), (["x"], 7), ([], 37), 0]


def test_an_outage_of_redis() -> None:
    """While Redis is down nothing comes; then all does, once, on the connections that stood."""

    async def scenario() -> list[str]:
        world = World(latency=0.01)
        hub = Hub(RedisLog(world.redis("server")), heartbeat=math.inf, random=random.Random(1))
        api = RedisLog(world.redis("api"))
        following = asyncio.ensure_future(hub.run())
        reading = asyncio.ensure_future(first(hub.subscribe("ann"), 5))
        await asyncio.sleep(1)
        await api.publish("ann", "1")
        await asyncio.sleep(1)
        world.stop("redis")
        await asyncio.sleep(60)
        world.start("redis")
        for number in (2, 3, 4):
            await api.publish("ann", str(number))
        got = await reading
        following.cancel()
        return [item.data for item in got if isinstance(item, Notice)]

    assert run(scenario()) == ["1", "2", "3", "4"]


def test_quiet_minutes() -> None:
    """However long nothing was said, a hub gets the next notice at once, though redis-py gives up
    on an answer after 5 seconds."""

    async def scenario() -> float:
        world, late = World(), 0.0
        hub = Hub(RedisLog(world.redis("server", socket_timeout=5)), heartbeat=math.inf)
        following = asyncio.ensure_future(hub.run())
        queue, log = hub.join("ann"), RedisLog(world.redis("api"))
        for seconds in range(60, 90):
            await asyncio.sleep(seconds)
            began = world.now
            await log.publish("ann", "hello")
            assert await queue.get()
            late = max(late, world.now - began)
        following.cancel()
        return late

    assert run(scenario()) == 0.0
