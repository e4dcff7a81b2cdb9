"""The world's scripts: compiled once, and the same as those of a plain fakeredis."""

from typing import Any

import fakeredis
import pytest
from redis.exceptions import ResponseError

from course_lib.lab import World, run
from course_lib.lab.redis_scripts import KeptScripts

SCRIPTS = (
    "return {KEYS[1], ARGV[1], #ARGV}",
    "local n = redis.call('INCR', KEYS[1]) if n > 1 then return n end return -n",
    "return select('#', ...)",
    "return redis.call('GET', 'n') -- with a comment at the end",
    "redis.call('SET', KEYS[1], 'word') return redis.call('INCR', KEYS[1])",
    "return redis.pcall('INCR', 'list')",
    "return nowhere.at.all",
    "forgotten = 1 return 1",
    "local a = \n\n nil + 1 return a",
    "this is no Lua",
    "end return function() return 1",
    "\x1bLua",
)


def plain(script: str) -> Any:
    """What fakeredis alone answers, twice in a row."""
    client = fakeredis.FakeRedis(decode_responses=True, version=(8,))
    return [answer(lambda: client.eval(script, 1, "n", 7)) for _ in range(2)]


def answer(ask: Any) -> object:
    """The answer, or the error's text."""
    try:
        return ask()
    except ResponseError as error:
        return f"error: {error}"


async def in_world(script: str) -> object:
    """What the world's Redis answers, twice in a row."""
    redis = World().redis("server 1")
    found = []
    for _ in range(2):
        try:
            found.append(await redis.eval(script, 1, "n", 7))
        except ResponseError as error:
            found.append(f"error: {error}")
    return found


@pytest.mark.parametrize("script", SCRIPTS)
def test_same_answers(script: str) -> None:
    """A script answers in the world what it answers in a plain fakeredis, at each call."""
    assert strip(run(in_world(script))) == strip(plain(script))


def strip(answers: Any) -> list[Any]:
    """Leave out where in Lua an error was: the frames' names, and the compiler's place."""
    compiler = ("near", "expected", "byte code", "precompiled")
    frames = [one.split("\nstack traceback")[0] if type(one) is str else one for one in answers]
    return [
        "no Lua" if type(one) is str and any(word in one for word in compiler) else one
        for one in frames
    ]


class Counting:
    """A runtime that counts what it is given to compile."""

    def __init__(self) -> None:
        self.given: list[bytes] = []

    def execute(self, source: bytes) -> Any:
        self.given.append(source)
        return lambda: len(self.given)


def test_compiled_once() -> None:
    """A script that comes a hundred times is compiled once; another one is compiled too."""
    runtime = Counting()
    scripts = KeptScripts(runtime)
    for _ in range(100):
        scripts.execute(b"return 1")
    scripts.execute(b"return 2")
    assert len(runtime.given) == 2
