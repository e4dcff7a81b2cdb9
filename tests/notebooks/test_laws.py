"""The laws of a notebook's form, held by every notebook that is found in the folder."""

import ast
import re
from itertools import groupby
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from course_lib.exercises import registry
from course_lib.exercises.chapters import CHAPTERS
from tools.compared import NOTEBOOKS, notebooks
from tools.execution import tags

ROOT = NOTEBOOKS.parent
SECTIONS = (
    "The question",
    "Predict",
    "The popular answer",
    "Break it",
    "The system",
    "Tune it",
    "Hold it against",
    "Exercises",
    "In the interview",
)
ALL = notebooks()
CHAPTER_FILES = [path for path in ALL if not path.stem.startswith("00_")]
every = pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
chapter = pytest.mark.parametrize("path", CHAPTER_FILES, ids=lambda path: path.stem)


def read(path: Path) -> NotebookNode:
    """Read a notebook."""
    return nbformat.read(path, as_version=4)


def code(path: Path) -> list[NotebookNode]:
    """Give a notebook's code cells."""
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def prose(path: Path) -> str:
    """Give a notebook's text."""
    return "\n\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")


def exercises(path: Path) -> dict[str, int]:
    """Give the place of each exercise's stub among the code cells."""
    marks = [(tag, place) for place, cell in enumerate(code(path)) for tag in tags(cell)]
    return {tag[9:]: place for tag, place in marks if tag.startswith("exercise:")}


def slug(path: Path) -> str:
    """Give the slug in a chapter's file name."""
    return path.stem.partition("_")[2]


def test_there_are_notebooks() -> None:
    """The start notebook is there, and at least one chapter."""
    assert ALL[0].stem == "00_start_here"
    assert CHAPTER_FILES


@every
def test_kernel(path: Path) -> None:
    """The kernel is the environment's own Python, so that nobody is asked for one."""
    assert read(path).metadata.kernelspec.name == "python3"


@every
def test_nothing_live_is_stored(path: Path) -> None:
    """No widget state and no widget view is stored, or a reader would see "model not found"."""
    assert "widgets" not in read(path).metadata
    for cell in code(path):
        for output in cell.outputs:
            assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})


@every
def test_run_in_order(path: Path) -> None:
    """Every code cell was run, from top to bottom."""
    counts = [cell.execution_count for cell in code(path)]
    assert counts == list(range(1, len(counts) + 1))


@every
def test_no_stray_output(path: Path) -> None:
    """No cell stores an error that it does not announce, and none writes to stderr."""
    for cell in code(path):
        kinds = {output.output_type for output in cell.outputs}
        assert "error" not in kinds or "raises-exception" in tags(cell)
        assert "stderr" not in {output.get("name") for output in cell.outputs}


@every
def test_no_address_in_memory(path: Path) -> None:
    """No output shows where an object lies in memory."""
    assert not re.search(r"\b0x[0-9a-f]{6,}", str([cell.outputs for cell in code(path)]))


@every
def test_at_most_three_code_cells_in_a_row(path: Path) -> None:
    """Prose stands between code cells: there are never more than three in a row."""
    runs = groupby(cell.cell_type for cell in read(path).cells)
    assert max(len(list(run)) for kind, run in runs if kind == "code") <= 3


@every
def test_one_name_one_meaning(path: Path) -> None:
    """No cell gives an earlier cell's global another meaning."""
    owners: dict[str, int] = {}
    for number, cell in enumerate(code(path), start=1):
        for name in defined(cell.source):
            assert owners.setdefault(name, number) == number, f"{name} in cell {number}"


def defined(source: str) -> set[str]:
    """Give the names that a cell's top level defines; a leading underscore is free."""
    tree = compile(source, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {p.id for target in targets for p in ast.walk(target) if stored(p)}
    return {name for name in names if not name.startswith("_")}


def stored(node: ast.AST) -> bool:
    """Say whether a node is a name that is assigned to."""
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


@chapter
def test_sections(path: Path) -> None:
    """The sections are the nine of every chapter, in their order."""
    headings = re.findall(r"^## (?:\d+\W+)?(.+)$", prose(path), re.MULTILINE)
    assert len(headings) == len(SECTIONS), headings
    for heading, section in zip(headings, SECTIONS, strict=True):
        assert heading.startswith(section)


@chapter
def test_parameters_come_first(path: Path) -> None:
    """The first code cell is tagged for papermill, and no other is; the second opens the lab."""
    assert [place for place, cell in enumerate(code(path)) if "parameters" in tags(cell)] == [0]
    assert [cell.id for cell in code(path)[:2]] == ["parameters", "open"]


@chapter
def test_length(path: Path) -> None:
    """A chapter has 40 to 90 cells and 1,500 to 4,000 words."""
    assert 40 <= len(read(path).cells) <= 90
    assert 1_500 <= len(prose(path).split()) <= 4_000


@chapter
def test_code_is_short(path: Path) -> None:
    """Few code cells, at most one in ten, are longer than fifteen lines."""
    lines = [len(cell.source.splitlines()) for cell in code(path)]
    assert sum(length > 15 for length in lines) <= 0.1 * len(lines)


@chapter
def test_one_name(path: Path) -> None:
    """Notebook, system, exercises and tests carry one name, with the chapter's number."""
    assert path.name in {chapter.notebook for chapter in CHAPTERS}
    for folder in ("course_lib/systems", "course_lib/exercises"):
        places = [ROOT / folder / f"{slug(path)}.py", ROOT / folder / slug(path) / "__init__.py"]
        assert any(place.is_file() for place in places), folder
    tests = [ROOT / "tests/systems" / f"test_{slug(path)}.py", ROOT / "tests/systems" / slug(path)]
    assert any(place.exists() for place in tests)


@chapter
def test_exercises(path: Path) -> None:
    """The notebook holds the chapter's exercises, each once: three or more, one reversed."""
    found = registry.of_chapter(slug(path))
    assert sorted(exercises(path)) == sorted(exercise.id for exercise in found)
    assert len(found) >= 3
    assert any(exercise.reversed for exercise in found)


@chapter
def test_stub_then_check(path: Path) -> None:
    """An exercise's cell holds its stub as the registry has it; the next cell checks it.

    Both are named after the exercise.
    """
    cells = code(path)
    for name, place in exercises(path).items():
        short = name.partition(".")[2].replace("_", "-")
        assert [cell.id for cell in cells[place : place + 2]] == [
            f"exercise-{short}",
            f"check-{short}",
        ]
        assert "exercise" in tags(cells[place])
        assert cells[place].source.strip() == registry.find(name).stub.strip()
        assert re.search(rf"check\(\s*[\"']{re.escape(name)}[\"']", cells[place + 1].source)
