"""One run of a scenario in a chosen order: the director of its world, the chooser of its loop.

Whenever nothing else can move, one pending effect is applied, or the next timer fires. Each such
moment is a choice; the run follows its prefix of choices, then takes the cheapest, and remembers
what else it could have taken.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from course_lib.lab.clock import VirtualLoop
from course_lib.lab.effect import Effect, Pending
from course_lib.lab.verdict import Counterexample, Invariant, violated
from course_lib.lab.world import World

__all__ = ["Branch", "Run", "Scenario"]

Scenario = Callable[[World], Awaitable[Any]]
Choice = tuple[str, int]
"""(node, its n-th effect), or ("a timer", the n-th that fired while effects were pending)."""

TIMER = "a timer"


@dataclass(order=True)
class Branch:
    """A prefix of choices still to run, and the effects whose other order is covered elsewhere."""

    switches: int
    number: int
    prefix: list[Choice] = field(compare=False)
    asleep: dict[Choice, Effect] = field(compare=False)


class Run:
    """One run; `limit` ends it early, as redundant, when it has that many context switches."""

    def __init__(
        self,
        branch: Branch,
        seed: int,
        dice: random.Random | None = None,
        limit: float = math.inf,
        reduce: bool = True,
    ):
        self.prefix = branch.prefix
        self.asleep = dict(branch.asleep)
        self.switches = 0
        self.redundant = False
        self.pruned = False
        self.alternatives: list[tuple[int, list[Choice], dict[Choice, Effect]]] = []
        self._dice, self._limit, self._reduce = dice, limit, reduce
        self._made: list[Choice] = []
        self._last_node: str | None = None
        self._pending: dict[Choice, Pending] = {}
        self._timers_fired = 0
        self._loop = VirtualLoop()
        self._loop._choose = self._choose
        self._world = World(seed, director=self)

    def play(self, scenario: Scenario, invariant: Invariant) -> Counterexample | None:
        """Run the scenario and ask the invariant; None if it holds, or if the run is redundant."""
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
            self._loop.end()
        message = None if self.redundant else violated(invariant, result, error)
        self._world.close()
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
        if not self._pending:
            return False
        # By name: the order of the search must not hang on who needs fewer callbacks to ask.
        options = sorted(self._pending)
        if self._loop.has_timer():
            options.append((TIMER, self._timers_fired + 1))
        nodes = {node for node, _ in options}
        choice = self._pick(options, nodes)
        self.switches += self._switch_cost(choice, nodes)
        if self.switches >= self._limit:
            raise _Redundant
        self._made.append(choice)
        if choice[0] == TIMER:
            self._timers_fired += 1
            self.asleep.clear()
            return False
        self._last_node = choice[0]
        pending = self._pending.pop(choice)
        if self.asleep and len(self._made) > len(self.prefix):
            self.asleep = _independent_of(pending.effect, self.asleep)
        self._world.arrive(pending)
        return True

    def _pick(self, options: list[Choice], nodes: set[str]) -> Choice:
        if self._dice is not None:
            return self._dice.choice(options)
        depth = len(self._made)
        if depth < len(self.prefix):
            return self.prefix[depth]
        awake = [choice for choice in options if choice not in self.asleep]
        if len(awake) < len(options):
            self.pruned = True
            if not awake:
                raise _Redundant
        if len(awake) > 1:
            awake.sort(key=lambda choice: self._switch_cost(choice, nodes))
            self._remember_alternatives(awake, nodes)
        return awake[0]

    def _switch_cost(self, choice: Choice, nodes: set[str]) -> int:
        """1 when another node goes on although the last one could, or a timer fires early."""
        node = choice[0]
        return int(node == TIMER or (node != self._last_node and self._last_node in nodes))

    def _remember_alternatives(self, awake: list[Choice], nodes: set[str]) -> None:
        """Each alternative need not undo what commutes with the siblings tried before it."""
        asleep = dict(self.asleep)
        for earlier, choice in itertools.pairwise(awake):
            if earlier[0] != TIMER and self._reduce:
                asleep[earlier] = self._pending[earlier].effect
            switches = self.switches + self._switch_cost(choice, nodes)
            still_asleep = (
                {} if choice[0] == TIMER else _independent_of(self._pending[choice].effect, asleep)
            )
            self.alternatives.append((switches, [*self._made, choice], still_asleep))


class _Redundant(BaseException):
    """Every order from here on is covered elsewhere, or of no interest."""


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
