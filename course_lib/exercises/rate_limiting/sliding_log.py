"""Exercise: a sliding log over Redis that no interleaving of servers can break.

The learner's function is driven in a world: alone, with slow and fast servers, and in every order
of its effects. Any way to store the log is right. All times are multiples of 1/8 s, which floats
hold exactly. Left out: prices; what Redis answers when it is down.
"""

import asyncio
import random
from collections.abc import Iterable

from redis.asyncio import Redis

from course_lib.exercises.attempt import Attempt
from course_lib.exercises.exercise import Counterexample, Exercise, Mistake, Property, changed
from course_lib.exercises.hunting import Scenario, hunt, play, yes_or_no
from course_lib.exercises.rate_limiting.sliding_log_sources import (
    ANSWER,
    AS_MEMBERS,
    CHECK_THEN_ADD,
    FIXED,
    STUB,
    TRANSACTION,
    own_clock,
)
from course_lib.lab import World

__all__ = ["SLIDING_LOG"]

STEP = 0.125  # seconds
Ask = tuple[float, bool]


class Game:
    """One world, one key, one limit; asks the learner's `allow` and compares."""

    def __init__(self, attempt: Attempt, draw: random.Random) -> None:
        self.attempt, self.world = attempt, World(seed=draw.getrandbits(16))
        self.limit, self.window = draw.randint(2, 4), draw.randint(20, 60)  # requests, seconds
        self.key = f"user:{draw.randint(1, 999)}"
        self.clients: dict[str, Redis] = {}

    async def ask(self, server: str = "server 1", key: str = "") -> bool:
        """Ask as one server; the answer must be True or False."""
        if server not in self.clients:
            self.clients[server] = self.world.redis(server)
        given = (self.clients[server], key or self.key, self.limit, self.window * 1000)
        return yes_or_no("allow", given, await self.attempt.wait(*given))

    async def expect(self, asks: Iterable[Ask]) -> int:
        """Ask at given times (seconds from now), then judge: the first wrong answer is the
        counterexample.
        """
        start, told, wrong = self.world.now, [], ""
        for after, right in asks:
            await asyncio.sleep(start + after - self.world.now)
            answer = await self.ask()
            told.append(f"{after:g} s {'admitted' if answer else 'denied'}")
            if answer is not right:
                wrong = wrong or self.told(told, right)
        if wrong:
            raise Counterexample(wrong)
        return len(told)

    def told(self, told: list[str], right: bool) -> str:
        """Return in words what was answered so far, and what the last answer should be."""
        limit = f"limit {self.limit} in any {self.window} s"
        last = "admitted" if right else "denied"
        return f"With {limit}: {', '.join(told)}; the last must be {last}."


def counts(attempt: Attempt, draw: random.Random) -> int:
    """`limit` requests are admitted, the next is not, and the first makes room exactly a window
    later.
    """
    game = Game(attempt, draw)
    firsts = [n * STEP * draw.randint(1, 3) for n in range(1, game.limit)]
    admitted = [(time, True) for time in sorted({0.0, *firsts})]
    game.limit = len(admitted)
    full = [*admitted, (float(game.window), True), (game.window + STEP / 2, False)]
    return play(game.expect([*full, (3.0 * game.window, True)]))


def boundary(attempt: Attempt, draw: random.Random) -> int:
    """No multiple of the window is a fresh start: the log slides."""
    game = Game(attempt, draw)

    async def story() -> int:
        first = game.window * draw.randint(2, 5) - STEP * draw.randint(1, 8)
        await asyncio.sleep(first - game.world.time() % game.window)
        admitted = [(n * STEP / 8, True) for n in range(game.limit)]
        return await game.expect([*admitted, (2.0, False), (game.window - STEP, False)])

    return play(story())


def denied(attempt: Attempt, draw: random.Random) -> int:
    """Whoever goes on asking while denied is admitted as soon as everybody else."""
    game = Game(attempt, draw)
    admitted = [(n * STEP, True) for n in range(game.limit)]
    tries = [(game.window / 2 + n * STEP, False) for n in range(draw.randint(game.limit, 6))]
    later = [(game.window + n * STEP, True) for n in range(game.limit)]
    return play(game.expect([*admitted, *tries, *later]))


def instant(attempt: Attempt, draw: random.Random) -> int:
    """Requests at the very same microsecond are still as many as they are."""
    game = Game(attempt, draw)
    return play(game.expect([(0.0, n < game.limit) for n in range(game.limit + 2)]))


def race(attempt: Attempt, draw: random.Random) -> int:
    """Two and three servers at once, in every order of their effects."""
    orders = 0
    for servers in (2, 3):
        limit, key = servers - 1, f"user:{draw.randint(1, 999)}"

        def law(answers: list[bool], limit: int = limit) -> None:
            told = f"{sum(answers)} requests were admitted, the limit is {limit}."
            assert sum(answers) <= limit, told
            assert sum(answers) == limit, (
                f"Only {told} A request was denied although there was room."
            )

        orders += hunt(_together(attempt, servers, limit, key), law, seed=draw.getrandbits(16))
    return orders


def _together(attempt: Attempt, servers: int, limit: int, key: str) -> Scenario:
    """Return the scenario in which each server asks once, all at the same time."""

    async def scenario(world: World) -> list[bool]:
        async def ask(number: int) -> bool:
            given = (world.redis(f"server {number}"), key, limit, 60_000)
            return yes_or_no("allow", given, await attempt.wait(*given))

        return await asyncio.gather(*(ask(n + 1) for n in range(servers)))

    return scenario


