"""The log: in this process and on Redis, the one a model of the other."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.lab import World, run
from course_lib.systems.realtime_notifications import MemoryLog, Notice, RedisLog, order

KEEP = 4
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob"]), st.sampled_from(["", "s1", "s2"]), st.sampled_from([0, 1])
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_redis_is_as_the_model(steps: list[tuple[str, str, int]]) -> None:
    """The same steps give the same ids, replays and gaps on Redis as in this process."""

    async def scenario() -> None:
        world = World()
        memory, redis = MemoryLog(world.time, KEEP), RedisLog(world.redis("server"), keep=KEEP)
        positions = ["0-0"]
        for number, (user, source, pause) in enumerate(steps):
            await asyncio.sleep(pause)
            args = (user, f"notice {number}", f"key {number}", source)
            ids = await memory.publish(*args), await redis.publish(*args)
            assert ids[0] == ids[1]
            positions.append(ids[0])
        assert await memory.end() == await redis.end()
        for user in ("ann", "bob"):
            for position in positions:
                assert await memory.since(user, position) == await redis.since(user, position)

    run(scenario())


def logs(world: World) -> list[Any]:
    """A log of each kind."""
    return [MemoryLog(world.time, 3), RedisLog(world.redis("server"), keep=3)]


def test_a_source_is_written_once() -> None:
    """A second notice from one source is not appended, and gets the id of the first."""

    async def scenario() -> None:
        for log in logs(World()):
            first = await log.publish("ann", "a", source="7")
            assert await log.publish("ann", "again", source="7") == first
            assert [n.data for n in (await log.since("ann", "0-0")).notices] == ["a"]

    run(scenario())


def test_a_gap_is_told() -> None:
    """A position older than what is kept may have missed something, and the log says so."""

    async def scenario() -> None:
        for log in logs(World()):
            ids = [await log.publish("ann", str(n)) for n in range(5)]
            wholes = [(await log.since("ann", id)).whole for id in ids]
            assert wholes == [False, False, True, True, True]

    run(scenario())


def test_followers_get_all_from_their_position() -> None:
    """A server that follows from a position gets all users' notices after it, in order."""

    async def scenario() -> list[Notice]:
        world = World(latency=0.1)
        api, server = RedisLog(world.redis("api")), RedisLog(world.redis("server"))
        position = await api.publish("ann", "before")
        got: list[Notice] = []

        async def follow() -> None:
            async for notice in server.tail(position):
                got.append(notice)

        following = asyncio.ensure_future(follow())
        for number in range(300):
            await api.publish("bob" if number % 2 else "ann", str(number))
        await asyncio.sleep(1)
        following.cancel()
        return got

    got = run(scenario())
    assert [notice.data for notice in got] == [str(number) for number in range(300)]
    assert sorted(got, key=lambda notice: order(notice.id)) == got


def test_ids_grow_though_the_clock_runs_back() -> None:
    """A clock that stands still or runs back makes no id twice."""
    times = iter([5.0, 5.0, 3.0, 6.0])

    async def scenario() -> list[str]:
        log = MemoryLog(lambda: next(times))
        return [await log.publish("ann", "x") for _ in range(4)]

    assert run(scenario()) == ["5000-0", "5000-1", "5000-2", "6000-0"]


@pytest.mark.parametrize(("less", "more"), [("9-0", "10-0"), ("7-9", "7-10"), ("7-9", "8-0")])
def test_order(less: str, more: str) -> None:
    """Ids compare by their numbers, milliseconds first."""
    assert order(less) < order(more)
