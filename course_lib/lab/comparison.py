"""Comparison: a measurement beside a published or derived value, as one sentence and as a table.

Left out: where the values come from; see `published`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["Comparison", "ComparisonTable", "Value", "within"]

Value: TypeAlias = bool | int | float | str | Sequence[Any]
_COLUMNS = ("what", "measured", "published or derived", "tolerance", "within", "source")


@dataclass(frozen=True, repr=False)
class Comparison:
    """A measurement beside a published or derived value."""

    key: str
    what: str
    measured: Value
    value: Value
    unit: str
    kind: str
    basis: str
    leeway: str
    within: bool
    source: str

    def __repr__(self) -> str:
        measured, value = self._texts()
        verdict = "within" if self.within else "NOT within"
        return (
            f"{self.what}: measured {measured}, {self.kind} {value}{self._basis()}, {verdict} "
            f"the tolerance ({self.leeway}). Source: {self.source}."
        )

    def _repr_markdown_(self) -> str:
        return ComparisonTable((self,))._repr_markdown_()

    def cells(self) -> tuple[str, ...]:
        """The comparison as one row of a table, in the order of its columns."""
        measured, value = self._texts()
        within = "yes" if self.within else "**no**"
        return (
            self.what,
            measured,
            f"{value} ({self.kind}{self._basis()})",
            self.leeway,
            within,
            self.source,
        )

    def _basis(self) -> str:
        return f" by {self.basis}" if self.basis else ""

    def _texts(self) -> tuple[str, str]:
        short = _text(self.measured, self.unit, 6), _text(self.value, self.unit, 6)
        if self.within or short[0] != short[1]:
            return short
        return _text(self.measured, self.unit), _text(self.value, self.unit)


@dataclass(frozen=True, repr=False)
class ComparisonTable:
    """Several comparisons, one a line."""

    rows: tuple[Comparison, ...]

    @property
    def within(self) -> bool:
        """Whether every row is within its tolerance."""
        return all(row.within for row in self.rows)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.rows))

    def _repr_markdown_(self) -> str:
        lines = [_COLUMNS, ("---",) * len(_COLUMNS), *(row.cells() for row in self.rows)]
        return "\n".join("| " + " | ".join(map(_escaped, line)) + " |" for line in lines)


def within(measured: Value, value: Value, tolerance: str | Mapping[str, float]) -> bool:
    """Whether `measured` is as near to `value` as the tolerance asks; a list, item by item."""
    if isinstance(value, (list, tuple)) and isinstance(measured, (list, tuple)):
        return all(within(m, v, tolerance) for m, v in zip(measured, value, strict=True))
    if isinstance(tolerance, str) or not isinstance(measured, (int, float)):
        return measured == value
    assert isinstance(value, (int, float))
    allowed = (
        tolerance["absolute"] if "absolute" in tolerance else tolerance["relative"] * abs(value)
    )
    return abs(measured - value) <= allowed


def _text(value: Value, unit: str, digits: int | None = None) -> str:
    if isinstance(value, (list, tuple)):
        return f"{', '.join(_text(one, '', digits) for one in value)} {unit}".strip()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and digits is not None:
        value = f"{value:.{digits}g}"
    return f"{value} {unit}".strip()


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
