"""Seconds that each notebook takes on a clean kernel, beside `jupyter nbconvert --execute`.

At most 15 s of wall time on an idle machine, the kernel's start included.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from tests.benchmarks.report import Table, finish
from tools.compared import notebooks
from tools.execution import execute

__all__ = ["rows"]

GATE = 15.0  # seconds


def seconds(path: Path) -> float:
    """Run one notebook as `make notebooks` does, and give the wall time."""
    notebook = nbformat.read(path, as_version=4)
    begin = time.perf_counter()
    execute(notebook, path.parent)
    return time.perf_counter() - begin


def by_nbconvert(path: Path) -> float:
    """Run one notebook with nbconvert's command, and give the wall time."""
    with tempfile.TemporaryDirectory() as place:
        words = ["--to", "notebook", "--execute", "--output-dir", place, str(path)]
        command = [sys.executable, "-m", "nbconvert", "--log-level=ERROR", *words]
        begin = time.perf_counter()
        subprocess.run(command, check=True, cwd=path.parent)
        return time.perf_counter() - begin


def rows() -> Table:
    """The table of all notebooks."""
    made, missed = [], []
    by_nbconvert(notebooks()[0])  # loads what both need from the disk
    for path in notebooks():
        ours, theirs = seconds(path), by_nbconvert(path)
        row = {"notebook": path.stem, "seconds": f"{ours:.1f}", "nbconvert": f"{theirs:.1f}"}
        made.append({**row, "times nbconvert --execute": f"{theirs / ours:.2f}"})
        if ours > GATE:
            missed.append(f"{path.stem} takes {ours:.1f} s, at most {GATE:.0f} s.")
    return Table("seconds to run a notebook, top to bottom", made, missed)


if __name__ == "__main__":
    sys.exit(finish(rows()))
