"""What a learner's object can do wrong, in one sentence each."""

import asyncio
from collections.abc import Callable

import pytest

from course_lib.exercises.attempt import Fault, LocalAttempt
from course_lib.exercises.exercise import define
from course_lib.exercises.recorder import Recorder


def fault(source: str, *given: object, name: str = "f") -> Fault:
    """Return the fault of calling a function defined by source text."""
    with pytest.raises(Fault) as caught:
        LocalAttempt(define(source, name, "<cell>"), name).call(*given)
    return caught.value


@pytest.mark.parametrize(
    ("source", "kind", "words"),
    [
        ("def f(): return {}[1]", "raised", "`f` raised KeyError: 1 (line 1 of your cell)."),
        (
            "def f():\n  x = 0\n  return 1 / x",
            "raised",
            "ZeroDivisionError: division by zero (line 3",
        ),
        ("def f():\n  import sys\n  sys.exit(3)", "raised", "`f` raised SystemExit: 3 (line 3"),
        ("def f(): return f()", "raised", "RecursionError"),
        ("def f(a): return a", "parameters", "missing 1 required positional argument: 'a'"),
        (
            "def f(): return len(3)",
            "raised",
            "TypeError: object of type 'int' has no len() (line 1",
        ),
        ("async def f(): return 1", "async", "write `def`, not `async def`"),
        ("def f(): return object()", "not plain", "returned an object of type object"),
        ("def f(): return float('nan')", "not plain", "the float nan"),
        ("def f(): return 10 ** 999", "not plain", "more than 64 bits"),
        ("def f(): return f", "not plain", "a function, not a value"),
        ("def f(): raise NotImplementedError", "not started", "still raises NotImplementedError"),
        ("def f(): yield 1", "not plain", "a generator"),
    ],
)
def test_fault(source: str, kind: str, words: str) -> None:
    """Each has its kind and a sentence with the learner's own line."""
    found = fault(source)
    assert found.kind == kind
    assert words in found.sentence
    assert found.sentence.endswith(".")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: 3.0, "a value of type float; pass `f` itself"),
        (lambda: asyncio.sleep(1), "a call; pass `f` itself, without brackets"),
        (lambda: object(), "cannot be called"),
    ],
)
def test_not_callable(make: Callable[[], object], words: str) -> None:
    """What is no function is named."""
    with pytest.raises(Fault) as caught:
        LocalAttempt(make(), "f").call()
    assert words in caught.value.sentence


def test_hostile_message() -> None:
    """An exception whose text cannot be made still gives a sentence."""
    source = "class E(Exception):\n  def __str__(self): raise ValueError\ndef f(): raise E"
    assert "cannot be shown" in fault(source).sentence


def test_long_message() -> None:
    """A long message is cut, and control characters are shown as escapes."""
    found = fault("def f(): raise ValueError('a' * 10**6)")
    assert len(found.sentence) < 300
    assert "\\x1b" in fault("def f(): raise ValueError(chr(27))").sentence


def test_arguments_are_copies() -> None:
    """The learner's code cannot change what the check holds."""
    given = [1, 2]
    assert LocalAttempt(define("def f(a):\n  a.clear()\n  return a", "f"), "f").call(given) == []
    assert given == [1, 2]


async def wait(source: str) -> object:
    """Wait for an async function defined by source text."""
    return await LocalAttempt(define(source, "f", "<cell>"), "f").wait()


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("def f(): return 1", "not async"),
        ("async def f(): return 1 / 0", "raised"),
        ("async def f(): return f", "not plain"),
        ("async def f():\n  async def g(): pass\n  return g()", "not plain"),
        ("async def f(): raise NotImplementedError", "not started"),
    ],
)
def test_async_fault(source: str, kind: str) -> None:
    """Async functions have the same faults, and one of their own."""
    with pytest.raises(Fault) as caught:
        asyncio.run(wait(source))
    assert caught.value.kind == kind


def test_async_answer() -> None:
    """An async function's answer comes back plain."""
    assert asyncio.run(wait("async def f(): return (1, 2)")) == [1, 2]


def test_missing_await_is_named() -> None:
    """A forgotten await is named as such."""
    with pytest.raises(Fault, match="an await is missing"):
        asyncio.run(wait("async def f():\n  async def g(): pass\n  return g()"))


COUNTER = """
class Counter:
    def __init__(self, start):
        self.value = start
    def up(self):
        self.value += 1
        return self.value
    async def later(self):
        return self.value
"""


def test_made() -> None:
    """An object of the learner's class keeps its state between calls; a missing method is named."""
    recorder = Recorder(LocalAttempt(define(COUNTER, "Counter"), "Counter"))
    made = recorder.make(5)
    assert [made.call("up"), made.call("up")] == [6, 7]
    assert asyncio.run(made.wait("later")) == 7  # type: ignore[arg-type]
    with pytest.raises(Fault, match="no method `down`"):
        made.call("down")
    assert recorder.answers[:3] == [6, 7, 7]


def test_a_hostile_object_is_left_alone() -> None:
    """Wrapping an object runs none of its code."""
    source = (
        "class F:\n  def __getattr__(self, name): raise SystemExit\n  def __call__(self): return 1"
    )
    made = define(source, "F")()  # type: ignore[operator]
    assert LocalAttempt(made, "f").call() == 1
