"""Many workers: whoever is killed, every submission has one result in the end, and nobody is left.

The command is the one that an instructor types; the cluster is Dask's own, on loopback.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from course_lib.grading.course import Course
from course_lib.grading.sandbox.boundary import COURSE
from tests.grading.kit import ANSWERS, hand_in
from tests.grading.test_cli import TWELVE, command, run, table

pytestmark = pytest.mark.usefixtures("sandbox")
COUNT = 6


@pytest.fixture
def folder(tmp_path: Path, course: Course) -> Path:
    """Six perfect submissions."""
    pytest.importorskip("distributed")
    for number in range(COUNT):
        hand_in(tmp_path / "in", course, f"s{number}", ANSWERS, TWELVE)
    return tmp_path


def results(folder: Path) -> dict[Path, int]:
    """The result files, and when each was written."""
    found = (folder / "out" / "results").glob("*/*.json")
    return {path: path.stat().st_mtime_ns for path in found}


def until(holds: Callable[[], object], seconds: float = 180) -> None:
    """Wait for something to come true."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


def marked(mark: str) -> list[int]:
    """All processes that have the mark in their environment, and the boxes that they started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"COURSE_TEST_MARK={mark}".encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def below(pids: list[int]) -> list[int]:
    """These processes and all their descendants; a box has no environment of ours."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            parents.setdefault(parent, []).append(int(path.parent.name))
    found, todo = set(pids), list(pids)
    while todo:
        children = parents.get(todo.pop(), [])
        found |= set(children)
        todo += children
    return sorted(found)


def gone(pids: list[int]) -> bool:
    """Whether none of these processes lives on."""
    return not [p for p in pids if _state(p) not in ("", "Z")]


def _state(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def workers_of(mark: str) -> list[int]:
    """The cluster's worker processes: those that hold a lane, which is two boxes."""
    marks = set(marked(mark))
    lanes = {}
    for pid in marks:
        children = [c for c in below([pid]) if c != pid and c not in marks]
        if any(b"bwrap" in _command(c) for c in children) and not set(below([pid])) & (
            marks - {pid}
        ):
            lanes[pid] = children
    return sorted(lanes)


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def begun(folder: Path, mark: str, *more: str) -> subprocess.Popen[bytes]:
    """Start the command; its processes bear the mark."""
    environment = {**os.environ, "COURSE_TEST_MARK": mark}
    words = command(folder, *more)
    return subprocess.Popen(words, stderr=subprocess.DEVNULL, env=environment)


def test_worker_killed(folder: Path) -> None:
    """A worker that is killed costs time only: one result each, none is written twice."""
    mark = f"{folder}"
    driver = begun(folder, mark, "--workers", "2")
    until(lambda: results(folder))
    before = results(folder)
    victim = workers_of(mark)[0]
    family = below([victim])
    os.kill(victim, signal.SIGKILL)
    everybody = below(marked(mark))
    assert driver.wait(300) == 0
    until(lambda: gone([*family, *everybody]), 20)
    after = results(folder)
    assert len(after) == COUNT
    assert {path: after[path] for path in before} == before
    assert {row["total"] for row in table(folder).values()} == {"6"}


def test_driver_killed(folder: Path) -> None:
    """A driver that is killed takes all with it; the next run goes on where it was."""
    mark = f"{folder}"
    driver = begun(folder, mark, "--workers", "2")
    until(lambda: results(folder))
    everybody = below(marked(mark))
    driver.kill()
    driver.wait()
    until(lambda: gone(everybody), 30)
    before = results(folder)
    assert 0 < len(before) < COUNT
    run(folder, "--workers", "2")
    after = results(folder)
    assert len(after) == COUNT
    assert {path: after[path] for path in before} == before


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and workers of their own, as an instructor starts them on other machines."""
    dask = [sys.executable, "-m", "dask"]
    known = {**os.environ, "PYTHONPATH": str(COURSE.parent)}
    place = {"cwd": folder, "stdout": subprocess.DEVNULL, "env": known}
    words = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    started = []
    with (folder / "scheduler.log").open("wb") as log:
        started.append(subprocess.Popen([*dask, *words], stderr=log, **place))  # type: ignore[call-overload]
        address = _address(folder / "scheduler.log")
        for number in range(workers):
            words = ["worker", address, "--nthreads", "2", "--no-dashboard", "--host", "127.0.0.1"]
            words += ["--local-directory", str(folder / f"worker {number}")]
            started.append(subprocess.Popen([*dask, *words], stderr=log, **place))  # type: ignore[call-overload]
        try:
            yield address, started
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait(30)


def _address(log: Path) -> str:
    def found() -> re.Match[str] | None:
        return re.search(r"tcp://127\.0\.0\.1:\d+", log.read_text())

    until(found, 60)
    address = found()
    assert address is not None
    return address[0]


def test_scheduler(folder: Path) -> None:
    """A scheduler of one's own grades the same, and its workers keep nothing open afterwards."""
    with cluster(folder, 2) as (address, started):
        run(folder, "--scheduler", address)
        assert {row["total"] for row in table(folder).values()} == {"6"}
        first = results(folder)
        held = [p for s in started for p in below([s.pid]) if b"bwrap" in _command(p)]
        until(lambda: gone(held), 20)
        driver = begun(folder, "again", "--scheduler", address, "--round", "1")
        until(lambda: len(results(folder)) > COUNT)
        driver.kill()
        driver.wait()
        before = results(folder)
        run(folder, "--scheduler", address, "--round", "1")
        after = results(folder)
        assert len(after) == 2 * COUNT
        assert {path: after[path] for path in first} == first
        assert {path: after[path] for path in before} == before


def test_no_workers(folder: Path) -> None:
    """A scheduler that nobody works for, and one that is not there, are said, with status 2."""
    with cluster(folder, 0) as (address, _):
        said = _refused(folder, address)
        assert "has no workers" in said
    assert "cannot be reached" in _refused(folder, address)


def _refused(folder: Path, address: str) -> str:
    words = command(folder, "--scheduler", address)
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    return done.stderr
