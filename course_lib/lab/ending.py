"""How a virtual loop ends: tasks are cancelled and clean up, generators and the loop are closed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from course_lib.lab.deadlock import by_age
from course_lib.lab.errors import Deadlock, StepBudgetExceeded
from course_lib.lab.upkeep import Upkeep

__all__ = ["Ending"]

STEPS_TO_END = 100_000


class Ending(Upkeep):
    """The methods of a virtual loop that end its tasks and itself."""

    def __init__(self, step_budget: int) -> None:
        super().__init__()
        self.step_budget = step_budget

    def abandon_tasks(self, keep: Collection[asyncio.Task[Any]] = ()) -> list[BaseException]:
        """Cancel all tasks but those to keep, let them clean up, and return what they raised then.

        What refuses to end is dropped.
        """
        left = [task for task in by_age(self.tasks_left()) if task not in keep]
        for task in left:
            with suppress(RecursionError):  # asyncio cannot cancel tasks that wait for each other
                task.cancel()
        errors = self._finish([task for task in left if not task.done()])
        if not keep:
            self.forget_everything()
        return errors + [task.exception() for task in left if _failed(task)]  # type: ignore[misc]

    def _finish(self, tasks: list[asyncio.Task[Any]]) -> list[BaseException]:
        """Run until these are done or refuse to be; an error besides them does not stop that."""
        errors: list[BaseException] = []
        budget, self.step_budget = self.step_budget, min(self.step_budget, STEPS_TO_END)
        try:
            while tasks:
                try:
                    self.run_until_complete(asyncio.wait(tasks))
                except (Deadlock, StepBudgetExceeded):
                    self._drop(tasks)
                    break
                except Exception as error:
                    errors.append(error)
                tasks = [task for task in tasks if not task.done()]
        finally:
            self.step_budget = budget
        return errors

    def _drop(self, tasks: list[asyncio.Task[Any]]) -> None:
        for task in tasks:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                self._dropped.add(task)

    def end(self) -> list[BaseException]:
        """Abandon what is left and close; returns the errors that nobody else has seen."""
        errors: list[BaseException] = []
        try:
            errors += self.abandon_tasks()
            if self._asyncgens:
                errors += self._finish([self.create_task(self.shutdown_asyncgens())])
        finally:
            self.close()
        return errors + self._unhandled

    async def shutdown_asyncgens(self) -> None:
        """Close the async generators that a program left open."""
        open_generators = list(self._asyncgens)
        self._asyncgens.clear()
        closing = [generator.aclose() for generator in open_generators]
        for result in await asyncio.gather(*closing, return_exceptions=True):
            if isinstance(result, Exception):
                message = "an async generator failed while it was closed"
                self.call_exception_handler({"message": message, "exception": result})

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Nothing to shut down: there are no threads."""

    def forget_everything(self) -> None:
        """Drop all callbacks and timers."""
        self._ready.clear()
        self._timers.clear()
        self._instants.clear()

    def close(self) -> None:
        """Take no more callbacks; closing twice is fine."""
        if self._running:
            raise RuntimeError("a running virtual loop cannot be closed")
        self._closed = True
        self.forget_everything()
        # Here and not in call_soon itself, which is too busy to ask each time.
        for name in ("call_soon", "call_soon_threadsafe", "call_later", "call_at"):
            setattr(self, name, _refuse_when_closed)


def _refuse_when_closed(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("this virtual loop is closed")


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is not None
