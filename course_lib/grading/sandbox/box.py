"""Starting a box: bubblewrap, a Python module in it, and the pipes that are its only contact."""

import json
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import IO

from course_lib.grading.sandbox import boundary

__all__ = ["HIDDEN", "START", "start", "start_zygote", "warm"]

START = 90.0  # seconds until a box must be warm
HIDDEN = [str(boundary.COURSE / "exercises")]
"""What a learner's cell must not see: the answers."""
_keeper = ThreadPoolExecutor(1, thread_name_prefix="keeper")
"""Boxes die with the thread that started them; this one lives as long as the process."""

Box = subprocess.Popen[bytes]


def start_zygote(errors: IO[bytes]) -> tuple[Box, socket.socket]:
    """Start the box for learners' code; return it with the socket over which jails are opened."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        box = start(["-m", "course_lib.grading.sandbox.zygote"], True, theirs, [], errors)
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return box, ours


def warm(control: socket.socket, modules: list[str]) -> None:
    """Let the zygote import, and wait until it says that it has."""
    control.settimeout(START)
    control.send(json.dumps(modules).encode())
    if control.recv(16) != b"ready":
        raise ValueError("the learners' box ended")
    control.settimeout(None)


def start(
    python: list[str],
    jails: bool,
    control: socket.socket | None,
    kept: list[int],
    errors: IO[bytes],
) -> Box:
    """Start one box, from the thread that stays; `control` becomes its standard input."""
    rules = boundary.seccomp_file(jails)
    fds = [*kept, *([rules.fileno()] if rules else [])]
    words = boundary.command(python, jails=jails, filter_fd=rules.fileno() if rules else None)
    stdin = control.fileno() if control else subprocess.PIPE
    stdout = subprocess.DEVNULL if control else subprocess.PIPE

    def begin() -> Box:
        return subprocess.Popen(
            words,
            stdin=stdin,
            stdout=stdout,
            stderr=errors,
            pass_fds=fds,
            env={},
            start_new_session=True,  # a Ctrl-C is for us; to a learner it would be a violation
        )

    try:
        return _keeper.submit(begin).result()
    finally:
        if rules is not None:
            rules.close()
