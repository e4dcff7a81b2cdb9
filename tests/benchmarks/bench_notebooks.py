"""Seconds that each notebook takes on a clean kernel, first cell to last: at most 15."""

import time
from pathlib import Path

import nbformat

from tests.benchmarks.report import Table
from tools.compared import notebooks
from tools.execution import execute

__all__ = ["rows"]

GATE = 15.0  # seconds of wall time, the kernel's start included


def seconds(path: Path) -> float:
    """Run one notebook and give the wall time."""
    notebook = nbformat.read(path, as_version=4)
    begin = time.perf_counter()
    execute(notebook, path.parent)
    return time.perf_counter() - begin


def rows() -> Table:
    """The table of all notebooks."""
    took = {path.stem: seconds(path) for path in notebooks()}
    table = [{"Notebook": name, "Seconds": f"{one:.1f}"} for name, one in took.items()]
    missed = [
        f"{name} takes {one:.1f} s, at most {GATE:.0f} s."
        for name, one in took.items()
        if one > GATE
    ]
    return Table("Seconds to run a notebook", table, missed)
