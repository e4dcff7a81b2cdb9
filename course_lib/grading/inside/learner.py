"""The learner's process: it reads one message, runs the learner's code as far as it goes, replies.

Calls go through the same `LocalAttempt` as in a notebook, so a mistake reads the same. Left out:
judging, of any kind.
"""

import asyncio
import os
from typing import Any

from course_lib.exercises.attempt import Fault, LocalAttempt, LocalMade
from course_lib.grading.inside.handles import Doubles
from course_lib.grading.inside.lines import Lines
from course_lib.grading.inside.loop import LockstepLoop
from course_lib.grading.protocol.values import decode, encode
from course_lib.lab import ProcessDied, StepBudgetExceeded

__all__ = ["Learner"]

Message = dict[str, Any]


class Learner:
    """Serves one judge until the wire closes."""

    def __init__(self, lines: Lines, attempt: LocalAttempt) -> None:
        self._lines, self._attempt = lines, attempt
        self._doubles = Doubles(self)
        self._made: dict[int, LocalMade] = {}
        self._events: list[list[Any]] = []
        self._numbers = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._loop: LockstepLoop | None = None
        self._epoch = 0
        self._next: Message | None = None

    def serve(self, message: Message) -> None:
        """Answer messages for ever; each new epoch gets a loop of its own."""
        while True:
            if message["epoch"] == 0:
                self._apply(message)
                message = self._reply(None)
            else:
                message = self._live(message)

    def _live(self, message: Message) -> Message:
        """Run one loop until a message of another epoch comes, and return that message."""
        self._epoch, self._next = message["epoch"], message
        self._loop = loop = LockstepLoop(self._quiet)
        loop.set_exception_handler(_ignore)
        self._waiting, self._tasks, self._events = {}, {}, []
        while self._loop is not None:
            try:
                loop.run_forever()
            except StepBudgetExceeded:
                loop.step_budget += 1_000
                self._lines.send({"busy": True})
                self._next = self._lines.receive()
        loop._choose = None
        loop.end()
        self._events = []
        assert self._next is not None
        return self._next

    def _quiet(self) -> None:
        """Nothing is ready: report what happened, and take in what happens next."""
        message, self._next = self._next, None
        if message is None:
            assert self._loop is not None
            message = self._reply(self._loop.next_timer)
        if message["epoch"] != self._epoch:
            self._next, loop, self._loop = message, self._loop, None
            assert loop is not None
            loop.stop()
        else:
            self._apply(message)

    def _reply(self, timer: float | None) -> Message:
        events, self._events = self._events, []
        self._lines.send({"events": events, "next": timer})
        return self._lines.receive()

    def _apply(self, message: Message) -> None:
        if self._loop is not None:
            self._loop.move_to(message["t"])
        for op, *rest in message["do"]:
            getattr(self, f"_do_{op}")(*rest)

    # What the judge says

    def _do_call(self, number: int, mode: str, made: int, method: str, given: list[Any]) -> None:
        arguments = [decode(form, self._doubles.of) for form in given]
        if mode == "wait":
            assert self._loop is not None
            work = self._wait(number, made, method, arguments)
            self._tasks[number] = self._loop.create_task(work)
            return
        try:
            if mode == "make":
                self._made[number] = self._attempt.make(*arguments)  # type: ignore[assignment]
                self._say(["done", number, None])
            else:
                self._say(["done", number, encode(self._call(made, method, arguments))])
        except (Fault, ProcessDied) as error:
            self._say(_event(number, error))

    def _call(self, made: int, method: str, arguments: list[Any]) -> object:
        if made:
            return self._made[made].call(method, *arguments)
        return self._attempt.call(*arguments)

    async def _wait(self, number: int, made: int, method: str, arguments: list[Any]) -> None:
        target = self._made[made].wait(method, *arguments) if made else None
        try:
            answer = await (target or self._attempt.wait(*arguments))
            self._say(["done", number, encode(answer)])
        except (Fault, ProcessDied) as error:
            self._say(_event(number, error))

    def _do_cancel(self, number: int) -> None:
        task = self._tasks.pop(number, None)
        if task is not None:
            task.cancel()

    def _do_answer(self, number: int, form: Any) -> None:
        value = decode(form, self._doubles.of)
        future = self._waiting.pop(number, None)
        if future is None or future.done():
            return
        if isinstance(value, Exception):
            future.set_exception(value)
        else:
            future.set_result(value)

    def _do_died(self, number: int) -> None:
        future = self._waiting.pop(number, None)
        if future is not None and not future.done():
            future.set_exception(ProcessDied("the node died"))

    def _say(self, event: list[Any]) -> None:
        self._events.append(event)

    # What the learner's code does, through the doubles of handles

    def ask(self, handle: int, payload: Any) -> Any:
        """Ask the judge something that it answers at once."""
        self._lines.send({"ask": [handle, encode(payload, self._doubles.refer)]})
        value = decode(self._lines.receive()["told"], self._doubles.of)
        if isinstance(value, Exception):
            raise value
        return value

    async def effect(self, handle: int, payload: Any) -> Any:
        """Ask the judge for an effect, and wait for its answer."""
        loop = asyncio.get_running_loop()
        self._numbers += 1
        number = self._numbers
        self._waiting[number] = future = loop.create_future()
        self._say(["effect", number, handle, encode(payload, self._doubles.refer)])
        try:
            return await future
        except asyncio.CancelledError:
            if self._waiting.pop(number, None) is not None and loop is self._loop:
                self._say(["drop", number])
            raise


def _event(number: int, error: BaseException) -> list[Any]:
    if isinstance(error, Fault):
        return ["fault", number, error.kind, error.sentence, error.error]
    return ["died", number]


def _ignore(loop: object, context: dict[str, Any]) -> None:
    """A task of the learner's that failed unheard is not the judge's business."""


def leave() -> None:
    """End the process at once, whatever the learner's code has left behind."""
    os._exit(0)
