"""Any attempt with its answers written down, so that two behaviours can be held side by side.

Left out: what the learner's code did in the world; its answers are what counts.
"""

from course_lib.exercises.attempt import Attempt, Fault, Made
from course_lib.exercises.plain import same

__all__ = ["Recorder", "Unlike"]


class Unlike(BaseException):
    """An answer differs from the one that is wanted; there is no need to ask on."""


class Recorder:
    """Any attempt, with its answers written down: two objects with equal answers behaved alike.

    With `wanted` answers it raises Unlike at the first that differs.
    """

    def __init__(self, attempt: Attempt, wanted: list[object] | None = None) -> None:
        self.name, self._attempt, self._wanted = attempt.name, attempt, wanted
        self.answers: list[object] = []
        self.fault: Fault | None = None

    def note(self, answer: object) -> object:
        """Write an answer down (the first 10,000 of them); raise Unlike when another is wanted."""
        place = len(self.answers)
        if self._wanted is not None and not same(self._wanted[place : place + 1], [answer]):
            raise Unlike
        if place < 10_000:
            self.answers.append(answer)
        return answer

    def failed(self, fault: Fault) -> Fault:
        """Write a fault down; the first one is kept whole."""
        self.fault = self.fault or fault
        self.note(["fault", fault.kind, fault.error])
        return fault

    def call(self, *arguments: object) -> object:
        """Pass a call on, and write the answer down."""
        try:
            return self.note(self._attempt.call(*arguments))
        except Fault as fault:
            raise self.failed(fault) from None

    async def wait(self, *arguments: object) -> object:
        """Pass an async call on, and write the answer down."""
        try:
            return self.note(await self._attempt.wait(*arguments))
        except Fault as fault:
            raise self.failed(fault) from None

    def make(self, *arguments: object) -> Made:
        """Pass the making of an object on; its answers are written down here too."""
        try:
            return _RecordedMade(self, self._attempt.make(*arguments))
        except Fault as fault:
            raise self.failed(fault) from None


class _RecordedMade:
    def __init__(self, recorder: Recorder, made: Made) -> None:
        self._recorder, self._made = recorder, made

    def call(self, method: str, *arguments: object) -> object:
        try:
            return self._recorder.note(self._made.call(method, *arguments))
        except Fault as fault:
            raise self._recorder.failed(fault) from None

    async def wait(self, method: str, *arguments: object) -> object:
        try:
            return self._recorder.note(await self._made.wait(method, *arguments))
        except Fault as fault:
            raise self._recorder.failed(fault) from None
