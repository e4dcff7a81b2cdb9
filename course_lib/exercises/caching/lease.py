"""Exercise: a cache with leases that no interleaving of readers and writers leaves stale.

The learner's class is driven in a world: alone, with many readers, with a reader that dies while it
loads, and in every order of its effects with a writer's. The database is one row whose reads and
writes are effects of the world. Left out: serving the old value while somebody loads.
"""

import asyncio
import random
from typing import Any

from course_lib.exercises.attempt import Attempt, Made
from course_lib.exercises.exercise import Counterexample, Exercise, Mistake, Property, changed
from course_lib.exercises.hunting import Scenario, hunt, play
from course_lib.exercises.plain import shown
from course_lib.lab import World

__all__ = ["LEASE"]

TTL, LEASE_TIME = 30_000, 2_000  # milliseconds


class Shop:
    """A world, its one row, and servers with the learner's cache."""

    def __init__(self, attempt: Attempt, world: World, key: str = "cup") -> None:
        self.attempt, self.world, self.key = attempt, world, key
        self.row, self.loads, self.takes = "old", 0, 0.0

    def server(self, name: str) -> "Server":
        """One server, with a cache object of its own."""
        return Server(self, name, self.attempt.make(self.world.redis(name), name, TTL, LEASE_TIME))


class Server:
    """One server of the shop."""

    def __init__(self, shop: Shop, name: str, cache: Made) -> None:
        self.shop, self.name, self.cache = shop, name, cache

    async def load(self, key: str) -> str:
        """Read the row of a key: one effect, and the time it takes. Each load can be told apart."""
        self.shop.loads += 1
        number = self.shop.loads
        row = await self._effect(f"SELECT {key}", lambda: self.shop.row)
        await asyncio.sleep(self.shop.takes)
        return f"{row} {key}, load {number}"

    async def read(self) -> str:
        """Ask the learner's cache; returns the row that its answer shows."""
        key = self.shop.key
        answer = await self.cache.wait("read", key, self.load)
        row, _, rest = answer.partition(" ") if type(answer) is str else ("", "", "")
        if not rest.startswith(f"{key}, load "):
            raise Counterexample(f"`read({key!r}, load)` answered `{shown(answer, 60)}`.")
        return row

    async def write(self, row: str) -> None:
        """Write the row, then tell the cache."""

        def set_row() -> None:
            self.shop.row = row

        await self._effect(f"UPDATE {row}", set_row, writes=True)
        await self.cache.wait("forget", self.shop.key)

    async def _effect(self, what: str, apply: Any, writes: bool = False) -> Any:
        world = self.shop.world
        return await world.effect(
            self.name, "database", what, apply, keys=frozenset(("row",)), writes=writes
        )


def _shop(attempt: Attempt, draw: random.Random) -> Shop:
    return Shop(attempt, World(seed=draw.getrandbits(16)), f"cup {draw.randrange(100)}")


def caches(attempt: Attempt, draw: random.Random) -> int:
    """The second read is a hit, also on another server; after a write, the next read loads."""
    shop = _shop(attempt, draw)

    async def story() -> int:
        one, two = shop.server("server 1"), shop.server("server 2")
        answers = [await one.read(), await one.read(), await two.read()]
        if shop.loads != 1:
            raise Counterexample(
                f"Three reads, one after the other, loaded {shop.loads} times; right is once."
            )
        await two.write("new")
        answers.append(await one.read())
        if answers != ["old", "old", "old", "new"]:
            raise Counterexample(f"The reads before and after a write answered {answers}.")
        return len(answers)

    return play(story())


def _race(attempt: Attempt) -> Scenario:
    """A reader and a writer at once; what a later reader gets, and the row."""

    async def scenario(world: World) -> list[object]:
        shop = Shop(attempt, world)
        reader, writer = shop.server("reader"), shop.server("writer")
        await asyncio.gather(reader.read(), writer.write("new"))
        return [await shop.server("later").read(), shop.row]

    return scenario


def _fresh(seen: list[object]) -> None:
    assert seen[0] == seen[1], f"Readers get `{seen[0]}`, the database holds `{seen[1]}`."


def stale_set(attempt: Attempt, draw: random.Random) -> int:
    """One reader and one writer, in every order."""
    return hunt(_race(attempt), _fresh, seed=draw.getrandbits(16))


