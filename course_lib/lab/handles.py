"""What the loop keeps of a callback that it will run."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from typing import Any

__all__ = ["Handle", "TimerHandle"]


class Handle:
    """A scheduled callback: None once cancelled; `context` is None where none is needed."""

    __slots__ = ("args", "callback", "context")
    callback: Callable[..., object] | None
    args: tuple[Any, ...]
    context: Context | None

    def cancel(self) -> None:
        """Never run it. One statement: each sleep ends by cancelling its timer."""
        self.callback = None

    def cancelled(self) -> bool:
        return self.callback is None


class TimerHandle(Handle):
    """A callback scheduled for a virtual time, in seconds."""

    __slots__ = ("_when",)
    _when: float

    def when(self) -> float:
        return self._when
