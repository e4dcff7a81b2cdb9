"""Exercise: how long to wait before reconnecting, with full jitter.

Pure arithmetic: the random number is an argument. Left out: how the clients together look, which
the notebook's picture shows.
"""

import random
from collections.abc import Iterator

from course_lib.exercises.cases import Case, pure
from course_lib.exercises.exercise import Exercise, Mistake, changed

__all__ = ["RECONNECT"]

NAMES = ("attempt", "base", "cap", "retry", "u")
U = (0.125, 0.25, 0.375, 0.625, 0.75)


def truth(attempt: int, base: float, cap: float, retry: float | None, u: float) -> float:
    """The seconds to wait: `truth(2, 0.5, 30, None, 0.25)` -> `0.5`."""
    if attempt == 0 and retry is not None:
        return retry
    return u * min(cap, base * 2.0 ** min(attempt, 60))


def _bounds(draw: random.Random) -> tuple[float, float]:
    return draw.choice([0.25, 0.5, 1.5, 3.0]), float(draw.randint(20, 60))


def early(draw: random.Random) -> Iterator[Case]:
    """The first tries, none of which reaches the cap; the server said nothing."""
    for attempt in range(3):
        yield attempt, *_bounds(draw), None, draw.choice(U)


def capped(draw: random.Random) -> Iterator[Case]:
    """Tries whose bound is the cap: little and much above it."""
    for attempt in (7, 8, draw.randint(10, 20)):
        yield attempt, *_bounds(draw), None, draw.choice(U)


def told(draw: random.Random) -> Iterator[Case]:
    """The server said when to come back: that counts for the first try, and for no later one."""
    for attempt in (0, 1, 4):
        yield attempt, *_bounds(draw), draw.randint(3, 40) + 0.5, draw.choice(U)


def long_outage(draw: random.Random) -> Iterator[Case]:
    """A laptop that was closed over the weekend: thousands of tries."""
    for attempt in (1_100, draw.randint(2_000, 9_000)):
        yield attempt, *_bounds(draw), None, draw.choice(U)


STUB = '''
def wait_before(attempt, base, cap, retry, u):
    """Seconds to wait before a client tries to connect again: full jitter.

    attempt: how many tries have failed since the connection was lost, 0 at first.
    Evenly between 0 and base * 2**attempt, but never above cap; u is the random number, from 0
    to 1. retry: seconds that the server asked for, or None. It counts for attempt 0 only, and
    as it is: the server has dealt it out to this client alone.
    """
    raise NotImplementedError
'''

ANSWER = """
def wait_before(attempt, base, cap, retry, u):
    if attempt == 0 and retry is not None:
        return retry
    bound = cap if attempt > 60 else min(cap, base * 2 ** attempt)
    return u * bound
"""

RECONNECT = Exercise(
    id="realtime_notifications.reconnect",
    place=4,
    title="When to come back",
    name="wait_before",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    properties=(
        pure("early", "the bound doubles with each failure, from `base`.", early, truth, NAMES),
        pure("capped", "the bound is never above the cap.", capped, truth, NAMES),
        pure("told", "what the server asked for counts once.", told, truth, NAMES),
        pure("long outage", "thousands of failures give a wait, too.", long_outage, truth, NAMES),
    ),
    mistakes=(
        Mistake(
            "no jitter",
            changed(ANSWER, ("u * bound", "bound")),
            "Everybody who lost the same server waits exactly as long as you, and comes back at "
            "the same moment. Draw evenly below the bound.",
        ),
        Mistake(
            "equal jitter",
            changed(ANSWER, ("u * bound", "bound / 2 + u * bound / 2")),
            "Half of the wait is the same for all: that is equal jitter. Full jitter begins at 0, "
            "and makes fewer calls.",
        ),
        Mistake(
            "jitter on top",
            changed(ANSWER, ("u * bound", "bound + u")),
            "A random second on top of a long wait hardly spreads anybody. The whole wait is "
            "random.",
        ),
        Mistake(
            "cap after the jitter",
            changed(
                ANSWER,
                (
                    "bound = cap if attempt > 60 else min(cap, base * 2 ** attempt)",
                    "bound = base * 2 ** min(attempt, 60)",
                ),
                ("u * bound", "min(cap, u * bound)"),
            ),
            "You cap after drawing, so in a long outage nearly all wait exactly the cap, together. "
            "Cap the bound, then draw.",
        ),
        Mistake(
            "linear",
            changed(ANSWER, ("base * 2 ** attempt", "base * (attempt + 1)")),
            "Your bound grows by a step, and must double.",
        ),
        Mistake(
            "one doubling too many",
            changed(ANSWER, ("2 ** attempt)", "2 ** (attempt + 1))")),
            "The first wait is below `base`, not below twice as much: attempt is 0 then.",
        ),
        Mistake(
            "obeys the server for ever",
            changed(ANSWER, ("attempt == 0 and retry", "retry")),
            "`retry` is for the first try after a connection. When that fails too, something is "
            "wrong: back off.",
        ),
        Mistake(
            "does not listen to the server",
            changed(ANSWER, ("attempt == 0 and retry is not None", "False")),
            "The server that sends you away knows how many it sends away. Wait as long as it "
            "asked.",
        ),
        Mistake(
            "too large a number",
            changed(
                ANSWER,
                (
                    "cap if attempt > 60 else min(cap, base * 2 ** attempt)",
                    "min(cap, base * 2 ** attempt)",
                ),
            ),
            "2**attempt is an exact int, and times a float it overflows after about a thousand "
            "tries. A client that was offline over night dies of it. Bound the exponent.",
        ),
    ),
    hints=(
        "Work out the bound first, without any randomness. When is it the cap?",
        "Full jitter: u times the bound. Nothing of the wait is certain.",
        "What is `0.5 * 2 ** 5000`? Try it. The cap was reached long before.",
    ),
)
