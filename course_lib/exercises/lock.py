"""A lock between processes: two kernels that save their progress at once wait for one another.

The operating system's own file lock, so that it is gone with the process that held it. It is
asked for a hundred times in about a second, then the caller goes on without it. Left out:
fairness, and disks over a network that know no locks.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

__all__ = ["locked"]


@contextmanager
def locked(path: Path, tries: int = 100) -> Iterator[bool]:
    """Hold a lock on `path` inside the block; gives False when it could not be had; raises
    OSError for no access.
    """
    with path.open("a+b") as file:
        held = any(_try(file, number) for number in range(tries))
        try:
            yield held
        finally:
            if held:
                _release(file)


def _try(file: IO[bytes], number: int) -> bool:
    if number:
        time.sleep(0.01)
    try:
        _take(file)
    except OSError:
        return False
    return True


try:
    import fcntl

    def _take(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _release(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)

except ImportError:  # Windows
    import msvcrt

    def _take(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]

    def _release(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined]