def server_time(attempt: Attempt, draw: random.Random) -> int:
    """A slow server and a fast one: a request counts from when Redis admitted it."""
    game = Game(attempt, draw)
    game.limit, slow = 1, STEP * draw.randint(4, 12)
    game.world.link("slow server", "redis", latency=slow)

    async def story() -> int:
        await asyncio.sleep(draw.randint(1, 5))
        await game.ask("slow server")
        written = [effect.time for effect in game.world.log if effect.writes]
        counted = max((time for time in written if time is not None), default=game.world.now)
        for early, right in ((STEP, False), (0.0, True)):
            await asyncio.sleep(max(0.0, counted + game.window - early - game.world.now))
            if await game.ask("fast server") is not right:
                told = [f"admitted at {counted:g} s for the slow server (link {slow:g} s)"]
                told += [
                    f"{game.world.now - counted:g} s later {'denied' if right else 'admitted'}"
                ]
                raise Counterexample(game.told(told, right))
        return 2

    return play(story())


def forgets(attempt: Attempt, draw: random.Random) -> int:
    """Two windows after the last request, Redis holds nothing any more."""
    game = Game(attempt, draw)

    async def story() -> int:
        for _ in range(game.limit + 1):
            await game.ask()
        await asyncio.sleep(2.0 * game.window)
        left = await game.world.redis("auditor").keys("*")
        if left:
            raise Counterexample(
                f"{2 * game.window} s after the last request Redis still holds {left}."
            )
        return 1

    return play(story())


def apart(attempt: Attempt, draw: random.Random) -> int:
    """What one user spends is not taken from another."""
    game = Game(attempt, draw)

    async def story() -> int:
        for _ in range(game.limit + 1):
            await game.ask()
        if not await game.ask(key=game.key + "0"):
            raise Counterexample(
                f"After {game.key} spent its limit, {game.key}0 was denied at once."
            )
        return 1

    return play(story())


RACE = (
    "Looking and adding are two effects, and between them another server looks at the same old "
    "count. "
    "A transaction cannot decide in between either; one script can."
)
FIXED_IDEA = (
    "You count per window of the clock. At the boundary the count starts afresh, and twice the "
    "limit passes."
)
DENIED = (
    "You write denied requests down as well. Whoever keeps on asking keeps itself out; "
    "a transaction that adds first and counts afterwards does just that."
)
INSTANT = (
    "Requests of the same moment are one and the same in your log: a set keeps one member per "
    "time. "
    "Give each its own member, or use a list."
)
CLOCK = (
    "The time in your log is not the time at which Redis admitted the request. "
    "Ask for TIME inside the script, where the decision is made."
)
MEMORY = (
    "Nothing ever removes the key of a user who has gone. Let each admission set a time to live."
)
APART = "All users share one log. Put the key into what you store."

SLIDING_LOG = Exercise(
    id="rate_limiting.sliding_log",
    place=2,
    title="A sliding log that many servers share",
    name="allow",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    properties=(
        Property(
            "counts",
            "`limit` requests pass, and each makes room again exactly a window later.",
            counts,
        ),
        Property(
            "boundary", "the window slides: no moment is a fresh start.", boundary, FIXED_IDEA
        ),
        Property("denied", "denied requests do not count.", denied, DENIED),
        Property("instant", "requests of the same microsecond count one each.", instant, INSTANT),
        Property(
            "race",
            "however the servers' requests interleave, no more than the limit pass.",
            race,
            RACE,
        ),
        Property(
            "server time",
            "a request counts from the moment at which Redis admitted it.",
            server_time,
            CLOCK,
        ),
        Property("forgets", "users who are gone leave nothing behind.", forgets, MEMORY),
        Property("apart", "each key has a limit of its own.", apart, APART),
    ),
    mistakes=(
        Mistake("check then add", CHECK_THEN_ADD.lstrip("\n"), RACE),
        Mistake("a transaction that adds first", TRANSACTION.lstrip("\n"), DENIED),
        Mistake("a fixed window", FIXED.lstrip("\n"), FIXED_IDEA),
        Mistake("the time as the member", AS_MEMBERS, INSTANT),
        Mistake(
            "the process's clock",
            own_clock("time.time()"),
            "You take the time from your own process. Servers' clocks differ, and this world's "
            "time is "
            "not your computer's: Redis's TIME is the one clock that all share.",
        ),
        Mistake("the time of sending", own_clock("asyncio.get_running_loop().time()"), CLOCK),
        Mistake(
            "never expires",
            changed(ANSWER, ("redis.call('PEXPIRE', KEYS[1], ARGV[2])\n", "")),
            MEMORY,
        ),
        Mistake("one log for all", changed(ANSWER, ("1, key,", "1, 'log',")), APART),
        Mistake(
            "one microsecond too long",
            changed(ANSWER, ("+ window <= now", "+ window < now")),
            "A request admitted at t no longer counts at t + window: drop it when "
            "t + window <= now, not only when it is less.",
        ),
    ),
    hints=(
        "If you look first and add afterwards, what can another server do in between? "
        "Let `check` show you the schedule.",
        "Redis runs a Lua script in one piece: `await redis.eval(script, 1, key, limit, window)`; "
        "inside are KEYS[1], ARGV[1], ARGV[2] and redis.call.",
        "Inside the script: TIME gives seconds and microseconds; drop what is older than the "
        "window; "
        "compare the length with the limit; only then push and set PEXPIRE.",
    ),
    seeds=(1, 2),
)
