"""The judge's half of a conversation: calls go to the learner's process, its effects come back.

Both sides run in lockstep. The judge says what happened; the learner's process runs until it can
run no more, and reports which calls are done, which effects it asks for, and when its next timer
is due. Effects happen in the judge's world, on the judge's virtual time. Everything that arrives
is looked at for its type and for whether it was asked for.
"""

import asyncio
import math
from contextlib import suppress
from typing import Any

from course_lib.exercises.attempt import Fault
from course_lib.grading.protocol.channel import Channel, Violation
from course_lib.grading.protocol.handles import Handles
from course_lib.grading.protocol.taken import FAULTS, LONGEST, answer, decoded, handed, result
from course_lib.grading.protocol.values import encode
from course_lib.lab import ProcessDied, StepBudgetExceeded

__all__ = ["Session"]

Op = list[Any]


class Session:
    """One learner's process for one exercise; `violation` is the first rule that it broke."""

    def __init__(self, channel: Channel) -> None:
        self.violation: Violation | None = None
        self._channel, self._handles = channel, Handles()
        self._numbers = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._epoch = 0
        self._outbox: list[Op] = []
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._asked: set[int] = set()
        self._done: dict[int, object] = {}
        self._effects: dict[int, asyncio.Task[None]] = {}
        self._wake: asyncio.TimerHandle | None = None

    # What a check does

    def start(self, hello: dict[str, Any]) -> dict[str, Any]:
        """Send the first message, and return the reply: what the learner's cell defined."""
        reply: dict[str, Any] = self._guarded(lambda: self._channel.exchange(hello))
        return reply

    def call(self, made: int, method: str, arguments: tuple[object, ...]) -> Any:
        """Make a plain call and return its answer at once."""
        return self._at_once("plain", made, method, arguments)[1]

    def make(self, arguments: tuple[object, ...]) -> int:
        """Make an object of the learner's class and return its number."""
        return self._at_once("make", 0, "", arguments)[0]

    def _at_once(
        self, mode: str, made: int, method: str, arguments: tuple[object, ...]
    ) -> tuple[int, Any]:
        number = self._number()
        self._turn()  # a new loop forgets what the old one was asked, but not this
        self._asked.add(number)
        self.step([self._call(number, mode, made, method, arguments)])
        if number not in self._done:
            raise self._broken("protocol", "A call was not answered.")
        return number, result(self._done.pop(number))

    async def wait(self, made: int, method: str, arguments: tuple[object, ...]) -> Any:
        """Call an async function and wait for its answer."""
        number = self._number()
        self._turn()  # a new loop forgets what the old one was asked, but not this
        self._asked.add(number)
        future = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            self.step([self._call(number, "wait", made, method, arguments)])
            return result(await future)
        except asyncio.CancelledError:
            self._cancelled(number)
            raise
        finally:
            self._waiting.pop(number, None)

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _call(
        self, number: int, mode: str, made: int, method: str, arguments: tuple[object, ...]
    ) -> Op:
        given = [encode(handed(argument), self._handles.refer) for argument in arguments]
        return ["call", number, mode, made, method, given]

    def _cancelled(self, number: int) -> None:
        """Tell the other side at the next opportunity that nobody waits for a call any more."""
        if number in self._asked and self._loop is not None and self._loop.is_running():
            self._asked.discard(number)
            self._outbox.append(["cancel", number])
            self._loop.call_soon(self._flush, self._epoch)

    def _flush(self, epoch: int) -> None:
        if self._outbox and epoch == self._epoch and self.violation is None:
            self.step([])

    # One step

    def step(self, ops: list[Op]) -> None:
        """Send what happened, and take in what the learner's code did until it could do no more."""
        self._guarded(lambda: self._step(ops))

    def _guarded(self, work: Any) -> Any:
        if self.violation is not None:
            raise self.violation
        try:
            return work()
        except Violation as violation:
            self.violation = violation
            self._fail(violation)
            raise

    def _fail(self, error: BaseException) -> None:
        """Nobody waits any longer: the other side will not answer."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(error)

    def _broken(self, kind: str, sentence: str) -> Violation:
        self.violation = self.violation or Violation(kind, sentence)
        return self.violation

    def _step(self, ops: list[Op]) -> None:
        message: dict[str, Any] = self._turn()
        message["do"], self._outbox = [*self._outbox, *ops], []
        reply = self._channel.exchange(message)
        while "ask" in reply:
            reply = self._channel.exchange({"told": self._told(reply)})
        self._take(reply)

    def _turn(self) -> dict[str, Any]:
        """Return the loop and the time of this step; another loop than before begins afresh."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return {"epoch": 0, "t": 0.0}
        if loop is not self._loop:
            self._loop, self._epoch, self._wake = loop, self._epoch + 1, None
            self._outbox, self._waiting, self._effects = [], {}, {}
            self._asked = set()
        return {"epoch": self._epoch, "t": loop.time()}

    def _told(self, reply: dict[str, Any]) -> Any:
        """Answer a question that cannot wait: what time is it, what is the next random number."""
        match reply:
            case {"ask": [int(handle), payload], **rest} if not rest:
                try:
                    value = self._handles.ask(handle, decoded(payload, self._handles.resolve))
                except Exception as error:
                    value = error
                return encode(value, self._handles.refer)
        raise Violation("protocol", "A question was not of a known form.")

    def _take(self, reply: dict[str, Any]) -> None:
        if reply == {"busy": True}:
            error = StepBudgetExceeded("the learner's code ran on and on without waiting")
            self._fail(error)
            raise error
        if reply.keys() != {"events", "next"} or type(reply["events"]) is not list:
            raise Violation("protocol", "A reply was not of the known form.")
        for event in reply["events"]:
            self._event(event)
        self._set_timer(reply["next"])

    def _event(self, event: Any) -> None:
        match event:
            case ["done", int(number), form]:
                self._answered(number, answer(form))
            case ["fault", int(number), str(kind), str(sentence), str(error)] if kind in FAULTS:
                fault = Fault(kind, sentence[:LONGEST], error=error[:60])
                self._answered(number, fault)
            case ["died", int(number)]:
                self._answered(number, ProcessDied("the node died"))
            case ["effect", int(number), int(handle), payload] if number not in self._effects:
                self._begin(number, handle, decoded(payload, self._handles.resolve))
            case ["drop", int(number)]:
                task = self._effects.get(number)
                if task is not None:
                    task.cancel()
            case _:
                raise Violation("protocol", "An event was not of a known form.")

    def _answered(self, number: int, value: object) -> None:
        if number not in self._asked:
            raise Violation("protocol", "An answer came that nobody had asked for.")
        self._asked.discard(number)
        future = self._waiting.get(number)
        if future is None:
            self._done[number] = value
        elif not future.done():
            future.set_result(value)

    # The learner's effects and timers

    def _begin(self, number: int, handle: int, payload: Any) -> None:
        if self._loop is None or not self._loop.is_running():
            raise Violation("protocol", "An effect was asked for outside of any run.")
        work = self._effect(number, handle, payload, self._epoch)
        self._effects[number] = self._loop.create_task(work, name=f"effect {number}")

    async def _effect(self, number: int, handle: int, payload: Any, epoch: int) -> None:
        try:
            value: object = await self._handles.effect(handle, payload)
            op = ["answer", number, encode(value, self._handles.refer)]
        except Exception as error:
            op = ["answer", number, encode(error)]
        except ProcessDied:
            op = ["died", number]
        finally:
            self._effects.pop(number, None)
        if epoch == self._epoch:
            with suppress(Violation, StepBudgetExceeded):  # those who wait have been told
                self.step([op])

    def _set_timer(self, when: Any) -> None:
        if self._wake is not None and (when is None or self._wake.when() != when):
            self._wake.cancel()
            self._wake = None
        if when is None:
            return
        if type(when) not in (int, float) or not math.isfinite(when) or self._loop is None:
            raise Violation("protocol", "A timer was set to no time.")
        if self._wake is None or self._wake.cancelled() or self._wake.when() != when:
            self._wake = self._loop.call_at(max(when, self._loop.time()), self._tick, self._epoch)

    def _tick(self, epoch: int) -> None:
        self._wake = None
        if epoch == self._epoch:
            self.step([])
