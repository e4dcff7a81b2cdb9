"""What a benchmark prints: its rows as a Markdown table, with the date and the class of machine.

Interleaved rounds: every contestant runs once in each round, so that a busy moment of a shared
machine hits them all. CPU time and not the clock on the wall, for the same reason.
"""

import gc
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["Row", "Table", "finish", "ratio", "rounds"]

Row = Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """A title, rows with the same columns, and the targets that were missed, each in a sentence."""

    title: str
    rows: Sequence[Row]
    missed: Sequence[str] = ()

    def __str__(self) -> str:
        columns = list(self.rows[0])
        lines = [columns, ["---"] * len(columns), *([row[c] for c in columns] for row in self.rows)]
        body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"## {self.title}\n\n{machine()}\n\n{body}\n"


def machine() -> str:
    """The date, the machine and the Python that a table was made on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {cores} cores, {platform.system()}, "
        f"Python {platform.python_version()}"
    )


def rounds(contestants: Mapping[str, Callable[[], int]], count: int) -> dict[str, list[float]]:
    """Run all contestants in `count` rounds; each returns how much it did. Gives amounts a second.

    The order turns with the rounds; one more round before warms up and is not counted.
    """
    names = list(contestants)
    speeds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(count + 1):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            gc.collect()
            begin = time.process_time()
            done = contestants[name]()
            if turn:
                speeds[name].append(done / (time.process_time() - begin))
    return speeds


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """How many times faster ours is: the median over the rounds, each round against itself."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def finish(*tables: Table) -> int:
    """Print the tables and the targets that were missed; the exit code is 1 if there are any.

    COURSE_BENCH_OUT names a file that gets them too, for the page (page.py).
    """
    for table in tables:
        print(table)
    if out := os.environ.get("COURSE_BENCH_OUT"):
        Path(out).write_text(json.dumps([_plain(table) for table in tables]), encoding="utf-8")
    missed = [sentence for table in tables for sentence in table.missed]
    for sentence in missed:
        print(f"Target missed: {sentence}")
    return 1 if missed else 0


def _plain(table: Table) -> dict[str, object]:
    """A table as plain data, with the machine that it was made on."""
    rows = [dict(row) for row in table.rows]
    return {"title": table.title, "on": machine(), "rows": rows, "missed": list(table.missed)}
