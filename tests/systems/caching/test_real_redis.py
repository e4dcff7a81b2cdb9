"""Chapter 18's systems on a real Redis: events, and many servers at once.

The laws of leases, versions and write-back run on it in the files beside this one (`engines`).
"""

import asyncio
import os
import random
from typing import Any

import pytest

from course_lib.systems import caching
from tests.systems.caching.cases import engines, server_of
from tests.systems.real_redis import needs_url, on_redis

# Channels of pub/sub are the whole server's, whatever the number of the database.
NAME = f"changes:{os.getpid()}"


async def take(events: Any, wanted: int) -> None:
    """Take events until so many have come: over a network they take their time."""
    while wanted > 0:
        wanted -= await events.take()
    assert wanted == 0


@needs_url
@pytest.mark.parametrize(
    ("kind", "heard"),
    [(caching.ByPubSub, ["jug", "pot"]), (caching.ByStream, ["jug", "cup", "mug", "pot"])],
)
def test_what_pubsub_loses(kind: Any, heard: list[str]) -> None:
    """What is published while a server is away is lost with pub/sub, and read from a stream."""

    async def scenario(world: Any) -> list[str]:
        got: list[str] = []
        forget = [got.append] + [got.clear] * (kind is caching.ByStream)
        here, there = (kind(world.redis(name), *forget, NAME) for name in ("here", "there"))
        await here.listen()
        await there.publish("jug")
        await take(here, 1)
        await here.stop()
        for key in ("cup", "mug"):
            await there.publish(key)
        await here.resume()
        await there.publish("pot")
        await take(here, len(heard) - 1)
        await here.stop()
        return got

    assert on_redis(scenario) == heard


@needs_url
@pytest.mark.parametrize("kind", [caching.ByPubSub, caching.ByStream])
def test_events_empty_the_first_level(kind: Any) -> None:
    """Two levels: a change on one server is stale on another until its event, and then is not."""

    async def scenario(world: Any) -> list[str | None]:
        one, two = await server_of(world, "one", cup="old"), await server_of(world, "two")
        local = caching.LocalCache(caching.LRU, 9, world.time)
        shop = caching.TwoLevel(local, two.leased, ttl=3600)
        forget = [shop.invalidate] + [shop.invalidate_all] * (kind is caching.ByStream)
        events = kind(two.redis, *forget, NAME)
        await events.listen()
        answers = [await shop.read("cup")]
        await one.leased.write("cup", "new")
        answers.append(await shop.read("cup"))
        await kind(one.redis, *forget, NAME).publish("cup")
        await take(events, 1)
        await events.stop()
        return [*answers, await shop.read("cup")]

    assert on_redis(scenario) == ["old", "old", "new"]


@needs_url
@pytest.mark.parametrize("seed", range(5))
def test_the_newest_of_many(seed: int) -> None:
    """Of 40 versions that arrive at once over 4 connections, the highest stays."""

    async def scenario(world: Any) -> Any:
        caches = [caching.RedisCache(world.redis(f"server {n}")) for n in range(4)]
        versions = random.Random(seed).sample(range(1, 41), 40)
        await asyncio.gather(
            *(caches[n % 4].set_if_newer("cup", v, f"v{v}", 60) for n, v in enumerate(versions))
        )
        return await caches[0].get("cup")

    assert on_redis(scenario) == caching.Found("v40")


@needs_url
def test_flushers_and_writers_at_once() -> None:
    """4 servers write and flush at once over their own connections: nothing acknowledged is lost,
    and no more keys were dirty than may be."""

    async def scenario(world: Any) -> None:
        servers = [await server_of(world, f"server {n}") for n in range(4)]
        buffers = [caching.RedisBuffer(server.redis) for server in servers]
        shops = [
            caching.WriteBack(buffer, server.database, server.leased, bound=3)
            for buffer, server in zip(buffers, servers, strict=True)
        ]

        async def serve(number: int) -> None:
            for value in range(25):
                await shops[number].write(f"key {number}:{value % 5}", str(value))
                dirty, flushing, _ = buffers[number].keys
                assert await servers[number].redis.hlen(flushing) <= 3
                assert await servers[number].redis.hlen(dirty) <= 3

        await asyncio.gather(*map(serve, range(4)))
        await shops[0].flush()
        rows = {
            key: await servers[0].database.read(key)
            for key in [f"key {number}:{last}" for number in range(4) for last in range(5)]
        }
        assert rows == {key: str(20 + int(key[-1])) for key in rows}
        assert await shops[0].flush() == 0

    on_redis(scenario)


@engines
def test_entries_with_an_age(engine: Any) -> None:
    """Early recompute and stale-while-revalidate keep an entry as long as they say, and load once
    for many readers; what is too old is renewed behind."""

    async def scenario(world: Any) -> None:
        loads: list[str] = []
        now = [0.0]

        async def load(key: str) -> str:
            loads.append(key)
            return f"load {len(loads)}"

        def clock() -> float:
            return now[0]

        redis = world.redis("server")
        early = caching.EarlyRecompute(redis, load, clock, random.Random(1), ttl=100)
        stale = caching.StaleWhileRevalidate(redis, load, clock, fresh=10, stale=90)
        assert [await early.read("cup") for _ in range(3)] == ["load 1"] * 3
        assert await asyncio.gather(*(stale.read("mug") for _ in range(9))) == ["load 2"] * 9
        assert all([0 < await redis.pttl(key) <= 100_000 for key in ("early:cup", "swr:mug")])
        now[0] = 11.0
        assert await stale.read("mug") == "load 2"
        await asyncio.gather(*stale._renewals)
        assert await stale.read("mug") == "load 3"

    engine(scenario)
