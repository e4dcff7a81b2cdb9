"""Values on the wire: JSON with four tagged forms, for what JSON lacks.

A dict is `{"d": [[key, value], ...]}`, bytes are `{"b": text}`, an exception is `{"e": [module,
name, arguments, own name]}`, and a handle of the world is `{"h": reference}`. Nothing is ever
unpickled, and the judge imports no name that arrives: exceptions come from a fixed list, and from
those of the course's systems that are loaded.
"""

import asyncio
import builtins
import sqlite3
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import httpx
import redis.exceptions

__all__ = ["SYSTEMS", "NotSendable", "decode", "encode"]

DEEPEST = 30
_HOMES: dict[str, Any] = {
    "asyncio.exceptions": asyncio.exceptions,
    "asyncio.queues": asyncio.queues,
    "builtins": builtins,
    "redis.exceptions": redis.exceptions,
    "httpx": httpx,
    "sqlite3": sqlite3,
}
_SCALARS = (bool, int, float, str)
SYSTEMS = "course_lib.systems."
LONGEST = 2_000  # characters of an exception's text


class NotSendable(ValueError):
    """A value that has no form on the wire."""


def encode(value: object, refer: Callable[[object], object] | None = None, depth: int = 0) -> Any:
    """Return the form of a value: `encode({"a": (1,)})` -> `{"d": [["a", [1]]]}`.

    `refer` turns everything that is no value into a reference; without it, NotSendable is raised.
    """
    if depth > DEEPEST:
        raise NotSendable(f"nested more than {DEEPEST} levels deep")
    if value is None or type(value) in _SCALARS:
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return {"b": bytes(value).decode("latin-1")}
    if isinstance(value, list | tuple):
        return [encode(item, refer, depth + 1) for item in value]
    if type(value) is dict:
        return {"d": [[key, encode(item, refer, depth + 1)] for key, item in value.items()]}
    if isinstance(value, Exception):
        return {"e": _named(value)}
    if refer is None:
        raise NotSendable(f"an object of type {type(value).__name__}")
    return {"h": refer(value)}


def _named(error: Exception) -> list[Any]:
    """Name an exception by the nearest class of it that the other side knows."""
    own = type(error)
    known = next(kind for kind in own.__mro__ if _exception(kind.__module__, kind.__name__) is kind)
    return [known.__module__, known.__name__, _arguments(error), own.__name__[:60]]


def _arguments(error: Exception) -> list[Any]:
    if all(type(a) in (*_SCALARS, type(None)) and len(str(a)) <= LONGEST for a in error.args[:9]):
        return list(error.args[:9])
    return [str(error)[:LONGEST]]


def _exception(home: str, name: str) -> Any:
    """Return an exception's class by its module and name, or None; nothing is imported."""
    module = sys.modules.get(home) if home.startswith(SYSTEMS) else _HOMES.get(home)
    kind = vars(module).get(name) if module is not None else None
    return kind if isinstance(kind, type) and issubclass(kind, Exception) else None


def decode(form: Any, resolve: Callable[[Any], object] | None = None, depth: int = 0) -> Any:
    """Return the value of a form that came over the wire, or raise NotSendable.

    >>> decode({"d": [["a", [1]]]})
    {'a': [1]}
    """
    if depth > DEEPEST:
        raise NotSendable(f"nested more than {DEEPEST} levels deep")
    if form is None or type(form) in _SCALARS:
        return form
    if type(form) is list:
        return [decode(item, resolve, depth + 1) for item in form]
    if type(form) is not dict or len(form) != 1:
        raise NotSendable("a form that nobody knows")
    ((tag, inner),) = form.items()
    if tag == "h" and resolve is not None:
        return resolve(inner)
    return _tagged(tag, inner, resolve, depth)


def _tagged(tag: str, inner: Any, resolve: Callable[[Any], object] | None, depth: int) -> object:
    if tag == "b" and type(inner) is str:
        return _bytes(inner)
    if tag == "e":
        return _error(inner)
    if tag == "d" and type(inner) is list:
        return _dict(inner, resolve, depth)
    raise NotSendable("a form that nobody knows")


def _bytes(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise NotSendable("bytes above 255") from None


def _dict(pairs: list[Any], resolve: Callable[[Any], object] | None, depth: int) -> object:
    found: dict[object, object] = {}
    for pair in pairs:
        if type(pair) is not list or len(pair) != 2 or type(pair[0]) not in (*_SCALARS, type(None)):
            raise NotSendable("a dict without keys and values")
        if pair[0] in found:
            raise NotSendable("a dict with the same key twice")
        found[pair[0]] = decode(pair[1], resolve, depth + 1)
    return found


def _error(inner: Any) -> Exception:
    match inner:
        case [str(home), str(name), list(given), str(own)]:
            kind = _exception(home, name)
        case _:
            raise NotSendable("an exception of no known form")
    if kind is None or not all(type(part) in (*_SCALARS, type(None)) for part in given):
        raise NotSendable("an exception that nobody knows")
    try:
        error: Exception = _own(kind, own[:60])(*given)
    except Exception:  # a few want other arguments than they keep
        return RuntimeError(*given)
    return error


@lru_cache(64)
def _own(kind: Any, name: str) -> Any:
    """A class that only the other side knows gets a namesake here, below the nearest known one."""
    return kind if name == kind.__name__ else type(name, (kind,), {})
