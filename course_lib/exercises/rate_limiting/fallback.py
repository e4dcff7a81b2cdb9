"""Exercise: what to answer while Redis is down, and how to come back.

The learner's class is driven in a world whose Redis is stopped, cut off and started again. Which
algorithm counts is free: all bursts fall into one window of the clock and are two windows apart.
Left out: measuring how long Redis is down (a breaker, see cascading_failures).
"""

import asyncio
import random

from course_lib.exercises.attempt import Attempt, Fault, Made
from course_lib.exercises.exercise import Counterexample, Exercise, Mistake, Property, changed
from course_lib.exercises.hunting import play, yes_or_no
from course_lib.lab import World

__all__ = ["FALLBACK"]

KEY = "user:7"


class Game:
    """Two servers with the learner's limiter, one Redis, one mode."""

    def __init__(self, attempt: Attempt, draw: random.Random, mode: str) -> None:
        self.world, self.mode = World(seed=draw.getrandbits(16)), mode
        self.servers, self.window = 2, draw.choice([10, 20, 60])  # seconds
        self.limit = 2 * draw.randint(2, 3)
        self.limiters = [self._made(attempt, f"server {n + 1}") for n in range(self.servers)]

    def _made(self, attempt: Attempt, server: str) -> Made:
        redis = self.world.redis(server, socket_timeout=1 / 64)
        clock = self.world.time
        return attempt.make(redis, clock, self.mode, self.limit, self.window, self.servers)

    async def burst(self, asks: int, server: int | None = None, key: str = KEY) -> int:
        """Ask that often, in turn at both servers or at one; return how many were admitted."""
        admitted = 0
        for n in range(asks):
            limiter = self.limiters[n % 2 if server is None else server]
            admitted += yes_or_no("allow", (key,), await limiter.wait("allow", key))
        return admitted

    async def next_window(self) -> None:
        """Let everything be forgotten: two windows, then the beginning of one."""
        rest = self.window - self.world.time() % self.window
        await asyncio.sleep(2 * self.window + rest)

    def down(self, hard: bool = True) -> None:
        """Stop Redis (connections are refused), or cut it off (nothing is answered)."""
        for n in range(self.servers):
            if hard:
                self.world.stop("redis")
            else:
                self.world.partition(f"server {n + 1}", "redis")

    def up(self) -> None:
        """Bring Redis back, whatever was wrong."""
        self.world.start("redis")
        for n in range(self.servers):
            self.world.heal(f"server {n + 1}", "redis")

    def during(self, when: str) -> str:
        """Return the words that begin every counterexample."""
        return f"Mode {self.mode!r}, limit {self.limit} per {self.window} s, {when}:"


def shared(attempt: Attempt, draw: random.Random) -> int:
    """While Redis is there, both servers together admit the limit, in every mode."""
    for mode in ("open", "closed", "local"):
        game = Game(attempt, draw, mode)
        asks = game.limit + 3
        _expect(game, play(game.burst(asks)), game.limit, asks, "Redis is up")
    return 3


def _expect(game: Game, admitted: int, right: int, asks: int, when: str) -> None:
    if admitted != right:
        told = f"{admitted} of {asks} requests were admitted; it must be {right}"
        raise Counterexample(f"{game.during(when)} {told}.")


def _outage(mode: str, hard: bool) -> Property:
    """Return the property of one mode, with Redis stopped or cut off."""
    when = "Redis refuses connections" if hard else "Redis does not answer"
    laws = {
        "open": "lets every request pass",
        "closed": "lets no request pass",
        "local": "lets each server's share of the limit pass, per key and window",
    }

    def holds(attempt: Attempt, draw: random.Random) -> int:
        game = Game(attempt, draw, mode)
        asks = game.limit + 4
        right = {"open": asks, "closed": 0, "local": game.limit}[mode]

        async def story() -> list[int]:
            await game.burst(2)
            await game.next_window()
            game.down(hard)
            first = await game.burst(asks)
            other = await game.burst(asks, key="user:8")
            await game.next_window()
            return [first, other, await game.burst(asks)]

        for admitted in play(story()):
            _expect(game, admitted, right, asks, when)
        return 3

    return Property(f"{mode}, {when}", f"while {when}, mode {mode!r} {laws[mode]}.", holds)


def back(attempt: Attempt, draw: random.Random) -> int:
    """As soon as Redis is back, the shared limit holds again, in every mode."""
    for mode in ("open", "closed", "local"):
        game = Game(attempt, draw, mode)
        asks = game.limit + 3
        admitted = play(_outage_then(game, asks))
        _expect(game, admitted, game.limit, asks, "Redis is back")
    return 3


async def _outage_then(game: Game, asks: int) -> int:
    """Live through an outage; after it, one server alone gets the whole limit again."""
    await game.burst(2)
    game.down()
    await game.burst(4)
    await game.next_window()
    game.up()
    return await game.burst(asks, server=0)


