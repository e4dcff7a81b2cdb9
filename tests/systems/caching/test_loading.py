"""Loading once and in time: single flight, negative caching, early recompute, stale, jitter."""

import asyncio
import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from course_lib.experiments.caching import readers_at_once
from course_lib.experiments.caching_stampede import recomputes
from course_lib.lab import World, run
from course_lib.systems import caching
from tests.systems.caching.cases import in_world


class Loads:
    """A load that takes a second, and counts."""

    def __init__(self, value="7 EUR"):
        self.value, self.count = value, 0

    async def __call__(self, key):
        self.count += 1
        await asyncio.sleep(1)
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


def test_single_flight():
    """Callers during a load share it, its error too; who comes later begins a new one."""

    async def story():
        load, flights = Loads(), caching.SingleFlight()
        answers = await asyncio.gather(*(flights.do("cup", load) for _ in range(100)))
        assert (set(answers), load.count, len(flights)) == ({"7 EUR"}, 1, 0)
        load.value = ValueError("no")
        ends = await asyncio.gather(
            *(flights.do("cup", load) for _ in range(3)), return_exceptions=True
        )
        assert [type(end) for end in ends] == [ValueError] * 3
        assert (load.count, len(flights)) == (2, 0)
        load.value = "8 EUR"
        assert await flights.do("cup", load) == "8 EUR"

    run(story())


def test_first_caller_leaves():
    """The first caller is cancelled, and the others still get the one load's answer."""

    async def story():
        load, flights = Loads(), caching.SingleFlight()
        callers = [asyncio.ensure_future(flights.do("cup", load)) for _ in range(3)]
        await asyncio.sleep(0.5)
        callers[0].cancel()
        assert await asyncio.gather(*callers[1:]) == ["7 EUR"] * 2
        assert load.count == 1

    run(story())


@pytest.mark.parametrize("servers", [1, 3])
def test_read_through_joins_within_a_server(servers):
    """Each server of a read-through cache asks once for a missing key."""
    world = World(1, latency=0.005)
    make = lambda s: caching.ReadThrough(s.cache, s.database.read).read  # noqa: E731
    assert run(readers_at_once(world, make, 60, servers)) == servers


def test_absent_for_a_shorter_time():
    """ "No such row" is kept for `absent_ttl`, and a row for `ttl`; forgetting works on both."""

    async def scenario(world):
        load = Loads(None)
        cache = caching.ReadThrough(
            caching.RedisCache(world.redis("s")), load, ttl=60, absent_ttl=5
        )
        assert [await cache.read("cup"), await cache.read("cup"), load.count] == [None, None, 1]
        await asyncio.sleep(5.001)
        load.value = "there"
        assert [await cache.read("cup"), await cache.read("cup"), load.count] == ["there"] * 2 + [2]
        await asyncio.sleep(59)
        await cache.read("cup")
        assert load.count == 2
        await cache.forget("cup")
        await cache.read("cup")
        assert load.count == 3

    in_world(scenario)


@given(st.floats(0.01, 1000), st.floats(0, 0.99), st.integers(0, 99))
def test_jitter_only_shortens(ttl, jitter, seed):
    """A jittered time to live lies between (1 - jitter) of it and all of it."""
    drawn = caching.jittered(ttl, jitter, random.Random(seed))
    assert ttl * (1 - jitter) - 1e-9 <= drawn <= ttl


@pytest.mark.parametrize("jitter", [-0.1, 1.0])
def test_jitter_is_a_share(jitter):
    """A jitter that could make a time to live of nothing is refused."""
    with pytest.raises(ValueError, match="share"):
        caching.jittered(60, jitter, random.Random(1))


def test_jittered_cache():
    """Every way into a cache with jitter shortens the time to live, and reads are as they were."""

    async def scenario(world):
        redis = world.redis("s")
        cache = caching.Jittered(caching.RedisCache(redis), 0.5, random.Random(2))
        await cache.set("a", "1", 60)
        assert (await cache.get_or_lease("b", "t", 60)).granted
        assert await cache.fill("b", "t", "1", 60)
        assert await cache.set_if_newer("c", 1, "1", 60)
        lives = [await redis.pttl(f"cache:{key}") / 1000 for key in "abc"]
        assert all(30 <= life < 60 for life in lives)
        assert len(set(lives)) == 3
        assert (await cache.get("a")).value == "1"

    in_world(scenario)


@given(st.floats(0.01, 10), st.floats(0.1, 3), st.floats(0.01, 10))
def test_due_by_the_closed_form(delta, beta, left):
    """A read is due exactly when its draw is at most exp(-left / (delta beta))."""
    edge = math.exp(-left / (delta * beta))
    assume(edge > 1e-300)
    assert caching.is_due(left, delta, beta, edge * 0.999)
    if edge * 1.001 <= 1:
        assert not caching.is_due(left, delta, beta, edge * 1.001)


def test_expired_is_always_due():
    """After the expiry every read recomputes, whatever the draw."""
    assert caching.is_due(0.0, 1.0, 1.0, 1.0)
    assert caching.is_due(-1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize("beta", [0.7, 1.0, 2.0])
def test_recomputes_for_each_expiry(beta):
    """About e^(1 / beta) recomputes begin for each expiry."""
    assert recomputes(beta, 3000, seed=5) == pytest.approx(math.exp(1 / beta), rel=0.06)


def early(world, load, beta=1.0):
    """An early-recompute cache of ten seconds over a load of one."""
    return caching.EarlyRecompute(
        world.redis("s"), load, world.time, random.Random(3), ttl=10, beta=beta
    )


def test_early_recompute_renews_in_time():
    """With steady readers somebody renews before the expiry: after the first, nobody misses."""

    async def scenario(world):
        load = Loads()
        cache = early(world, load, beta=3.0)
        await cache.read("cup")
        late = []
        for _ in range(600):
            began = world.now
            left = await cache.redis.pttl("early:cup")
            task = asyncio.ensure_future(cache.read("cup"))
            await asyncio.sleep(0.1)
            late.append((left, task, began))
        await asyncio.gather(*(task for _, task, _ in late))
        return load.count, min(left for left, _, _ in late)

    loads, least = in_world(scenario)
    assert loads > 5
    assert least > 0


def test_stale_while_revalidate():
    """Fresh is served; stale too, and renewed once behind; only nothing at all makes one wait."""

    async def scenario(world):
        load = Loads("1")
        cache = caching.StaleWhileRevalidate(world.redis("s"), load, world.time, fresh=10, stale=20)
        await cache.read("cup")
        load.value, began = "2", world.now
        assert await cache.read("cup") == "1"
        await asyncio.sleep(15)
        answers = await asyncio.gather(*(cache.read("cup") for _ in range(5)))
        assert (answers, load.count, world.now - began) == (["1"] * 5, 2, 15)
        await asyncio.sleep(2)
        assert await cache.read("cup") == "2"
        await asyncio.sleep(31)
        load.value, began = "3", world.now
        assert await cache.read("cup") == "3"
        assert world.now - began == 1

    in_world(scenario)
