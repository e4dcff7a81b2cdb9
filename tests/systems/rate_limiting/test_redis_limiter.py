"""The shared limiter, in every order of several servers' requests."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from course_lib.lab import World, explore, run
from course_lib.systems.rate_limiting import Algorithm, LocalLimiter, RedisLimiter
from tests.systems.rate_limiting.cases import ORDINARY

ordinary = pytest.mark.parametrize("algorithm", ORDINARY, ids=lambda a: a.name)


@ordinary
@pytest.mark.parametrize("servers", [2, 3, 4])
def test_exactly_the_limit_in_every_order(algorithm: Any, servers: int) -> None:
    """With one unit less than the servers ask for, exactly one is refused, in every order."""
    fair = replace(algorithm, **{"burst" if hasattr(algorithm, "burst") else "limit": servers - 1})

    async def scenario(world: World) -> int:
        limiters = [RedisLimiter(world.redis(f"server {n}"), fair) for n in range(servers)]
        await limiters[0].load()
        decisions = await asyncio.gather(*(limiter.hit("user") for limiter in limiters))
        return sum(decision.allowed for decision in decisions)

    found = explore(scenario, lambda admitted: admitted == servers - 1)
    assert found.holds, found
    assert found.exhaustive
    assert found.orders >= 2


@ordinary
def test_one_round_trip_one_key(algorithm: Algorithm[Any]) -> None:
    """Once loaded, a decision is one effect on one key."""

    async def scenario() -> World:
        world = World()
        limiter = RedisLimiter(world.redis("server"), algorithm)
        await limiter.load()
        await limiter.hit("user")
        return world

    _, hit = run(scenario()).log
    assert hit.keys == {f"limit:{algorithm.name}:user"}


@ordinary
def test_survives_a_restart_of_redis(algorithm: Algorithm[Any]) -> None:
    """A Redis that has forgotten its scripts is given the script again."""

    async def scenario() -> list[int]:
        redis = World().redis("server")
        limiter = RedisLimiter(redis, algorithm)
        before = await limiter.hit("user")
        await redis.script_flush()
        return [before.remaining, (await limiter.hit("user")).remaining]

    assert run(scenario()) == [4, 3]


@ordinary
def test_like_the_local_limiter(algorithm: Algorithm[Any]) -> None:
    """Over an hour of requests, the shared limiter decides as the local one does."""

    async def scenario() -> None:
        world = World(seed=12)
        shared = RedisLimiter(world.redis("server"), algorithm)
        local = LocalLimiter(algorithm, world.time)
        for _ in range(100):
            await asyncio.sleep(world.random.expovariate(1 / 10))
            cost = world.random.choice([1, 1, 2])
            assert await shared.hit("user", cost) == local.hit("user", cost)

    run(scenario())


def test_keys_do_not_share() -> None:
    """Two keys, two prefixes and two algorithms are counted apart."""

    async def scenario() -> list[int]:
        redis = World().redis("server")
        limiters = [RedisLimiter(redis, algorithm) for algorithm in ORDINARY]
        limiters.append(RedisLimiter(redis, ORDINARY[0], prefix="other"))
        return [(await limiter.hit(key)).remaining for limiter in limiters for key in "ab"]

    assert run(scenario()) == [4] * 12


def test_repr_says_what_it_limits() -> None:
    """A limiter prints its algorithm and prefix, and no address in memory."""
    limiter = RedisLimiter(World().redis("server"), ORDINARY[0])
    assert repr(limiter) == "RedisLimiter(FixedWindow(limit=5, window=60), prefix='limit')"
