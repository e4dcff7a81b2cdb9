"""One pair of boxes for all tests of a worker; they are skipped where there is no sandbox."""

import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator

import pytest

from course_lib.grading.course import Course
from course_lib.grading.judge.jails import Jails
from course_lib.grading.lane import Lane
from course_lib.grading.sandbox.box import HIDDEN, start_zygote, warm

INSIDE = ["course_lib.grading.inside.cell", "course_lib.systems.rate_limiting", "fakeredis"]


@pytest.fixture(scope="session")
def sandbox() -> None:
    """Skip where bubblewrap is missing."""
    if sys.platform != "linux" or shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")


@pytest.fixture(scope="session")
def course() -> Course:
    """Our notebooks."""
    return Course()


@pytest.fixture(scope="session")
def lane(sandbox: None) -> Iterator[Lane]:
    """Both boxes, without what only whole notebooks need."""
    with Lane(INSIDE) as opened:
        opened.open()
        yield opened


@pytest.fixture(scope="session")
def control(sandbox: None) -> Iterator[socket.socket]:
    """The learners' box, driven by the test itself."""
    with tempfile.TemporaryFile() as errors:
        box, ours = start_zygote(errors)
        warm(ours, INSIDE)
        yield ours
        ours.close()
        assert box.wait(10) == 0


@pytest.fixture
def jails(control: socket.socket) -> Iterator[Jails]:
    """Jails of one test."""
    opened = Jails(control, HIDDEN, 2000)
    yield opened
    opened.let_go()
