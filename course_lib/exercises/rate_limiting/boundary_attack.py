"""Exercise, reversed: get 2L requests through a fixed window of limit L within less than one
window.

The learner attacks the real FixedWindow of the course. The check runs it on the learner's
arrivals, then counts the most that were admitted in any trailing window. Left out: latency;
arrivals are times at the limiter.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from course_lib.exercises.attempt import Attempt
from course_lib.exercises.exercise import Counterexample, Exercise, Mistake, Property
from course_lib.exercises.plain import shown
from course_lib.systems.rate_limiting import FixedWindow

__all__ = ["BOUNDARY_ATTACK"]

NAME = "attack"


def admitted(times: list[int], limit: int, window: int) -> list[int]:
    """Return the arrival times (ms) that a FixedWindow of `window` ms admits."""
    algorithm = FixedWindow(limit, window / 1000)
    state, passed = algorithm.initial, []
    for time in times:
        state, decision = algorithm.decide(state, time * 1000)
        if decision.allowed:
            passed.append(time)
    return passed


def worst(times: list[int], window: int) -> int:
    """Return the most times in any trailing window: `worst([0, 999, 1000], 1000)` -> `2`."""
    return max((sum(end - window < time <= end for time in times) for end in times), default=0)


@dataclass(frozen=True)
class Target:
    """What is attacked: a window of `window` ms with `limit`; from `start` ms on, one request per
    `gap` ms.
    """

    limit: int
    window: int
    start: int
    gap: int

    @property
    def call(self) -> str:
        """The call in words."""
        return f"`{NAME}({self.limit}, {self.window}, {self.start}, {self.gap})`"


def _times(target: Target, answer: object) -> list[int]:
    """Return the learner's arrivals, or say which rule of the game they break."""
    if type(answer) is not list or not all(type(time) is int for time in answer):
        told = f"answered `{shown(answer, 60)}`; right is a list of ints, in milliseconds"
        raise Counterexample(f"{target.call} {told}.")
    if not answer:
        raise Counterexample(f"{target.call} sends nothing at all.")
    _obey(target, answer)
    return answer


def _obey(target: Target, times: list[int]) -> None:
    if times[0] < target.start:
        told = f"sends at {times[0]} ms, before the start at {target.start} ms"
        raise Counterexample(f"{target.call} {told}.", (), EARLY)
    for before, after in pairwise(times):
        if after - before < target.gap:
            told = f"sends at {before} ms and then at {after} ms; the gap must be {target.gap} ms"
            raise Counterexample(f"{target.call} {told}.", (), GAP)
    if len(times) > 2 * target.limit:
        told = f"sends {len(times):,} requests; {2 * target.limit} must do"
        raise Counterexample(f"{target.call} {told}.", (), NOISE)


EARLY = (
    "The attacker cannot send before it is there: aim at a boundary that leaves time for the "
    "first burst."
)
GAP = "One client cannot send all at once: leave at least `gap` between two requests."
NOISE = (
    "That is a flood, and any limiter lets some of a flood through. The art is to send only "
    "what passes."
)


def targets(draw: random.Random) -> Iterator[Target]:
    """A start on a boundary, early in a window, and too late in one for the first burst."""
    for place in range(3):
        limit, gap = draw.randint(3, 12), draw.randint(1, 9)
        window = draw.choice([500, 1000, 2000, 60_000])
        offset = (0, draw.randint(1, window // 4), window - draw.randint(1, gap))[place]
        yield Target(limit, window, draw.randint(3, 90) * window + offset, gap)


def doubles(attempt: Attempt, draw: random.Random) -> int:
    """2L are admitted in less than one window, on every target; all are asked before one is
    judged.
    """
    asked = [(t, attempt.call(t.limit, t.window, t.start, t.gap)) for t in targets(draw)]
    for target, answer in asked:
        _double(target, _times(target, answer))
    return len(asked)


def _double(target: Target, times: list[int]) -> None:
    passed = admitted(times, target.limit, target.window)
    most = worst(passed, target.window)
    if most < 2 * target.limit:
        raise Counterexample(
            f"{target.call} gets {len(passed)} of its {len(times)} requests admitted, at most "
            f"{most} "
            f"of them in any trailing window of {target.window} ms; it must be {2 * target.limit}."
        )


STUB = '''
def attack(limit, window, start, gap):
    """Arrival times that get 2 * limit requests admitted within less than one `window`.

    All times are whole milliseconds. A new window begins at each multiple of `window`, and
    admits `limit` requests. The first arrival is not before `start`, two arrivals are at
    least `gap` apart, and 2 * limit of them are enough. Return a list of ints, in order.
    """
    raise NotImplementedError
'''

ANSWER = """
def attack(limit, window, start, gap):
    boundary = -(-(start + limit * gap) // window) * window
    return [boundary + k * gap for k in range(-limit, limit)]
"""


def _mistaken(*body: str) -> str:
    return "\n    ".join(["def attack(limit, window, start, gap):", *body]) + "\n"


ROUND = "boundary = -(-(start + limit * gap) // window) * window"

BOUNDARY_ATTACK = Exercise(
    id="rate_limiting.boundary_attack",
    place=5,
    title="Twice the limit through a fixed window",
    name=NAME,
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    reversed=True,
    properties=(
        Property(
            "doubles", "2 * limit requests are admitted within less than one window.", doubles
        ),
    ),
    mistakes=(
        Mistake(
            "one burst inside a window",
            _mistaken(
                "boundary = -(-start // window) * window",
                "return [boundary + k * gap for k in range(2 * limit)]",
            ),
            "All your requests fall into one window, and it admits `limit` of them. "
            "Two windows must share the burst.",
        ),
        Mistake(
            "two windows, one full window apart",
            _mistaken(
                "boundary = -(-start // window) * window",
                "return [boundary + w * window + k * gap for w in (0, 1) for k in range(limit)]",
            ),
            "Each burst begins its window, so the two are a whole window apart and no trailing "
            "window holds both. Move the first burst to the end of its window.",
        ),
        Mistake(
            "starts at once",
            _mistaken("return [start + k * gap for k in range(2 * limit)]"),
            "You send from `start` on, wherever that falls in its window. "
            "The windows stand on the clock, not on your first request.",
        ),
        Mistake(
            "aims at a boundary too near",
            _mistaken(
                "boundary = -(-start // window) * window",
                "return [boundary + k * gap for k in range(-limit, limit)]",
            ),
            EARLY,
        ),
        Mistake(
            "no gap", _mistaken(ROUND, "return [boundary - 1] * limit + [boundary] * limit"), GAP
        ),
        Mistake(
            "a flood",
            _mistaken(ROUND, "return list(range(boundary - window, boundary + window, gap))"),
            NOISE,
        ),
    ),
    hints=(
        "The counter forgets everything at a boundary. What did it know one millisecond before?",
        "Send `limit` requests just before a multiple of `window`, and `limit` from that multiple "
        "on.",
        "The last of the first burst leaves at `boundary - gap`, so the first leaves at `boundary "
        "- limit * gap`. "
        "That must not be before `start`: round `start + limit * gap` up to a multiple of "
        "`window`.",
    ),
)