def own_lease(attempt: Attempt, draw: random.Random) -> int:
    """A slow reader has lost its lease, and another reader has one, when the first fills."""
    shop = _shop(attempt, draw)
    shop.takes = draw.randint(5, 9) / 8

    async def story() -> int:
        slow = asyncio.ensure_future(shop.server("reader 1").read())
        await asyncio.sleep(shop.takes / 4)
        await shop.server("writer").write("new")
        await asyncio.sleep(shop.takes / 4)
        await asyncio.gather(slow, shop.server("reader 2").read())
        shop.takes = 0.0
        answer = await shop.server("later").read()
        if answer != "new":
            raise Counterexample(
                "Reader 1 loads the old row; it is written; reader 2 gets a lease and loads; "
                f"reader 1 fills, then reader 2. A later reader got `{answer}`."
            )
        return 3

    return play(story())


def one_load(attempt: Attempt, draw: random.Random) -> int:
    """Readers that miss together let one of them load."""
    shop, count = _shop(attempt, draw), draw.randint(5, 12)
    shop.takes = draw.randint(1, 6) / 4

    async def story() -> int:
        servers = [shop.server(f"server {n + 1}") for n in range(count)]
        await asyncio.gather(*(server.read() for server in servers))
        if shop.loads != 1:
            raise Counterexample(
                f"{count} readers missed at the same time, and {shop.loads} of them loaded; one "
                "has the lease, the others wait and look again."
            )
        return count

    return play(story())


def dead_holder(attempt: Attempt, draw: random.Random) -> int:
    """The reader with the lease dies while it loads: the lease ends by itself."""
    shop = _shop(attempt, draw)

    async def story() -> int:
        shop.takes = 1000.0
        first = asyncio.ensure_future(shop.server("server 1").read())
        await asyncio.sleep(0.5)
        first.cancel()
        shop.takes = 0.0
        began = shop.world.now
        try:
            async with asyncio.timeout(20 * LEASE_TIME / 1000):
                await shop.server("server 2").read()
        except TimeoutError:
            told = f"Another reader got no answer within {20 * LEASE_TIME / 1000:g} s"
            raise Counterexample(f"The reader that held the lease died. {told}.") from None
        took = shop.world.now - began
        if took > 2 * LEASE_TIME / 1000:
            raise Counterexample(
                f"The holder of the lease died, and another reader waited {took:.1f} s; the lease "
                f"is for {LEASE_TIME / 1000:g} s."
            )
        return 1

    return play(story())


def expires(attempt: Attempt, draw: random.Random) -> int:
    """After the time to live, Redis holds nothing any more."""
    shop = _shop(attempt, draw)

    async def story() -> int:
        await shop.server("server 1").read()
        await asyncio.sleep((TTL + LEASE_TIME) / 1000 + 1)
        left = await shop.world.redis("auditor").keys("*")
        if left:
            raise Counterexample(f"After the time to live, Redis still holds {left}.")
        return 1

    return play(story())


STUB = '''
class LeasedCache:
    """Cache-aside with leases; every server has such an object, over the same Redis."""

    def __init__(self, redis, name, ttl, lease):
        """redis: a redis.asyncio.Redis; name: this server's; ttl and lease: milliseconds."""
        self.redis, self.name, self.ttl, self.lease = redis, name, ttl, lease

    async def read(self, key, load):
        """The value of `key`, a text: from Redis, or from `await load(key)`.

        On a miss one reader gets the lease and loads; the others wait a little and look again.
        What was loaded is kept only if the lease is still the reader's own.
        """
        raise NotImplementedError

    async def forget(self, key):
        """The row was written: forget the entry, and whoever is loading must not keep it."""
        raise NotImplementedError
'''

ANSWER = '''
import asyncio

GET_OR_LEASE = """
local value = redis.call('GET', KEYS[1])
if value then return {1, value} end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return {0, 'granted'} end
return {0, 'taken'}
"""
FILL = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])
return 1
"""


class LeasedCache:
    def __init__(self, redis, name, ttl, lease):
        self.redis, self.name, self.ttl, self.lease = redis, name, ttl, lease
        self.leases = 0

    async def read(self, key, load):
        lease = "lease:" + key
        while True:
            self.leases += 1
            token = f"{self.name} {self.leases}"
            hit, answer = await self.redis.eval(GET_OR_LEASE, 2, key, lease, token, self.lease)
            if hit:
                return answer
            if answer == "granted":
                value = await load(key)
                await self.redis.eval(FILL, 2, key, lease, token, value, self.ttl)
                return value
            await asyncio.sleep(0.1)

    async def forget(self, key):
        await self.redis.delete(key, "lease:" + key)
'''

