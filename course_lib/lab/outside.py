"""What virtual time does not have: sockets, processes, signals, threads.

Each refuses with a sentence, except that a function meant for a thread runs inline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["NoOutsideWorld"]

T = TypeVar("T")

if TYPE_CHECKING:
    # The refusals below are made in a loop, which a type checker cannot follow.
    Base = asyncio.SelectorEventLoop
else:
    Base = asyncio.AbstractEventLoop


class NoOutsideWorld(Base):
    """The part of an event loop that faces the outside world, refusing."""

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> Any:
        """Call `func` inline at the next step; a thread would race with the virtual clock."""
        done = self.create_future()
        self.call_soon(_call_into, done, func, args)
        return done


def _call_into(done: asyncio.Future[Any], func: Callable[..., Any], args: tuple[Any, ...]) -> None:
    if done.cancelled():
        return
    try:
        done.set_result(func(*args))
    except Exception as error:
        done.set_exception(error)


def _refusal(name: str) -> Callable[..., Any]:
    def refuse(self: NoOutsideWorld, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            f"virtual time has no {name}: sockets, processes and signals do not follow a virtual "
            "clock. Use what a World hands out (redis, sql, http), or asyncio.run for this part."
        )

    refuse.__name__ = name
    return refuse


def _refuse_the_outside_world() -> None:
    for name in vars(asyncio.AbstractEventLoop):
        outside = name.startswith(("sock_", "subprocess_", "connect_", "start_", "sendfile"))
        outside |= name.startswith(("create_", "add_", "remove_", "getaddrinfo", "getnameinfo"))
        if outside and name not in vars(NoOutsideWorld) and name != "create_future":
            setattr(NoOutsideWorld, name, _refusal(name))


_refuse_the_outside_world()
