"""Exercise: write-back that coalesces, never falls more than `bound` keys behind, and loses nothing
when its process dies.

The learner's class is driven with a database that takes batches, fails once, or is written to while
a flush is under way; a second object over the same Redis stands for the next process. Left out: two
flushers at once, and a Redis that forgets.
"""

import asyncio
import random

from course_lib.exercises.attempt import Attempt, Fault, Made
from course_lib.exercises.exercise import Counterexample, Exercise, Mistake, Property, changed
from course_lib.exercises.hunting import hunt, play
from course_lib.exercises.plain import shown
from course_lib.lab import World

__all__ = ["WRITE_BACK"]


class Shop:
    """A database that takes batches, and what was acknowledged so far."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rows: dict[str, str] = {}
        self.written = self.saves = self.fails = 0
        self.history: list[dict[str, str]] = [{}]

    async def save(self, batch: dict[str, str]) -> None:
        """Write a batch in one transaction; fails while `fails` is above 0."""
        if type(batch) is not dict or not all(type(v) is str for v in batch.values()):
            raise Counterexample(f"`save` got `{shown(batch, 60)}`; right is a dict of texts.")
        self.saves += 1

        def apply() -> None:
            if self.fails:
                self.fails -= 1
                raise ValueError("the database is on holiday")
            self.rows.update(batch)
            self.written += len(batch)

        await self.world.effect("server", "database", f"SAVE {batch}", apply)
        if self.history[-1] and self.rows not in self.history:
            raise Counterexample(
                f"After a `save` the database held {self.rows}, which was never the state of "
                "the shop: a later write is there without an earlier one."
            )

    def acknowledged(self, key: str, value: str) -> None:
        """Remember a write that returned."""
        self.history.append({**self.history[-1], key: value})

    @property
    def told(self) -> dict[str, str]:
        """The last acknowledged value of each key."""
        return self.history[-1]

    @property
    def behind(self) -> list[str]:
        """The keys whose last acknowledged value is not in the database."""
        return [key for key, value in self.told.items() if self.rows.get(key) != value]


class Game:
    """One server with the learner's object, and the shop behind it."""

    def __init__(self, attempt: Attempt, draw: random.Random, bound: int) -> None:
        self.shop, self.bound = Shop(World(seed=draw.getrandbits(16))), bound
        self.attempt = attempt
        self.back = self.process("server")

    def process(self, name: str) -> Made:
        """A process with an object of its own, over the same Redis."""
        return self.attempt.make(self.shop.world.redis(name), self.shop.save, self.bound)

    async def write(self, key: str, value: str) -> None:
        """Write, and remember that it was acknowledged."""
        await self.back.wait("write", key, value)
        self.shop.acknowledged(key, value)

    async def flush(self, who: Made | None = None) -> None:
        """Flush, by this process or another."""
        await (who or self.back).wait("flush")


def _lost(shop: Shop, when: str) -> None:
    if shop.behind:
        key = shop.behind[0]
        raise Counterexample(
            f"{when}: {key!r} was acknowledged as `{shop.told[key]}`, and the database holds "
            f"`{shop.rows.get(key)}`."
        )


def coalesces(attempt: Attempt, draw: random.Random) -> int:
    """Many writes of few keys: no save until the flush, and then one row a key."""
    keys, writes = draw.randint(2, 4), draw.randint(12, 30)
    game = Game(attempt, draw, bound=keys)

    async def story() -> int:
        for number in range(writes):
            await game.write(f"k{number % keys}", f"v{number}")
        if game.shop.saves:
            raise Counterexample(
                f"{writes} writes of {keys} keys with bound {game.bound}, and `save` was called "
                f"{game.shop.saves} times before anybody flushed."
            )
        await game.flush()
        _lost(game.shop, "After a flush")
        if game.shop.written != keys:
            raise Counterexample(
                f"{writes} writes of {keys} keys became {game.shop.written} rows written; right "
                f"is {keys}, the last value of each."
            )
        return writes

    return play(story())


def bounded(attempt: Attempt, draw: random.Random) -> int:
    """However many keys are written, no more than `bound` are behind at any moment."""
    game = Game(attempt, draw, bound=draw.randint(2, 5))

    async def story() -> int:
        for number in range(4 * game.bound):
            await game.write(f"k{number}", f"v{number}")
            if len(game.shop.behind) > game.bound:
                raise Counterexample(
                    f"With bound {game.bound}, {len(game.shop.behind)} acknowledged keys were "
                    f"not in the database after write {number + 1}."
                )
        return 4 * game.bound

    return play(story())


