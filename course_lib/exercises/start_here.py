"""The warm-up of the start notebook: count visits from several servers without losing one.

It shows how an exercise goes, with the smallest race there is. Left out: anything of rate limits.
"""

import asyncio
import random
from typing import Any

from course_lib.exercises.attempt import Attempt
from course_lib.exercises.exercise import Counterexample, Exercise, Mistake, Property
from course_lib.exercises.hunting import hunt
from course_lib.exercises.plain import shown
from course_lib.lab import World, run

__all__ = ["RECORD_VISIT"]


def alone(attempt: Attempt, draw: random.Random) -> int:
    """One server after the other: 1, 2, 3, ..., for each page by itself."""
    pages = [f"page:{draw.randint(1, 999)}", "page:0"]
    times = draw.randint(3, 6)

    async def play() -> int:
        world = World(seed=draw.getrandbits(16))
        for right in range(1, times + 1):
            for page in pages:
                answer = await attempt.wait(world.redis(f"server {right % 2 + 1}"), page)
                if type(answer) is not int or answer != right:
                    told = f"Visit {right} of {page} was answered with {shown(answer)}"
                    raise Counterexample(f"{told}; right is {right}.", tuple(world.log))
        return times * len(pages)

    return run(play(), step_budget=20_000)


def together(attempt: Attempt, draw: random.Random) -> int:
    """Two and three servers at once, in every order of their effects."""
    page = f"page:{draw.randint(1, 999)}"
    return sum(
        hunt(_at_once(attempt, servers, page), none_lost, seed=draw.getrandbits(16))
        for servers in (2, 3)
    )


def _at_once(attempt: Attempt, servers: int, page: str) -> Any:
    async def scenario(world: World) -> list[object]:
        redis = [world.redis(f"server {number + 1}") for number in range(servers)]
        return await asyncio.gather(*(attempt.wait(client, page) for client in redis))

    return scenario


def none_lost(answers: list[object]) -> None:
    """Each visit gets a number of its own, 1 to n."""
    right = list(range(1, len(answers) + 1))
    told = sorted(map(str, answers))
    assert told == [str(number) for number in right], (
        f"{len(answers)} visits were numbered {', '.join(told)}; right is {right} in some order."
    )


STUB = '''
async def record_visit(redis, page):
    """Count one more visit of `page`, and return the number of visits so far.

    `redis` is a redis.asyncio.Redis; other servers call this at the same time.
    """
    raise NotImplementedError
'''

ANSWER = """
async def record_visit(redis, page):
    return await redis.incr(page)
"""

READ_THEN_WRITE = """
async def record_visit(redis, page):
    visits = int(await redis.get(page) or 0) + 1
    await redis.set(page, visits)
    return visits
"""

READ_AFTERWARDS = """
async def record_visit(redis, page):
    await redis.incr(page)
    return int(await redis.get(page))
"""

ONE_FOR_ALL = """
async def record_visit(redis, page):
    return await redis.incr("visits")
"""

RACE = (
    "You read, and write later. Between the two, another server reads the same old number. "
    "Let one command do both."
)
STALE = (
    "Nothing is lost, but the number you return is read in a second step, when it may already be "
    "somebody else's. The command that counts also answers."
)
SHARED = "All pages share one counter. The name of the page is the key."

RECORD_VISIT = Exercise(
    id="start_here.record_visit",
    place=1,
    title="Count visits from several servers",
    name="record_visit",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    properties=(
        Property("alone", "visits of a page are numbered 1, 2, 3, each page by itself.", alone),
        Property("together", "no visit is lost or counted twice, in any order.", together),
    ),
    mistakes=(
        Mistake("read, then write", READ_THEN_WRITE.lstrip("\n"), RACE),
        Mistake("read afterwards", READ_AFTERWARDS.lstrip("\n"), STALE),
        Mistake("one counter for all", ONE_FOR_ALL.lstrip("\n"), SHARED),
    ),
    hints=(
        "Which single Redis command reads, adds one and writes?",
        "`INCR` does all three as one step, and its answer is the new number.",
        "`await redis.incr(page)` is the whole body; return what it answers.",
    ),
)
