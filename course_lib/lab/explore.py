"""Every order in which pending effects can be applied, tried one after the other.

asyncio code can only be interleaved where it waits, and what it waits for is an effect or a timer.
So a run is a list of choices: whenever nothing else can move, one pending effect is applied, or the
next timer fires (a time-out may fire before or after any pending effect). `explore` replays a
prefix of choices, lets the rest follow, and comes back for each choice that it did not take. Runs
with few context switches come first, so the first counterexample is the simplest.

Two effects commute when they come from different nodes and touch different keys; of such a pair
only one order is tried (sleep sets: Godefroid, Partial-Order Methods, 1996). That is sound as long
as nodes share nothing but the world, which is what nodes are. Leaves out: lost messages and dead
processes (see `crash`), and threads.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from course_lib.lab.clock import VirtualLoop
from course_lib.lab.verdict import Counterexample, Invariant, violated
from course_lib.lab.world import Effect, Pending, World

__all__ = ["Exploration", "explore"]

Scenario = Callable[[World], Awaitable[Any]]
Choice = tuple[str, int]
"""(node, its n-th effect), or ("a timer", the n-th that fired while effects were pending)."""

TIMER = "a timer"


@dataclass(frozen=True)
class Exploration:
    """What was tried, and the simplest order that breaks the invariant, if one does.

    `exhaustive` is True when every order was covered, False when the budget ended the search.
    """

    holds: bool
    orders: int
    exhaustive: bool
    counterexample: Counterexample | None

    def __str__(self) -> str:
        if self.counterexample is not None:
            return f"Broken by this order, number {self.orders:,} tried:\n{self.counterexample}"
        coverage = "every order" if self.exhaustive else "no more within the budget: a sample"
        return f"Holds in {self.orders:,} orders ({coverage})."

    __repr__ = __str__


@dataclass(order=True)
class _Branch:
    """A prefix of choices still to run, and the effects whose other order is covered elsewhere."""

    switches: int
    number: int
    prefix: list[Choice] = field(compare=False)
    asleep: dict[Choice, Effect] = field(compare=False)


def explore(
    scenario: Scenario, invariant: Invariant, *, budget: int = 10_000, seed: int = 0
) -> Exploration:
    """Run `scenario(world)` in every order of its effects, until `invariant(result)` breaks.

    The invariant returns False or raises AssertionError with a sentence. `budget` is the number of
    runs; above it the rest is sampled at random for as many runs again, and the answer says so. A
    scenario that raises is a counterexample too.

    ...     async def count(redis):
    ...         await redis.set("n", int(await redis.get("n") or 0) + 1)
    ...     a, b = world.redis("a"), world.redis("b")
    ...     await asyncio.gather(count(a), count(b))
    ...     return int(await a.get("n"))
    False
    """
    numbers = itertools.count()
    frontier = [_Branch(0, next(numbers), [], {})]
    orders = 0
    while frontier and orders < budget:
        branch = heapq.heappop(frontier)
        run = _Run(branch, seed)
        found = run.play(scenario, invariant)
        if run.redundant:
            continue
        orders += 1
        if found is not None:
            return Exploration(False, orders, not frontier, found)
        for switches, prefix, asleep in run.alternatives:
            heapq.heappush(frontier, _Branch(switches, next(numbers), prefix, asleep))
    if not frontier:
        return Exploration(True, orders, True, None)
    return _sample(scenario, invariant, seed, orders, budget)


def _sample(
    scenario: Scenario, invariant: Invariant, seed: int, orders: int, runs: int
) -> Exploration:
    dice = random.Random(seed)
    for _ in range(runs):
        orders += 1
        found = _Run(_Branch(0, 0, [], {}), seed, dice).play(scenario, invariant)
        if found is not None:
            return Exploration(False, orders, False, found)
    return Exploration(True, orders, False, None)


class _Run:
    """One run of the scenario: the director of its world, and the chooser of its loop."""

    def __init__(self, branch: _Branch, seed: int, dice: random.Random | None = None):
        self.prefix = branch.prefix
        self.asleep = dict(branch.asleep)
        self.switches = 0
        self.redundant = False
        self.alternatives: list[tuple[int, list[Choice], dict[Choice, Effect]]] = []
        self._seed = seed
        self._dice = dice
        self._made: list[Choice] = []
        self._pending: dict[Choice, Pending] = {}
        self._timers_fired = 0
        self._loop = VirtualLoop()
        self._loop._choose = self._choose
        self._world = World(seed, director=self)

    def play(self, scenario: Scenario, invariant: Invariant) -> Counterexample | None:
        result: object = None
        error: BaseException | None = None
        try:
            result = self._loop.run_until_complete(_as_coroutine(scenario(self._world)))
        except _Redundant:
            self.redundant = True
        except Exception as raised:
            error = raised
        finally:
            self._loop._choose = None
            self._world.end()
            self._loop.abandon_tasks()
            self._loop.close()
        if self.redundant:
            return None
        message = violated(invariant, result, error)
        if message is None:
            return None
        return Counterexample(self._world.log, result, message, self.switches)

    # The director of the world

    def take(self, pending: Pending) -> None:
        self._pending[(pending.effect.who, pending.turn)] = pending

    def fate(self, effect: Effect) -> str:
        return "lives"

    # The chooser of the loop

    def _choose(self) -> bool:
        """Apply one pending effect; False lets the clock move to the next timer instead."""
        options = list(self._pending)
        if self._pending and self._loop.has_timer():
            options.append((TIMER, self._timers_fired + 1))
        if not options:
            return False
        choice = self._pick(options)
        self.switches += self._switch_cost(choice, options)
        self._made.append(choice)
        if choice[0] == TIMER:
            self._timers_fired += 1
            self.asleep.clear()
            return False
        pending = self._pending.pop(choice)
        self._wake_dependents(pending.effect)
        self._world.arrive(pending)
        return True

    def _pick(self, options: list[Choice]) -> Choice:
        if self._dice is not None:
            return self._dice.choice(options)
        depth = len(self._made)
        if depth < len(self.prefix):
            return self.prefix[depth]
        awake = [choice for choice in options if choice not in self.asleep]
        if not awake:
            raise _Redundant
        awake.sort(key=lambda choice: self._switch_cost(choice, options))
        self._remember_alternatives(awake, options)
        return awake[0]

    def _switch_cost(self, choice: Choice, options: list[Choice]) -> int:
        """1 when another node goes on although the last one could, or a timer fires early."""
        if choice[0] == TIMER:
            return 1
        last = next((made for made in reversed(self._made) if made[0] != TIMER), None)
        could_go_on = last is not None and any(node == last[0] for node, _ in options)
        return int(could_go_on and last is not None and choice[0] != last[0])

    def _remember_alternatives(self, awake: list[Choice], options: list[Choice]) -> None:
        """Each alternative need not undo what commutes with the siblings tried before it."""
        asleep = dict(self.asleep)
        for earlier, choice in itertools.pairwise(awake):
            if earlier[0] != TIMER:
                asleep[earlier] = self._pending[earlier].effect
            switches = self.switches + self._switch_cost(choice, options)
            still_asleep = (
                {} if choice[0] == TIMER else _independent_of(self._pending[choice].effect, asleep)
            )
            self.alternatives.append((switches, [*self._made, choice], still_asleep))

    def _wake_dependents(self, applied: Effect) -> None:
        if len(self._made) > len(self.prefix):
            self.asleep = _independent_of(applied, self.asleep)


class _Redundant(BaseException):
    """Every order from here on was covered by a run that swapped commuting effects."""


def _independent_of(effect: Effect, others: dict[Choice, Effect]) -> dict[Choice, Effect]:
    return {choice: other for choice, other in others.items() if _commute(effect, other)}


def _commute(a: Effect, b: Effect) -> bool:
    """Different processes, and nothing in common that one of them writes."""
    if a.who == b.who or a.who == b.target or b.who == a.target:
        return False
    if a.target != b.target or not (a.writes or b.writes):
        return True
    return a.keys is not None and b.keys is not None and a.keys.isdisjoint(b.keys)


async def _as_coroutine(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
