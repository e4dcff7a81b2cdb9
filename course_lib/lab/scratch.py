"""A folder in memory for the files of this process's worlds, where there is room for one.

It goes when the process ends. A process that is killed leaves its folder behind; the next one that
needs a folder removes it. Who lives holds a lock on its own, which the system lets go of with it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

__all__ = ["folder"]

MEMORY, ENOUGH = "/dev/shm", 2**28  # bytes; a container's is often smaller, and soon full
PREFIX = "course-worlds-"
YOUNG = 60.0  # seconds: a folder that was just made may not be locked yet


def folder() -> str | None:
    """The folder of this process, or None for the usual place of temporary files."""
    path = _of_process(os.getpid())
    if path is not None and not os.path.isdir(path):  # somebody has tidied up
        _of_process.cache_clear()
        path = _of_process(os.getpid())
    return path


@cache
def _of_process(number: int) -> str | None:
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ENOUGH:
        return None
    remove_abandoned(Path(MEMORY))
    path = tempfile.mkdtemp(prefix=PREFIX, dir=MEMORY)
    _lock(Path(path))
    atexit.register(_remove, path, number)
    return path


def _remove(path: str, number: int) -> None:
    if os.getpid() == number:  # and not a child that was forked later
        shutil.rmtree(path, ignore_errors=True)


def remove_abandoned(place: Path) -> None:
    """Remove the folders whose processes are gone; others' are not ours to open."""
    for left in place.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > YOUNG:
                held = _lock(left)
                shutil.rmtree(left, ignore_errors=True)
                os.close(held)


def _lock(path: Path) -> int:
    """Lock a folder for as long as the returned file is open; OSError if somebody else has."""
    import fcntl  # not on Windows, which has no such place either

    opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(opened)
        raise
    return opened
