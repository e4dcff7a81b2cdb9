"""The track of a state machine, drawn from its transition table.

The table is the one that the system runs by: {(state, event): next state}. A run is a list of
events; the track follows them through the table, so that it cannot show what the table forbids. A
breaker, an upload, a job and a saga are drawn alike. Leaves out: drawing (js/states.js).
"""

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import NamedTuple

from course_lib.show.tracks import Payload, check_times, last_of, require, short

__all__ = ["States"]

Table = Mapping[tuple[str, str], str]


class _Move(NamedTuple):
    """One run's event: when, which run, the event, the state before it and after it."""

    time: float
    run: int
    event: str
    before: str
    after: str


@dataclass(frozen=True)
class States:
    """A state machine and one or more runs of it: `runs` maps a name to its (time, event)s.

    `rows` says which states stand beside each other; without it, a state stands in the column of
    its distance from `start`, which is the table's first state unless said otherwise.

    >>> door = {("shut", "open"): "open", ("open", "close"): "shut"}
    >>> States("Door", door, {"front": [(2.5, "open")]}).payload()["states"]
    ['shut', 'open']
    """

    label: str
    table: Table
    runs: Mapping[str, Seq[tuple[float, str]]]
    start: str = ""
    rows: Seq[Seq[str]] = ()

    def __post_init__(self) -> None:
        what = f'the states "{self.label}"'
        require(len(self.table) > 0, f"{what.capitalize()} need a table with at least one move.")
        require(len(self.runs) > 0, f"{what.capitalize()} need at least one run.")
        known = set(self.states)
        require(self._first in known, f'The start of {what}, "{self.start}", is not in the table.')
        placed = [state for row in self.rows for state in row]
        right = not placed or sorted(placed) == sorted(known)
        require(right, f"The rows of {what} must name each state once: {', '.join(self.states)}.")
        for name, events in self.runs.items():
            check_times((time for time, _ in events), f'the run "{name}" of "{self.label}"')
        self.moves()

    @property
    def _first(self) -> str:
        return self.start or next(iter(self.table))[0]

    @property
    def states(self) -> list[str]:
        """All states, in the order in which the table names them."""
        pairs = [(state, after) for (state, _), after in self.table.items()]
        return list(dict.fromkeys(state for pair in pairs for state in pair))

    def moves(self) -> list[_Move]:
        """The moves of all runs in the order of time; ValueError for one that the table forbids."""
        each = [list(self._followed(n, name)) for n, name in enumerate(self.runs)]
        return sorted((move for run in each for move in run), key=lambda move: move.time)

    def _followed(self, number: int, name: str) -> Iterator[_Move]:
        state = self._first
        for time, event in self.runs[name]:
            known = (state, event) in self.table
            told = f'"{event}" cannot happen in state "{state}" of "{self.label}" (run "{name}").'
            require(known, told)
            after = self.table[state, event]
            yield _Move(time, number, event, state, after)
            state = after

    def last(self) -> float:
        """The time of the last move, seconds or steps."""
        return last_of(time for events in self.runs.values() for time, _ in events)

    def places(self) -> dict[str, tuple[int, int]]:
        """The column and the row of each state."""
        if self.rows:
            return {s: (c, r) for r, row in enumerate(self.rows) for c, s in enumerate(row)}
        distance = self._distances()
        taken: dict[int, int] = {}
        places = {}
        for state, column in distance.items():
            places[state] = (column, taken.get(column, 0))
            taken[column] = taken.get(column, 0) + 1
        return places

    def _distances(self) -> dict[str, int]:
        """Moves from the start, nearest first; what cannot be reached stands at the end."""
        found, queue = {self._first: 0}, [self._first]
        for state in queue:
            for (before, _), after in self.table.items():
                if before == state and after not in found:
                    found[after] = found[state] + 1
                    queue.append(after)
        return found | dict.fromkeys(set(self.states) - set(found), max(found.values()) + 1)

    def payload(self) -> Payload:
        """The machine and its moves as columns of plain numbers."""
        states, moves = self.states, self.moves()
        arrows: dict[tuple[str, str], list[str]] = {}
        for (state, event), after in self.table.items():
            arrows.setdefault((state, after), []).append(event)
        between, places = list(arrows), self.places()
        return {
            "kind": "states",
            "label": self.label,
            "states": states,
            "start": states.index(self._first),
            "ends": [int(all(s != state for s, _ in self.table)) for state in states],
            "column": [places[state][0] for state in states],
            "row": [places[state][1] for state in states],
            "from": [states.index(before) for before, _ in between],
            "to": [states.index(after) for _, after in between],
            "events": [", ".join(arrows[pair]) for pair in between],
            "runs": list(self.runs),
            "t": [short(move.time) for move in moves],
            "run": [move.run for move in moves],
            "arrow": [between.index((move.before, move.after)) for move in moves],
            "event": [move.event for move in moves],
        }
