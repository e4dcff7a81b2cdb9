"""nbgrader and otter-grader for the benchmark of grading, installed in a place of their own.

Both get our notebook, the same submissions and, in one cell or file each, a test that puts the
learner's function to the check that we use. Left out: their sandboxes. nbgrader has none; otter
has Docker, which would cost it more than `otter run`, the command without it.
"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["Missing", "Rivals"]

ROOT = Path(__file__).parents[2]
PACKAGES = ("nbgrader", "otter-grader")
EXERCISE, FUNCTION = "start_here.record_visit", "record_visit"
NAME = "00_start_here.ipynb"
TEST = f"""
from course_lib.exercises.attempt import LocalAttempt
from course_lib.exercises.examine import examine
from course_lib.exercises.registry import find
assert examine(find("{EXERCISE}"), LocalAttempt({FUNCTION}, "{FUNCTION}"), [7]).state == "PASS"
""".lstrip()
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "bench"
c.ClearSolutions.enforce_metadata = False
c.ExecutePreprocessor.timeout = 120
"""
OTTER_TEST = f"""
from otter.test_files import test_case
OK_FORMAT = False
name = "q1"
points = 1

@test_case(points=1)
def test_q1({FUNCTION}):
{"".join(f"    {line}{chr(10)}" for line in TEST.splitlines())}
"""
Notebook = dict[str, Any]


class Missing(Exception):
    """The rivals cannot be installed; the text says why."""


class Rivals:
    """Both tools, in a folder that git ignores; made at first use and kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "venv" / "bin" / "python"
        if not (folder / "ready").exists():
            self._install()
        self.versions = (folder / "ready").read_text().split()

    def _install(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        (self.folder / ".gitignore").write_text("*\n")
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        self._run(sys.executable, "-m", "venv", str(self.folder / "venv"))
        pip = [str(self.python), "-m", "pip", "install", "--quiet"]
        self._run(*pip, *PACKAGES, *project["dependencies"])
        ask = f"from importlib.metadata import version\nfor n in {PACKAGES!r}: print(version(n))"
        (self.folder / "ready").write_text(self._run(str(self.python), "-c", ask))

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if done.returncode:
            raise Missing(f"{' '.join(PACKAGES)} cannot be installed: {done.stderr[-300:].strip()}")
        return done.stdout

    # What each is given

    def nbgrader(self, place: Path, submissions: list[Notebook]) -> Callable[[], object]:
        """Write an assignment and its submissions; return what grades them."""
        (place / "nbgrader_config.py").write_text(CONFIG)
        _write(place / "source" / "ps1" / NAME, _for_nbgrader(submissions[0], "pass"))
        for number, notebook in enumerate(submissions):
            given = _for_nbgrader(notebook, TEST)
            _write(place / "submitted" / f"s{number}" / "ps1" / NAME, given)
        self._tool(place, "nbgrader", "generate_assignment", "ps1", "--create", "--force")
        grade = ("nbgrader", "autograde", "ps1", "--create", "--force")
        return lambda: self._tool(place, *grade)

    def otter(self, place: Path, submissions: list[Notebook]) -> Callable[[], object]:
        """Write the tests and the submissions; return what grades them, one after the other."""
        (place / "tests").mkdir()
        (place / "tests" / "q1.py").write_text(OTTER_TEST)
        self._tool(
            place, "otter", "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment"
        )
        files = []
        for number, notebook in enumerate(submissions):
            files.append(f"s{number}/{NAME}")
            _write(place / files[-1], _for_otter(notebook))

        def grade() -> None:
            for file in files:
                out = str(Path(file).parent)
                self._tool(place, "otter", "run", "-a", "autograder.zip", "-o", out, file)

        return grade

    def _tool(self, place: Path, name: str, *words: str) -> None:
        tools = self.python.parent
        known = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{tools}:{os.environ['PATH']}"}
        known |= {"COURSE_PROGRESS": str(place / "progress.json"), "HOME": str(place)}
        command = [str(tools / name), *words]
        done = subprocess.run(
            command, cwd=place, env=known, capture_output=True, text=True, timeout=3600
        )
        if done.returncode:
            raise RuntimeError(f"{name} {words[0]}: {(done.stdout + done.stderr)[-1500:]}")

    # What they found

    def nbgrader_points(self, place: Path) -> float:
        """The points that nbgrader gave to all."""
        ask = (
            "from nbgrader.api import Gradebook\n"
            f"with Gradebook('sqlite:///{place}/gradebook.db') as book:\n"
            "    print(sum(s.score for s in book.assignment_submissions('ps1')))"
        )
        return float(self._run(str(self.python), "-c", ask))

    @staticmethod
    def otter_points(place: Path) -> float:
        """The points that otter gave to all."""
        results = [json.loads(path.read_text()) for path in place.glob("s*/results.json")]
        return float(sum(test.get("score", 0) for r in results for test in r["tests"]))


def _write(path: Path, notebook: Notebook) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook))


def _for_nbgrader(notebook: Notebook, test: str) -> Notebook:
    """Our notebook with nbgrader's marks on the learner's cell, and one cell of tests."""
    made: Notebook = json.loads(json.dumps(notebook))
    for cell in made["cells"]:
        if f"exercise:{EXERCISE}" in cell["metadata"].get("tags", []):
            cell["metadata"]["nbgrader"] = _marks("answer", solution=True)
    marks = _marks("test", grade=True, locked=True, points=1)
    made["cells"].append(_cell(test, {"nbgrader": marks}))
    return made


def _marks(name: str, **given: object) -> dict[str, object]:
    fixed = {"schema_version": 3, "cell_type": "code", "task": False}
    return {"grade": False, "solution": False, "locked": False, "grade_id": name, **fixed, **given}


def _for_otter(notebook: Notebook) -> Notebook:
    made: Notebook = json.loads(json.dumps(notebook))
    made["metadata"]["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    return made


def _cell(source: str, metadata: dict[str, object]) -> dict[str, object]:
    fixed = {"cell_type": "code", "outputs": [], "execution_count": None, "id": "bench-test"}
    return {**fixed, "source": source, "metadata": metadata}
