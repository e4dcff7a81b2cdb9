"""Rebuilds the notebooks: stubs in place, a clean run, the player's pictures, nothing else stored.

`python -m tools.notebooks [--check] [notebook ...]`. A widget's live state is not stored: without a
kernel a reader sees the picture beside the text instead. A rebuild of an unchanged notebook gives
the same bytes. With --check nothing is written; the exit code says whether all is up to date.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from tools import stored
from tools.compared import notebooks
from tools.execution import Failed, execute, tags


def main(arguments: list[str]) -> int:
    """Rebuild or check the named notebooks, or all; give 0 when every one is well."""
    parser = argparse.ArgumentParser(prog="make notebooks", description="Run the notebooks again.")
    parser.add_argument("--check", action="store_true", help="compare with a fresh run only")
    parser.add_argument("notebook", nargs="*", type=Path)
    options = parser.parse_args(arguments)
    action = check if options.check else rebuild
    paths = options.notebook or notebooks()
    done = [attempt(action, path) for path in paths]
    return 0 if all(done) else 1


def attempt(action: Any, path: Path) -> bool:
    """Do one notebook and say in a line how it went."""
    start = time.monotonic()
    try:
        said = action(path)
    except (Failed, OSError, ValueError) as error:
        print(f"{path.name}, {error}. Nothing was written.", file=sys.stderr)
        return False
    print(f"{path.name}: {said} ({time.monotonic() - start:.1f} s)", flush=True)
    return not said.startswith("differs")


def rebuild(path: Path) -> str:
    """Run one notebook and write it when its bytes changed."""
    before = path.read_text(encoding="utf-8")
    after, missing = build(nbformat.reads(before, as_version=4), path)
    count = "1 picture is" if missing == 1 else f"{missing} pictures are"
    said = f"; {count} missing, which only Chromium can draw" if missing else ""
    if after == before:
        return f"unchanged{said}"
    draft = path.with_suffix(".draft")
    draft.write_text(after, encoding="utf-8", newline="\n")
    draft.replace(path)
    return f"written{said}"


def build(notebook: NotebookNode, path: Path) -> tuple[str, int]:
    """Give the text of the rebuilt notebook and how many pictures it lacks."""
    place_stubs(notebook)
    run = execute(notebook, path.parent, bar(path.name))
    missing = stored.add_pictures(run, notebook)
    text = stored.text(run)
    return text, missing


def check(path: Path) -> str:
    """Compare a notebook with a fresh run of it, pictures left out."""
    notebook = nbformat.read(path, as_version=4)
    old = nbformat.from_dict(notebook)
    place_stubs(notebook)
    run = execute(notebook, path.parent, bar(path.name))
    pairs = zip(stored.comparable(old), stored.comparable(run), strict=True)
    cells = [str(number) for number, (one, two) in enumerate(pairs, start=1) if one != two]
    return f"differs in code cell {', '.join(cells)}" if cells else "as a fresh run gives it"


def place_stubs(notebook: NotebookNode) -> None:
    """Write each exercise's stub into the cell that carries its tag."""
    for cell in notebook.cells:
        for tag in tags(cell):
            if tag.startswith("exercise:"):
                cell.source = stub(tag.partition(":")[2])


def stub(exercise_id: str) -> str:
    """Give an exercise's stub from the registry."""
    from course_lib.exercises import registry

    try:
        return registry.find(exercise_id).stub.strip("\n")
    except LookupError as error:
        raise Failed(str(error).rstrip(".")) from None


def bar(name: str) -> Any:
    """Give a progress bar for a terminal; without one, nothing is drawn."""
    if not sys.stderr.isatty():
        return None

    def draw(done: int, total: int) -> None:
        filled = 30 * done // total
        line = f"\r{name} [{'#' * filled}{'.' * (30 - filled)}] {done}/{total}"
        print(line, end="\n" if done == total else "", file=sys.stderr, flush=True)

    return draw


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
