"""The tracks of a trace: lanes of requests, level, series, histogram, sequence diagram and cells.

Each is frozen data that checks itself and says in a sentence what is wrong. It leaves out drawing.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

__all__ = ["Cells", "Histogram", "Lanes", "Level", "Sequence", "Series"]

Outcome = Literal["admitted", "denied", "failed"]
Payload = dict[str, Any]
Point = tuple[float, float]
OUTCOMES: tuple[str, ...] = ("admitted", "denied", "failed")


def short(value: float) -> float:
    """Six decimals, and whole numbers without a decimal point: less to send."""
    rounded = round(float(value), 6)
    return int(rounded) if rounded.is_integer() else rounded


def require(condition: bool, sentence: str) -> None:
    """Raises ValueError with `sentence` unless the condition holds."""
    if not condition:
        raise ValueError(sentence)


def number(value: object, what: str) -> None:
    """Raises ValueError unless `value` is a finite number."""
    finite = isinstance(value, int | float) and isfinite(value)
    require(finite, f"{what} must be a finite number, but it is {value!r}.")


def check_times(times: Iterable[float], what: str) -> None:
    """Raises ValueError unless the times are finite, 0 or more, and sorted."""
    before = 0.0
    for time in times:
        number(time, f"A time in {what}")
        require(time >= 0, f"A time in {what} is {time}, before the start of the run.")
        require(time >= before, f"The times in {what} must be sorted: {time} comes after {before}.")
        before = time


def _points(points: Seq[Point], what: str) -> None:
    check_times((time for time, _ in points), what)
    for _, value in points:
        number(value, f"A value in {what}")


def _columns(points: Seq[Point]) -> Payload:
    return {"t": [short(t) for t, _ in points], "v": [short(v) for _, v in points]}


def last_of(times: Iterable[float]) -> float:
    """The latest time; 0 if there is none."""
    return max(times, default=0.0)


@dataclass(frozen=True)
class Lanes:
    """Requests that arrive in one or more lanes: events are (time, lane index, outcome, note).

    `names` are the words for the three outcomes where "admitted" and "denied" would mislead.

    >>> Lanes("Requests", ["server 1"], [(0.5, 0, "admitted", "")]).payload()["t"]
    [0.5]
    """

    label: str
    lanes: Seq[str]
    events: Seq[tuple[float, int, Outcome, str]]
    names: Seq[str] = OUTCOMES

    def __post_init__(self) -> None:
        what = f'the lanes "{self.label}"'
        require(len(self.lanes) > 0, f"{what.capitalize()} need at least one lane.")
        require(len(self.names) == 3, f"{what.capitalize()} need a name for each of 3 outcomes.")
        check_times((event[0] for event in self.events), what)
        for _, lane, outcome, _ in self.events:
            known = 0 <= lane < len(self.lanes)
            require(known, f"An event in {what} names lane {lane}; there are {len(self.lanes)}.")
            require(outcome in OUTCOMES, f'"{outcome}" is no outcome; use {", ".join(OUTCOMES)}.')

    def last(self) -> float:
        """The time of the last event, seconds."""
        return last_of(event[0] for event in self.events)

    def payload(self) -> Payload:
        """The track as columns of plain numbers."""
        return {
            "kind": "lanes",
            "label": self.label,
            "lanes": list(self.lanes),
            "t": [short(event[0]) for event in self.events],
            "lane": [event[1] for event in self.events],
            "outcome": [OUTCOMES.index(event[2]) for event in self.events],
            "notes": {str(i): event[3] for i, event in enumerate(self.events) if event[3]},
            **({} if tuple(self.names) == OUTCOMES else {"names": list(self.names)}),
        }


@dataclass(frozen=True)
class Level:
    """How full something is: points are (time, value), from 0 to `maximum`.

    A "step" keeps its value until the next point; a "ramp" runs straight to it, and two points at
    one time are a jump. `limit` draws one more line.

    >>> Level("Tokens", [(0, 8), (2, 4)], maximum=8, unit="tokens").payload()["v"]
    [8, 4]
    """

    label: str
    points: Seq[Point]
    maximum: float
    unit: str = ""
    shape: Literal["step", "ramp"] = "step"
    limit: float | None = None

    def __post_init__(self) -> None:
        what = f'the level "{self.label}"'
        _points(self.points, what)
        number(self.maximum, f"The maximum of {what}")
        require(self.maximum > 0, f"The maximum of {what} must be above 0.")
        require(self.shape in ("step", "ramp"), f'The shape of {what} must be "step" or "ramp".')

    def last(self) -> float:
        """The time of the last point, seconds."""
        return last_of(time for time, _ in self.points)

    def payload(self) -> Payload:
        """The track as columns of plain numbers."""
        return {
            "kind": "level",
            "label": self.label,
            **_columns(self.points),
            "maximum": short(self.maximum),
            "unit": self.unit,
            "shape": self.shape,
            "limit": None if self.limit is None else short(self.limit),
        }


@dataclass(frozen=True)
class Series:
    """Several lines over time in one picture: `lines` maps a name to its points.

    >>> Series("Memory", {"log": [(0, 1), (1, 5)]}, unit="bytes").payload()["lines"][0]["name"]
    'log'
    """

    label: str
    lines: Mapping[str, Seq[Point]]
    unit: str = ""
    limit: float | None = None
    shape: Literal["step", "line"] = "step"

    def __post_init__(self) -> None:
        require(len(self.lines) > 0, f'The series "{self.label}" needs at least one line.')
        require(self.shape in ("step", "line"), 'The shape of a series must be "step" or "line".')
        for name, points in self.lines.items():
            _points(points, f'the line "{name}" of "{self.label}"')

    def last(self) -> float:
        """The time of the last point of any line, seconds."""
        return last_of(time for points in self.lines.values() for time, _ in points)

    def payload(self) -> Payload:
        """The track as columns of plain numbers."""
        lines = [{"name": name, **_columns(points)} for name, points in self.lines.items()]
        limit = None if self.limit is None else short(self.limit)
        return {
            "kind": "series",
            "label": self.label,
            "lines": lines,
            "unit": self.unit,
            "limit": limit,
            "shape": self.shape,
        }


@dataclass(frozen=True)
class Histogram:
    """How often each value came up so far: samples are (time, value), counted between `edges`.

    A value outside the edges counts in the first or the last bar.

    >>> Histogram("Wait", [(0.1, 3.0)], edges=[0, 2, 4], unit="ms").payload()["edges"]
    [0, 2, 4]
    """

    label: str
    samples: Seq[Point]
    edges: Seq[float]
    unit: str = ""

    def __post_init__(self) -> None:
        what = f'the histogram "{self.label}"'
        _points(self.samples, what)
        for edge in self.edges:
            number(edge, f"An edge of {what}")
        rising = all(a < b for a, b in zip(self.edges, self.edges[1:], strict=False))
        require(len(self.edges) > 1 and rising, f"The edges of {what} must rise, two or more.")

    def last(self) -> float:
        """The time of the last sample, seconds."""
        return last_of(time for time, _ in self.samples)

    def payload(self) -> Payload:
        """The track as columns of plain numbers."""
        edges = [short(edge) for edge in self.edges]
        columns = _columns(self.samples)
        return {
            "kind": "histogram",
            "label": self.label,
            **columns,
            "edges": edges,
            "unit": self.unit,
        }


@dataclass(frozen=True)
class Sequence:
    """Messages between actors: (sent, received, from index, to index, text, "ok" or "failed").

    Messages are sorted by the time of sending; a message of an actor to itself is a step of its
    own.

    >>> Sequence("Log", ["a", "b"], [(0, 1, 0, 1, "GET", "ok")]).payload()["text"]
    ['GET']
    """

    label: str
    actors: Seq[str]
    messages: Seq[tuple[float, float, int, int, str, Literal["ok", "failed"]]]

    def __post_init__(self) -> None:
        what = f'the sequence "{self.label}"'
        check_times((message[0] for message in self.messages), what)
        for sent, received, start, to, text, outcome in self.messages:
            number(received, f"A time in {what}")
            require(received >= sent, f'"{text}" in {what} is received before it is sent.')
            known = 0 <= start < len(self.actors) and 0 <= to < len(self.actors)
            require(known, f'"{text}" in {what} names an actor that does not exist.')
            require(outcome in ("ok", "failed"), f'"{outcome}" is no outcome; use ok or failed.')

    def last(self) -> float:
        """The time at which the last message is received, seconds or steps."""
        return last_of(message[1] for message in self.messages)

    def payload(self) -> Payload:
        """The track as columns of plain numbers."""
        return {
            "kind": "sequence",
            "label": self.label,
            "actors": list(self.actors),
            "sent": [short(m[0]) for m in self.messages],
            "received": [short(m[1]) for m in self.messages],
            "from": [m[2] for m in self.messages],
            "to": [m[3] for m in self.messages],
            "text": [m[4] for m in self.messages],
            "failed": [int(m[5] == "failed") for m in self.messages],
        }


@dataclass(frozen=True)
class Cells:
    """A grid of cells that change state: events are (time, cell index, state name, note).

    `cells` is how many there are, or their names, which are then written into them. All start in
    the first of at most six `states`; the n-th state looks the same in every picture, by shape and
    colour: outline, half, full, cross, diamond, stripes. `columns` 0: as many as fit.

    >>> Cells("Chunks", 4, ["waiting", "sent"], [(0.5, 2, "sent", "")]).payload()["cell"]
    [2]
    """

    label: str
    cells: int | Seq[str]
    states: Seq[str]
    events: Seq[tuple[float, int, str, str]]
    columns: int = 0

    def __post_init__(self) -> None:
        what = f'the cells "{self.label}"'
        count = self.count
        require(0 < count <= 1000, f"There are {count} cells in {what}; use 1 to 1,000.")
        kinds = len(set(self.states))
        plain = 0 < kinds == len(self.states) <= 6
        require(plain, f"{what.capitalize()} need one to six states, each named once.")
        check_times((event[0] for event in self.events), what)
        for _, cell, state, _ in self.events:
            require(0 <= cell < count, f"An event in {what} names cell {cell}; there are {count}.")
            known = state in self.states
            require(known, f'"{state}" is no state of {what}; use {", ".join(self.states)}.')

    @property
    def count(self) -> int:
        """How many cells there are."""
        return self.cells if isinstance(self.cells, int) else len(self.cells)

    def last(self) -> float:
        """The time of the last event, seconds."""
        return last_of(event[0] for event in self.events)

    def payload(self) -> Payload:
        """The track as columns of plain numbers."""
        return {
            "kind": "cells",
            "label": self.label,
            "count": self.count,
            "names": [] if isinstance(self.cells, int) else list(self.cells),
            "states": list(self.states),
            "columns": self.columns,
            "t": [short(event[0]) for event in self.events],
            "cell": [event[1] for event in self.events],
            "state": [list(self.states).index(event[2]) for event in self.events],
            "notes": {str(i): event[3] for i, event in enumerate(self.events) if event[3]},
        }
