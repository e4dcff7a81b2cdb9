"""Let a process die at every effect, before and after it is applied, and see if recovery mends it.

For each effect of an undisturbed run there are two moments: the process dies before its request is
applied, or after it is applied and before the answer arrives. The data of Redis and SQL survives,
memory does not. Then `recover` runs as a new process, and the invariant is asked. What `setup` does
beforehand always succeeds. Leaves out: two crashes in one run, and a crash of the store itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from course_lib.lab.clock import VirtualLoop
from course_lib.lab.effect import Effect, Pending
from course_lib.lab.errors import ProcessDied
from course_lib.lab.lives import EVERYBODY
from course_lib.lab.upkeep import calm_collector
from course_lib.lab.verdict import Invariant, schedule, violated
from course_lib.lab.world import World

__all__ = ["CrashReport", "CrashedRun", "crash_everywhere"]

MOMENTS = ("before", "after")
Scenario = Callable[[World], Awaitable[Any]]


@dataclass(frozen=True)
class CrashedRun:
    """A crash that recovery did not mend.

    `crashed_at` counts effects from 1; `moment` is "before" or "after" that effect was applied.
    """

    effects: list[Effect]
    result: object
    message: str
    crashed_at: int
    moment: str
    who: str
    what: str

    def __str__(self) -> str:
        when = "before it was applied" if self.moment == "before" else "after it was applied"
        applied = self.crashed_at - (self.moment == "before")
        parts = [
            schedule(self.effects[:applied]),
            f"  x  {self.who} dies at {self.what}, {when}",
            schedule_from(self.effects, applied),
            self.message,
        ]
        return "\n".join(part for part in parts if part)

    __repr__ = __str__


@dataclass(frozen=True)
class CrashReport:
    """How many crashes were tried, and those after which the invariant does not hold."""

    holds: bool
    points: int
    failures: list[CrashedRun]

    @property
    def counterexample(self) -> CrashedRun | None:
        """The failure with the fewest effects."""
        return min(self.failures, key=lambda failure: len(failure.effects), default=None)

    def __str__(self) -> str:
        if self.holds:
            return f"Holds after each of {self.points} crashes."
        return f"Broken by {len(self.failures)} of {self.points} crashes.\n{self.counterexample}"

    __repr__ = __str__


def schedule_from(effects: list[Effect], start: int) -> str:
    """The schedule of the effects after the first `start`, keeping their numbers."""
    return "\n".join(schedule(effects).splitlines()[start:])


def crash_everywhere(
    scenario: Scenario,
    recover: Scenario,
    invariant: Invariant,
    *,
    setup: Scenario | None = None,
    seed: int = 0,
) -> CrashReport:
    """Crash `scenario` at each of its effects, run `recover`, and put its result to `invariant`.

    The process that dies is the node whose effect it is; what is left of it has no effects any
    more. If others fail because of that, recovery comes all the same. A scenario that raises
    without a crash raises here. Messages take no time, so that the order of effects stays the same.

    >>> async def buy(world):
    ...     redis = world.redis("shop")
    ...     await redis.set("charged", 1)
    ...     await redis.set("order", 1)
    >>> async def look(world):
    ...     redis = world.redis("shop")
    ...     return await redis.get("charged"), await redis.get("order")
    >>> report = crash_everywhere(buy, look, lambda found: found[0] == found[1])
    >>> report.points, len(report.failures)
    (4, 2)
    """
    with calm_collector():
        story = _Story(setup, scenario, recover)
        undisturbed = _Victim(None)
        _, error, world = undisturbed.play(story, seed)
        world.close()
        if error is not None:
            raise error
        points = [(n, moment) for n in range(1, undisturbed.arrived + 1) for moment in MOMENTS]
        tried = [_Victim(crash).judge(story, invariant, seed) for crash in points]
        failures = [failure for failure in tried if failure is not None]
    return CrashReport(not failures, len(points), failures)


@dataclass(frozen=True)
class _Story:
    """What happens in every run: it is set up, played, and recovered from."""

    setup: Scenario | None
    scenario: Scenario
    recover: Scenario


class _Victim:
    """The director of one run: lets the process live until the chosen effect."""

    def __init__(self, crash: tuple[int, str] | None):
        self.crash = crash
        self.arrived = self.before = 0
        self.died: Effect | None = None
        self.playing = False

    def judge(self, story: _Story, invariant: Invariant, seed: int) -> CrashedRun | None:
        assert self.crash is not None
        result, error, world = self.play(story, seed)
        message = violated(invariant, result, error)
        world.close()
        if message is None or self.died is None:
            return None
        number, moment = self.crash
        effects = world.log[self.before :]
        return CrashedRun(effects, result, message, number, moment, self.died.who, self.died.what)

    def play(self, story: _Story, seed: int) -> tuple[object, Exception | None, World]:
        """Run all parts on one clock and one world; gives the result or the error."""
        loop = VirtualLoop()
        world = World(seed, director=self)
        try:
            if story.setup is not None:
                loop.run_until_complete(_as_coroutine(story.setup(world)))
            self.before = len(world.log)
            loop.run_until_complete(self._scenario(story.scenario, world))
            return loop.run_until_complete(self._recovery(story.recover, world)), None, world
        except Exception as error:
            return None, error, world
        finally:
            world.end()
            loop.end()

    async def _scenario(self, scenario: Scenario, world: World) -> None:
        world.lives.begin(EVERYBODY)
        self.playing = True
        try:
            await scenario(world)
        except ProcessDied:
            pass
        except Exception:
            if self.died is None:
                raise
        except BaseExceptionGroup as group:
            _, rest = group.split((ProcessDied, Exception))
            if rest is not None:
                raise rest from None

    async def _recovery(self, recover: Scenario, world: World) -> object:
        self.playing = False
        if self.died is not None:
            world.start(self.died.who)
        return await recover(world)

    # The director of the world

    def take(self, pending: Pending) -> None:
        asyncio.get_running_loop().call_soon(pending.world.arrive, pending)

    def fate(self, effect: Effect) -> str:
        if not self.playing:
            return "lives"
        self.arrived += 1
        if self.crash is None or self.arrived != self.crash[0]:
            return "lives"
        self.died = effect
        return self.crash[1]


async def _as_coroutine(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
