"""The warm process inside the boundary: it has imported everything and forks one jail a request.

It holds no secret and never runs a learner's code itself. A request comes with three files: what
the jail reads, what it writes, and a leash. When the other end of the leash closes, the jail is
killed with all that it started. Left out: any judgement.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from course_lib.exercises.chapters import CHAPTERS, START
from course_lib.grading.sandbox.jail import Jail
from course_lib.grading.sandbox.limits import NOTEBOOK, cell

__all__ = ["main"]

Fds = list[int]
FIRST_KEPT = 200
LEFT_OUT = ("rfc3987_syntax", "debugpy")
"""What would be imported and not used. The first takes a second; jsonschema does without it: it
checks IRIs, and a notebook's schema has none. The second lets an editor stop a kernel at a line.
"""


def main() -> None:
    """Serve requests on the socket that is the standard input, until it closes."""
    control = socket.socket(fileno=os.dup(0))
    modules: list[str] = json.loads(control.recv(1 << 16) or "[]")
    for name in LEFT_OUT:
        sys.modules[name] = None  # type: ignore[assignment]
    for name in modules:
        _import(name)
    _no_answers()
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control.send(b"ready")
    Zygote(control).serve()


def _import(name: str) -> None:
    try:
        importlib.import_module(name)
    except Exception as error:  # a notebook may import what is not installed; its cell will say so
        print(f"not warmed: {name}: {error}", file=sys.stderr)


def _no_answers() -> None:
    """The answers must not be in the memory that every jail inherits."""
    slugs = {chapter.slug for chapter in (START, *CHAPTERS)}
    loaded = [name for name in sys.modules if name.rpartition(".")[2] in slugs]
    if any(name.startswith("course_lib.exercises.") for name in loaded):
        sys.exit(f"answers would be in reach: {loaded}")


class Zygote:
    """Forks jails and holds their leashes."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._leashes: dict[int, int] = {}  # leash -> pidfd of the jail's first process

    def serve(self) -> None:
        """Fork for each request; kill for each leash that is let go."""
        while True:
            control = self._control.fileno()
            ready, _, _ = select.select([control, *self._leashes], [], [])
            for leash in self._leashes.keys() & ready:
                self._kill(leash)
            if control in ready and not self._request():
                os._exit(0)

    def _request(self) -> bool:
        message, fds, _, _ = socket.recv_fds(self._control, 1 << 16, 4)
        if not message:
            return False
        self._spawn(json.loads(message), fds)
        return True

    def _spawn(self, request: dict[str, Any], fds: Fds) -> None:
        ours, theirs = socket.socketpair()
        if os.fork() == 0:
            ours.close()
            _relay(request, fds, theirs)
        theirs.close()
        reader, writer, leash = fds
        os.close(reader)
        os.close(writer)
        ours.settimeout(20)
        try:
            _, sent, _, _ = socket.recv_fds(ours, 1, 1)
        except OSError:
            sent = []
        ours.close()
        if sent:
            self._leashes[leash] = sent[0]
        else:
            os.close(leash)

    def _kill(self, leash: int) -> None:
        first = self._leashes.pop(leash)
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(first, signal.SIGKILL)
        os.close(first)
        os.close(leash)


def _relay(request: dict[str, Any], fds: Fds, report: socket.socket) -> None:
    """Between zygote and jail: it stands outside the jail's space of processes, and waits."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _die_with_parent()
        jail = _jail(request)
        jail.separate()
        first = os.fork()
        if first == 0:
            report.close()
            _first(jail, request["kind"], fds)
        pidfd = os.pidfd_open(first)
        socket.send_fds(report, [b"."], [pidfd])
        report.close()
        for fd in (*fds, pidfd, 0):
            os.close(fd)
        _, status = os.waitpid(first, 0)
    except BaseException as error:
        print(f"no jail: {error!r}", file=sys.stderr)
    os._exit(min(status, 255))


def _die_with_parent() -> None:
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)


def _jail(request: dict[str, Any]) -> Jail:
    allowed = cell(request["seconds"]) if request["kind"] == "cell" else NOTEBOOK
    hidden = [Path(folder) for folder in request["hidden"]]
    return Jail(request["slot"], allowed, hidden)


def _first(jail: Jail, kind: str, fds: Fds) -> None:
    """The first process of a jail: keep two pipes, drop everything else, lock, run."""
    try:
        _keep(fds[:2])
        jail.lock()
        _RUN[kind](FIRST_KEPT, FIRST_KEPT + 1)
    except SystemExit:
        pass
    except BaseException as error:
        os._exit(_told(error))
    os._exit(0)


def _told(error: BaseException) -> int:
    """Nobody listens inside a jail; the number alone comes out."""
    return 97 if isinstance(error, OSError) else 98


def _keep(fds: Fds) -> None:
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    for place, fd in enumerate(fds):
        os.dup2(fd, FIRST_KEPT + place)
    os.closerange(3, FIRST_KEPT)
    os.closerange(FIRST_KEPT + len(fds), 1024)


def _cell(reader: int, writer: int) -> None:
    from course_lib.grading.inside.cell import main as run

    run(reader, writer)


def _notebook(reader: int, writer: int) -> None:
    from course_lib.grading.inside.notebook import main as run

    run(reader, writer)


_RUN: dict[str, Callable[[int, int], None]] = {"cell": _cell, "notebook": _notebook}

if __name__ == "__main__":
    main()
