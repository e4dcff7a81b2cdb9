"""Values on the wire: JSON with four tagged forms, for what JSON lacks.

A dict is `{"d": [[key, value], ...]}`, bytes are `{"b": text}`, an exception is `{"e": [module,
name, message]}`, and a handle of the world is `{"h": [kind, number, options]}`. Nothing is ever
unpickled, and no name that arrives is imported: exceptions come from a fixed list.
"""

import builtins
import sqlite3
from collections.abc import Callable
from typing import Any

import httpx
import redis.exceptions

__all__ = ["NotSendable", "decode", "encode"]

DEEPEST = 30
_HOMES: dict[str, Any] = {
    "builtins": builtins,
    "redis.exceptions": redis.exceptions,
    "httpx": httpx,
    "sqlite3": sqlite3,
}
_SCALARS = (bool, int, float, str)


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


def _named(error: Exception) -> list[str]:
    """Name an exception by the nearest class of it that the other side knows."""
    for kind in type(error).__mro__:
        for home, module in _HOMES.items():
            if vars(module).get(kind.__name__) is kind:
                return [home, kind.__name__, str(error)[:2000]]
    return ["builtins", "RuntimeError", str(error)[:2000]]


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
    if type(inner) is not list or len(inner) != 3 or not all(type(part) is str for part in inner):
        raise NotSendable("an exception of no known form")
    home, name, message = inner
    kind = vars(_HOMES.get(home, object)).get(name)
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        raise NotSendable("an exception that nobody knows")
    try:
        return kind(message)
    except Exception:  # a few want more than a message
        return RuntimeError(message)
