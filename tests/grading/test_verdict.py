"""What is said about one exercise: an example only where there is a function to fail."""

from pathlib import Path

import pytest

from course_lib.grading.course import Course
from course_lib.grading.lane import Lane
from tests.grading.kit import graded

NOTHING = "visits = 3"
BROKEN = "async def record_visit(redis, page):\n    return None"


@pytest.mark.parametrize(("source", "defined"), [(NOTHING, False), (BROKEN, True)])
def test_example(tmp_path: Path, course: Course, lane: Lane, source: str, defined: bool) -> None:
    """A cell that defines nothing is told so, once; a function that fails is shown failing."""
    name = "start_here.record_visit"
    said = graded(tmp_path, course, lane, {name: source}, "00_start_here")[name]
    assert said["state"] != "PASS"
    assert bool(said.get("example")) is defined
    assert said["cell"] == ("" if defined else "The cell does not define `record_visit`.")
