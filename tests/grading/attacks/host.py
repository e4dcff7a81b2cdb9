"""The host of an attack: what it could touch, and how one sees that it did."""

import hashlib
import os
import select
import socket
import threading
from contextlib import suppress
from pathlib import Path

from course_lib.grading.sandbox.boundary import COURSE

__all__ = ["Host", "Words"]

Words = dict[str, str]
SEEN = ("readable", "socket")


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
        here = os.getcwd()
        os.chdir(self.folder)  # a socket's name may be no longer than 107 bytes
        named.bind("socket")
        os.chdir(here)
        (self.folder / "socket").chmod(0o777)
        hidden.bind(f"\0course-attack-{port}")
        named.listen()
        hidden.listen()
        return [tcp, udp, named, hidden]

    def _answer(self) -> None:
        while True:
            ready, _, _ = select.select([self._stop, *self._sockets], [], [])
            if self._stop in ready:
                return
            for one in ready:
                self._called.add(f"the socket {one.getsockname()!r}")
                with suppress(OSError):
                    one.recv(1) if one.type == socket.SOCK_DGRAM else one.accept()[0].close()

    def _files(self) -> dict[str, str]:
        """Digests of what an attack may want to change: sources and settings of the machine."""
        paths = [*COURSE.rglob("*.py"), Path("/etc/passwd"), Path("/etc/ld.so.preload")]
        paths += [Path("/proc/sys/kernel/core_pattern"), Path("/proc/sys/kernel/hostname")]
        return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths if p.exists()}

    def touched(self) -> list[str]:
        """Return everything that was touched; empty when nothing was."""
        strange = sorted(path.name for path in self.folder.iterdir() if path.name not in SEEN)
        marks = [f"the file {name}" for name in strange]
        if (self.folder / "readable").read_text() != f"{self.canary}\n":
            marks.append("the file readable")
        after = self._files()
        marks += [f"the file {p}" for p in sorted(after) if after[p] != self._before.get(p)]
        marks += [f"a process {name}" for name in survivors()]
        return [*marks, *sorted(self._called)]

    def close(self) -> None:
        """Stop listening."""
        os.write(self._stopped, b".")
        self._thread.join()
        for one in self._sockets:
            one.close()


def survivors() -> list[str]:
    """Return the processes of this machine that call themselves survivor."""
    found = []
    for path in Path("/proc").glob("[0-9]*/comm"):
        with suppress(OSError):
            if path.read_text().strip() == "survivor":
                found.append(path.parent.name)
    return found
