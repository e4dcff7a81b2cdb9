"""The bench: a warm process in a box of its own, which forks one judge per exercise.

The box has no network and no course secret, only the seeds of the submission at hand. A judge that
a learner's script keeps busy is ended by its alarm, and that exercise is a time-out. Left out: what
becomes of the verdicts.
"""

import gc
import json
import os
import resource
import shutil
import signal
import socket
import sys
import tempfile
import time
from typing import Any

from course_lib.exercises.registry import discover
from course_lib.grading.errors import VIOLATION
from course_lib.grading.judge import commands, lua
from course_lib.grading.judge.jails import Jails
from course_lib.grading.judge.verdict import judge
from course_lib.grading.protocol.waiting import readable, writable
from course_lib.grading.sandbox.limits import NOTEBOOK, longest

__all__ = ["main"]

Said = dict[str, Any]
LONGEST_VERDICT = 1 << 20  # bytes
LONGEST_NOTEBOOK = 4 << 20  # bytes
MEMORY = 1 << 30
JAILS = 2
"""How many jails one judge opens at most; the next judge's have other users."""
FILES = "/tmp/judge"
"""Where the databases of one judge's worlds lie; a judge that is killed cannot clear them away."""


def main() -> None:
    """Answer one job per line until the input closes."""
    control = socket.socket(fileno=int(sys.argv[1]))
    hidden, first_slot = json.loads(sys.argv[2]), int(sys.argv[3])
    lua.close()
    commands.close()
    for exercise in discover():
        _ = exercise.models
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    slot = first_slot
    for line in sys.stdin:
        jails = Jails(control, hidden, slot)
        answer = _answer(json.loads(line), jails)
        slot = jails.slot
        print(json.dumps(answer, sort_keys=True), flush=True)


def _answer(job: Said, jails: Jails) -> Said:
    if "notebook" in job:
        return _executed(job, jails)
    return _judged(job, jails)


def _judged(task: Said, jails: Jails) -> Said:
    """Fork a judge for one exercise, and wait for its verdict or its end."""
    reader, writer = os.pipe()
    os.makedirs(FILES, exist_ok=True)
    child = os.fork()
    if child == 0:
        os.close(reader)
        _child(task, jails, writer)
    os.close(writer)
    data = _read(reader, LONGEST_VERDICT, time.monotonic() + longest(task["seconds"]) + 5)
    os.close(reader)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    shutil.rmtree(FILES, ignore_errors=True)
    jails.skip(JAILS)
    try:
        verdict: Said = json.loads(data)
    except ValueError:
        sentence = "The judge could not come to an end with it, in time or in memory."
        return {
            "exercise": task["exercise"],
            "state": VIOLATION,
            "kind": "time",
            "cell": sentence,
            "properties": [],
        }
    return verdict


def _child(task: Said, jails: Jails, writer: int) -> None:
    """Judge, write the verdict, end; the alarm ends everything, even one call into C."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, longest(task["seconds"]))
    resource.setrlimit(resource.RLIMIT_AS, (_size() + MEMORY, _size() + MEMORY))
    tempfile.tempdir = FILES
    status = 1
    try:
        data = json.dumps(
            judge(task, lambda: jails.channel(task["seconds"])), sort_keys=True
        ).encode()
        while data:
            data = data[os.write(writer, data) :]
        status = 0
    except BaseException as error:
        print(f"judge: {task['exercise']}: {error!r}", file=sys.stderr)
    os._exit(status)


def _size() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def _executed(job: Said, jails: Jails) -> Said:
    """Let papermill execute the notebook in a jail; return the bytes that came out, as text."""
    reader, writer = jails.open("notebook")
    end = time.monotonic() + NOTEBOOK.wall
    try:
        _write(writer, json.dumps(job).encode(), end)
        data = _read(reader, LONGEST_NOTEBOOK, end)
    finally:
        jails.let_go()
    whole = len(data) <= LONGEST_NOTEBOOK and time.monotonic() < end
    return {"whole": whole, "text": data[:LONGEST_NOTEBOOK].decode("utf-8", "replace")}


def _write(fd: int, data: bytes, end: float) -> None:
    os.set_blocking(fd, False)
    data = len(data).to_bytes(8, "big") + data
    while data and time.monotonic() < end:
        writable(fd, end - time.monotonic())
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:
            continue
        except OSError:
            return


def _read(fd: int, longest: int, end: float) -> bytes:
    """Read until the other end closes, the time is over, or one byte too many has come."""
    data = b""
    while len(data) <= longest and (left := end - time.monotonic()) > 0:
        if readable(fd, left):
            part = os.read(fd, 1 << 16)
            if not part:
                break
            data += part
    return data


if __name__ == "__main__":
    main()
