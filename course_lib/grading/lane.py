"""A lane: two boxes, one for learners' code and one for its judge, and the pipes between them.

The process that holds a lane holds the course's secret and the results; neither box does. A lane
takes one job at a time, and is opened again when it dies. No box outlives the process that opened
it: bubblewrap ends with its parent, and both boxes end when their pipes close.
"""

import contextlib
import json
import os
import socket
import subprocess
import tempfile
import time
from typing import IO, Any

from course_lib.grading.errors import CannotStart
from course_lib.grading.protocol.waiting import readable
from course_lib.grading.sandbox.box import HIDDEN, START, start, start_zygote, warm

__all__ = ["Lane"]

LONGEST = 8 << 20  # bytes of one answer


class Lane:
    """`with Lane(modules) as lane: lane.ask(job, seconds)`."""

    def __init__(self, modules: list[str], number: int = 0) -> None:
        self._modules, self._number = modules, number
        self._boxes: list[subprocess.Popen[bytes]] = []
        self._buffer = b""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115

    def __enter__(self) -> "Lane":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def ask(self, job: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """Return the answer to one job, or None when the boxes gave none in time."""
        if not self._boxes:
            self.open()
        bench = self._boxes[1]
        try:
            _write(bench.stdin, json.dumps(job).encode() + b"\n")
            line = self._line(time.monotonic() + seconds)
            answer: dict[str, Any] = json.loads(line)
        except (OSError, ValueError):
            self.close()
            return None
        if answer.get("kind") == "ended" and self._broken():
            self.close()
            return None
        return answer

    def _broken(self) -> bool:
        """Whether a box has ended: then a learner's process has not ended by itself."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._boxes[0].wait(0.2)
        return any(box.poll() is not None for box in self._boxes)

    def open(self) -> None:
        """Start both boxes and wait until they are warm, or raise CannotStart."""
        control: socket.socket | None = None
        try:
            zygote, control = start_zygote(self._errors)
            self._boxes = [zygote]
            bench = ["-m", "course_lib.grading.judge.bench", str(control.fileno())]
            bench += [json.dumps(HIDDEN), str(self._first_slot())]
            self._boxes += [start(bench, False, None, [control.fileno()], self._errors)]
            warm(control, self._modules)
            if self._line(time.monotonic() + START) != b"ready":
                raise ValueError("the judge's box did not start")
        except (OSError, ValueError) as error:
            said = self._said()
            self.close()
            raise CannotStart(f"The sandbox does not start: {said or error}") from None
        finally:
            if control is not None:
                control.close()

    def _first_slot(self) -> int:
        """Lanes of one machine use different users, as far as there are."""
        return (os.getpid() * 61 + self._number * 997) % 4000

    def _said(self) -> str:
        for box in self._boxes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                box.wait(1)
        self._errors.seek(0)
        return " ".join(self._errors.read(2000).decode(errors="replace").split())

    def _line(self, end: float) -> bytes:
        output = self._boxes[1].stdout
        assert output is not None
        while b"\n" not in self._buffer:
            left = end - time.monotonic()
            if left <= 0 or len(self._buffer) > LONGEST:
                raise ValueError("no answer")
            if readable(output.fileno(), left):
                part = os.read(output.fileno(), 1 << 16)
                if not part:
                    raise ValueError("the judge's box ended")
                self._buffer += part
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line

    def close(self) -> None:
        """End both boxes and all that is in them."""
        for box in reversed(self._boxes):
            box.kill()
            box.wait()
            for file in (box.stdin, box.stdout):
                if file is not None:
                    with contextlib.suppress(OSError):
                        file.close()
        self._boxes, self._buffer = [], b""


def _write(file: IO[bytes] | None, data: bytes) -> None:
    assert file is not None
    file.write(data)
    file.flush()
