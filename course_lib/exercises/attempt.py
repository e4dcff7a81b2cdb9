"""An attempt: the learner's object as a check sees it, something to call and nothing to look
into.

A check calls it with plain values and handles of a world (a Redis client, a clock), and gets
plain values back. Here the object lives in this process; a judge can put a proxy with the same
three methods in its place. Whatever the object does wrong becomes a `Fault` with one sentence.
Left out: time limits (see timebox).
"""

import inspect
import sys
from collections.abc import Awaitable
from pathlib import Path
from types import FunctionType, TracebackType
from typing import Protocol, TypeGuard

from course_lib.exercises.plain import NotPlain, plain, shown
from course_lib.exercises.text import printable

__all__ = [
    "Attempt",
    "Fault",
    "LocalAttempt",
    "LocalMade",
    "Made",
    "spoken",
]

COURSE = str(Path(__file__).resolve().parents[1])


class Fault(Exception):
    """The learner's object gave no answer; `sentence` says why, `kind` is a word for programs,
    `call` what was asked.
    """

    def __init__(self, kind: str, sentence: str, call: str = "", error: str = "") -> None:
        super().__init__(sentence)
        self.kind, self.sentence, self.call, self.error = kind, sentence, call, error


class Made(Protocol):
    """An object that the learner's class has made."""

    def call(self, method: str, *arguments: object) -> object: ...
    async def wait(self, method: str, *arguments: object) -> object: ...


class Attempt(Protocol):
    """The learner's function or class: `call` a plain one, `wait` for an async one, `make` an
    object of a class.
    """

    name: str

    def call(self, *arguments: object) -> object: ...
    async def wait(self, *arguments: object) -> object: ...
    def make(self, *arguments: object) -> Made: ...


def spoken(name: str, arguments: tuple[object, ...]) -> str:
    """Return a call in words: `spoken("f", (1, 2.0))` -> `"f(1, 2.0)"`; handles of a world show
    as their type.
    """
    return f"{name}({', '.join(_word(argument) for argument in arguments)})"


def _word(argument: object) -> str:
    try:
        return shown(plain(argument))
    except NotPlain:
        return str(getattr(argument, "spoken", type(argument).__name__.lower()))


def _handed(argument: object) -> object:
    """A plain argument is copied, so that the learner's code cannot change the check's own."""
    try:
        return plain(argument)
    except NotPlain:
        return argument


class _Callable:
    """Calls one callable of the learner and turns all that can go wrong into faults."""

    def __init__(self, target: object, name: str, home: str | None) -> None:
        self.target, self.name, self.home = target, name, home

    def start(self, arguments: tuple[object, ...]) -> object:
        """Call it, and return what it returns, unchecked."""
        if not callable(self.target):
            raise Fault("not callable", _not_callable(self.name, self.target))
        try:
            return self.target(*[_handed(argument) for argument in arguments])
        except BaseException as error:
            raise self.fault(error, arguments) from None

    def call(self, arguments: tuple[object, ...]) -> object:
        """Call a plain function and return its plain answer."""
        value = self.start(arguments)
        if _awaitable(value):
            _close(value)
            sentence = f"`{self.name}` is an async function here: write `def`, not `async def`."
            raise Fault("async", sentence, spoken(self.name, arguments))
        return self.answer(value, arguments)

    async def wait(self, arguments: tuple[object, ...]) -> object:
        """Call an async function, wait, and return its plain answer."""
        value = self.start(arguments)
        if not _awaitable(value):
            sentence = f"`{self.name}` is a plain function here: write `async def`, not `def`."
            raise Fault("not async", sentence, spoken(self.name, arguments))
        return self.answer(await self._awaited(value, arguments), arguments)

    async def _awaited(self, value: Awaitable[object], arguments: tuple[object, ...]) -> object:
        try:
            return await value
        except BaseException as error:
            raise self.fault(error, arguments) from None

    def answer(self, value: object, arguments: tuple[object, ...]) -> object:
        """Return the answer as a plain value."""
        try:
            return plain(value)
        except NotPlain as what:
            _close(value)
            call = spoken(self.name, arguments)
            raise Fault("not plain", f"`{self.name}` returned {what}.", call) from None

    def fault(self, error: BaseException, arguments: tuple[object, ...]) -> BaseException:
        """Return the fault for an exception; interrupts and signals of the lab pass through."""
        if isinstance(error, KeyboardInterrupt) or _of_the_lab(error):
            return error
        call = spoken(self.name, arguments)
        if isinstance(error, NotImplementedError):
            return Fault("not started", f"`{self.name}` still raises NotImplementedError.", call)
        if isinstance(error, TypeError) and _at_the_call(error.__traceback__):
            return Fault(
                "parameters", f"`{call}` does not fit its parameters: {_message(error)}.", call
            )
        kind = type(error).__name__
        where = _line(error.__traceback__, self.home)
        said = f": {_message(error)}" if _message(error) else ""
        return Fault("raised", f"`{self.name}` raised {kind[:60]}{said}{where}.", call, error=kind)