def other_errors(attempt: Attempt, draw: random.Random) -> int:
    """Data of the wrong type is a bug, not an outage: the error must be seen."""
    game = Game(attempt, draw, "open")

    async def story() -> None:
        await game.burst(2)
        auditor = game.world.redis("auditor")
        for key in await auditor.keys("*"):
            await auditor.delete(key)
            await auditor.xadd(key, {"wrong": "type"})
        try:
            answer = await game.burst(1)
        except Fault as fault:
            if fault.kind == "raised":
                return
            raise
        word = "admitted" if answer else "denied"
        when = "another program has overwritten the key"
        told = f"Redis reports WRONGTYPE, and the request was {word} as if nothing had happened"
        raise Counterexample(f"{game.during(when)} {told}.")

    play(story())
    return 1


STUB = '''
from course_lib.systems.rate_limiting import FixedWindow, LocalLimiter, RedisLimiter


class Fallback:
    """A limiter that knows what to answer while Redis is down.

    mode: "open" lets all pass, "closed" none, "local" this server's share of the limit,
    limit // servers (at least 1) per key and window. As soon as Redis answers, it decides.
    """

    def __init__(self, redis, clock, mode, limit, window, servers):
        self.mode = mode
        self.shared = RedisLimiter(redis, FixedWindow(limit, window))   # (await hit(key)).allowed
        # LocalLimiter(algorithm, clock) counts in this process: hit(key).allowed

    async def allow(self, key):
        """True or False."""
        raise NotImplementedError
'''

ANSWER = """
from redis.exceptions import ConnectionError, TimeoutError
from course_lib.systems.rate_limiting import FixedWindow, LocalLimiter, RedisLimiter

class Fallback:
    def __init__(self, redis, clock, mode, limit, window, servers):
        self.mode = mode
        self.shared = RedisLimiter(redis, FixedWindow(limit, window))
        self.local = LocalLimiter(FixedWindow(max(1, limit // servers), window), clock)

    async def allow(self, key):
        try:
            return (await self.shared.hit(key)).allowed
        except (ConnectionError, TimeoutError):
            if self.mode == "local":
                return self.local.hit(key).allowed
            return self.mode == "open"
"""


STICKY = changed(
    ANSWER,
    ("        self.mode = mode\n", "        self.mode, self.down = mode, False\n"),
    (
        "        try:\n            return",
        "        try:\n            if self.down:\n"
        "                raise ConnectionError\n            return",
    ),
    ("TimeoutError):\n", "TimeoutError):\n            self.down = True\n"),
)

FALLBACK = Exercise(
    id="rate_limiting.fallback",
    place=4,
    title="While Redis is down",
    name="Fallback",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    properties=(
        Property("shared", "while Redis is up, all servers together admit the limit.", shared),
        *(_outage(mode, hard) for hard in (True, False) for mode in ("open", "closed", "local")),
        Property("back", "when Redis is back, the shared limit holds again.", back),
        Property(
            "other errors", "an error that is no outage is not answered by the mode.", other_errors
        ),
    ),
    mistakes=(
        Mistake(
            "the built-in errors",
            changed(ANSWER, ("from redis.exceptions import ConnectionError, TimeoutError\n", "")),
            "redis-py has its own ConnectionError and TimeoutError, in redis.exceptions. "
            "The built-in ones of the same name catch neither.",
        ),
        Mistake(
            "one error only",
            changed(ANSWER, ("(ConnectionError, TimeoutError)", "ConnectionError")),
            "A Redis that does not answer is as gone as one that refuses: catch TimeoutError too.",
        ),
        Mistake(
            "never comes back",
            STICKY,
            "Once down, you never ask Redis again. Each server then goes on by itself for ever.",
        ),
        Mistake(
            "the whole limit each",
            changed(ANSWER, ("max(1, limit // servers)", "limit")),
            "Each server gives out the whole limit, so all of them together give a multiple of it.",
        ),
        Mistake(
            "always open",
            changed(ANSWER, ('return self.mode == "open"', "return True")),
            "Mode closed admits requests. Where a flood does more harm than a refusal, it must "
            "not.",
        ),
        Mistake(
            "hides every error",
            changed(ANSWER, ("(ConnectionError, TimeoutError)", "Exception")),
            "You catch every Exception, and a bug then looks like an outage: the limit is gone and "
            "nobody is told. Catch the two errors that mean Redis is gone.",
        ),
        Mistake(
            "one share for all keys",
            changed(ANSWER, ("self.local.hit(key)", 'self.local.hit("all")')),
            "All users share one local count, and the first one uses it up. Count per key.",
        ),
    ),
    hints=(
        "Try Redis first, every time. Only an error says that it is gone: which ones?",
        "`from redis.exceptions import ConnectionError, TimeoutError`. They are not the built-in "
        "ones.",
        'For "local", make `LocalLimiter(FixedWindow(max(1, limit // servers), window), clock)` '
        "once, in "
        "__init__, and ask its `hit(key).allowed` in the except block.",
    ),
    seeds=(1, 2),
)
