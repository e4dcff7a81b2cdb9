"""A lane whose boxes are killed from outside gives no verdict, and the learner loses nothing."""

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from course_lib.grading.course import Course
from course_lib.grading.lane import Lane
from course_lib.grading.submissions import Submission
from tests.grading.conftest import INSIDE
from tests.grading.kit import KEY, grader, hand_in

START, VISIT = "00_start_here", "start_here.record_visit"
PATIENT = """
import time
time.sleep(4)
async def record_visit(redis, page):
    return await redis.incr(page)
"""


@pytest.mark.parametrize("box", [0, 1], ids=["learners", "judge"])
def test_box_killed(sandbox: None, tmp_path: Path, course: Course, box: int) -> None:
    """Whichever box is killed while it works, the exercise is judged again and passes."""
    hand_in(tmp_path / "in", course, "ada", {VISIT: PATIENT}, START)
    with Lane(INSIDE) as lane:
        lane.open()
        one = grader(tmp_path / "in", tmp_path / "out", course, lane)
        killer = threading.Timer(2.0, lane._boxes[box].kill)
        killer.start()
        path = one.grade(Submission("ada", START, 1, f"{START}.ipynb"))
        killer.join()
        (said,) = one.store.read(path)["exercises"]
    assert said["state"] == "PASS", said
    assert KEY.decode() not in path.read_text()


def test_own_session(lane: Lane) -> None:
    """A Ctrl-C goes to the driver's group of processes; no box is in it."""
    for one in lane._boxes:
        assert os.getpgid(one.pid) != os.getpgrp()


def test_ended_by_itself(tmp_path: Path, course: Course, lane: Lane) -> None:
    """Who ends the process is asked twice, and has broken a rule."""
    asked: list[Any] = []
    hand_in(tmp_path / "in", course, "eve", {VISIT: "import os\nos._exit(0)\n"}, START)
    one = grader(tmp_path / "in", tmp_path / "out", course, lane)
    ask = lane.ask
    one.lane = type("Counted", (), {"ask": lambda self, *given: asked.append(1) or ask(*given)})()
    path = one.grade(Submission("eve", START, 1, f"{START}.ipynb"))
    (said,) = one.store.read(path)["exercises"]
    assert (said["state"], said["kind"], len(asked)) == ("VIOLATION", "ended", 2)
