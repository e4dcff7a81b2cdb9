"""Write-back: coalescing, ordered, bounded, and nothing acknowledged is lost with a process."""

import asyncio
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.experiments import caching_scenes as scenes
from course_lib.lab import crash_everywhere, explore
from course_lib.systems import caching
from tests.systems.caching.cases import engines, in_world, server_of

writes = st.lists(st.tuples(st.sampled_from("abcde"), st.booleans()), max_size=15)


async def rows_of(server):
    """What the database holds, by key."""
    return {key: await server.database.read(key) for key in "abcde"}


@engines
@settings(deadline=None, max_examples=30)
@given(writes, st.integers(1, 4))
def test_some_moment_of_the_past(engine, writes, bound):
    """After every write the database holds a state that was acknowledged, `bound` keys behind."""

    async def scenario(world):
        server = await server_of(world)
        shop = scenes.write_back_on(server, bound)
        told = dict.fromkeys("abcde")
        history = [dict(told)]
        for number, (key, flush) in enumerate(writes):
            await shop.write(key, str(number))
            told[key] = str(number)
            history.append(dict(told))
            if flush:
                await shop.flush()
            rows = await rows_of(server)
            assert rows in history
            assert sum(rows[key] != told[key] for key in told) <= bound
            assert {key: await shop.read(key) for key in told} == told
        await shop.flush()
        assert await rows_of(server) == told

    engine(scenario)


@engines
def test_coalesces(engine):
    """A hundred writes of one key are one row, in one transaction."""

    async def scenario(world):
        server = await server_of(world)
        shop = scenes.write_back_on(server)
        for number in range(100):
            await shop.write("cup", str(number))
        return await shop.flush(), await shop.flush(), await server.database.read("cup")

    assert engine(scenario) == (1, 0, "99")


@pytest.mark.parametrize("flushers", [1, 2])
def test_every_order(flushers):
    """Flushers and a writer at once: the last acknowledged value is what stays."""
    found = explore(scenes.flushes_and_a_write(flushers), lambda row: row == "last", budget=150)
    assert found.holds, found


def test_dead_process():
    """Wherever a server dies, the next one's flush brings all that it acknowledged."""
    crashes = (scenes.writes_and_flushes, scenes.next_server_flushes, scenes.nothing_lost)
    assert crash_everywhere(*crashes).holds


@pytest.mark.parametrize("bound", [1, 3, 6])
def test_restarted_redis_loses_at_most_the_bound(bound):
    """A Redis that forgets everything takes the last values of at most `bound` keys with it."""
    rows = in_world(lambda world: scenes.redis_restarts_empty(1, bound))
    assert 0 < sum(told != row for _, told, row in rows) <= bound


@engines
def test_late_flusher(engine):
    """A flusher that slept through the next batch changes nothing."""

    async def scenario(world):
        server = await server_of(world)
        buffer, database = caching.RedisBuffer(server.redis), server.database
        shop = scenes.write_back_on(server)
        await shop.write("cup", "old")
        late = await buffer.begin()
        await shop.flush()
        await shop.write("cup", "new")
        await shop.flush()
        assert not await database.write_batch(late.number, late.items)
        await buffer.done(late.number)
        return await database.read("cup")

    assert engine(scenario) == "new"


def test_refused_transaction():
    """A flush that the database refuses leaves the batch where it is, for the next flush."""

    async def scenario(world):
        server = await server_of(world)
        shop = scenes.write_back_on(server)
        await shop.write("cup", "told")
        world.stop("main")
        with pytest.raises(Exception, match="refuses"):
            await shop.flush()
        assert await shop.read("cup") == "told"
        world.start("main")
        return await shop.flush(), await server.database.read("cup")

    assert in_world(scenario) == (1, "told")


def test_age_is_bounded():
    """With the flusher running, nothing stays dirty for longer than `flush_every`."""

    async def scenario(world):
        server = await server_of(world)
        shop = scenes.write_back_on(server)
        running = asyncio.ensure_future(shop.run())
        await asyncio.sleep(0.3)
        await shop.write("cup", "told")
        await asyncio.sleep(1.0)
        running.cancel()
        return await server.database.read("cup")

    assert in_world(scenario) == "told"


def test_bound_is_a_count():
    """A bound below one is refused with a sentence."""
    make = partial(caching.WriteBack, None, None, None)
    with pytest.raises(ValueError, match="at least 1"):
        make(bound=0)
