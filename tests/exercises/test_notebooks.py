"""The notebooks and the registered exercises say the same, in both directions."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from course_lib.exercises.chapters import CHAPTERS, START, Chapter
from course_lib.exercises.registry import of_chapter

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
MARK = "exercise:"
Cell = dict[str, Any]


def problems(cells: list[Cell], stubs: dict[str, str]) -> list[str]:
    """Return what a notebook's cells and a chapter's stubs disagree about."""
    found: list[str] = []
    seen: list[str] = []
    for place, cell in enumerate(cells):
        tags = cell.get("metadata", {}).get("tags", [])
        for name in [tag.removeprefix(MARK) for tag in tags if tag.startswith(MARK)]:
            seen.append(name)
            found += _cell(name, cell, tags, cells[place + 1 :], stubs)
    found += [f"{name} stands twice" for name in set(seen) if seen.count(name) > 1]
    return found + [f"{name} is not in the notebook" for name in stubs if name not in seen]


def _cell(
    name: str, cell: Cell, tags: list[str], after: list[Cell], stubs: dict[str, str]
) -> Iterable[str]:
    if name not in stubs:
        yield f"{name} is not registered"
    elif _source(cell).strip() != stubs[name].strip():
        yield f"{name} differs from its stub"
    if "exercise" not in tags:
        yield f"{name} lacks the tag exercise"
    following = next((_source(c) for c in after if c["cell_type"] == "code"), "")
    if f'check("{name}"' not in following:
        yield f"{name} is not followed by its check"


def _source(cell: Cell) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


@pytest.mark.parametrize("chapter", [START, *CHAPTERS], ids=lambda chapter: chapter.slug)
def test_notebook(chapter: Chapter) -> None:
    """A chapter's notebook holds each of its exercises once, stub and check; without exercises it
    is not done.
    """
    path = NOTEBOOKS / chapter.notebook
    stubs = {exercise.id: exercise.stub for exercise in of_chapter(chapter.slug)}
    if path.is_file():
        least = 1 if chapter is START else 3
        assert len(stubs) >= least, f"a chapter has {least} exercises or more"
        assert problems(json.loads(path.read_text(encoding="utf-8"))["cells"], stubs) == []


def test_every_notebook_is_a_chapter() -> None:
    """No notebook lies there under another name than a chapter's."""
    names = {chapter.notebook for chapter in (START, *CHAPTERS)}
    assert {path.name for path in NOTEBOOKS.glob("*.ipynb")} <= names


def code(source: str, *tags: str) -> Cell:
    """Return a code cell."""
    return {"cell_type": "code", "source": source, "metadata": {"tags": list(tags)}}


STUBS = {"a.b": "def b(): ...\n"}
GOOD = [code("def b(): ...", "exercise", "exercise:a.b"), code('check("a.b", b)')]


def test_good() -> None:
    """A stub and its check are no problem."""
    assert problems(GOOD, STUBS) == []


@pytest.mark.parametrize(
    ("cells", "word"),
    [
        ([], "not in the notebook"),
        ([code("def b(): pass", "exercise", "exercise:a.b"), GOOD[1]], "differs"),
        ([code("def b(): ...", "exercise:a.b"), GOOD[1]], "lacks the tag"),
        ([GOOD[0]], "not followed"),
        ([GOOD[0], code("1"), GOOD[1]], "not followed"),
        ([*GOOD, *GOOD], "twice"),
        ([*GOOD, code("", "exercise", "exercise:a.c"), code('check("a.c", c)')], "not registered"),
    ],
)
def test_problem(cells: list[Cell], word: str) -> None:
    """Each way to disagree is found."""
    assert any(word in problem for problem in problems(cells, STUBS))
