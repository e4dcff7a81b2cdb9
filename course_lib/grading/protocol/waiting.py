"""Waiting for a pipe, whatever its number: `select` knows no descriptor above 1,023."""

import select

__all__ = ["readable", "writable"]


def readable(fd: int, seconds: float) -> bool:
    """Whether there is something to read, or an end, within `seconds`."""
    return _ready(fd, select.POLLIN, seconds)


def writable(fd: int, seconds: float) -> bool:
    """Whether something can be written, or nobody reads any more, within `seconds`."""
    return _ready(fd, select.POLLOUT, seconds)


def _ready(fd: int, event: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(fd, event)
    return bool(poll.poll(max(0.0, seconds) * 1000))
