"""What a Redis command touches, and how the log shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["in_words", "readable", "touched", "unpack"]

READS = """GET EXISTS TTL PTTL TYPE STRLEN HGET HGETALL HMGET HLEN HEXISTS HKEYS HVALS LLEN LRANGE
LINDEX SCARD SISMEMBER SMEMBERS ZCARD ZCOUNT ZSCORE ZRANGE ZRANGEBYSCORE ZREVRANGE ZRANK ZREVRANK
XLEN XRANGE GETRANGE GETBIT BITCOUNT"""
WRITES = """SET SETNX SETEX PSETEX GETSET GETDEL GETEX INCR INCRBY INCRBYFLOAT DECR DECRBY APPEND
SETBIT SETRANGE EXPIRE PEXPIRE EXPIREAT PEXPIREAT PERSIST HSET HDEL HINCRBY HINCRBYFLOAT HSETNX
LPUSH RPUSH LPOP RPOP LTRIM LREM LSET SADD SREM ZADD ZREM ZINCRBY ZPOPMIN ZPOPMAX ZREMRANGEBYSCORE
ZREMRANGEBYRANK XADD XDEL XACK XTRIM"""
MANY_KEY_READS = frozenset(("MGET",))
MANY_KEY_WRITES = frozenset(("DEL", "UNLINK"))
ONE_KEY_READS = frozenset(READS.split())
ONE_KEY_WRITES = frozenset(WRITES.split())
ONE_KEY = ONE_KEY_READS | ONE_KEY_WRITES
MANY_KEYS = MANY_KEY_READS | MANY_KEY_WRITES
ALL_WRITES = ONE_KEY_WRITES | MANY_KEY_WRITES
UNORDERED = frozenset(("SMEMBERS", "SINTER", "SUNION", "SDIFF", "HKEYS", "HVALS", "KEYS"))
Command = tuple[Any, ...]


def touched(commands: list[Command]) -> tuple[frozenset[str] | None, bool]:
    """Which keys the commands touch (None: unknown, so all), and whether they may write.

    >>> touched([("GET", "a"), ("DEL", "b", "c")]) == (frozenset("abc"), True)
    True
    >>> touched([("FLUSHALL",)])
    (None, True)
    """
    keys: set[str] = set()
    writes = False
    for command in commands:
        name = text(command[0]).upper()
        if name in ONE_KEY and len(command) > 1:
            keys.add(text(command[1]))
            # EXISTS takes several keys; the others take one.
            keys.update(map(text, command[2:]) if name == "EXISTS" else ())
        elif name in MANY_KEYS:
            keys.update(map(text, command[1:]))
        elif name in ("EVAL", "EVALSHA") and len(command) > 2:
            keys.update(map(text, command[3 : 3 + int(command[2])]))
            writes = True
        elif name not in ("MULTI", "EXEC"):
            return None, True
        writes |= name in ALL_WRITES
    return frozenset(keys), writes


def in_words(command: Command) -> str:
    """The command as one would type it, with a script shortened to a word.

    >>> in_words(("EVALSHA", "a4f...", 1, "limit:ann", 5))
    'EVALSHA script 1 limit:ann 5'
    """
    words = [text(word) for word in command]
    if words[0].upper() in ("EVAL", "EVALSHA"):
        words[1] = "script"
    return " ".join(word if len(word) <= 40 else word[:37] + "..." for word in words)


def readable(answers: Any, command: Command) -> Any:
    """The last answer as text; what has no order is sorted, so that the log has one."""
    plain = _decoded(answers[-1]) if answers else None
    if isinstance(plain, list) and text(command[0]).upper() in UNORDERED:
        plain.sort()
    return plain


def _decoded(answer: Any) -> Any:
    if isinstance(answer, bytes):
        return answer.decode(errors="replace")
    if isinstance(answer, (list, tuple)):
        return [_decoded(part) for part in answer]
    if isinstance(answer, Exception):
        return str(answer)
    return answer


def text(value: Any) -> str:
    """A word of a command as text."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def unpack(chunks: list[Any]) -> Iterator[tuple[str, ...]]:
    """The commands in RESP bytes that redis-py packed: whole arrays of bulk strings.

    >>> list(unpack([b"*2\\r\\n$3\\r\\nGET\\r\\n$1\\r\\na\\r\\n"]))
    [('GET', 'a')]
    """
    data = b"".join(chunk.encode() if isinstance(chunk, str) else chunk for chunk in chunks)
    position = 0
    while position < len(data):
        count, position = _number(data, position)
        words = []
        for _ in range(count):
            length, position = _number(data, position)
            words.append(text(data[position : position + length]))
            position += length + 2
        yield tuple(words)


def _number(data: bytes, position: int) -> tuple[int, int]:
    end = data.index(b"\r\n", position)
    return int(data[position + 1 : end]), end + 2
