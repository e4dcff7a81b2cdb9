"""Every order in which pending effects can be applied, tried one after the other.

asyncio code can only be interleaved where it waits, and what it waits for is an effect or a timer.
So a run is a list of choices: whenever nothing else can move, one pending effect is applied, or the
next timer fires (a time-out may fire before or after any pending effect). `explore` replays a
prefix of choices, lets the rest follow, and comes back for each choice that it did not take. Runs
with few context switches come first, and the counterexample is one with the fewest.

Two effects commute when they come from different nodes and touch different keys; of such a pair
only one order is tried (sleep sets: Godefroid, Partial-Order Methods, 1996). That is sound as long
as nodes share nothing but the world, which is what nodes are. Leaves out: lost messages and dead
processes (see `crash`), and threads.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from dataclasses import dataclass

from course_lib.lab.run_of_choices import Branch, Run, Scenario
from course_lib.lab.upkeep import calm_collector
from course_lib.lab.verdict import Counterexample, Invariant

__all__ = ["Exploration", "explore"]

RUNS_TO_SIMPLIFY = 1_000
# Each run leaves some thousand objects in circles; looking for them costs more than keeping them.
THRESHOLD = 100_000


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
            return f"Broken; {_count(self.orders)} tried.\n{self.counterexample}"
        coverage = "every order" if self.exhaustive else "no more within the budget: a sample"
        return f"Holds in {_count(self.orders)} ({coverage})."

    __repr__ = __str__


def _count(orders: int) -> str:
    return "1 order" if orders == 1 else f"{orders:,} orders"


def explore(
    scenario: Scenario, invariant: Invariant, *, budget: int = 10_000, seed: int = 0
) -> Exploration:
    """Run `scenario(world)` in every order of its effects, until `invariant(result)` breaks.

    The invariant returns False or raises AssertionError with a sentence. `budget` is the number of
    runs; above it the rest is sampled at random for as many runs again, and the answer says so. A
    scenario that raises is a counterexample too.

    >>> import asyncio
    >>> async def two_visits(world):
    ...     async def count(redis):
    ...         await redis.set("n", int(await redis.get("n") or 0) + 1)
    ...     a, b = world.redis("a"), world.redis("b")
    ...     await asyncio.gather(count(a), count(b))
    ...     return int(await a.get("n"))
    >>> explore(two_visits, lambda n: n == 2).holds
    False
    """
    with calm_collector(THRESHOLD):
        return _Search(scenario, invariant, seed).search(budget)


class _Search:
    def __init__(self, scenario: Scenario, invariant: Invariant, seed: int):
        self.scenario, self.invariant, self.seed = scenario, invariant, seed
        self.orders = 0
        self.pruned = False

    def search(self, budget: int) -> Exploration:
        best, covered = self._systematic(budget)
        if best is None and not covered:
            best = self._sample(budget)
        if best is not None and best.switches and self.pruned:
            # Of orders that differ by commuting effects one was tried, maybe not the simplest.
            simpler, _ = self._systematic(RUNS_TO_SIMPLIFY, best.switches, reduce=False)
            best = simpler or best
        return Exploration(best is None, self.orders, covered, best)

    def _systematic(
        self, budget: int, limit: float = math.inf, reduce: bool = True
    ) -> tuple[Counterexample | None, bool]:
        """The counterexample with the fewest switches, below `limit`; and whether all was tried."""
        best: Counterexample | None = None
        numbers = itertools.count()
        frontier = [Branch(0, next(numbers), [], {})]
        while frontier and frontier[0].switches < limit and budget > 0:
            run = Run(heapq.heappop(frontier), self.seed, limit=limit, reduce=reduce)
            found = run.play(self.scenario, self.invariant)
            self.pruned |= run.pruned
            if not run.redundant:
                self.orders += 1
                budget -= 1
            if found is not None:
                best, limit = found, found.switches
            for switches, prefix, asleep in run.alternatives:
                if switches < limit:
                    heapq.heappush(frontier, Branch(switches, next(numbers), prefix, asleep))
        return best, not frontier

    def _sample(self, runs: int) -> Counterexample | None:
        dice = random.Random(self.seed)
        for _ in range(runs):
            self.orders += 1
            start = Branch(0, 0, [], {})
            found = Run(start, self.seed, dice).play(self.scenario, self.invariant)
            if found is not None:
                return found
        return None
