"""What an instructor may set, in one TOML file: weights, due dates, who is in the course.

Everything has a default: each exercise is worth one point, nothing is late, and the course is
whoever has handed something in. Left out: anything that changes a verdict.
"""

import tomllib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from course_lib.exercises.registry import discover
from course_lib.grading.errors import CannotStart
from course_lib.grading.submissions import STUDENT

__all__ = ["Settings", "load"]

KNOWN = {"weights", "due", "late_factor", "students", "notebooks"}


@dataclass(frozen=True)
class Settings:
    """Points per exercise id, due times (Unix seconds) per notebook, and two lists of names."""

    weights: dict[str, float] = field(default_factory=dict)
    due: dict[str, float] = field(default_factory=dict)
    late_factor: float = 1.0
    students: tuple[str, ...] = ()
    notebooks: tuple[str, ...] = ()

    def points(self, exercise: str) -> float:
        """What an exercise is worth."""
        return self.weights.get(exercise, 1.0)


def load(path: Path | None, chapters: set[str]) -> Settings:
    """Return the settings of a file, checked; raises CannotStart with the key that is wrong."""
    if path is None:
        return Settings()
    try:
        given = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CannotStart(f"The settings {path} cannot be read: {error}.") from None
    unknown = given.keys() - KNOWN
    if unknown:
        raise CannotStart(f"{path}: unknown: {', '.join(sorted(unknown))}; there are {KNOWN}.")
    notebooks = tuple(given.get("notebooks", ()))
    _among(path, "notebooks", {*notebooks, *given.get("due", {})}, chapters)
    return Settings(
        _weights(path, given.get("weights", {})),
        {name: _time(path, name, when) for name, when in given.get("due", {}).items()},
        _number(path, "late_factor", given.get("late_factor", 1.0)),
        _students(path, given.get("students", ())),
        notebooks,
    )


def _among(path: Path, key: str, names: set[str], known: set[str]) -> None:
    strange = sorted(names - known)
    if strange:
        raise CannotStart(f"{path}: {key}: the course has no {', '.join(strange)}.")


def _weights(path: Path, given: dict[str, Any]) -> dict[str, float]:
    _among(path, "weights", set(given), {exercise.id for exercise in discover()})
    return {name: _number(path, name, value) for name, value in given.items()}


def _number(path: Path, key: str, value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value < 1e6:
        raise CannotStart(f"{path}: {key} must be a number of 0 or more.")
    return float(value)


def _time(path: Path, key: str, value: Any) -> float:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise CannotStart(f"{path}: due: {key} must be a time with a zone: 2026-02-01T23:59:00Z.")
    return value.timestamp()


def _students(path: Path, given: Any) -> tuple[str, ...]:
    if not all(type(name) is str and STUDENT.fullmatch(name) for name in given):
        raise CannotStart(f"{path}: students: letters, digits, dots, dashes and underscores only.")
    return tuple(given)
