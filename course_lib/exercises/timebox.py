"""A time box: code that does not end is stopped, and the kernel goes on.

A watchdog thread raises `TimeUp` inside the running code (an asynchronous exception), again and
again, because the code may swallow it: `while True: try: work() except: pass`. So each TimeUp
also arms a trace function in the learner's frames when it is made and when it dies, and that
raises at the very next line, in the handler or after it. On Unix, SIGALRM wakes code that sleeps
in the operating system. Works on every platform and in every thread.

Left out, because Python cannot: one long call into C code, such as `sum(range(10**12))`. It ends
when it ends; then it is reported as `held`. Code that sets its own trace function, or calls
itself from hundreds of bare handlers, is not chased. This is the one module of the course that
reads the real clock.
"""

import ctypes
import signal
import sys
import threading
import time
from asyncio import events
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

__all__ = ["Overtime", "TimeUp", "limited"]

T = TypeVar("T")
EVERY = 0.002  # seconds between two strikes
OURS = (str(Path(__file__).resolve().parents[1]), str(Path(threading.__file__).parent), sys.prefix)
_open: dict[int, "_Watch"] = {}


class Overtime(Exception):
    """The limit (in seconds) is over; `held` says that one call into C code kept everything
    waiting.
    """

    def __init__(self, limit: float, held: bool) -> None:
        super().__init__(f"stopped after {limit:g} s")
        self.limit, self.held = limit, held


class TimeUp(KeyboardInterrupt):
    """Raised in code that is over its limit; a KeyboardInterrupt, so that asyncio lets it
    through.
    """

    def __init__(self) -> None:
        super().__init__("time is up")
        _arm()

    def __del__(self) -> None:
        _arm()


class _Taken(TimeUp):
    """A strike that hits nobody."""


def limited(work: Callable[[], T], limit: float) -> T:
    """Return `work()`, or raise Overtime when it takes more than `limit` seconds:
    `limited(lambda: 1, 5.0)` -> `1`.
    """
    watch, loop = _Watch(limit), events._get_running_loop()
    handler = _wakeable()
    _open[watch.thread] = watch
    try:
        return _boxed(work, watch)
    except TimeUp:
        # A strike that was under way when the first one was caught.
        watch.over = True
        watch.calm()
        raise Overtime(limit, watch.held()) from None
    finally:
        _open.pop(watch.thread, None)
        events._set_running_loop(loop)
        if handler is not None:
            signal.signal(signal.SIGALRM, handler)


def _boxed(work: Callable[[], T], watch: "_Watch") -> T:
    try:
        watch.start()
        value = work()
        if watch.late():
            raise TimeUp
        watch.stop()
        return value
    except TimeUp:
        # First of all: from this line on no further strike begins.
        watch.over = True
        watch.calm()
        raise Overtime(watch.limit, watch.held()) from None
    finally:
        watch.calm()


class _Watch(threading.Thread):
    """Waits for the limit, then strikes until it is told to stop."""

    def __init__(self, limit: float) -> None:
        super().__init__(daemon=True, name="time box")
        self.limit, self.thread, self.trace = limit, threading.get_ident(), sys.gettrace()
        self.over, self.strikes, self.began = False, 0, time.monotonic()
        self.woke = self.struck = 0.0
        self.done, self.lock = threading.Event(), threading.Lock()

    def run(self) -> None:
        due = not self.done.wait(self.limit)
        self.woke = self.late()
        while due and not self.done.wait(EVERY):
            with self.lock:
                if not self.over:
                    self.strike()

    def strike(self) -> None:
        """Raise TimeUp in the watched thread; first wait for a moment outside the course's own
        code.
        """
        self.strikes += 1
        if self.strikes < 25 and _inside_ours(sys._current_frames().get(self.thread)):
            return
        self.struck = self.struck or time.monotonic()
        _raise_in(self.thread, TimeUp)
        main = threading.main_thread().ident == self.thread
        if main and self.strikes % 10 == 0 and hasattr(signal, "pthread_kill"):
            signal.pthread_kill(self.thread, signal.SIGALRM)

    def stop(self) -> None:
        """No strike lands after this; a strike may land during it."""
        self.over = True
        self.done.set()
        with self.lock:
            struck = self.struck
        if struck:
            _take_strike(self.thread)
        sys.settrace(self.trace)

    def calm(self) -> None:
        """Stop, whatever still lands meanwhile."""
        for _ in range(3):
            try:
                return self.stop()
            except TimeUp:
                continue

    def late(self) -> float:
        """The seconds since the limit, 0.0 before it."""
        return max(0.0, time.monotonic() - self.began - self.limit)

    def held(self) -> bool:
        """Whether the code went on for long after it was struck, or could not be, as in a call
        into C.
        """
        since = time.monotonic() - self.struck if self.struck else self.late()
        return max(since, self.woke) > 0.5


def _raise_in(thread: int, error: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))


def _take_strike(thread: int) -> None:
    """Let a strike that has not landed yet land here, or another one in its place.

    To clear it is not enough: CPython 3.11 then goes on looking for it, and a call under a trace
    function, a debugger's or ours, never gets past its first instruction.
    """
    with suppress(_Taken):
        _raise_in(thread, _Taken)
        for _ in range(1000):
            pass


def _inside_ours(frame: FrameType | None) -> bool:
    return frame is not None and frame.f_code.co_filename.startswith(OURS)


def _wakeable() -> Any:
    """Let SIGALRM wake a sleeping main thread; return the handler to put back, or None where
    there is none.
    """
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        return None
    old = signal.getsignal(signal.SIGALRM)
    signal.signal(signal.SIGALRM, lambda number, frame: None)
    return signal.SIG_DFL if old is None else old


def _arm() -> None:
    """Make the next line of the learner's code raise TimeUp again, while this thread's box is
    over its limit.
    """
    watch = _open.get(threading.get_ident())
    if watch is None or watch.over or not watch.strikes:
        return
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code is not _boxed.__code__:
        if not _inside_ours(frame):
            frame.f_trace = _next_line
        frame = frame.f_back
    sys.settrace(_next_call)


def _next_call(frame: FrameType, event: str, argument: object) -> Any:
    return None if _inside_ours(frame) else _next_line


def _next_line(frame: FrameType, event: str, argument: object) -> Any:
    watch = _open.get(threading.get_ident())
    if event == "line" and watch is not None and not watch.over:
        raise TimeUp
    return _next_line
