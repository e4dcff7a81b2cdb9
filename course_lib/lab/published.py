"""Published: what was measured here, beside what others published or what can be derived.

The numbers live in `data/published.toml`, each with its source. `against` compares one measurement
with one entry and says plainly whether it lies within the tolerance. An unknown key, or an entry
without a source, is an error: a comparison that compares nothing must not look like a success. Left
out: statistics of repeated runs.
"""

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from course_lib.lab import datafiles
from course_lib.lab.comparison import Comparison, ComparisonTable, Value, within
from course_lib.lab.formula import Number, evaluate

__all__ = [
    "Comparison",
    "ComparisonTable",
    "Entry",
    "PublishedError",
    "against",
    "comparison_table",
    "entries",
    "entry",
    "read",
]

_FIELDS = {"value", "unit", "what", "source", "where", "year", "kind", "tolerance", "checked"}
_OPTIONAL = {"derivation", "formula", "parameters"}


class PublishedError(Exception):
    """An unknown key, an incomplete entry or a measurement that cannot be compared."""


@dataclass(frozen=True)
class Entry:
    """One number of others: value, unit, source, and how close a measurement should come."""

    key: str
    value: Value
    unit: str
    what: str
    source: str
    where: str
    year: int
    kind: str
    tolerance: str | dict[str, float]
    checked: bool
    derivation: str = ""
    formula: str = ""
    parameters: dict[str, Number] = field(default_factory=dict)

    def expected(self, **parameters: Number) -> Value:
        """The value, or the formula's value where parameters are given."""
        if not parameters:
            return self.value
        unknown = ", ".join(sorted(parameters.keys() - self.parameters.keys()))
        if unknown:
            known = ", ".join(self.parameters) or "none"
            raise PublishedError(f"{self.key} has no parameter {unknown}; its parameters: {known}.")
        return evaluate(self.formula, {**self.parameters, **parameters})

    @property
    def leeway(self) -> str:
        """The tolerance in words."""
        if isinstance(self.tolerance, str):
            return self.tolerance
        if "relative" in self.tolerance:
            return f"within {100 * self.tolerance['relative']:g} %"
        return f"within {self.tolerance['absolute']:g} {self.unit}".strip()

    @property
    def citation(self) -> str:
        """The source in one line, and a warning where nobody has opened it yet."""
        warning = "" if self.checked else ", source not checked"
        return f"{self.source}, {self.where} ({self.year}){warning}"

    def basis(self, **parameters: Number) -> str:
        """How a derived value comes about, with the numbers used; nothing for a published one."""
        if self.kind == "published" or not self.formula:
            return ""
        used = {**self.parameters, **parameters}
        names = re.findall(r"\w+", self.formula)
        named = [f"{name} = {used[name]}" for name in used if name in names]
        return f"`{self.formula}` with {', '.join(named)}"


def against(key: str, measured: Value, **parameters: Number) -> Comparison:
    """Compare `measured` with the entry `key`.

    Parameters give the entry's formula other values than those on file. Raises PublishedError for
    an unknown key and for a measurement of another type than the entry's.

    >>> against("rate_limiting.fixed_window_worst", 10, L=5).within
    True
    """
    known = entry(key)
    value = known.expected(**parameters)
    _check_comparable(key, measured, value)
    return Comparison(
        key=key,
        what=known.what,
        measured=measured,
        value=value,
        unit=known.unit,
        kind=known.kind,
        basis=known.basis(**parameters),
        leeway=known.leeway,
        within=within(measured, value, known.tolerance),
        source=known.citation,
    )


def comparison_table(comparisons: Sequence[Comparison]) -> ComparisonTable:
    """Show several comparisons as one table; an empty one is a PublishedError."""
    if not comparisons:
        raise PublishedError("A table of no comparisons compares nothing.")
    return ComparisonTable(tuple(comparisons))


def entry(key: str) -> Entry:
    """The entry `key`; PublishedError with near matches if there is none.

    >>> entry("rate_limiting.status").value
    429
    """
    known = entries()
    if key not in known:
        near = difflib.get_close_matches(key, known, n=3, cutoff=0.4)
        hint = f" Near matches: {', '.join(near)}." if near else ""
        raise PublishedError(f"data/published.toml has no entry {key!r}.{hint}")
    return known[key]


@cache
def entries() -> dict[str, Entry]:
    """Every entry of `data/published.toml`, by key."""
    return read(datafiles.find("published.toml"))


def read(path: Path) -> dict[str, Entry]:
    """Read and check a file of entries; PublishedError names the first entry that is incomplete."""
    found = {}
    for slug, group in datafiles.load(path).items():
        for name, fields in group.items():
            found[f"{slug}.{name}"] = _checked(f"{slug}.{name}", fields)
    return found


def _checked(key: str, fields: Mapping[str, Any]) -> Entry:
    missing, unknown = sorted(_FIELDS - fields.keys()), sorted(fields.keys() - _FIELDS - _OPTIONAL)
    empty = sorted(
        name for name in ("what", "source", "where") if not str(fields.get(name, "-")).strip()
    )
    for problem, names in (
        ("misses", missing),
        ("has the unknown", unknown),
        ("leaves empty", empty),
    ):
        if names:
            raise PublishedError(f"The entry {key} {problem}: {', '.join(names)}.")
    made = Entry(key=key, **fields)
    if made.kind not in ("published", "derived"):
        raise PublishedError(
            f"The entry {key} must be 'published' or 'derived', not {made.kind!r}."
        )
    if made.kind == "derived" and not made.derivation:
        raise PublishedError(f"The entry {key} is derived, but says not how.")
    _check_tolerance(key, made.tolerance)
    if made.formula:
        computed = evaluate(made.formula, made.parameters)
        if not within(computed, made.value, made.tolerance):
            raise PublishedError(
                f"The entry {key} says {made.value}, but its formula gives {computed}."
            )
    return made


def _check_tolerance(key: str, tolerance: object) -> None:
    match tolerance:
        case "exact":
            return
        case {"absolute": int() | float() as size, **rest} if size > 0 and not rest:
            return
        case {"relative": int() | float() as size, **rest} if size > 0 and not rest:
            return
    raise PublishedError(
        f"The tolerance of {key} must be 'exact', or one of absolute and relative above 0: "
        f"{tolerance}."
    )


def _check_comparable(key: str, measured: Value, value: Value) -> None:
    if isinstance(value, (list, tuple)) and isinstance(measured, (list, tuple)):
        if len(measured) != len(value):
            raise PublishedError(
                f"{key} holds {len(value)} values, but {len(measured)} were measured."
            )
        for one, other in zip(measured, value, strict=True):
            _check_comparable(key, one, other)
    elif _sort(measured) != _sort(value):
        raise PublishedError(
            f"{key} is a {_sort(value)}, but the measured {measured!r} is a {_sort(measured)}."
        )
    elif isinstance(measured, float) and not math.isfinite(measured):
        raise PublishedError(f"What was measured for {key} is {measured}: no number to compare.")


def _sort(value: Value) -> str:
    # bool first: True is an int to Python, but not to a reader.
    for kind, name in ((bool, "truth value"), ((int, float), "number"), (str, "text")):
        if isinstance(value, kind):
            return name
    return "list" if isinstance(value, (list, tuple)) else type(value).__name__
