"""The cache in the process, and how it learns of changes."""

import asyncio

import pytest

from course_lib.experiments import caching_scenes as scenes
from course_lib.lab import run
from course_lib.systems import caching
from tests.systems.caching.cases import engines, in_world, server_of


def test_local_cache_forgets():
    """An entry is gone when its time is over, when it is deleted, and when all is cleared."""

    async def scenario(world):
        cache = caching.LocalCache(caching.LRU, 2, world.time)
        for key in "abc":
            cache.set(key, None if key == "b" else key, ttl=10)
        assert [cache.get("a"), cache.get("b"), cache.get("c")] == [
            None,
            caching.Found(None),
            caching.Found("c"),
        ]
        await asyncio.sleep(10)
        assert (cache.get("c"), len(cache)) == (None, 1)
        cache.set("d", "d", ttl=10)
        cache.delete("d")
        assert cache.get("d") is None
        cache.set("e", "e", ttl=10)
        cache.clear()
        assert len(cache) == 0

    in_world(scenario)


class Slow:
    """A shared strategy whose reads take a second and show the row at their start."""

    def __init__(self):
        self.row = "old"

    async def read(self, key):
        row = self.row
        await asyncio.sleep(1)
        return row

    async def write(self, key, value):
        self.row = value


@pytest.mark.parametrize("how", ["write", "invalidate", "invalidate_all"])
def test_no_stale_set_in_the_process(how):
    """A read that was under way when the key changed does not keep what it brings."""

    async def scenario(world):
        shop = caching.TwoLevel(caching.LocalCache(caching.LRU, 9, world.time), Slow(), ttl=60)
        reading = asyncio.ensure_future(shop.read("cup"))
        await asyncio.sleep(0.5)
        if how == "write":
            await shop.write("cup", "new")
        else:
            shop.shared.row = "new"
            shop.invalidate("cup") if how == "invalidate" else shop.invalidate_all()
        assert await reading == "old"
        assert await shop.read("cup") == "new"
        began = world.now
        assert await shop.read("cup") == "new"
        assert world.now == began

    in_world(scenario)


def test_three_levels():
    """The first read goes to all stores, the second to none, another server's to Redis only."""
    rows = run(scenes.three_levels(1))
    assert [row[1] for row in rows] == ["redis, main, redis", "none", "redis"]


def test_what_pubsub_loses():
    """What was published while a server was away is lost with pub/sub, and read from a stream."""
    assert run(scenes.three_changes_missed(1, caching.ByPubSub)) == ["jug"]
    assert run(scenes.three_changes_missed(1, caching.ByStream)) == ["jug", "cup", "mug", "pot"]


@engines
def test_trimmed_stream(engine):
    """A server that was away for more events than the stream keeps forgets everything."""

    async def scenario(world):
        forgotten = []
        make = [forgotten.append, lambda: forgotten.append("all")]
        here = caching.ByStream(world.redis("s1"), *make, keep=4)
        there = caching.ByStream(world.redis("s2"), print, print, keep=4)
        await there.publish("a")
        await here.listen()
        for key in "bcd":
            await there.publish(key)
        await here.take()
        for key in "efghi":
            await there.publish(key)
        await here.take()
        return forgotten

    assert engine(scenario) == ["b", "c", "d", "all", "f", "g", "h", "i"]


def test_events_reach_every_server():
    """A change on one server empties the entry of another, through pub/sub and through a stream."""

    async def scenario(world):
        answers = []
        for kind in (caching.ByPubSub, caching.ByStream):
            one, two = await server_of(world, "one", cup="old"), await server_of(world, "two")
            local = caching.LocalCache(caching.LRU, 9, world.time)
            shop = caching.TwoLevel(local, two.leased, ttl=3600)
            forget = [shop.invalidate] + [shop.invalidate_all] * (kind is caching.ByStream)
            events, sender = kind(two.redis, *forget), kind(one.redis, *forget)
            await events.listen()
            before = await shop.read("cup")
            await one.leased.write("cup", before + "!")
            await sender.publish("cup")
            stale = await shop.read("cup")
            assert await events.take() == 1
            answers.append([before, stale, await shop.read("cup")])
            await events.stop()
        return answers

    assert in_world(scenario) == [["old", "old", "old!"], ["old!", "old!", "old!!"]]
