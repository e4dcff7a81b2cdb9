"""Counts the code cells whose outputs a full nbval run compares, and lists those that it does not.

nbval compares all text of a cell's outputs with a fresh run, and an empty output with an empty
output: a cell that stores nothing and then says something fails. It does not compare pictures, nor
cells that are marked to be ignored, nor cells that were never run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
IGNORED = {"nbval-ignore-output", "nbval-skip", "pytest-validate-ignore-output"}
UNSEEN = {"image/png", "image/jpeg", "application/vnd.jupyter.widget-view+json"}


@dataclass(frozen=True)
class Count:
    """The code cells of one notebook: output compared, silence compared, not compared."""

    name: str
    text: int
    silence: int
    not_compared: tuple[str, ...]

    @property
    def cells(self) -> int:
        """Give the number of code cells."""
        return self.text + self.silence + len(self.not_compared)

    @property
    def share(self) -> float:
        """Give the compared cells' share: 0.0 to 1.0, and 1.0 where there is no code cell."""
        return 1 - len(self.not_compared) / self.cells if self.cells else 1.0

    def __str__(self) -> str:
        """Say it in one line."""
        compared = f"{self.text} by their output, {self.silence} by their silence"
        share = f"{self.cells - len(self.not_compared)} of {self.cells} cells ({self.share:.1%})"
        return f"{self.name}: {share} compared, {compared}"


def notebooks(folder: Path = NOTEBOOKS) -> list[Path]:
    """Give all notebooks by name; found, never listed by hand."""
    return sorted(folder.glob("*.ipynb"))


def code_cells(path: Path) -> Iterator[NotebookNode]:
    """Give a notebook's code cells in order."""
    notebook = nbformat.read(path, as_version=4)
    return (cell for cell in notebook.cells if cell.cell_type == "code")


def kind(cell: NotebookNode) -> str:
    """Say how nbval judges a cell: by "text", by "silence" or "not" at all."""
    marks = {mark.strip(" #").lower().replace("_", "-") for mark in cell.source.splitlines()}
    if IGNORED & (marks | set(cell.metadata.get("tags", []))) or cell.execution_count is None:
        return "not"
    if not cell.outputs:
        return "silence"
    return "text" if any(map(seen, cell.outputs)) else "not"


def seen(output: NotebookNode) -> bool:
    """Say whether an output holds something that nbval compares."""
    return output.output_type in {"stream", "error"} or bool(set(output.data) - UNSEEN)


def count(path: Path) -> Count:
    """Count one notebook's cells."""
    kinds = [(kind(cell), cell.id) for cell in code_cells(path)]
    names = [name for name, _ in kinds]
    not_compared = tuple(cell_id for name, cell_id in kinds if name == "not")
    return Count(path.stem, names.count("text"), names.count("silence"), not_compared)


def total(counts: list[Count]) -> Count:
    """Add the counts of all notebooks."""
    left_out = tuple(f"{one.name}:{cell}" for one in counts for cell in one.not_compared)
    text, silence = sum(one.text for one in counts), sum(one.silence for one in counts)
    return Count("all notebooks", text, silence, left_out)


def summary(folder: Path = NOTEBOOKS) -> list[str]:
    """Give a line a notebook and one for all."""
    counts = [count(path) for path in notebooks(folder)]
    return [str(one) for one in [*counts, total(counts)]]
