"""Properties that hunt for a race: every order of effects, and the schedule of the first that
breaks the law.

A thin layer over the lab's `explore`: what the learner's code does wrong by itself stays a fault,
only a broken law is a counterexample. Left out: crashes and lost messages.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from course_lib.exercises.attempt import spoken
from course_lib.exercises.exercise import Counterexample, Unfinished
from course_lib.exercises.plain import shown
from course_lib.lab import Exploration, World, explore, run

__all__ = ["Scenario", "hunt", "play", "yes_or_no"]

Scenario = Callable[[World], Awaitable[Any]]
T = TypeVar("T")
STEPS = 20_000  # callbacks in one run; the exercises need a few hundred


def play(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a fresh virtual clock; one that goes on without an end is stopped soon."""
    return run(coroutine, step_budget=STEPS)


def hunt(
    scenario: Scenario, law: Callable[[Any], object], *, budget: int = 40, seed: int = 0
) -> int:
    """Try every order of the scenario's effects, at most about twice `budget`; return how many
    were tried.

    Raises Counterexample with the schedule when `law(result)` raises AssertionError; what the
    scenario itself raises passes through.
    """
    raised: list[Exception] = []

    async def guarded(world: World) -> object:
        asyncio.get_running_loop().step_budget = STEPS  # type: ignore[attr-defined]
        try:
            return await scenario(world)
        except Exception as error:
            raised.append(error)
            raise

    def checked(result: Any) -> bool:
        law(result)
        return True

    found = explore(guarded, checked, budget=budget, seed=seed)
    if raised:
        raise raised[0]
    return _orders(found)


def _orders(found: Exploration) -> int:
    broken = found.counterexample
    if broken is None:
        return found.orders
    switches = getattr(broken, "switches", 0)
    turns = f", with {switches} switches between servers" if switches > 1 else ""
    if broken.message.startswith("The scenario raised"):
        raise Unfinished
    raise Counterexample(
        f"{broken.message} Found in order {found.orders:,} of those tried{turns}.", broken.effects
    )


def yes_or_no(name: str, arguments: tuple[object, ...], answer: object) -> bool:
    """Return an answer that is exactly True or False, else raise Counterexample."""
    if type(answer) is not bool:
        told = (
            f"`{spoken(name, arguments)}` answered `{shown(answer, 60)}` ({type(answer).__name__})"
        )
        raise Counterexample(f"{told}; right is True or False.")
    return answer
