"""The guards that read the code: lint, layout, types, imports and spelling."""

import subprocess
import sys
from pathlib import Path

import grimp

from course_lib.exercises.chapters import CHAPTERS

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = {chapter.slug: chapter.number for chapter in CHAPTERS}


def passes(*command: str) -> None:
    """Run a program in the project's folder and fail with all that it says."""
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_lint() -> None:
    """Ruff finds nothing in code, tests, tools and notebooks."""
    passes(sys.executable, "-m", "ruff", "check", "--no-cache", ".")


def test_format() -> None:
    """The code is laid out as ruff lays it out."""
    passes(sys.executable, "-m", "ruff", "format", "--no-cache", "--check", ".")


def test_types() -> None:
    """mypy in its strict mode accepts course_lib."""
    passes(sys.executable, "-m", "mypy")


def test_imports() -> None:
    """Who may import whom is as the contracts in pyproject.toml say."""
    call = "sys.exit(lint_imports(no_cache=True, no_logo=True))"
    passes(sys.executable, "-c", f"import sys; from importlinter.cli import lint_imports; {call}")


def test_spelling() -> None:
    """codespell finds no common misspelling in prose, code and notebooks."""
    passes(sys.executable, "-m", "codespell_lib", ".")


def later(graph: grimp.ImportGraph) -> list[str]:
    """Give the imports of a later chapter's system by an earlier one's."""
    systems = "course_lib.systems"
    found = []
    for importer in graph.find_descendants(systems):
        for imported in graph.find_modules_directly_imported_by(importer):
            if imported.startswith(f"{systems}."):
                one, other = importer.split(".")[2], imported.split(".")[2]
                if NUMBERS[other] > NUMBERS[one]:
                    found.append(f"{importer} imports {imported}")
    return found


def test_order() -> None:
    """A chapter's system imports only systems of earlier chapters."""
    assert later(grimp.build_graph("course_lib", cache_dir=None)) == []


def test_order_is_seen() -> None:
    """An import of a later chapter's system is found, one of an earlier chapter's is not."""
    graph = grimp.ImportGraph()
    names = ["course_lib.systems", *(f"course_lib.systems.{slug}" for slug in NUMBERS)]
    for name in names:
        graph.add_module(name)
    early, late = names[1], names[12]
    graph.add_import(importer=early, imported=late)
    graph.add_import(importer=late, imported=early)
    assert later(graph) == [f"{early} imports {late}"]
