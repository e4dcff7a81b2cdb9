"""The judge's way to the zygote: one request opens one jail; letting go of its leash ends it."""

import json
import os
import socket
from typing import Any

from course_lib.grading.protocol.channel import Channel
from course_lib.grading.sandbox.limits import CELL, cell

__all__ = ["Jails"]


class Jails:
    """Opens jails over the zygote's socket, each for a user number of its own."""

    def __init__(self, control: socket.socket, hidden: list[str], first_slot: int) -> None:
        self._control, self._hidden = control, hidden
        self._slot, self._leashes = first_slot, list[int]()

    def open(self, kind: str, seconds: float = CELL.wall) -> tuple[int, int]:
        """Start a jail; return what it writes to us, and where we write to it.

        `seconds` of real time for one cell; a whole notebook has a time of its own.
        """
        their_in, our_out = os.pipe()
        our_in, their_out = os.pipe()
        their_leash, leash = os.pipe()
        self._slot += 1
        hidden = self._hidden if kind == "cell" else []
        request: dict[str, Any] = {"kind": kind, "slot": self._slot % 4000, "hidden": hidden}
        request["seconds"] = seconds
        theirs = [their_in, their_out, their_leash]
        socket.send_fds(self._control, [json.dumps(request).encode()], theirs)
        for fd in theirs:
            os.close(fd)
        self._leashes += [our_in, our_out, leash]
        return our_in, our_out

    def channel(self, seconds: float = CELL.wall) -> Channel:
        """Start a jail for one cell and return the wire to it, for so many seconds of real time."""
        return Channel(*self.open("cell", seconds), seconds, cell(seconds).cpu)

    def let_go(self) -> None:
        """End all jails that were opened here."""
        for fd in self._leashes:
            os.close(fd)
        self._leashes = []

    def skip(self, count: int) -> None:
        """Leave out the users of jails that were opened in another process."""
        self._slot += count

    @property
    def slot(self) -> int:
        """The last slot that was used."""
        return self._slot
