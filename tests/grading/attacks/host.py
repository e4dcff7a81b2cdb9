"""The host of an attack: what it could touch, and how one sees that it did."""

import hashlib
import os
import select
import socket
import threading
from contextlib import suppress
from pathlib import Path

from course_lib.grading.sandbox.boundary import COURSE

__all__ = ["Host", "Words", "bind_in"]

Words = dict[str, str]
SEEN = ("readable", "socket")
MARK = b"course-attack"
MACHINE = ("/etc/passwd", "/etc/ld.so.preload", "/proc/sys/kernel/core_pattern")


class Host:
    """A folder in which everybody may write, four sockets that listen, and the course's files."""

    def __init__(self, folder: Path, canary: str) -> None:
        self.folder, self.canary = folder, canary
        folder.mkdir()
        folder.chmod(0o777)
        (folder / "readable").write_text(f"{canary}\n")
        self._sockets = self._listen()
        self.port = self._sockets[0].getsockname()[1]
        self._called: set[str] = set()
        self._stop, self._stopped = os.pipe()
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()
        self._before = self._files()

    def _listen(self) -> list[socket.socket]:
        tcp = socket.create_server(("127.0.0.1", 0))
        port = tcp.getsockname()[1]
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", port))
        named, hidden = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        bind_in(self.folder, named, "socket")
        (self.folder / "socket").chmod(0o777)
        hidden.bind(f"\0course-attack-{port}")
        named.listen()
        hidden.listen()
        return [tcp, udp, named, hidden]

    def _answer(self) -> None:
        poll = select.poll()  # select knows no descriptor above 1,023
        watched = {one.fileno(): one for one in self._sockets}
        for number in (self._stop, *watched):
            poll.register(number, select.POLLIN)
        while True:
            ready = [number for number, _ in poll.poll()]
            for one in (watched[number] for number in ready if number != self._stop):
                self._called.add(f"the socket {one.getsockname()!r}")
                with suppress(OSError):
                    one.recv(1) if one.type == socket.SOCK_DGRAM else one.accept()[0].close()
            if ready == [self._stop]:
                return

    def _files(self) -> dict[str, str]:
        """Digests of the course's files, and which files of the machine bear an attack's mark."""
        paths = COURSE.rglob("*.py")
        digests = {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}
        return digests | {p: "marked" for p in MACHINE if MARK in _read(Path(p))}

    def touched(self) -> list[str]:
        """Return everything that was touched; empty when nothing was."""
        strange = sorted(path.name for path in self.folder.iterdir() if path.name not in SEEN)
        marks = [f"the file {name}" for name in strange]
        if (self.folder / "readable").read_text() != f"{self.canary}\n":
            marks.append("the file readable")
        changed = dict(self._files().items() ^ self._before.items())
        marks += [f"the file {path}" for path in sorted(changed)]
        marks += [f"a process {name}" for name in survivors(self.port)]
        return [*marks, *sorted(self._called)]

    def settle(self) -> None:
        """Answer whoever has called, and then nobody else."""
        if self._thread.is_alive():
            os.write(self._stopped, b".")
            self._thread.join()

    def close(self) -> None:
        """Stop listening."""
        self.settle()
        for one in self._sockets:
            one.close()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def survivors(port: int) -> list[str]:
    """Return the processes of this machine that call themselves survivors of this host."""
    found = []
    for path in Path("/proc").glob("[0-9]*/comm"):
        with suppress(OSError):
            if path.read_text().strip() == f"survivor{port}":
                found.append(path.parent.name)
    return found


def bind_in(folder: Path, one: socket.socket, name: str) -> None:
    """Bind a socket to a name in a folder; the folder's own name may be longer than 107 bytes."""
    handle = os.open(folder, os.O_PATH)
    try:
        one.bind(f"/proc/self/fd/{handle}/{name}")
    finally:
        os.close(handle)
