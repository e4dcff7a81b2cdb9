"""Nothing that a student writes raises a score or touches the host, as root and as anybody."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from course_lib.grading.course import Course
from course_lib.grading.lane import Lane
from tests.grading.attacks.corpus import ATTACKS, Attack
from tests.grading.kit import ANSWERS, graded


class Host:
    """What an attack could touch: a folder, a port, the processes of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._course = Path(__file__).parents[3] / "course_lib"
        self._before = self._state()

    def touched(self) -> list[str]:
        """Return what has changed since the beginning."""
        marks = [f"the file {path.name}" for path in self.folder.iterdir()]
        marks += ["the course"] if self._state() != self._before else []
        try:
            self._listener.accept()
            marks.append("the network")
        except BlockingIOError:
            pass
        return marks

    def _state(self) -> int:
        return (self._course / "__init__.py").stat().st_size

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A host with a folder that anybody may write to."""
    folder = tmp_path / "host"
    folder.mkdir()
    folder.chmod(0o777)
    made = Host(folder)
    yield made
    made.close()


def test_markers(host: Host) -> None:
    """A mark in the folder, and a connection, are seen."""
    socket.create_connection(("127.0.0.1", host.port)).close()
    (host.folder / "mark").touch()
    assert host.touched() == ["the file mark", "the network"]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.kind}: {attack.name}")
def test_attack(
    attack: Attack,
    host: Host,
    tmp_path: Path,
    course: Course,
    lane: Lane,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The attack scores 0, leaves no mark, and the next submission is graded as ever."""
    monkeypatch.setenv("COURSE_GRADING_SECRET", "what nobody must read")
    source = attack.source.replace("{host}", str(host.folder)).replace("{port}", str(host.port))
    source = source.replace("{{", "{").replace("}}", "}")
    name = "00_start_here" if attack.exercise.startswith("start") else "12_rate_limiting"
    said = graded(tmp_path, course, lane, {attack.exercise: source}, name)[attack.exercise]
    assert said["state"] in ("FAIL", "VIOLATION"), said
    assert host.touched() == []
    assert _still_works(tmp_path / "next", course, lane)


def _still_works(tmp_path: Path, course: Course, lane: Lane) -> bool:
    exercise = "start_here.record_visit"
    said = graded(tmp_path, course, lane, {exercise: ANSWERS[exercise]}, "00_start_here")
    return bool(said[exercise]["state"] == "PASS")


def test_nobody_survives(host: Host, tmp_path: Path, course: Course, lane: Lane) -> None:
    """A process that a student started does not outlive the verdict."""
    exercise = "rate_limiting.retry_after"
    attack = next(attack for attack in ATTACKS if attack.name == "a daemon")
    mark = f"survivor-{os.getpid()}"
    source = attack.source.replace(
        "os.setsid()", f"os.setsid(); os.execlp('sleep', '{mark}', '99')"
    )
    graded(tmp_path, course, lane, {exercise: source}, "12_rate_limiting")
    assert not [p for p in Path("/proc").glob("[0-9]*/cmdline") if mark.encode() in _read(p)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
