"""Plain values: what may pass between a check and the learner's object.

None, bool, int, float, str, lists and dictionaries of these: what JSON can carry, so that the
same check can drive an object in another process. Types are compared exactly (True is not 1),
numbers to nine digits. Left out: bytes, sets, dates and classes; a tuple counts as a list.
"""

import math
from typing import Any

__all__ = ["NotPlain", "fold", "plain", "same", "shown"]

DEEPEST, LONGEST, WIDEST = 20, 100_000, 64


class NotPlain(ValueError):
    """A value that cannot be judged; the text says what it is, as the end of a sentence."""


def plain(value: object, depth: int = 0) -> object:
    """Return a copy made of plain types only, or raise NotPlain: `plain((1, 2))` -> `[1, 2]`."""
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is int or kind is float or kind is str:
        return _scalar(value)
    if depth >= DEEPEST:
        raise NotPlain(f"a value nested more than {DEEPEST} levels deep")
    if kind is list or kind is tuple:
        return [plain(item, depth + 1) for item in _short(value)]
    if kind is dict:
        return {_key(key): plain(item, depth + 1) for key, item in _short(value).items()}
    raise NotPlain(_described(kind))


def _scalar(value: object) -> object:
    if type(value) is float and not math.isfinite(value):
        raise NotPlain(f"the float {value}, which is not a number one can count with")
    if type(value) is int and value.bit_length() > WIDEST:
        raise NotPlain(f"an int of more than {WIDEST} bits")
    if type(value) is str and len(value) > LONGEST:
        raise NotPlain(f"a text of more than {LONGEST:,} characters")
    return value


def _short(value: Any) -> Any:
    if len(value) > LONGEST:
        raise NotPlain(f"a {type(value).__name__} of more than {LONGEST:,} items")
    return value


def _key(key: object) -> str:
    if type(key) is not str:
        raise NotPlain(f"a dict with a key that is a {type(key).__name__}, not a str")
    return key


def _described(kind: type) -> str:
    name = kind.__name__ if type(kind) is type else "class of its own kind"
    if name in ("coroutine", "Future", "Task"):
        return f"a {name}: an await is missing"
    if name in ("function", "method", "builtin_function_or_method", "generator"):
        return f"a {name}, not a value"
    return f"an object of type {name[:60]}, not a plain value"


def same(one: object, other: object) -> bool:
    """Whether two plain values are equal in type and value; floats to nine digits: `same(1,
    True)` -> `False`.
    """
    if type(one) is not type(other):
        return False
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other


def fold(value: object) -> object:
    """Return the value with whole numbers as floats, for answers where 2 and 2.0 are both right."""
    if type(value) is int:
        return float(value)
    if isinstance(value, list):
        return [fold(item) for item in value]
    if isinstance(value, dict):
        return {key: fold(item) for key, item in value.items()}
    return value


def shown(value: object, width: int = 120) -> str:
    """Return a short, readable form of a plain value: at most `width` characters,
    `0.30000000000000004` -> `0.3`.
    """
    text = f"{value:.10g}" if type(value) is float else repr(value)
    if type(value) is float and "." not in text and "e" not in text:
        text += ".0"
    if type(value) is list:
        text = "[" + ", ".join(shown(item, width) for item in value[: width // 2]) + "]"
    if type(value) is dict:
        text = (
            "{" + ", ".join(f"{key!r}: {shown(item, width)}" for key, item in value.items()) + "}"
        )
    return text if len(text) <= width else text[: width - 4] + " ..."
