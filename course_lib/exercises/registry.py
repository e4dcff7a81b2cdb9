"""All exercises there are, found by walking the modules of this package: nothing is listed by
hand.

A chapter's exercises stand in the module or package with the chapter's slug. Left out: their
order on the map, which is each exercise's `place`.
"""

import difflib
import importlib
import pkgutil
from functools import cache
from types import ModuleType

from course_lib.exercises.exercise import Exercise

__all__ = ["discover", "find", "of_chapter"]

PACKAGE = "course_lib.exercises"


def _modules(name: str) -> list[ModuleType]:
    module = importlib.import_module(name)
    below = pkgutil.iter_modules(getattr(module, "__path__", []), f"{name}.")
    return [module, *(found for info in below for found in _modules(info.name))]


@cache
def of_chapter(chapter: str) -> tuple[Exercise, ...]:
    """Return a chapter's exercises in their order; empty when it has none:
    `of_chapter("rate_limiting")`.
    """
    if chapter not in {info.name for info in pkgutil.iter_modules(_path())}:
        return ()
    found: dict[str, Exercise] = {}
    for module in _modules(f"{PACKAGE}.{chapter}"):
        for value in vars(module).values():
            if not isinstance(value, Exercise) or value.chapter != chapter:
                continue
            if found.setdefault(value.id, value) is not value:
                raise ValueError(f"two exercises have the id {value.id!r}")
    return tuple(sorted(found.values(), key=lambda exercise: (exercise.place, exercise.id)))


def _path() -> list[str]:
    return list(importlib.import_module(PACKAGE).__path__)


@cache
def discover() -> tuple[Exercise, ...]:
    """Return every exercise of every chapter."""
    names = sorted(info.name for info in pkgutil.iter_modules(_path()))
    return tuple(exercise for name in names for exercise in of_chapter(name))


def find(name: str) -> Exercise:
    """Return the exercise with this id, or raise LookupError with a sentence that names near
    matches.
    """
    if type(name) is not str:
        raise LookupError(
            "An exercise is named by its id, a text such as 'rate_limiting.retry_after'."
        )
    for exercise in of_chapter(name.partition(".")[0]):
        if exercise.id == name:
            return exercise
    ids = [exercise.id for exercise in discover()]
    near = difflib.get_close_matches(name, ids, n=2, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(ids)}."
    raise LookupError(f"There is no exercise {name[:60]!r}. {hint}")
