"""An attempt in another process: what a check calls instead of the learner's object itself.

The same three methods as `LocalAttempt`, so every check works with either. Left out: the session
behind it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from course_lib.exercises.attempt import Fault, Made, spoken
from course_lib.grading.protocol.session import Session

__all__ = ["RemoteAttempt"]


class RemoteAttempt:
    """The learner's function or class at the other end of a session."""

    def __init__(self, session: Session, name: str) -> None:
        self.name, self._session = name, session

    def call(self, *arguments: object) -> object:
        """Call a plain function; return a plain value or raise Fault."""
        with _called(self.name, arguments):
            return self._session.call(0, "", arguments)

    async def wait(self, *arguments: object) -> object:
        """Call an async function and wait for its plain answer, or raise Fault."""
        with _called(self.name, arguments):
            return await self._session.wait(0, "", arguments)

    def make(self, *arguments: object) -> Made:
        """Make an object of the learner's class, or raise Fault."""
        with _called(self.name, arguments):
            return _RemoteMade(self._session, self._session.make(arguments))


class _RemoteMade:
    def __init__(self, session: Session, number: int) -> None:
        self._session, self._number = session, number

    def call(self, method: str, *arguments: object) -> object:
        with _called(method, arguments):
            return self._session.call(self._number, method, arguments)

    async def wait(self, method: str, *arguments: object) -> object:
        with _called(method, arguments):
            return await self._session.wait(self._number, method, arguments)


@contextmanager
def _called(name: str, arguments: tuple[object, ...]) -> Iterator[None]:
    """Write into a fault what was asked; the judge says it, not the learner's process."""
    try:
        yield
    except Fault as fault:
        if fault.kind in ("async", "not async", "not plain", "not started", "parameters", "raised"):
            fault.call = spoken(name, arguments)
        raise
