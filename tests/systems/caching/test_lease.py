"""Leases: one reader loads, only its holder fills, and a delete takes the lease away."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.experiments.caching import readers_at_once
from course_lib.lab import World, run
from course_lib.systems import caching
from tests.systems.caching.cases import engines, in_world, server_of

verbs = st.lists(
    st.tuples(st.sampled_from(["lease", "fill", "delete"]), st.integers(0, 2)), max_size=15
)


@engines
@settings(deadline=None, max_examples=40)
@given(verbs)
def test_model(engine, verbs):
    """The scripts decide as a model does: a fill works only for the token that holds the lease."""

    async def scenario(world):
        cache = caching.RedisCache(world.redis("server"))
        value, holder = None, None
        for verb, token in verbs:
            if verb == "lease":
                leased = await cache.get_or_lease("cup", str(token), 60)
                assert (leased.found is not None) == (value is not None)
                assert leased.granted == (value is None and holder is None)
                holder = token if leased.granted else holder
            elif verb == "fill":
                filled = await cache.fill("cup", str(token), f"by {token}", 60)
                assert filled == (holder == token)
                value, holder = (f"by {token}", None) if filled else (value, holder)
            else:
                await cache.delete("cup")
                value = holder = None
        found = await cache.get("cup")
        assert (None if found is None else found.value) == value

    engine(scenario)


@pytest.mark.parametrize("servers", [1, 2, 4])
def test_one_load(servers):
    """A hundred readers of a missing key, on any number of servers, make one query."""
    world = World(1, latency=0.005)
    assert run(readers_at_once(world, lambda s: s.leased.read, 100, servers)) == 1


def test_absent_row_is_cached():
    """A row that is not there is a hit too, and not a miss for ever."""

    async def scenario(world):
        server = await server_of(world)
        answers = [await server.leased.read("none") for _ in range(3)]
        return answers, sum(e.what.startswith("SELECT") for e in world.log)

    assert in_world(scenario) == ([None, None, None], 1)


@pytest.mark.parametrize("value", ["", "0", "null", '"', "None"])
def test_values_that_look_like_nothing(value):
    """Empty and odd values come back from the cache as they are."""

    async def scenario(world):
        server = await server_of(world, cup=value)
        answers = [await server.leased.read("cup") for _ in range(2)]
        return answers, sum(e.what.startswith("SELECT") for e in world.log)

    assert in_world(scenario) == ([value, value], 1)


def test_dead_holder():
    """When the reader with the lease dies, another loads as soon as the lease is over."""

    async def scenario(world):
        one, two = await server_of(world, "one", cup="v"), await server_of(world, "two")
        world.link("one", "main", latency=3600)
        task = asyncio.ensure_future(one.leased.read("cup"))
        await asyncio.sleep(0.5)
        world.kill("one")
        answer = await two.leased.read("cup")
        task.cancel()
        return answer, world.now

    answer, took = in_world(scenario)
    assert answer == "v"
    assert took <= 2.1
