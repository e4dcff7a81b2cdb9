"""Ten small concurrent programs, five of them broken, that run on two kinds of store.

Each takes a store of its own for every process and returns what the invariant looks at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

MOVE = "redis.call('DECR', KEYS[1]) return redis.call('INCR', KEYS[2])"


class RedisStore:
    """Each step is one effect of a node on the world's Redis."""

    def __init__(self, world: Any, name: str):
        self.redis = world.redis(name)

    async def get(self, key: str) -> int:
        return int(await self.redis.get(key) or 0)

    async def set(self, key: str, value: int) -> None:
        await self.redis.set(key, value)

    async def add(self, key: str, amount: int) -> int:
        return await self.redis.incrby(key, amount)

    async def take(self, key: str) -> bool:
        return bool(await self.redis.setnx(key, 1))

    async def move(self, a: str, b: str) -> None:
        await self.redis.eval(MOVE, 2, a, b)

    async def get_both(self, a: str, b: str) -> list[int]:
        return [int(value or 0) for value in await self.redis.mget(a, b)]


class PlainStore:
    """Each step is one `await`, and then one change of a dict that all share."""

    def __init__(self, data: dict[str, int], name: str):
        self.data = data

    async def get(self, key: str) -> int:
        await asyncio.sleep(0)
        return self.data.get(key, 0)

    async def set(self, key: str, value: int) -> None:
        await asyncio.sleep(0)
        self.data[key] = value

    async def add(self, key: str, amount: int) -> int:
        await asyncio.sleep(0)
        self.data[key] = self.data.get(key, 0) + amount
        return self.data[key]

    async def take(self, key: str) -> bool:
        await asyncio.sleep(0)
        return self.data.setdefault(key, 1) == 1 and self.add_now(f"taken {key}") == 1

    def add_now(self, key: str) -> int:
        self.data[key] = self.data.get(key, 0) + 1
        return self.data[key]

    async def move(self, a: str, b: str) -> None:
        await asyncio.sleep(0)
        self.data[a] = self.data.get(a, 0) - 1
        self.data[b] = self.data.get(b, 0) + 1

    async def get_both(self, a: str, b: str) -> list[int]:
        await asyncio.sleep(0)
        return [self.data.get(a, 0), self.data.get(b, 0)]


Store = RedisStore | PlainStore
Process = Callable[[Store], Awaitable[Any]]


@dataclass(frozen=True)
class Race:
    """Processes that run at once, and what must hold of their results."""

    name: str
    right: bool
    processes: list[Process]
    holds: Callable[[list[Any]], bool]

    async def play(self, store: Callable[[str], Store]) -> list[Any]:
        """Run the processes, each with its own store, and give their results."""
        names = [f"process {number}" for number in range(len(self.processes))]
        made = [process(store(name)) for process, name in zip(self.processes, names, strict=True)]
        return list(await asyncio.gather(*made))


async def count_by_reading(store: Store) -> int:
    value = await store.get("n") + 1
    await store.set("n", value)
    return value


async def count(store: Store) -> int:
    return await store.add("n", 1)


async def buy_if_left(store: Store) -> bool:
    if await store.get("sold") >= 1:
        return False
    await store.add("sold", 1)
    return True


async def buy_and_give_back(store: Store) -> bool:
    if await store.add("sold", 1) <= 1:
        return True
    await store.add("sold", -1)
    return False


async def look_and_lock(store: Store) -> bool:
    if await store.get("lock"):
        return False
    await store.set("lock", 1)
    return True


async def lock(store: Store) -> bool:
    return await store.take("lock")


async def move_in_two_steps(store: Store) -> int:
    await store.add("a", -1)
    await store.add("b", 1)
    return 0


async def move(store: Store) -> int:
    await store.move("a", "b")
    return 0


async def total(store: Store) -> int:
    return sum(await store.get_both("a", "b"))


async def publish_then_write(store: Store) -> bool:
    await store.set("ready", 1)
    await store.set("value", 7)
    return True


async def write_then_publish(store: Store) -> bool:
    await store.set("value", 7)
    await store.set("ready", 1)
    return True


async def read_when_ready(store: Store) -> bool:
    return not await store.get("ready") or await store.get("value") == 7


def different(results: list[Any]) -> bool:
    return len(set(results)) == len(results)


def at_most_one(results: list[Any]) -> bool:
    return sum(results) <= 1


RACES = [
    Race("count by reading", False, [count_by_reading] * 2, different),
    Race("count", True, [count] * 3, different),
    Race("buy if left", False, [buy_if_left] * 2, at_most_one),
    Race("buy and give back", True, [buy_and_give_back] * 2, at_most_one),
    Race("look and lock", False, [look_and_lock] * 2, at_most_one),
    Race("lock", True, [lock] * 3, at_most_one),
    Race("move in two steps", False, [move_in_two_steps, total], lambda got: got[1] == 0),
    Race("move", True, [move, total], lambda got: got[1] == 0),
    Race("publish, then write", False, [publish_then_write, read_when_ready], all),
    Race("write, then publish", True, [write_then_publish, read_when_ready], all),
]
