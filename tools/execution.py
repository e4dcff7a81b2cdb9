"""Runs a notebook from top to bottom on a clean kernel; `make notebooks` and the tests use it.

Progress and history go to a folder that is thrown away, so that a run depends on the notebook only.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

PATIENCE = 120  # seconds a cell
QUIET = ["--IPKernelApp.log_level=40"]  # errors only: the kernel warns about its local sockets
Progress = Callable[[int, int], None]


class Failed(Exception):
    """A notebook does not run; the text says which cell and why, in one sentence."""


def execute(
    notebook: NotebookNode, folder: Path, progress: Progress | None = None, hash_seed: int = 0
) -> NotebookNode:
    """Run a copy of the notebook in `folder` and give it, outputs and widget states filled in.

    Raises Failed with the cell's number, as JupyterLab would show it, and its error.
    """
    run, total = clean_copy(notebook), len(notebook.cells)

    def report(cell_index: int, **_: object) -> None:
        if progress is not None:
            progress(cell_index + 1, total)

    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(
        run, timeout=PATIENCE, kernel_name="python3", resources=resources, on_cell_complete=report
    )
    client.coalesce_streams, client.record_timing, client.extra_arguments = True, False, QUIET
    with tempfile.TemporaryDirectory(prefix="course-run-") as home:
        try:
            client.execute(env=variables(home, hash_seed))
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise Failed(reason(run, error)) from None
    return run


def clean_copy(notebook: NotebookNode) -> NotebookNode:
    """Copy a notebook without what an earlier run left in it."""
    copy = nbformat.from_dict(notebook)
    copy.metadata.pop("widgets", None)
    for cell in copy.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return copy


def variables(home: str, hash_seed: int) -> dict[str, str]:
    """Give the kernel's environment: no progress yet, a fixed hash seed, no debugger noise."""
    return {
        **os.environ,
        "COURSE_PROGRESS": os.path.join(home, "progress.json"),
        "IPYTHONDIR": os.path.join(home, "ipython"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONHASHSEED": str(hash_seed),
    }


def reason(run: NotebookNode, error: Exception) -> str:
    """Say which cell failed and why."""
    code = [cell for cell in run.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        for output in cell.outputs:
            if output.output_type == "error" and "raises-exception" not in tags(cell):
                return f"code cell {number}: {output.ename}: {output.evalue}"
    done = sum(cell.execution_count is not None for cell in code)
    if isinstance(error, CellTimeoutError):
        return f"code cell {done + 1} or the one before it took more than {PATIENCE} s"
    return f"code cell {done + 1} or the one before it ended the kernel"


def tags(cell: NotebookNode) -> list[str]:
    """Give a cell's tags."""
    return list(cell.metadata.get("tags", []))