def _of_the_lab(error: BaseException) -> bool:
    """Deadlocks, spent budgets and cancellations are raised by the lab's loop, not by the
    learner.
    """
    name = f"{type(error).__module__}.{type(error).__name__}"
    return name.startswith("course_lib.lab.") or name == "asyncio.exceptions.CancelledError"


def _at_the_call(traceback: TracebackType | None) -> bool:
    """Whether the error arose at the call itself, before any line of the learner's code ran."""
    return traceback is not None and traceback.tb_next is None


def _message(error: BaseException) -> str:
    try:
        text = printable(str(error)).replace("\n", " ").strip()
    except Exception:
        return "(its message cannot be shown)"
    return (text if len(text) <= 200 else text[:196] + " ...").rstrip(".")


def _line(traceback: TracebackType | None, home: str | None) -> str:
    """Return " (line 3 of your cell)" for the innermost line of the learner's own code."""
    found = 0
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file == home or (home is None and not file.startswith((COURSE, sys.prefix))):
            found = traceback.tb_lineno
        traceback = traceback.tb_next
    return f" (line {found} of your cell)" if found else ""


def _not_callable(name: str, target: object) -> str:
    if inspect.iscoroutine(target):
        target.close()
        return f"You passed `{name}(...)`, a call; pass `{name}` itself, without brackets."
    if type(target) in (bool, int, float, str, list, tuple, dict):
        kind = type(target).__name__
        return f"You passed a value of type {kind}; pass `{name}` itself, without calling it."
    kind = type(target).__name__
    return (
        f"You passed an object of type {kind[:60]}, which cannot be called; pass `{name}` itself."
    )


def _close(value: object) -> None:
    if inspect.iscoroutine(value):
        value.close()


def _home(target: object) -> str | None:
    """Return the file (a cell's own name) where a function or class was defined; runs nothing of
    the learner's.
    """
    kind = target if isinstance(target, type) else type(target)
    for part in (target, *vars(kind).values()):
        if isinstance(part, FunctionType):
            return part.__code__.co_filename
    return None


def _awaitable(value: object) -> TypeGuard[Awaitable[object]]:
    try:
        return inspect.isawaitable(value)
    except Exception:  # a class of the learner's may refuse even this question
        return False


class LocalAttempt:
    """The learner's object in this process: `LocalAttempt(retry_after, "retry_after").call(1.0,
    2.0, 5, 3)`.
    """

    def __init__(self, target: object, name: str) -> None:
        self.name = name
        self._callable = _Callable(target, name, _home(target))

    def call(self, *arguments: object) -> object:
        """Call a plain function with plain values or handles; return a plain value or raise
        Fault.
        """
        return self._callable.call(arguments)

    async def wait(self, *arguments: object) -> object:
        """Call an async function and wait for its plain answer, or raise Fault."""
        return await self._callable.wait(arguments)

    def make(self, *arguments: object) -> Made:
        """Make an object of the learner's class, or raise Fault."""
        made = self._callable.start(arguments)
        if _awaitable(made):
            _close(made)
            raise Fault("async", f"`{self.name}` must be a class, not an async function.")
        return LocalMade(made, self._callable.home)


class LocalMade:
    """An object that the learner's class has made, in this process."""

    def __init__(self, target: object, home: str | None) -> None:
        self._target, self._home = target, home

    def _method(self, method: str) -> _Callable:
        try:
            found = getattr(self._target, method)
        except Exception:
            kind = type(self._target).__name__
            raise Fault(
                "method", f"An object of type {kind[:60]} has no method `{method}`."
            ) from None
        return _Callable(found, method, self._home)

    def call(self, method: str, *arguments: object) -> object:
        """Call a plain method."""
        return self._method(method).call(arguments)

    async def wait(self, method: str, *arguments: object) -> object:
        """Call an async method and wait for its answer."""
        return await self._method(method).wait(arguments)
