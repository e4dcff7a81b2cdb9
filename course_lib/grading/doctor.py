"""What is missing on this machine, and how to install it: `python -m course_lib.grading doctor`.

Each check tries the thing itself. Left out: repairing anything.
"""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from course_lib.grading.course import Course
from course_lib.grading.errors import CannotStart
from course_lib.grading.lane import Lane
from course_lib.grading.sandbox import boundary, seccomp

__all__ = ["doctor"]

RESTRICTED = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
NAMESPACES = Path("/proc/sys/user/max_user_namespaces")
PROFILE = """Ubuntu does not let bubblewrap make the second namespace. As root, write these lines to
/etc/apparmor.d/bwrap, then run: systemctl reload apparmor
    abi <abi/4.0>,
    include <tunables/global>
    profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }"""


def doctor() -> int:
    """Print one line per check; return 0 when grading can start, else 2."""
    wrong = False
    for name, check in CHECKS:
        try:
            print(f"  ok       {name}: {check()}")
        except CannotStart as missing:
            wrong |= name not in OPTIONAL
            print(f"  {'missing' if name not in OPTIONAL else 'without'}  {name}: {missing}")
    print("Grading can start." if not wrong else "Grading cannot start yet.")
    return 2 if wrong else 0


def _linux() -> str:
    if sys.platform != "linux":
        raise CannotStart("the sandbox needs Linux; on Windows use WSL 2, on a Mac a Linux machine")
    return os.uname().release


def _bwrap() -> str:
    path = boundary.find_bwrap()
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    version = said.stdout.split()[-1]
    if tuple(map(int, version.split(".")[:2])) < (0, 8):
        raise CannotStart(f"version {version} is too old: 0.8 or newer is needed")
    return f"{path}, {version}"


def _namespaces() -> str:
    if os.geteuid() == 0:
        return "not needed as root"
    if NAMESPACES.exists() and int(NAMESPACES.read_text()) < 100:
        raise CannotStart("as root: sysctl -w user.max_user_namespaces=10000")
    if RESTRICTED.exists() and RESTRICTED.read_text().strip() == "1":
        return "restricted by AppArmor; the sandbox's own check below decides"
    return "ordinary users may make them"


def _filter() -> str:
    if seccomp.program(seccomp.INNER) is None:
        raise CannotStart("there is no filter for this machine; the rest of the sandbox holds")
    return "a filter for this machine"


def _sandbox() -> str:
    try:
        with Lane(["course_lib.grading.inside.cell"]) as lane:
            lane.open()
            _try(lane)
    except CannotStart as error:
        restricted = RESTRICTED.exists() and RESTRICTED.read_text().strip() == "1"
        raise CannotStart(f"{error}" + (f"\n{PROFILE}" if restricted else "")) from None
    return "a jail opens, runs and ends"


def _try(lane: Lane) -> None:
    task = {
        "exercise": "start_here.record_visit",
        "source": "async def record_visit(redis, page):\n    return await redis.incr(page)\n",
        "prelude": [],
        "seeds": [1],
        "example": 2,
        "seconds": 30.0,
    }
    said = lane.ask(task, 60.0)
    if said is None or said["state"] != "PASS":
        raise CannotStart(f"a jail does not work: {(said or {}).get('cell', 'no verdict')}")


def _dask() -> str:
    if importlib.util.find_spec("distributed") is None:
        raise CannotStart("for more than one worker: pip install 'answers-that-run[grading]'")
    return "installed"


def _notebooks() -> str:
    course = Course()
    return f"{len(course.chapters)} in {course.folder}, version {course.version}"


CHECKS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("Linux", _linux),
    ("bubblewrap", _bwrap),
    ("user namespaces", _namespaces),
    ("seccomp", _filter),
    ("notebooks", _notebooks),
    ("sandbox", _sandbox),
    ("Dask", _dask),
)
OPTIONAL = {"seccomp", "Dask"}
