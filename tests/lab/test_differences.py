"""Where fakeredis and Redis differ, as docs/redis.md lists it: each line is checked on both.

A line whose difference has gone fails, and is then taken out here and there.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fakeredis
import pytest
import redis

from course_lib.lab import World, run
from tests.systems.real_redis import URL, needs_url, own_database

PAGE = Path(__file__).resolve().parents[2] / "docs" / "redis.md"
Command = tuple[str | int, ...]


@dataclass(frozen=True)
class Difference:
    """Commands after which Redis answers one thing and fakeredis another; `page` names it."""

    page: str
    commands: tuple[Command, ...]
    redis: str
    fake: str


def script(text: str) -> Command:
    """A script without keys."""
    return ("EVAL", text, 0)


NO_SUCH = "unknown command"
DIFFERENCES = (
    Difference("a global", (script("x = 1"), script("return 7")), "7", "set global variables"),
    Difference("`os`", (script("return type(os.clock)"),), "nonexistent global", "function"),
    Difference("`bit`", (script("return bit.band(7, 3)"),), "3", "attempt to index"),
    Difference("`cmsgpack`", (script("return #cmsgpack.pack({1, 2})"),), "3", "attempt to index"),
    Difference("`sha1hex`", (script("return #redis.sha1hex('a')"),), "40", "attempt to call"),
    Difference(
        "INCRBYFLOAT",
        (("SET", "a", "0.1"), ("INCRBYFLOAT", "a", "0.2")),
        "0.3",
        "0.30000000000000004",
    ),
    Difference("OBJECT", (("SET", "a", 1), ("OBJECT", "ENCODING", "a")), "int", NO_SUCH),
    Difference("MEMORY", (("SET", "a", 1), ("MEMORY", "USAGE", "a")), "", NO_SUCH),
    Difference("INFO", (("INFO", "memory"),), "used_memory", NO_SUCH),
    Difference("WAIT", (("WAIT", 0, 1),), "0", NO_SUCH),
    Difference("CONFIG GET", (("CONFIG", "GET", "maxmemory-policy"),), "maxmemory", NO_SUCH),
    Difference("EVAL_RO", (("EVAL_RO", "return 1", 0),), "1", NO_SUCH),
    Difference("CLIENT TRACKING", (("CLIENT", "TRACKING", "OFF"),), "OK", NO_SUCH),
)
ENTRIES: tuple[Command, ...] = (
    ("XADD", "s", "1-1", "a", 1),
    ("XADD", "s", "1-2", "a", 2),
    ("XGROUP", "CREATE", "s", "g", "0"),
    ("XREADGROUP", "GROUP", "g", "me", "COUNT", 1, "STREAMS", "s", ">"),
)
MINE: Command = ("XREADGROUP", "GROUP", "g", "me", "STREAMS", "s", "0")
SAME: tuple[tuple[Command, ...], ...] = (
    (*ENTRIES, MINE, ("XACK", "s", "g", "1-1"), MINE, ("XPENDING", "s", "g")),
    (*ENTRIES, ("XAUTOCLAIM", "s", "g", "you", 0, "0"), MINE),
    (*ENTRIES, ("XGROUP", "CREATE", "s", "g", "0")),
    (*ENTRIES, ("XADD", "s", "MAXLEN", 2, "1-3", "a", 3), ("XRANGE", "s", "-", "+"), ("XLEN", "s")),
    (("HSET", "h", "a", 1), ("RENAME", "h", "i"), ("HGETALL", "i"), ("EXISTS", "h")),
    (("INCR", "n"), ("EXPIRE", "n", 60), ("TTL", "n")),
    (("SET", "lock", "me", "NX", "PX", 9000), ("SET", "lock", "you", "NX", "PX", 9000)),
    (("SET", "a", 1, "EX", 100), ("SET", "a", 2, "KEEPTTL"), ("TTL", "a")),
    (("SET", "a", "9223372036854775807"), ("INCR", "a")),
    (("ZADD", "z", 1, "a", 2, "b"), ("ZRANGEBYSCORE", "z", "(1", "+inf")),
    (("XADD", "s", "1-1", "a", 1), ("XADD", "s", "1-1", "a", 1)),
    (script("return 1.9"), script("return -1.9")),
    (script("return {1, nil, 3}"), script("return {true, false}")),
    (script("redis.call('SET', 'n', 1e15) return redis.call('GET', 'n')"),),
    (script("redis.call('SET', 'n', 0.1 + 0.2) return redis.call('GET', 'n')"),),
    (script("redis.call('SET', 'w', 1) return redis.call('NONE')"), ("GET", "w")),
    (("EVALSHA", "0" * 40, 0),),
    (("LPUSH", "l", 1), ("GET", "l")),
)


def answers(client: Any, commands: tuple[Command, ...]) -> list[Any]:
    """What a server answers, errors by their kind and sentence."""
    found = []
    for command in commands:
        try:
            found.append(client.execute_command(*command))
        except redis.ResponseError as error:
            found.append(error)
    return found


@pytest.fixture
def fake() -> Any:
    """A fakeredis of one's own."""
    return fakeredis.FakeRedis(server=fakeredis.FakeServer(), decode_responses=True)


