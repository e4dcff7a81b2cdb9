"""Ctrl-C, or a notebook's interrupt, while a virtual loop runs.

KeyboardInterrupt may come between any two instructions. In a program's code that is as it should
be; in the loop's own code it could lose a callback that was just taken from the queue, and with it
the task that waits for it. So there it waits for the end of the round.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["interrupts_wait_in"]


@contextmanager
def interrupts_wait_in(file: str, note: Callable[[], None]) -> Iterator[None]:
    """Call `note` for an interrupt that comes while code of `file` runs; others are raised."""
    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if not ours:  # a thread, or somebody else's handler; or the loop is inside another one
        yield
        return

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        if frame is None or frame.f_code.co_filename != file:
            signal.default_int_handler(number, frame)
        note()

    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
