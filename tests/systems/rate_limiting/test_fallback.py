"""What happens while Redis is down, or slow, and when it is back."""

import asyncio
import logging
from collections import Counter

import pytest
from redis.exceptions import ResponseError

from course_lib.lab import World, run
from course_lib.systems.rate_limiting import (
    FallbackLimiter,
    FixedWindow,
    Outage,
    RedisLimiter,
    TokenBucket,
)
from course_lib.systems.rate_limiting.fallback import Fallback, Unavailable


def limiter(world: World, fallback: Fallback, servers: int = 1, cost: int = 1) -> FallbackLimiter:
    """A limiter of 4 a minute."""
    shared = RedisLimiter(world.redis("server"), FixedWindow(4, 60))
    outage = Outage(lambda: world.now, timeout=0.1, cool_down=1.0)
    return FallbackLimiter(shared, outage, fallback, servers, cost)


def during_an_outage(fallback: Fallback, servers: int = 1, requests: int = 6) -> Counter[object]:
    """(allowed, by whom) of some requests while Redis is down."""

    async def scenario() -> Counter[object]:
        world = World()
        limit = limiter(world, fallback, servers)
        world.stop("redis")
        rulings = [await limit.hit("user") for _ in range(requests)]
        return Counter((ruling.allowed, ruling.by) for ruling in rulings)

    return run(scenario())


def test_open() -> None:
    """Fail open: everybody gets in."""
    assert during_an_outage("open") == {(True, "open"): 6}


def test_closed() -> None:
    """Fail closed: nobody gets in."""
    assert during_an_outage("closed") == {(False, "closed"): 6}


def test_local_share() -> None:
    """Local: each server admits its share of the limit."""
    assert during_an_outage("local", servers=2) == {(True, "local"): 2, (False, "local"): 4}


def test_a_small_share_still_fits_the_request() -> None:
    """A request that the limit allows is allowed by a share, however many the servers."""

    async def scenario() -> bool:
        world = World()
        limit = limiter(world, "local", servers=100, cost=3)
        world.stop("redis")
        return (await limit.hit("user", 3)).allowed

    assert run(scenario())


@pytest.mark.parametrize("how", ["stopped", "partitioned", "slow"])
def test_back_by_itself(how: str) -> None:
    """After the outage and the cool-down, Redis decides again, with the counts that it kept."""

    async def scenario() -> list[str]:
        world = World()
        limit = limiter(world, "open")
        by = [(await limit.hit("user")).by]
        if how == "stopped":
            world.stop("redis")
        elif how == "partitioned":
            world.partition("server", "redis")
        else:
            world.link("server", "redis", latency=0.5)
        by.append((await limit.hit("user")).by)
        world.start("redis")
        world.heal("server", "redis")
        world.link("server", "redis", latency=0.0)
        await asyncio.sleep(0.99)
        by.append((await limit.hit("user")).by)
        await asyncio.sleep(0.02)
        ruling = await limit.hit("user")
        assert ruling.decision
        return [*by, ruling.by, str(ruling.decision.remaining)]

    # A slow Redis did get the request that nobody waited for: it counts, to the safe side.
    left = "1" if how == "slow" else "2"
    assert run(scenario()) == ["redis", "open", "open", "redis", left]


def test_few_pay_the_timeout() -> None:
    """While Redis is slow, one request per cool-down waits for the time-out; others do not wait."""

    async def scenario() -> list[float]:
        world = World()
        limit = limiter(world, "open")
        world.link("server", "redis", latency=5.0)
        waits = []

        async def request() -> None:
            begin = world.now
            await limit.hit("user")
            waits.append(round(world.now - begin, 3))

        for _ in range(5):
            await request()
        await asyncio.sleep(1.0)
        await asyncio.gather(*(request() for _ in range(5)))
        return sorted(waits)

    assert run(scenario()) == [0.0] * 8 + [0.1, 0.1]


def test_bugs_are_not_outages() -> None:
    """An error that Redis answers is raised, not taken for an outage."""

    async def scenario() -> None:
        world = World()
        limit = limiter(world, "open")
        await world.redis("somebody").rpush(limit.limiter.key("user"), "not a counter")
        await limit.hit("user")

    with pytest.raises(ResponseError, match="WRONGTYPE"):
        run(scenario())


def test_a_cancelled_request_is_no_outage() -> None:
    """A client that hangs up while Redis is asked does not open the fallback."""

    async def scenario() -> str:
        world = World(latency=0.01)
        limit = limiter(world, "open")
        task = asyncio.create_task(limit.hit("user"))
        await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return (await limit.hit("user")).by

    assert run(scenario()) == "redis"


def test_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """The log says once that Redis is down, and once that it is back."""

    async def scenario() -> None:
        world = World()
        limit = limiter(world, "open")
        world.stop("redis")
        for _ in range(5):
            await limit.hit("user")
            await asyncio.sleep(0.7)
        world.start("redis")
        await asyncio.sleep(1.0)
        await limit.hit("user")
        await limit.hit("user")

    with caplog.at_level(logging.WARNING):
        run(scenario())
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "Redis does not answer",
        "Redis answers again",
    ]


def test_an_outage_is_shared() -> None:
    """What one limiter learns about Redis spares another one the wait."""

    async def scenario() -> float:
        world = World()
        outage = Outage(lambda: world.now)
        shared = [RedisLimiter(world.redis("server"), TokenBucket(1, n)) for n in (1, 2)]
        first, second = (FallbackLimiter(limit, outage, "open") for limit in shared)
        world.link("server", "redis", latency=5.0)
        await first.hit("user")
        begin = world.now
        await second.hit("user")
        return world.now - begin

    assert run(scenario()) == 0.0


def test_settings_make_sense() -> None:
    """A fallback that does not exist, or a time-out of nothing, is refused with a sentence."""
    world = World()
    with pytest.raises(ValueError, match="fallback must be"):
        limiter(world, "ajar")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="above 0"):
        Outage(lambda: 0.0, timeout=0)


def test_outage_says_its_state() -> None:
    """An outage prints whether Redis is left alone, and until when."""

    async def scenario() -> list[str]:
        world = World()
        outage = Outage(lambda: world.now)
        redis = world.redis("server")
        world.stop("redis")
        before = repr(outage)
        with pytest.raises(Unavailable):
            await outage.attempt(redis.ping)
        return [before, repr(outage)]

    assert run(scenario()) == ["Outage(up)", "Outage(until 1.0)"]
