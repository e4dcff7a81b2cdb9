"""The command, from a folder of submissions to a gradebook, and what happens when it is killed."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from course_lib.exercises.registry import discover, of_chapter
from course_lib.grading.course import Course
from tests.grading.kit import ANSWERS, EVERY_NOTEBOOK, hand_in

TWELVE = "12_rate_limiting"
pytestmark = pytest.mark.usefixtures("sandbox")


def command(folder: Path, *more: str) -> list[str]:
    """Return the command for a folder with `in` and `out`."""
    words = [sys.executable, "-m", "course_lib.grading", str(folder / "in")]
    words += ["--out", str(folder / "out"), "--secret", str(folder / "secret")]
    return [*words, "--no-notebooks", *(more or ("--workers", "1"))]


def run(folder: Path, *more: str) -> str:
    """Grade, and return what was printed; every submission gets a verdict."""
    done = subprocess.run(command(folder, *more), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def table(folder: Path) -> dict[str, dict[str, str]]:
    """Return the gradebook's rows by student."""
    with (folder / "out" / "gradebook.csv").open() as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def files(folder: Path) -> dict[str, bytes]:
    """Return everything below the out folder."""
    out = folder / "out"
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def left_behind() -> set[str]:
    """Return the processes of boxes whose driver has gone."""
    lines = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True)
    ours = [line.split() for line in lines.stdout.splitlines() if "course_lib.grading" in line]
    return {pid for pid, parent, *_ in ours if parent == "1"}


def test_cohort(tmp_path: Path, course: Course) -> None:
    """The perfect submission gets all, the untouched one nothing, a mistake loses its exercise."""
    hand_in(tmp_path / "in", course, "perfect", ANSWERS, *EVERY_NOTEBOOK)
    hand_in(tmp_path / "in", course, "untouched", {}, *EVERY_NOTEBOOK)
    for number, exercise in enumerate(of_chapter("rate_limiting")):
        mistake = exercise.mistakes[number % len(exercise.mistakes)].source
        sources = {**ANSWERS, exercise.id: mistake}
        hand_in(tmp_path / "in", course, f"wrong-{number}", sources, TWELVE)
    (tmp_path / "in" / "=cmd|x").mkdir()
    run(tmp_path)
    rows = table(tmp_path)
    assert rows["perfect"]["total"] == rows["perfect"]["out of"] == str(len(discover()))
    assert rows["untouched"]["total"] == "0"
    for number, exercise in enumerate(of_chapter("rate_limiting")):
        row = rows[f"wrong-{number}"]
        assert row["00_start_here status"] == "missing"
        assert [e.id for e in of_chapter("rate_limiting") if row[e.id] == "0"] == [exercise.id]
    assert rows["'=cmd|x"]["note"].startswith("refused")


def test_twice(tmp_path: Path, course: Course) -> None:
    """A second run grades nothing again and writes the same bytes; a new round draws anew."""
    hand_in(tmp_path / "in", course, "ada", ANSWERS, "00_start_here")
    run(tmp_path)
    first = files(tmp_path)
    (result,) = (tmp_path / "out" / "results" / "ada").iterdir()
    before = result.stat().st_mtime_ns
    run(tmp_path)
    assert files(tmp_path) == first
    assert result.stat().st_mtime_ns == before
    result.unlink()
    run(tmp_path)
    assert files(tmp_path) == first
    run(tmp_path, "--round", "1", "--workers", "1")
    assert len(list((tmp_path / "out" / "results" / "ada").iterdir())) == 2
    assert (
        files(tmp_path)[str(result.relative_to(tmp_path / "out"))]
        == first[str(result.relative_to(tmp_path / "out"))]
    )


def test_killed(tmp_path: Path, course: Course) -> None:
    """A driver that is killed leaves no process behind; the next run keeps what was done."""
    for number in range(6):
        hand_in(tmp_path / "in", course, f"s{number}", ANSWERS, TWELVE)
    before = left_behind()
    driver = subprocess.Popen(command(tmp_path), stderr=subprocess.DEVNULL)
    results = tmp_path / "out" / "results"
    _until(lambda: len(list(results.glob("*/*.json"))) >= 1, 180)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    _until(lambda: left_behind() <= before, 20)
    done = {path: path.stat().st_mtime_ns for path in results.glob("*/*.json")}
    assert 0 < len(done) < 6
    run(tmp_path)
    assert len(list(results.glob("*/*.json"))) == 6
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert all(row["total"] == "6" for row in table(tmp_path).values())


def _until(holds: object, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.1)


def test_resubmission(tmp_path: Path, course: Course) -> None:
    """The highest number counts, and the gradebook says which file it was."""
    hand_in(tmp_path / "in", course, "ada", {}, "00_start_here")
    hand_in(tmp_path / "in", course, "bob", ANSWERS, "00_start_here")
    better = tmp_path / "in" / "bob" / "00_start_here.ipynb"
    better.rename(tmp_path / "in" / "ada" / "00_start_here.2.ipynb")
    run(tmp_path)
    book = json.loads((tmp_path / "out" / "gradebook.json").read_text())
    ada = next(row for row in book["students"] if row["student"] == "ada")
    assert ada["notebooks"]["00_start_here"]["file"] == "00_start_here.2.ipynb"
    assert ada["total"] == 1
    assert table(tmp_path)["bob"]["00_start_here status"] == "missing"


def test_no_sandbox(tmp_path: Path, course: Course) -> None:
    """Without bubblewrap nothing is graded, and the reason says what to install."""
    hand_in(tmp_path / "in", course, "ada", ANSWERS, "00_start_here")
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run(
        command(tmp_path), capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 2
    assert "apt-get install bubblewrap" in done.stderr
    assert not (tmp_path / "out" / "results").exists()


@pytest.mark.parametrize("words", [[], ["--workers", "0"], ["nowhere", "--out", "x"]])
def test_not_started(tmp_path: Path, words: list[str]) -> None:
    """What cannot start says so with status 2."""
    done = subprocess.run(
        [sys.executable, "-m", "course_lib.grading", *words], capture_output=True, check=False
    )
    assert done.returncode == 2
