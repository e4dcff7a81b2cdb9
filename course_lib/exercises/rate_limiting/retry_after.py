"""Exercise: how long must a client wait for its tokens? Pure arithmetic with three edges.

Left out: rounding up for the Retry-After header, which carries whole seconds (RFC 9110, 10.2.3);
the exact time comes first.
"""

import random
from collections.abc import Iterator

from course_lib.exercises.cases import Case, pure
from course_lib.exercises.exercise import Exercise, Mistake

__all__ = ["RETRY_AFTER"]

NAMES = ("level", "rate", "burst", "cost")
RATES = (0.25, 0.5, 2.0, 4.0, 5.0, 8.0)


def truth(level: float, rate: float, burst: int, cost: int) -> float | None:
    """Return the seconds until `cost` tokens are there, None for never: `truth(1.0, 2.0, 5, 4)`
    -> `1.5`.
    """
    return None if cost > burst else max(0.0, (cost - level) / rate)


def _level(draw: random.Random, low: int, high: int) -> float:
    """A level between two whole ones, in quarters of a token, so that no answer is a matter of
    rounding.
    """
    return draw.randrange(4 * low, 4 * high) / 4


def enough(draw: random.Random) -> Iterator[Case]:
    """Levels of exactly the cost, above it, and a full bucket."""
    for extra in (0.0, 0.25, None):
        burst = draw.randint(6, 20)
        cost = draw.randint(1, burst - 2)
        level = float(burst) if extra is None else cost + extra
        yield level, draw.choice(RATES), burst, cost


def missing(draw: random.Random) -> Iterator[Case]:
    """A part of a token missing, several tokens missing, an empty bucket."""
    burst = draw.randint(6, 20)
    cost = draw.randint(3, burst - 1)
    for level in (cost - 0.25, _level(draw, 1, cost - 1) + 0.25, 0.0):
        yield level, draw.choice(RATES), burst, cost


def whole_bucket(draw: random.Random) -> Iterator[Case]:
    """The cost is the whole bucket: a long wait, but not for ever."""
    for burst in (1, draw.randint(2, 20)):
        yield _level(draw, 0, burst), draw.choice(RATES), burst, burst


def never(draw: random.Random) -> Iterator[Case]:
    """The cost is one above the bucket's size, and far above it; the bucket is full or not."""
    burst = draw.randint(2, 20)
    yield float(burst), draw.choice(RATES), burst, burst + 1
    yield _level(draw, 0, burst), draw.choice(RATES), burst, burst * draw.randint(2, 9)


STUB = '''
def retry_after(level, rate, burst, cost):
    """Seconds until a token bucket can pay `cost`; None if it never can.

    level: tokens in the bucket now (may be a fraction); rate: tokens per second;
    burst: the most the bucket holds; cost: tokens that this request needs.
    """
    raise NotImplementedError
'''

ANSWER = """
def retry_after(level, rate, burst, cost):
    if cost > burst:
        return None
    return max(0.0, (cost - level) / rate)
"""


def _mistaken(*body: str) -> str:
    return "\n    ".join(["def retry_after(level, rate, burst, cost):", *body]) + "\n"


RETRY_AFTER = Exercise(
    id="rate_limiting.retry_after",
    place=1,
    title="How long to wait for tokens",
    name="retry_after",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    properties=(
        pure("enough", "when the tokens are there, the wait is 0.", enough, truth, NAMES),
        pure(
            "missing",
            "the wait is exactly the time in which the missing tokens drip in.",
            missing,
            truth,
            NAMES,
        ),
        pure(
            "whole bucket",
            "a cost of the whole bucket can be paid once it is full.",
            whole_bucket,
            truth,
            NAMES,
        ),
        pure(
            "never", "a cost above the bucket's size can never be paid: None.", never, truth, NAMES
        ),
    ),
    mistakes=(
        Mistake(
            "waits for a full bucket",
            _mistaken(
                "if cost > burst: return None",
                "return 0.0 if level >= cost else (burst - level) / rate",
            ),
            "You wait until the bucket is full. The client needs its cost, no more.",
        ),
        Mistake(
            "forgets what is there",
            _mistaken(
                "if cost > burst: return None", "return 0.0 if level >= cost else cost / rate"
            ),
            "You wait for the whole cost. The tokens already in the bucket count too.",
        ),
        Mistake(
            "multiplies by the rate",
            _mistaken("if cost > burst: return None", "return max(0.0, (cost - level) * rate)"),
            "Tokens times tokens per second is not a time. Tokens divided by rate is seconds.",
        ),
        Mistake(
            "goes below zero",
            _mistaken("if cost > burst: return None", "return (cost - level) / rate"),
            "A wait cannot be negative. With more tokens than needed, the wait is 0.",
        ),
        Mistake(
            "promises the impossible",
            _mistaken("return max(0.0, (cost - level) / rate)"),
            "You promise a time for a cost above the burst. The bucket never holds that "
            "much, so a client that obeys retries for ever.",
        ),
        Mistake(
            "gives up one too early",
            _mistaken("if cost >= burst: return None", "return max(0.0, (cost - level) / rate)"),
            "A cost equal to the burst can be paid by a full bucket. Only more than that never.",
        ),
        Mistake(
            "rounds up",
            _mistaken(
                "import math",
                "if cost > burst: return None",
                "return max(0, math.ceil((cost - level) / rate))",
            ),
            "You round to whole seconds. The header does so, at the very end; the decision is "
            "exact.",
        ),
    ),
    hints=(
        "How many tokens are missing? What if the number is negative?",
        "The bucket gains `rate` tokens per second, so missing tokens divided by `rate` is a time.",
        "Before all that: a bucket never holds more than `burst`. A `cost` above it is the None "
        "case; "
        "a `cost` equal to it is not.",
    ),
)
