"""The world's Redis: redis-py clients over fakeredis, each command one effect, on virtual time.

Commands sent as one pipeline or transaction arrive together and count as one effect. Leaves out
clusters, and the time that a command takes to run.
"""

from __future__ import annotations

import asyncio
import importlib
import time as real_time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import fakeredis
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

if TYPE_CHECKING:
    from course_lib.lab.world import World

__all__ = ["client"]

READS = """GET EXISTS TTL PTTL TYPE STRLEN HGET HGETALL HMGET HLEN LLEN LRANGE LINDEX SCARD
SISMEMBER SMEMBERS ZCARD ZCOUNT ZSCORE ZRANGE ZRANGEBYSCORE ZRANK XLEN XRANGE GETRANGE"""
WRITES = """SET SETNX SETEX PSETEX GETSET GETDEL INCR INCRBY INCRBYFLOAT DECR DECRBY APPEND
EXPIRE PEXPIRE EXPIREAT PEXPIREAT PERSIST HSET HDEL HINCRBY HINCRBYFLOAT HSETNX LPUSH RPUSH LPOP
RPOP LTRIM SADD SREM ZADD ZREM ZINCRBY ZREMRANGEBYSCORE ZREMRANGEBYRANK XADD XACK XTRIM"""
ONE_KEY_READS = frozenset(READS.split())
ONE_KEY_WRITES = frozenset(WRITES.split())
ONE_KEY = ONE_KEY_READS | ONE_KEY_WRITES
_MODULES_THAT_READ_THE_CLOCK = [
    importlib.import_module(f"fakeredis.{name}")
    for name in (
        "_core._server",
        "_helpers",
        "_socket._base",
        "commands_mixins.connection_mixin",
        "commands_mixins.server_mixin",
        "model._client_info",
        "model._stream",
    )
]


def client(world: World, who: str, server: str, options: dict[str, Any]) -> redis.asyncio.Redis:
    """A redis-py client whose connections go through the world."""
    servers = world.part("redis", dict)
    if server not in servers:
        with _virtual_clock(world):
            servers[server] = fakeredis.FakeServer()
    settings: dict[str, Any] = {
        "decode_responses": True,
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": None,
        **options,
    }
    connection = type(
        "WorldConnection", (_Connection,), {"world": world, "who": who, "target": server}
    )
    pool = redis.asyncio.ConnectionPool(
        connection_class=connection, server=servers[server], **settings
    )
    return redis.asyncio.Redis.from_pool(pool)


class _Connection(fakeredis.FakeAsyncRedisConnection):
    """A redis-py connection whose bytes travel through a World."""

    world: World
    who: str
    target: str

    async def _connect(self) -> None:
        with _virtual_clock(self.world):
            await super()._connect()

    async def on_connect_check_health(self, check_health: bool = True) -> None:
        """No greeting: HELLO and CLIENT SETINFO would be effects that no lesson is about."""
        self._parser.on_connect(self)  # type: ignore[no-untyped-call]

    async def send_command(self, *args: Any, **kwargs: Any) -> None:
        await self._send([args], list(self.pack_command(*args)))

    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        chunks = [command] if isinstance(command, (bytes, str)) else list(command)
        await self._send(list(_unpack(chunks)), chunks)

    async def _send(self, commands: list[tuple[Any, ...]], chunks: list[Any]) -> None:
        if not self.is_connected:
            await self.connect()  # type: ignore[no-untyped-call]
        keys, writes = _touched(commands)
        socket = self._sock  # kept: the request arrives even if this connection is closed meanwhile
        try:
            async with asyncio.timeout(self.socket_timeout):
                await self.world.effect(
                    self.who,
                    self.target,
                    "; ".join(_in_words(command) for command in commands),
                    lambda: self._apply(socket, chunks),
                    refuse=redis.asyncio.ConnectionError,
                    keys=keys,
                    writes=writes,
                )
        except TimeoutError:
            self._close()
            raise redis.asyncio.TimeoutError(
                f"{self.target} did not answer within {self.socket_timeout:g} s"
            ) from None
        except BaseException:
            # The answer may still come: a connection in that state must not serve the next command.
            self._close()
            raise

    def _close(self) -> None:
        self._sock = self._reader = self._writer = None

    def _apply(self, socket: Any, chunks: list[Any]) -> object:
        waiting = socket.responses._queue
        before = len(waiting)
        with _virtual_clock(self.world):
            for chunk in chunks:
                socket.sendall(chunk)
        answers = [_readable(answer) for answer in list(waiting)[before:]]
        return answers[-1] if answers else None


class _VirtualTime:
    """Stands in for the `time` module inside fakeredis while it applies a command."""

    def __init__(self, world: World):
        self.time = world.time
        self.monotonic = world.time


@contextmanager
def _virtual_clock(world: World) -> Iterator[None]:
    virtual = _VirtualTime(world)
    for module in _MODULES_THAT_READ_THE_CLOCK:
        module.time = virtual  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for module in _MODULES_THAT_READ_THE_CLOCK:
            module.time = real_time  # type: ignore[attr-defined]


def _touched(commands: list[tuple[Any, ...]]) -> tuple[frozenset[str] | None, bool]:
    """Which keys the commands touch (None: unknown, so all), and whether they may write."""
    keys: set[str] = set()
    writes = False
    for command in commands:
        name = _text(command[0]).upper()
        if name in ONE_KEY and len(command) > 1:
            keys.add(_text(command[1]))
            writes |= name in ONE_KEY_WRITES
        elif name in ("EVAL", "EVALSHA") and len(command) > 2:
            keys.update(_text(key) for key in command[3 : 3 + int(command[2])])
            writes = True
        elif name not in ("MULTI", "EXEC"):
            return None, True
    return frozenset(keys), writes


def _in_words(command: tuple[Any, ...]) -> str:
    """The command as one would type it, with a script shortened to a word."""
    words = [_text(word) for word in command]
    if words[0].upper() in ("EVAL", "EVALSHA"):
        words[1] = "script"
    return " ".join(word if len(word) <= 40 else word[:37] + "..." for word in words)


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _readable(answer: Any) -> Any:
    if isinstance(answer, bytes):
        return answer.decode(errors="replace")
    if isinstance(answer, list):
        return [_readable(part) for part in answer]
    return answer


def _unpack(chunks: list[Any]) -> Iterator[tuple[str, ...]]:
    """The commands in RESP bytes that redis-py packed: whole arrays of bulk strings."""
    data = b"".join(chunk.encode() if isinstance(chunk, str) else chunk for chunk in chunks)
    position = 0
    while position < len(data):
        count, position = _number(data, position)
        words = []
        for _ in range(count):
            length, position = _number(data, position)
            words.append(_text(data[position : position + length]))
            position += length + 2
        yield tuple(words)


def _number(data: bytes, position: int) -> tuple[int, int]:
    end = data.index(b"\r\n", position)
    return int(data[position + 1 : end]), end + 2
