"""The time box. The one test module whose subject is real time."""

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from textwrap import indent

import pytest

from course_lib.exercises.exercise import define
from course_lib.exercises.timebox import Overtime, limited


@pytest.fixture(autouse=True)
def quiet_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    """A strike may land in pytest's own hook for errors that nobody can catch; give it none."""
    monkeypatch.setattr(sys, "unraisablehook", lambda *_: None)


LIMIT = 0.1
ENDLESS = {
    "loop": """
while True: pass""",
    "swallows Exception": """
while True:
    try: x = 1 / 0
    except Exception: pass""",
    "bare except inside": """
while True:
    try:
        while True: pass
    except: pass""",
    "bare except twice": """
while True:
    try:
        try:
            while True: pass
        except: pass
        while True: pass
    except: pass""",
    "BaseException": """
while True:
    try:
        for i in range(10 ** 6): pass
    except BaseException as e: continue
    finally: pass""",
    "generator": """
def g():
    while True: yield 1
while True:
    try:
        for _ in g(): pass
    except: pass""",
    "recursion": """
def g(n):
    try: return g(n + 1)
    except RecursionError: return g(0)
while True: g(0)""",
    "library": """
import json
while True:
    try: json.dumps(list(range(100)))
    except: pass""",
}


def endless(body: str) -> Callable[[], None]:
    """Return a function with this body."""
    made: Callable[[], None]
    made = define("def f():" + indent(body, "    "), "f", "<cell>")  # type: ignore[assignment]
    return made


@pytest.mark.parametrize("body", ENDLESS.values(), ids=ENDLESS.keys())
def test_stopped(body: str) -> None:
    """Code without an end is stopped soon after its limit, even when it swallows what stops it."""
    began = time.monotonic()
    with pytest.raises(Overtime):
        limited(endless(body), LIMIT)
    assert time.monotonic() - began < LIMIT + 30
    assert sum(range(100_000)) == 4_999_950_000  # nothing lands after the box is closed


@pytest.mark.parametrize("body", [ENDLESS["loop"], ENDLESS["bare except inside"]])
def test_any_thread(body: str) -> None:
    """It works outside the main thread too."""
    caught: list[BaseException] = []

    def work() -> None:
        try:
            limited(endless(body), LIMIT)
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert [type(error) for error in caught] == [Overtime]


def test_async() -> None:
    """A coroutine that never yields is stopped, and the loop around stays in order."""

    async def main() -> str:
        def inner() -> None:
            endless(ENDLESS["loop"])()

        with pytest.raises(Overtime):
            limited(inner, LIMIT)
        await asyncio.sleep(0)
        return "goes on"

    assert asyncio.run(main()) == "goes on"


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="only Unix can wake a sleeper")
def test_sleeper() -> None:
    """A sleep in the operating system is woken."""
    began = time.monotonic()
    with pytest.raises(Overtime):
        limited(lambda: time.sleep(30), LIMIT)
    assert time.monotonic() - began < 5


def test_call_into_c() -> None:
    """A long call into C cannot be stopped; it is reported as what it is."""
    with pytest.raises(Overtime) as over:
        limited(lambda: sum(range(6 * 10**7)), 0.05)
    assert over.value.held


def test_in_time() -> None:
    """Work within its limit gives its value, and leaves trace function and signal handler as they
    were.
    """
    trace = sys.gettrace()
    handler = signal.getsignal(signal.SIGALRM) if hasattr(signal, "SIGALRM") else None
    assert limited(lambda: 41 + 1, 5.0) == 42
    assert sys.gettrace() is trace
    if handler is not None:
        assert signal.getsignal(signal.SIGALRM) == handler


def test_errors_pass() -> None:
    """An exception of the work is the caller's."""
    with pytest.raises(ZeroDivisionError):
        limited(lambda: 1 / 0, 5.0)


def test_interrupt_passes() -> None:
    """An interrupt by the user is not taken for the limit."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        limited(interrupted, 5.0)
    assert type(caught.value) is KeyboardInterrupt


MANY = """
import threading, time
from contextlib import suppress
from course_lib.exercises.timebox import Overtime, limited
for _ in range(200):
    with suppress(Overtime):
        limited(lambda: time.sleep(0.001), 0.001)
time.sleep(0.02)
assert not [thread for thread in threading.enumerate() if thread.name == "time box"]
"""


def test_many() -> None:
    """Limits that fall on the very end of the work leave nothing behind: 200 boxes in a row.

    In a process of its own, so that a strike that escaped could not hit the test runner.
    """
    subprocess.run([sys.executable, "-c", MANY], check=True, timeout=120)


TRACED = """
import sys
from contextlib import suppress
from course_lib.exercises.timebox import Overtime, limited

def forever():
    while True:
        pass

for work, limit in ((lambda: 1, 60.0), (forever, 0.05)):
    with suppress(Overtime):
        limited(work, limit)
    sys.settrace(lambda *seen: None)
    (lambda: 2)()
    sys.settrace(None)
"""


def test_debugger_afterwards() -> None:
    """After a box, kept or broken, a call under a trace function comes to its end.

    In a process of its own, for such a call could not be interrupted.
    """
    subprocess.run([sys.executable, "-c", TRACED], check=True, timeout=120)
