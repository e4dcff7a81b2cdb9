"""The strategies behind one interface: what is read is what was written, in every order."""

import asyncio
import sqlite3

import aiosqlite
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.experiments.caching import bad_orders, fresh, read_while_written
from course_lib.experiments.caching_scenes import price_changes, seen_after
from course_lib.lab import World, crash_everywhere
from course_lib.systems import caching
from course_lib.systems.caching import popular
from tests.systems.caching.cases import WAYS, engines, in_world, server_of

SAFE = ("leases", "versioned keys", "write-through")
every = pytest.mark.parametrize("name", WAYS)
steps = st.lists(
    st.tuples(st.sampled_from(["read", "write"]), st.sampled_from("abc"), st.sampled_from("xyz")),
    max_size=12,
)


@engines
@every
@settings(deadline=None, max_examples=15)
@given(steps)
def test_one_after_the_other(engine, name, steps):
    """Without concurrency, every strategy reads what was written last, on any server."""

    async def scenario(world):
        shops = [WAYS[name](await server_of(world, f"server {n}", a="first")) for n in (1, 2)]
        model = {"a": "first"}
        for number, (verb, key, value) in enumerate(steps):
            if verb == "write":
                await shops[number % 2].write(key, value)
                model[key] = value
            else:
                assert await shops[number % 2].read(key) == model.get(key)

    engine(scenario)


@pytest.mark.parametrize("name", SAFE)
@pytest.mark.parametrize("values", [("new",), ("8", "9")], ids=["one writer", "two writers"])
def test_no_stale_set(name, values):
    """However a reader and writers interleave, whoever reads afterwards gets what is stored."""
    way = WAYS[name]
    writes = [lambda s, value=value: way(s).write("cup", value) for value in values]
    bad, orders = bad_orders(read_while_written(lambda s: way(s).read("cup"), *writes))
    assert bad == 0
    assert orders > 2


def naive(server):
    return popular.cache_aside_read(server.redis, server.database, "cup")


@pytest.mark.parametrize(
    "way", [popular.write_then_delete, popular.delete_then_write, popular.write_then_set]
)
def test_popular_ways_break(way):
    """Each popular order of the two writes has an order of effects that leaves an old value."""
    write = lambda s: way(s.redis, s.database, "cup", "new")  # noqa: E731
    assert bad_orders(read_while_written(naive, write))[0] > 0


def test_plain_cache_aside_breaks():
    """Without leases the same strategy has the race: the lease is what closes it."""
    way = WAYS["cache-aside"]
    scenario = read_while_written(lambda s: way(s).read("cup"), lambda s: way(s).write("cup", "n"))
    assert bad_orders(scenario)[0] > 0


def test_time_to_live_bounds_a_crash():
    """A writer that dies anywhere leaves a stale entry at most until its time to live is over."""
    assert not crash_everywhere(price_changes, seen_after(0), fresh).holds
    assert crash_everywhere(price_changes, seen_after(60.001), fresh).holds


def test_write_through_asks_the_database_first():
    """A write that the database refuses is in neither store; the popular order shows it to all."""

    async def scenario(world):
        server = await server_of(world, cup="old")
        shop = WAYS["write-through"](server)
        world.stop("main")
        with pytest.raises(sqlite3.OperationalError):
            await shop.write("cup", "never")
        with pytest.raises(sqlite3.OperationalError):
            await popular.write_through(server.redis, server.database, "mug", "never")
        world.start("main")
        return await shop.read("cup"), await server.redis.get("mug")

    assert in_world(scenario) == ("old", "never")


@engines
@settings(deadline=None, max_examples=25)
@given(st.permutations([1, 2, 3, 4]))
def test_newest_version_stays(engine, order):
    """Whatever the order in which versions arrive, the cache holds the highest so far."""

    async def scenario(world):
        cache = caching.RedisCache(world.redis("server"))
        for place, version in enumerate(order):
            kept = await cache.set_if_newer("cup", version, f"v{version}", ttl=60)
            assert kept == (version == max(order[: place + 1]))
            found = await cache.get("cup")
            assert found.value == f"v{max(order[: place + 1])}"

    engine(scenario)


def test_no_deletes():
    """Without deletes an entry lives out its time, and no longer."""

    async def scenario(world):
        server = await server_of(world, cup="old")
        shop = caching.CacheAside(server.cache, server.database, ttl=10, deletes=False)
        answers = [await shop.read("cup")]
        await shop.write("cup", "new")
        answers.append(await shop.read("cup"))
        await asyncio.sleep(10.001)
        return [*answers, await shop.read("cup")]

    assert in_world(scenario) == ["old", "old", "new"]


@engines
def test_new_generation(engine):
    """One INCR invalidates every key of the group, and none of another group."""

    async def scenario(world):
        server = await server_of(world, cup="1", mug="1")
        stores = [server.redis, server.cache, server.database]
        shelf, other = (caching.VersionedKeys(*stores, group) for group in ("a", "b"))
        for group in (shelf, other):
            for key in ("cup", "mug"):
                await group.read(key)
        await server.database.write("cup", "2")
        await server.database.write("mug", "2")
        await shelf.invalidate()
        return [await group.read(key) for group in (shelf, other) for key in ("cup", "mug")]

    assert engine(scenario) == ["2", "2", "1", "1"]


@engines
def test_versions_grow(engine):
    """Every write has a higher version than all before it, also of another key."""

    async def scenario(world: World):
        server = await server_of(world)
        versions = [await server.database.write(key, "v") for key in "abab"]
        return versions, await server.database.version("a"), await server.database.version("none")

    assert engine(scenario) == ([1, 2, 3, 4], 3, None)


def test_only_autocommit():
    """A connection that would begin transactions of its own is refused: nothing commits them."""

    async def scenario():
        async with aiosqlite.connect(":memory:") as connection:
            await caching.SqlDatabase.on(connection)

    with pytest.raises(ValueError, match="isolation_level=None"):
        asyncio.run(scenario())
