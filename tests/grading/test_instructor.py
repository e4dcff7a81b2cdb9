"""An instructor's term, by the command line: weights, late, missing, once more, a new version."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from course_lib.grading import cohort
from course_lib.grading.cli import main
from course_lib.grading.course import Course
from course_lib.grading.submissions import Submission
from tests.grading.kit import ANSWERS, grader, hand_in
from tests.grading.test_cli import run, table

START = "00_start_here"
VISIT = "start_here.record_visit"
SETTINGS = """
students = ["ada", "zoe"]
notebooks = ["00_start_here", "12_rate_limiting"]
late_factor = 0.5
[weights]
"start_here.record_visit" = 4
[due]
00_start_here = 2026-02-01T23:59:00Z
"""
DUE = 1_769_990_340  # the same moment, in Unix seconds
pytestmark = pytest.mark.usefixtures("sandbox")


@pytest.fixture
def term(tmp_path: Path, course: Course) -> Path:
    """Three students: in time, late, and with the stub only; a fourth has handed nothing in."""
    for student, sources in (("ada", ANSWERS), ("bob", ANSWERS), ("cleo", {})):
        hand_in(tmp_path / "in", course, student, sources, START)
        late = 1 if student == "bob" else 0
        os.utime(tmp_path / "in" / student / f"{START}.ipynb", (DUE + late, DUE + late))
    (tmp_path / "settings.toml").write_text(SETTINGS)
    return tmp_path


def graded(folder: Path, *more: str) -> dict[str, dict[str, str]]:
    """Grade with the settings, and return the gradebook."""
    run(folder, "--workers", "1", "--settings", str(folder / "settings.toml"), *more)
    return table(folder)


def results(folder: Path) -> dict[str, int]:
    """The result files of all students, and when each was written."""
    found = (folder / "out" / "results").glob("*/*.json")
    return {f"{p.parent.name}/{p.name}": p.stat().st_mtime_ns for p in found}


def test_term(term: Path, course: Course) -> None:
    """Weights, late and missing work, a resubmission for one, other weights, another version."""
    rows = graded(term)
    assert {name: row["total"] for name, row in rows.items()} == {
        "ada": "4",
        "bob": "2",
        "cleo": "0",
        "zoe": "0",
    }
    assert rows["ada"]["out of"] == "10"
    status = [rows[name][f"{START} status"] for name in ("ada", "bob", "cleo", "zoe")]
    assert status == ["graded", "late", "graded", "missing"]
    assert {row["12_rate_limiting status"] for row in rows.values()} == {"missing"}
    first = results(term)

    # cleo hands in again; only she is graded, and what the others have stays as it was
    again = term / "in" / "cleo" / f"{START}.2.ipynb"
    shutil.copy2(term / "in" / "ada" / f"{START}.ipynb", again)
    rows = graded(term, "--only", "cleo")
    assert (rows["cleo"]["total"], rows["cleo"]["note"]) == ("4", f"{again.name} counts")
    assert rows["ada"]["total"] == "4"
    second = results(term)
    assert {name: second[name] for name in first} == first
    assert [name.partition("/")[0] for name in second.keys() - first.keys()] == ["cleo"]

    # other weights: nothing is judged again
    (term / "settings.toml").write_text(SETTINGS.replace("= 4", "= 6"))
    assert graded(term)["ada"]["total"] == "6"
    assert results(term) == second

    # the course was updated: everybody has a new result, and the old ones stay
    shutil.copytree(course.folder, term / "notebooks")
    path = term / "notebooks" / f"{START}.ipynb"
    changed: Any = json.loads(path.read_text())
    changed["cells"][0]["source"] = "# Another beginning"
    path.write_text(json.dumps(changed))
    before = json.loads((term / "out" / "gradebook.json").read_text())
    assert graded(term, "--notebooks", str(term / "notebooks"))["ada"]["total"] == "6"
    after = json.loads((term / "out" / "gradebook.json").read_text())
    assert before["version"] != after["version"]
    third = results(term)
    assert {name: third[name] for name in second} == second
    assert len(third) == len(second) + 3


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ("colour = 1", "colour"),
        ("[weights]\n'no.such' = 1", "no.such"),
        ("[weights]\n'start_here.record_visit' = -1", "0 or more"),
        ("[due]\n00_start_here = 2026-02-01T23:59:00", "zone"),
        ("notebooks = ['99_none']", "99_none"),
        ("students = ['a b']", "letters"),
        ("students = ", "cannot be read"),
    ],
)
def test_wrong_settings(term: Path, settings: str, word: str) -> None:
    """Settings that are wrong are refused before anything is graded, with the key."""
    (term / "settings.toml").write_text(settings)
    words = ["--out", str(term / "out"), "--settings", str(term / "settings.toml")]
    done = subprocess.run(
        [sys.executable, "-m", "course_lib.grading", str(term / "in"), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert word in done.stderr
    assert not (term / "out").exists()


def test_doctor() -> None:
    """The doctor tries a jail, and says that grading can start."""
    done = subprocess.run(
        [sys.executable, "-m", "course_lib.grading", "doctor"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "a jail opens, runs and ends" in done.stdout
    assert done.stdout.endswith("Grading can start.\n")


class _Reader:
    """A lane that executes nothing, and counts what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def ask(self, job: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Say the least that a lane may say."""
        self.asked.append("notebook" if "notebook" in job else "exercise")
        return {"exercise": VISIT, "state": "PASS", "cell": "", "properties": [], "text": ""}


def test_notebooks_later(term: Path, course: Course) -> None:
    """Whoever wants the executed notebooks later gets them, and nothing is judged again."""
    lane: Any = _Reader()
    one = grader(term / "in", term / "out", course, lane)
    submission = Submission("ada", START, 1, f"{START}.ipynb")
    path = one.grade(submission)
    before = path.stat().st_mtime_ns
    one.execute = True
    for _ in range(2):
        assert one.grade(submission) == path
    assert lane.asked == ["exercise", "notebook"]
    assert path.stat().st_mtime_ns == before


def test_no_verdict(
    term: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is the grader's own fault has no verdict, is named, and the exit status is 1."""

    def fails(plan: object) -> object:
        raise MemoryError("none left")

    monkeypatch.setattr(cohort, "_grader", fails)
    words = [str(term / "in"), "--out", str(term / "out"), "--secret", str(term / "secret")]
    assert main([*words, "--workers", "1"]) == 1
    assert "no verdict: ada/00_start_here.ipynb: MemoryError: none left" in capsys.readouterr().out
