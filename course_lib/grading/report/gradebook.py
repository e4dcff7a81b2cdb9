"""Points from verdicts: a pure function of results, settings and names.

An exercise gives all of its points or none. Left out: files (see tables).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from course_lib.grading.course import Course
from course_lib.grading.settings import Settings
from course_lib.grading.submissions import Stray, Submission

__all__ = ["Book", "Entry", "Row", "build"]

Said = dict[str, Any]
PASS = "PASS"


@dataclass(frozen=True)
class Entry:
    """One notebook of one student: `status` is graded, late, missing, refused or not graded."""

    notebook: str
    status: str
    file: str = ""
    reason: str = ""
    points: dict[str, float] = field(default_factory=dict)
    out_of: dict[str, float] = field(default_factory=dict)
    result: Said = field(default_factory=dict)

    @property
    def total(self) -> float:
        """The points of this notebook."""
        return round(sum(self.points.values()), 6)


@dataclass(frozen=True)
class Row:
    """One student."""

    student: str
    entries: tuple[Entry, ...]

    @property
    def total(self) -> float:
        """All points."""
        return round(sum(entry.total for entry in self.entries), 6)


@dataclass(frozen=True)
class Book:
    """The whole gradebook."""

    rows: tuple[Row, ...]
    strays: tuple[Stray, ...]
    exercises: dict[str, float]
    version: str
    round: int

    @property
    def out_of(self) -> float:
        """The most points there are."""
        return round(sum(self.exercises.values()), 6)


def build(
    course: Course,
    settings: Settings,
    students: Iterable[str],
    results: dict[Submission, Said | None],
    strays: list[Stray],
    round: int,
) -> Book:
    """Return the gradebook: a row per student of the list, or of the folder."""
    everybody = sorted({*students, *settings.students})
    by_name = {(s.student, s.notebook): (s, result) for s, result in results.items()}
    wanted = settings.notebooks or sorted({s.notebook for s in results})
    names = [name for name in wanted if course.chapters[name].exercises]
    rows = []
    for student in everybody:
        entries = [_entry(course, settings, n, by_name.get((student, n))) for n in names]
        rows.append(Row(student, tuple(entries)))
    exercises = {e: points for name in names for e, points in _out_of(course, settings, name)}
    return Book(tuple(rows), tuple(strays), exercises, course.version, round)


def _out_of(course: Course, settings: Settings, name: str) -> list[tuple[str, float]]:
    return [(e.id, settings.points(e.id)) for e in course.chapters[name].exercises]


def _entry(
    course: Course, settings: Settings, name: str, found: tuple[Submission, Said | None] | None
) -> Entry:
    out_of = dict(_out_of(course, settings, name))
    none = dict.fromkeys(out_of, 0.0)
    if found is None:
        return Entry(name, "missing", points=none, out_of=out_of)
    submission, result = found
    if result is None:
        return Entry(name, "not graded", submission.file, points=none, out_of=out_of)
    if result["status"] != "graded":
        reason = result["reason"]
        return Entry(name, "refused", submission.file, reason, none, out_of, result)
    late = result["changed"] > settings.due.get(name, float("inf"))
    factor = settings.late_factor if late else 1.0
    passed = {said["exercise"] for said in result["exercises"] if said["state"] == PASS}
    points = {e: factor * worth if e in passed else 0.0 for e, worth in out_of.items()}
    status = "late" if late else "graded"
    return Entry(name, status, submission.file, "", points, out_of, result)