@pytest.fixture
def real() -> Any:
    """A database of the real server, empty before and after."""
    if URL is None:
        pytest.skip("COURSE_REDIS_URL names no Redis")
    with own_database() as url, redis.Redis.from_url(url, decode_responses=True) as client:
        yield client


@pytest.mark.parametrize("one", DIFFERENCES, ids=lambda one: one.page)
def test_fakeredis_differs(fake: Any, one: Difference) -> None:
    """fakeredis answers as the page says of it."""
    assert one.fake in str(answers(fake, one.commands)[-1])


@pytest.mark.parametrize("one", DIFFERENCES, ids=lambda one: one.page)
def test_redis_differs(real: Any, one: Difference) -> None:
    """Redis answers as the page says of it, and not as fakeredis does."""
    told = str(answers(real, one.commands)[-1])
    assert one.redis in told
    assert one.fake not in told


@pytest.mark.parametrize("commands", SAME, ids=lambda commands: str(commands[-1][:2])[:40])
def test_what_the_course_relies_on(real: Any, fake: Any, commands: tuple[Command, ...]) -> None:
    """Counters, locks, expiry, sorted sets, streams and scripts answer alike; errors by kind."""

    def plain(told: list[Any]) -> list[Any]:
        return [type(each) if isinstance(each, Exception) else each for each in told]

    assert plain(answers(real, commands)) == plain(answers(fake, commands))


@pytest.mark.parametrize("one", DIFFERENCES, ids=lambda one: one.page)
def test_the_page_lists_it(one: Difference) -> None:
    """Each difference that is checked stands in docs/redis.md."""
    assert one.page in PAGE.read_text(encoding="utf-8")


def test_how_long_a_client_waits() -> None:
    """redis-py waits 5 s for an answer, and longer if it is told so; in a world it is told so."""

    async def in_world() -> Any:
        return patience(World().redis("server"))

    default = redis.asyncio.Redis.from_url("redis://localhost")
    told = redis.asyncio.Redis.from_url("redis://localhost", socket_timeout=None)
    assert (patience(default), patience(told), run(in_world())) == (5, None, None)
    assert "socket_timeout=None" in PAGE.read_text(encoding="utf-8")


def patience(client: Any) -> Any:
    """How many seconds a client waits for an answer."""
    return client.connection_pool.make_connection().socket_timeout


@needs_url
def test_a_wait_is_cut_short() -> None:
    """A command that waits for news ends with TimeoutError when the client's patience does."""
    with redis.Redis.from_url(URL or "", socket_timeout=0.05) as hasty:  # noqa: SIM117
        with pytest.raises(redis.TimeoutError):
            hasty.xread({"course:test:nothing": "$"}, block=0)
