"""What the tests of grading share: submissions made from our notebooks, and graders."""

import json
from pathlib import Path
from typing import Any

from course_lib.exercises.registry import discover
from course_lib.grading.course import Course
from course_lib.grading.grade import Grader
from course_lib.grading.lane import Lane
from course_lib.grading.secret import Secret
from course_lib.grading.store import Store
from course_lib.grading.submissions import find
from tools.compared import notebooks

ANSWERS = {exercise.id: exercise.answer for exercise in discover()}
NOTEBOOKS = ("00_start_here", "12_rate_limiting")
"""What a student of the tests hands in, unless they say otherwise."""
EVERY_NOTEBOOK = tuple(path.stem for path in notebooks())
KEY = b"a secret of the tests only"
SECONDS = 20.0  # real time for one exercise: many times what an honest answer needs


def notebook(course: Course, name: str, sources: dict[str, str]) -> dict[str, Any]:
    """Return our notebook with other sources in the exercise cells that are named."""
    found: dict[str, Any] = json.loads((course.folder / f"{name}.ipynb").read_text())
    for cell in found["cells"]:
        for tag in cell["metadata"].get("tags", []):
            cell["source"] = sources.get(tag.removeprefix("exercise:"), cell["source"])
    return found


def hand_in(
    folder: Path, course: Course, student: str, sources: dict[str, str], *names: str
) -> None:
    """Write the notebooks of one student."""
    for name in names or NOTEBOOKS:
        path = folder / student / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(notebook(course, name, sources)))


def grader(folder: Path, out: Path, course: Course, lane: Lane, round: int = 0) -> Grader:
    """Return a grader with the tests' secret, which executes no whole notebooks."""
    store = Store(out, course.version, round)
    return Grader(folder, course, Secret(KEY), store, lane, execute=False, seconds=SECONDS)


def graded(
    tmp_path: Path, course: Course, lane: Lane, sources: dict[str, str], *names: str
) -> dict[str, dict[str, Any]]:
    """Hand sources in, grade them, and return what was said, by exercise."""
    folder, out = tmp_path / "in", tmp_path / "out"
    hand_in(folder, course, "ada", sources, *names)
    one = grader(folder, out, course, lane)
    submissions, _, _ = find(folder, set(course.chapters))
    results = [one.store.read(one.grade(submission)) for submission in submissions]
    return {said["exercise"]: said for result in results for said in result["exercises"]}