def next_process(attempt: Attempt, draw: random.Random) -> int:
    """The process ends after acknowledging; the next one flushes what it left."""
    game = Game(attempt, draw, bound=10)

    async def story() -> int:
        for number in range(draw.randint(3, 6)):
            await game.write(f"k{number % 3}", f"v{number}")
        await game.flush(game.process("next server"))
        _lost(game.shop, "The process died after it had acknowledged, and the next one flushed")
        return 1

    return play(story())


def failed_save(attempt: Attempt, draw: random.Random) -> int:
    """A save fails in the middle of a flush; the next flush has everything, the newest values."""
    game = Game(attempt, draw, bound=10)

    async def story() -> int:
        for number in range(3):
            await game.write(f"k{number}", f"v{number}")
        game.shop.fails = 1
        try:
            await game.flush()
        except Fault as fault:
            if fault.kind != "raised" or fault.error != "ValueError":
                raise
        await game.write("k0", "newer")
        for who in (game.process("next server"), game.back):
            await game.flush(who)
            await game.flush(who)
        _lost(game.shop, "A save failed, and there were more flushes afterwards")
        return 3

    return play(story())


def meanwhile(attempt: Attempt, draw: random.Random) -> int:
    """A write comes while a flush is under way, in every order: it is not lost."""

    async def scenario(world: World) -> list[object]:
        shop = Shop(world)
        server, other = (attempt.make(world.redis(n), shop.save, 10) for n in ("server", "other"))
        await server.wait("write", "cup", "first")
        await asyncio.gather(server.wait("flush"), other.wait("write", "cup", "last"))
        await server.wait("flush")
        await server.wait("flush")
        return [shop.rows.get("cup")]

    def law(seen: list[object]) -> None:
        told = f"`last` was acknowledged while a flush ran, and the database holds `{seen[0]}`"
        assert seen == ["last"], f"{told} after two more flushes."

    return hunt(scenario, law, seed=draw.getrandbits(16))


def together(attempt: Attempt, draw: random.Random) -> int:
    """A flush writes all that is dirty at once: the database shows no mixture of moments."""
    game = Game(attempt, draw, bound=20)

    async def story() -> int:
        for number in range(draw.randint(6, 9)):
            await game.write(f"k{number % 4}", f"v{number}")
        await game.flush()
        _lost(game.shop, "After a flush")
        return 1

    return play(story())


STUB = '''
class WriteBack:
    """Acknowledged at once, saved later, and never more than `bound` keys behind."""

    def __init__(self, redis, save, bound):
        """redis: a redis.asyncio.Redis; `await save({key: value, ...})` is one transaction."""
        self.redis, self.save, self.bound = redis, save, bound

    async def write(self, key, value):
        """Acknowledge the write (both texts), without `save` while at most `bound` keys are dirty.

        The write that would make one more key dirty flushes first. A process may die after any
        acknowledgement; the next one, with the same Redis, must find the write there.
        """
        raise NotImplementedError

    async def flush(self):
        """Save the last value of every dirty key, in one `save`; nothing to do is fine.

        Others write meanwhile, and `save` may raise: nothing acknowledged may be lost. There is
        one flusher at a time.
        """
        raise NotImplementedError
'''

ANSWER = '''
STAGE = """
local known = redis.call('HEXISTS', KEYS[1], ARGV[1])
local count = redis.call('HLEN', KEYS[1]) + redis.call('HLEN', KEYS[2])
if known == 0 and count >= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
"""
BEGIN = """
if redis.call('EXISTS', KEYS[2]) == 0 and redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('RENAME', KEYS[1], KEYS[2])
end
return redis.call('HGETALL', KEYS[2])
"""


class WriteBack:
    def __init__(self, redis, save, bound):
        self.redis, self.save, self.bound = redis, save, bound

    async def write(self, key, value):
        while not await self.redis.eval(STAGE, 2, "dirty", "flushing", key, value, self.bound):
            await self.flush()

    async def flush(self):
        flat = await self.redis.eval(BEGIN, 2, "dirty", "flushing")
        if flat:
            await self.save(dict(zip(flat[::2], flat[1::2])))
            await self.redis.delete("flushing")
'''

