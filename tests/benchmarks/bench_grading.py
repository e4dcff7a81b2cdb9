"""Submissions graded per minute, beside nbgrader and otter on the same notebook and machine.

Everybody executes the whole start notebook of each submission and puts the learner's function to
the same check; ours does so in its sandbox, twice (the judge's draw, and the notebook for the
feedback). One process each, the start of the tool included; another row shows ours on all cores.
The clock on the wall decides, for the work is in other processes; every round runs all of them.

COURSE_BENCH_GRADING=30,100,300 measures the slope at those sizes; without it, at two small ones.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from course_lib.exercises.registry import find
from tests.benchmarks.report import Row, Table, finish
from tests.benchmarks.rivals import EXERCISE, NAME, ROOT, Missing, Rivals

SIZES = tuple(int(n) for n in os.environ.get("COURSE_BENCH_GRADING", "4,12").split(","))
BESIDE = int(os.environ.get("COURSE_BENCH_GRADING_BESIDE", "12"))  # submissions for everybody
ROUNDS = int(os.environ.get("COURSE_BENCH_GRADING_ROUNDS", "1"))
TARGET = 2.0
COHORT = 10_000
OURS = "this course, 1 worker"
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
Notebook = dict[str, Any]


def submissions(count: int) -> list[Notebook]:
    """Perfect start notebooks, no two alike, so that nothing can be reused."""
    made = []
    for number in range(count):
        notebook: Notebook = json.loads((ROOT / "notebooks" / NAME).read_text())
        for cell in notebook["cells"]:
            if f"exercise:{EXERCISE}" in cell["metadata"].get("tags", []):
                cell["source"] = f"{find(EXERCISE).answer}\n# {number}\n"
            if cell["cell_type"] == "code":
                cell |= {"outputs": [], "execution_count": None}
        made.append(notebook)
    return made


def ours(place: Path, count: int, workers: int) -> Callable[[], object]:
    """Write submissions; return what grades them."""
    for number, notebook in enumerate(submissions(count)):
        path = place / "in" / f"s{number}" / NAME
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(notebook))
    words = [str(place / "in"), "--out", str(place / "out"), "--workers", str(workers)]
    command = [sys.executable, "-m", "course_lib.grading", *words]
    known = {**os.environ, "COURSE_GRADING_SECRET": "a secret of the benchmark"}

    def grade() -> None:
        done = subprocess.run(command, cwd=ROOT, env=known, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr[-1500:])

    return grade


def points(place: Path) -> float:
    """The points that ours gave to all."""
    book = json.loads((place / "out" / "gradebook.json").read_text())
    return float(sum(student["total"] for student in book["students"]))


# Time and memory


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Do it; return its seconds and the most memory (MB) that its processes held together."""
    with watched() as most:
        begin = time.perf_counter()
        work()
        seconds = time.perf_counter() - begin
    return seconds, most[0] / 1e6


@contextmanager
def watched() -> Iterator[list[int]]:
    """Look at all descendants' memory, four times a second."""
    most, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(0.25):
            most[0] = max(most[0], sum(memory(pid) for pid in descendants(os.getpid())))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield most
    finally:
        over.set()
        thread.join()


def descendants(pid: int) -> list[int]:
    """All processes below this one."""
    above: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            above.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, todo = [], [pid]
    while todo:
        below = above.get(todo.pop(), [])
        found += below
        todo += below
    return found


def memory(pid: int) -> int:
    """Bytes of a process, with its share of what is shared where the kernel tells."""
    with suppress(OSError, IndexError):
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(text.partition("\nPss:")[2].split()[0]) * 1024
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    return 0


# The tables


def rows() -> Table:
    """Submissions per minute and peak memory, ours and theirs."""
    try:
        rivals = Rivals(ROOT / ".bench")
    except (Missing, OSError, subprocess.SubprocessError) as why:
        print(f"{why}\nThe comparison is left out.")
        return Table("Grading beside others", [{"left out": "see above"}])
    took: dict[str, list[tuple[float, float]]] = {}
    for _ in range(ROUNDS):
        for name, (seconds, most) in one_round(rivals).items():
            took.setdefault(name, []).append((60 * BESIDE / seconds, most))
    rates = {name: statistics.median(r for r, _ in seen) for name, seen in took.items()}
    made = [
        {
            "tool": name,
            "submissions a minute": f"{rates[name]:.1f}",
            "peak memory, MB": f"{max(most for _, most in seen):,.0f}",
            **{
                f"times {other}": f"{rates[OURS] / rate:.2f}" if name == OURS else "-"
                for other, rate in rates.items()
                if not other.startswith("this course")
            },
        }
        for name, seen in took.items()
    ]
    best = max(rate for name, rate in rates.items() if not name.startswith("this course"))
    times = rates[OURS] / best
    missed = [f"{times:.2f} times the better of both, not {TARGET:g}."] if times < TARGET else []
    return Table(f"{BESIDE} submissions, whole commands, {ROUNDS} rounds", made, missed)


def one_round(rivals: Rivals) -> dict[str, tuple[float, float]]:
    """Let all of them grade the same submissions, and look at their points: all must be full."""
    found = {}
    cores = os.cpu_count() or 1
    for name, workers in ((OURS, 1), (f"this course, {cores} workers", cores)):
        with tempfile.TemporaryDirectory() as folder:
            found[name] = timed(ours(Path(folder), BESIDE, workers))
            full(name, points(Path(folder)))
    given = submissions(BESIDE)
    for name, version in zip(("nbgrader", "otter"), rivals.versions, strict=True):
        with tempfile.TemporaryDirectory() as folder:
            work = getattr(rivals, name)(Path(folder), given)
            found[f"{name} {version}"] = timed(work)
            full(name, getattr(rivals, f"{name}_points")(Path(folder)))
    return found


def full(name: str, given: float) -> None:
    """A tool that has not graded everything is not fast."""
    if given != BESIDE:
        raise RuntimeError(f"{name} gave {given:g} of {BESIDE} points.")


def slope() -> Table:
    """Seconds at several sizes, and from the straight line through them, a cohort of ten thousand.

    All cores. The first size carries the start; the line's slope is the time of one more.
    """
    cores = os.cpu_count() or 1
    took: dict[int, tuple[float, float]] = {}
    for count in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            took[count] = timed(ours(Path(folder), count, cores))
    made: list[Row] = [
        {"submissions": f"{n:,}", "seconds": f"{s:,.0f}", "each": f"{s / n:.2f}", "MB": f"{m:,.0f}"}
        for n, (s, m) in took.items()
    ]
    if len(took) > 1:
        made.append(cohort({n: s for n, (s, _) in took.items()}, cores))
    return Table(f"Larger folders, {cores} workers, whole notebooks executed", made)


def cohort(seconds: dict[int, float], cores: int) -> Row:
    """What the straight line says about a cohort; measured it is not, and the row says so."""
    line = statistics.linear_regression(list(seconds), list(seconds.values()))
    hours = (line.intercept + line.slope * COHORT) / 3600
    each = f"{line.slope:.2f}, or {line.slope * cores:.2f} of a core"
    return {
        "submissions": f"{COHORT:,}, extrapolated",
        "seconds": f"{hours * 3600:,.0f} ({hours:.1f} h here, {hours * cores:.1f} h of one core)",
        "each": each,
        "MB": "as above",
    }


if __name__ == "__main__":
    sys.exit(finish(rows(), slope()))
