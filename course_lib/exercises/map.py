"""The map of the course: 36 chapters in six parts, what is there, and how far the learner is.

A table with shapes as well as words, in the theme's own colours. Left out: anything that changes
from run to run.
"""

import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_lib.exercises.chapters import CHAPTERS, PARTS, START, Chapter
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.outcome import State
from course_lib.exercises.progress import Progress
from course_lib.exercises.registry import of_chapter

__all__ = ["Map", "progress_map"]

SIGNS = {"PASS": "●", "FAIL": "▲", "UNKNOWN": "◌", "NOT STARTED": "○"}
LINE = (
    "border-bottom:1px solid var(--jp-border-color2,#8884);padding:.3em .8em .3em 0;text-align:left"
)
FAINT = "opacity:.65"


@dataclass(frozen=True)
class Row:
    """A chapter on the map; `states` pairs each exercise with its state."""

    chapter: Chapter
    there: bool
    states: tuple[tuple[Exercise, State], ...]

    @property
    def passed(self) -> int:
        """The number of exercises passed."""
        return sum(state is State.PASS for _, state in self.states)


@dataclass(frozen=True, repr=False)
class Map:
    """The chapters, the start notebook, and our sentence when the progress could not be read."""

    rows: tuple[Row, ...]
    start: Row
    note: str = ""

    def summary(self) -> str:
        """Return the map in one sentence."""
        there = sum(row.there for row in self.rows)
        total = sum(len(row.states) for row in self.rows)
        passed = sum(row.passed for row in self.rows)
        return (
            f"{there} of {len(self.rows)} chapters are here; {passed} of {total} exercises passed."
        )

    def __repr__(self) -> str:
        lines = [self.summary(), *([_text(self.start)] if self.start.there else [])]
        for part in PARTS:
            lines.append(part)
            lines += [_text(row) for row in self.rows if row.chapter.part == part]
        return "\n".join([*lines, self.note]).rstrip()

    def _repr_html_(self) -> str:
        head = f"<p>{html.escape(self.summary())} {html.escape(self.note)}</p>"
        start = _line(self.start) if self.start.there else ""
        parts = "".join(
            _part(part, [row for row in self.rows if row.chapter.part == part]) for part in PARTS
        )
        table = f'<table style="border-collapse:collapse">{start}{parts}</table>'
        return f'{head}{table}<p style="{FAINT}">{_KEY}</p>'


_KEY = "● passed · ▲ not yet · ○ not started"


def _text(row: Row) -> str:
    signs = " ".join(SIGNS[state] for _, state in row.states)
    what = f"{row.passed} of {len(row.states)} passed {signs}" if row.there else "to come"
    return f"  {row.chapter.number:02} {row.chapter.title}: {what}".rstrip()


def _part(part: str, rows: list[Row]) -> str:
    number = PARTS.index(part) + 1
    head = f"Part {number} · {html.escape(part)}"
    caption = f'<tr><th colspan="3" style="{LINE};padding-top:1em">{head}</th></tr>'
    return caption + "".join(map(_line, rows))


def _line(row: Row) -> str:
    title, number = html.escape(row.chapter.title), f"{row.chapter.number:02}"
    if row.there:
        title = f'<a href="{row.chapter.notebook}">{title}</a>'
    cells = [number, title, _exercises(row)]
    faint = "" if row.there else f";{FAINT}"
    return "<tr>" + "".join(f'<td style="{LINE}{faint}">{cell}</td>' for cell in cells) + "</tr>"


def _exercises(row: Row) -> str:
    if not row.there:
        return "to come"
    signs = " ".join(
        f'<span title="{html.escape(exercise.title)}: {state.lower()}">{SIGNS[state]}</span>'
        for exercise, state in row.states
    )
    return f"{signs} {row.passed} of {len(row.states)}"


def _state(entry: dict[str, Any] | None) -> State:
    """Passed once is passed; else the state of the last check."""
    if not entry:
        return State.NOT_STARTED
    if entry.get("passed") is True:
        return State.PASS
    word = entry.get("state")
    return State(word) if word in set(State) else State.NOT_STARTED


def _notebooks() -> Path:
    """The notebooks lie beside the package; else they are where the learner is."""
    beside = Path(__file__).resolve().parents[2] / "notebooks"
    return beside if beside.is_dir() else Path.cwd()


def progress_map() -> Map:
    """Return the map of all chapters with the learner's progress."""
    try:
        document, note = Progress().read()
        entries: dict[str, Any] = document["exercises"]
    except Exception as error:  # no home directory: the map is still worth showing
        entries, note = {}, f"Your progress could not be read ({type(error).__name__})."
    folder = _notebooks()
    rows = tuple(_row(chapter, folder, entries) for chapter in CHAPTERS)
    return Map(rows, _row(START, folder, entries), note)


def _row(chapter: Chapter, folder: Path, entries: dict[str, Any]) -> Row:
    there = (folder / chapter.notebook).is_file()
    found = of_chapter(chapter.slug) if there else ()
    return Row(chapter, there, tuple((e, _state(entries.get(e.id))) for e in found))