PLAIN = """
class LeasedCache:
    def __init__(self, redis, name, ttl, lease):
        self.redis, self.name, self.ttl, self.lease = redis, name, ttl, lease
        self.leases = 0

    async def read(self, key, load):
        value = await self.redis.get(key)
        if value is None:
            value = await load(key)
            await self.redis.set(key, value, px=self.ttl)
        return value

    async def forget(self, key):
        await self.redis.delete(key)
"""

LOCKED = '''
import asyncio

UNLOCK = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""


class LeasedCache:
    def __init__(self, redis, name, ttl, lease):
        self.redis, self.name, self.ttl, self.lease = redis, name, ttl, lease
        self.leases = 0

    async def read(self, key, load):
        self.leases += 1
        token = f"{self.name} {self.leases}"
        while True:
            value = await self.redis.get(key)
            if value is not None:
                return value
            if await self.redis.set("lease:" + key, token, nx=True, px=self.lease):
                value = await load(key)
                await self.redis.set(key, value, px=self.ttl)
                await self.redis.eval(UNLOCK, 1, "lease:" + key, token)
                return value
            await asyncio.sleep(0.1)

    async def forget(self, key):
        await self.redis.delete(key)
'''

DEAD = (
    "The lease has no end. When its holder dies, nobody ever loads that key again: give it a time "
    "to live as well."
)
TOKEN = (
    "All readers hold the same lease, so the first one, late, fills with the second one's. Let "
    "each lease have a token of its own, and compare it when you fill."
)
STALE = (
    "A value that was loaded before the write is kept after it. Only the holder of the lease may "
    "keep, in one script that looks at the lease, and `forget` takes the lease away."
)

LEASE = Exercise(
    id="caching.lease",
    place=2,
    title="A lease that closes the race",
    name="LeasedCache",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    properties=(
        Property("caches", "a read is a hit until the row is written.", caches),
        Property(
            "stale set",
            "however reader and writer interleave, no old value stays.",
            stale_set,
            STALE,
        ),
        Property("own lease", "nobody fills with another reader's lease.", own_lease, TOKEN),
        Property("one load", "of readers that miss together, one loads.", one_load),
        Property("dead holder", "a lease ends by itself when its holder dies.", dead_holder, DEAD),
        Property("expires", "after the time to live nothing is left in Redis.", expires),
    ),
    mistakes=(
        Mistake("plain cache-aside", PLAIN.lstrip("\n"), STALE),
        Mistake(
            "a lock, not a lease",
            LOCKED.lstrip("\n"),
            "You keep other readers out, and the writer is none. A lock does not know that the row "
            "was written; a lease is taken away by `forget`, and then must not fill.",
        ),
        Mistake(
            "forgets the entry only",
            changed(ANSWER, ('self.redis.delete(key, "lease:" + key)', "self.redis.delete(key)")),
            "`forget` deletes the entry and leaves the lease, so whoever is loading may still keep "
            "the old value. Delete both, in one command.",
        ),
        Mistake(
            "the same token for all",
            changed(ANSWER, ('f"{self.name} {self.leases}"', '"mine"')),
            TOKEN,
        ),
        Mistake(
            "a lease for ever",
            changed(ANSWER, ("'NX', 'PX', ARGV[2]", "'NX'")),
            DEAD,
        ),
        Mistake(
            "an entry for ever",
            changed(ANSWER, ("ARGV[2], 'PX', ARGV[3])", "ARGV[2])")),
            "The entry has no time to live. It bounds every mistake that you have not thought of.",
        ),
        Mistake(
            "does not wait",
            changed(
                ANSWER,
                (
                    "            await asyncio.sleep(0.1)",
                    "            return await load(key)",
                ),
            ),
            "Readers without the lease load too. That keeps the cache right, and the database is "
            "asked by everybody: wait a little and look again.",
        ),
    ),
    hints=(
        "Look and lease in one script: `await self.redis.eval(script, 2, key, lease_key, token, "
        "ms)`. It answers the value, or whether `SET lease token NX PX ms` worked.",
        "Fill in one script too: GET the lease, compare with your token, and only then SET the "
        "value with PX and DEL the lease.",
        "`forget` is one command: `await self.redis.delete(key, lease_key)`. A reader without the "
        "lease sleeps a tenth of a second and begins again.",
    ),
    seeds=(1, 2),
)