MEMORY = """
class WriteBack:
    def __init__(self, redis, save, bound):
        self.save, self.bound, self.dirty = save, bound, {}

    async def write(self, key, value):
        if key not in self.dirty and len(self.dirty) >= self.bound:
            await self.flush()
        self.dirty[key] = value

    async def flush(self):
        batch = dict(self.dirty)
        if batch:
            await self.save(batch)
        for key, value in batch.items():
            if self.dirty.get(key) == value:
                del self.dirty[key]
"""

READ_THEN_DELETE = """
class WriteBack:
    def __init__(self, redis, save, bound):
        self.redis, self.save, self.bound = redis, save, bound

    async def write(self, key, value):
        if not await self.redis.hexists("dirty", key):
            if await self.redis.hlen("dirty") >= self.bound:
                await self.flush()
        await self.redis.hset("dirty", key, value)

    async def flush(self):
        batch = await self.redis.hgetall("dirty")
        if batch:
            await self.save(batch)
            await self.redis.delete("dirty")
"""

MEANWHILE = (
    "What is written between your look and your delete is deleted without having been saved. Take "
    "the batch away first, under another name (RENAME), and delete that."
)

WRITE_BACK = Exercise(
    id="caching.write_back",
    place=3,
    title="Write-back with a bound",
    name="WriteBack",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    properties=(
        Property(
            "coalesces", "writes of one key become one row, and nothing is saved early.", coalesces
        ),
        Property("bounded", "no more than `bound` acknowledged keys are behind.", bounded),
        Property(
            "next process", "what a dead process acknowledged, the next one saves.", next_process
        ),
        Property(
            "meanwhile", "a write during a flush is not lost, in every order.", meanwhile, MEANWHILE
        ),
        Property("failed save", "a save that fails loses nothing.", failed_save),
        Property("together", "a flush is one save of everything that is dirty.", together),
    ),
    mistakes=(
        Mistake(
            "saves at once",
            changed(
                ANSWER,
                (
                    "    async def flush(self):",
                    "        await self.flush()\n\n    async def flush(self):",
                ),
            ),
            "You save with every write: that is write-through. The point is to answer first, and "
            "to save a key once for many writes.",
        ),
        Mistake(
            "in the memory of the process",
            MEMORY.lstrip("\n"),
            "The dirty values live in this process and die with it, after they were acknowledged. "
            "Redis outlives it: keep them there.",
        ),
        Mistake("reads, saves, deletes", READ_THEN_DELETE.lstrip("\n"), MEANWHILE),
        Mistake(
            "deletes before it saves",
            changed(
                ANSWER,
                (
                    "            await self.save(dict(zip(flat[::2], flat[1::2])))\n"
                    '            await self.redis.delete("flushing")\n',
                    '            await self.redis.delete("flushing")\n'
                    "            await self.save(dict(zip(flat[::2], flat[1::2])))\n",
                ),
            ),
            "You let the batch go before it is saved. When `save` fails, or the process dies in "
            "it, the batch is nowhere.",
        ),
        Mistake(
            "no bound",
            changed(ANSWER, ("known == 0 and count >= tonumber(ARGV[3])", "false")),
            "Nothing stops the writers. What a dead Redis can lose is then whatever they wrote "
            "since the last flush; `bound` makes it a number.",
        ),
        Mistake(
            "counts writes, not keys",
            changed(ANSWER, ("known == 0 and count", "count")),
            "A key that is dirty already does not become dirtier: writing it again needs no flush.",
        ),
        Mistake(
            "row by row",
            changed(
                ANSWER,
                (
                    "            await self.save(dict(zip(flat[::2], flat[1::2])))\n",
                    "            for key, value in zip(flat[::2], flat[1::2]):\n"
                    "                await self.save({key: value})\n",
                ),
            ),
            "You save one key at a time. In between the database holds a mixture that never was, "
            "and a crash leaves it there. One flush is one `save`.",
        ),
    ),
    hints=(
        "A Redis hash holds the dirty values: HSET makes writes of one key coalesce by itself.",
        "Writing and the look at the bound are one script. A flush renames the hash first "
        '("dirty" to "flushing"), so that new writes begin a new one; if "flushing" is there '
        "already, an earlier flush did not finish: save that.",
        "Order in a flush: rename, HGETALL, `save`, and only then DEL. For the bound count both "
        "hashes: HLEN dirty + HLEN flushing.",
    ),
    seeds=(1, 2),
)
