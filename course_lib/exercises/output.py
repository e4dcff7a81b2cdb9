"""What the learner's code prints while it is checked: kept out of the way, and only the beginning
of it.

A check calls the code thousands of times, so a forgotten `print` must not flood the notebook.
Left out: output that does not go through `sys.stdout` or `sys.stderr`.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

__all__ = ["Capped", "captured"]

MOST, LINES = 1_000, 10


class Capped(io.TextIOBase):
    """A text stream that keeps the first 1,000 characters: `Capped().write("a" * 5000)` keeps
    1,000 of them.
    """

    def __init__(self) -> None:
        self._kept, self._more = "", False

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def write(self, text: str) -> int:
        """Keep what still fits; the rest is forgotten."""
        room = MOST - len(self._kept)
        self._more = self._more or len(text) > room
        self._kept += text[:room]
        return len(text)

    def text(self) -> str:
        """Return what was kept, at most ten lines, with a last line when there was more."""
        lines = self._kept.splitlines()
        more = self._more or len(lines) > LINES
        return "\n".join([*lines[:LINES], *(["(more output was left out)"] if more else [])])


@contextmanager
def captured() -> Iterator[Capped]:
    """Catch what is printed inside the block."""
    kept = Capped()
    with redirect_stdout(kept), redirect_stderr(kept):
        yield kept
