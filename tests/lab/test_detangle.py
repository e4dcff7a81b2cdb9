"""`explore` beside an independent explorer: ten small programs, five of them broken.

The package `detangle` searches the schedules of plain asyncio tasks. Here each program is written
once, against a store with a handful of commands. In our world the store is Redis and each command
an effect; for detangle it is a dict, and each command is preceded by a scheduling point.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import detangle
import pytest

from course_lib.lab import World, explore


class Store(Protocol):
    """The commands that the programs use."""

    async def get(self, key: str) -> int: ...
    async def set(self, key: str, value: int) -> None: ...
    async def add(self, key: str, amount: int) -> int: ...
    async def claim(self, key: str) -> bool: ...


class InRedis:
    """The store as effects of one node of a world."""

    def __init__(self, world: World, node: str) -> None:
        self.redis = world.redis(node)

    async def get(self, key: str) -> int:
        return int(await self.redis.get(key) or 0)

    async def set(self, key: str, value: int) -> None:
        await self.redis.set(key, value)

    async def add(self, key: str, amount: int) -> int:
        return int(await self.redis.incrby(key, amount))

    async def claim(self, key: str) -> bool:
        return bool(await self.redis.setnx(key, 1))


class InMemory:
    """The store as a dict; whoever runs may be overtaken before each command."""

    def __init__(self, values: dict[str, int]) -> None:
        self.values = values

    async def get(self, key: str) -> int:
        await asyncio.sleep(0)
        return self.values.get(key, 0)

    async def set(self, key: str, value: int) -> None:
        await asyncio.sleep(0)
        self.values[key] = value

    async def add(self, key: str, amount: int) -> int:
        await asyncio.sleep(0)
        self.values[key] = self.values.get(key, 0) + amount
        return self.values[key]

    async def claim(self, key: str) -> bool:
        await asyncio.sleep(0)
        free = key not in self.values
        self.values.setdefault(key, 1)
        return free


async def read_then_write(store: Store, me: int) -> int:
    await store.set("n", await store.get("n") + 1)
    return 0


async def look_then_take(store: Store, me: int) -> int:
    if await store.get("taken") >= 1:
        return 0
    await store.add("taken", 1)
    return 1


async def lock_by_hand(store: Store, me: int) -> int:
    if await store.get("lock"):
        return 0
    await store.set("lock", 1)
    await store.add("inside", 1)
    return 1


async def lost_transfer(store: Store, me: int) -> int:
    mine, other = await store.get("a"), await store.get("b")
    await store.set("a", mine - 1)
    await store.set("b", other + 1)
    return 0


async def stale_answer(store: Store, me: int) -> int:
    await store.add("n", 1)
    return await store.get("n")


async def add_at_once(store: Store, me: int) -> int:
    await store.add("n", 1)
    return 0


async def take_then_look(store: Store, me: int) -> int:
    if await store.add("taken", 1) > 1:
        await store.add("taken", -1)
        return 0
    return 1


async def claim_first(store: Store, me: int) -> int:
    return int(await store.claim("lock"))


async def own_key(store: Store, me: int) -> int:
    await store.set(f"n{me}", await store.get(f"n{me}") + 1)
    return await store.get(f"n{me}")


async def move_by_adding(store: Store, me: int) -> int:
    await store.add("a", -1)
    await store.add("b", 1)
    return 0


Program = Callable[[Store, int], Awaitable[int]]
Law = Callable[[list[int], dict[str, int]], bool]
CASES: dict[str, tuple[Program, Law, bool]] = {
    "read then write": (read_then_write, lambda _, state: state["n"] == 2, False),
    "look then take": (look_then_take, lambda told, _: sum(told) <= 1, False),
    "a lock by hand": (lock_by_hand, lambda told, _: sum(told) <= 1, False),
    "a lost transfer": (lost_transfer, lambda _, state: state["b"] == 2, False),
    "a stale answer": (stale_answer, lambda told, _: sorted(told) == [1, 2], False),
    "add at once": (add_at_once, lambda _, state: state["n"] == 2, True),
    "take then look": (take_then_look, lambda told, _: sum(told) <= 1, True),
    "claim first": (claim_first, lambda told, _: sum(told) == 1, True),
    "a key of one's own": (own_key, lambda told, _: told == [1, 1], True),
    "move by adding": (move_by_adding, lambda _, state: state["a"] + state["b"] == 0, True),
}
every_case = pytest.mark.parametrize(("program", "law", "right"), CASES.values(), ids=CASES)


def ours_holds(program: Program, law: Law) -> bool:
    """Whether the law holds in every order that `explore` tries."""

    async def scenario(world: World) -> tuple[list[int], dict[str, int]]:
        stores = [InRedis(world, f"node {number}") for number in (1, 2)]
        told = await asyncio.gather(*(program(store, n) for n, store in enumerate(stores)))
        redis = world.redis("reader")
        return list(told), {key: int(await redis.get(key)) for key in await redis.keys("*")}

    found = explore(scenario, lambda result: law(*result))
    assert found.exhaustive or not found.holds
    return found.holds


def theirs_holds(program: Program, law: Law) -> bool:
    """Whether the law holds in every schedule with up to six deviations."""

    async def scenario() -> None:
        values: dict[str, int] = {}
        told = await asyncio.gather(*(program(InMemory(values), n) for n in (0, 1)))
        assert law(list(told), values)

    strategy: Any = detangle.DFS(max_delays=6)
    try:
        stats = detangle.explore(scenario, strategy=strategy, runs=50_000, database=False)
    except detangle.BugFound:
        return False
    assert stats.exhausted
    return True


@every_case
def test_both_agree(program: Program, law: Law, right: bool) -> None:
    """Two explorers that share no code come to the same verdict."""
    assert ours_holds(program, law) is right
    assert theirs_holds(program, law) is right
