"""Chapter 12 run ten times, each time with another hash seed, gives one set of outputs."""

from concurrent.futures import ThreadPoolExecutor

import nbformat

from tools import stored
from tools.compared import NOTEBOOKS
from tools.execution import execute

CHAPTER = NOTEBOOKS / "12_rate_limiting.ipynb"
RUNS, AT_A_TIME = 10, 2


def test_ten_runs_one_output() -> None:
    """All ten runs give the outputs that are stored in the notebook."""
    notebook = nbformat.read(CHAPTER, as_version=4)
    expected = stored.comparable(notebook)

    def run(seed: int) -> list[object]:
        return stored.comparable(execute(notebook, CHAPTER.parent, hash_seed=seed))

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        for seed, outputs in enumerate(pool.map(run, range(RUNS))):
            for number, (one, other) in enumerate(zip(outputs, expected, strict=True), start=1):
                assert one == other, f"run {seed}, code cell {number}"
