"""Exercise, reversed: write the test that tells broken limiters from sound ones, from their logs
alone.

The logs come from limiters that run: a sound sliding log, and variants with one defect each. The
learner's function must accept all of the first and refuse all of the others. Left out: prices and
tiers; every request costs one.
"""

import random
from collections.abc import Callable, Iterable

from course_lib.exercises.attempt import Attempt
from course_lib.exercises.exercise import Counterexample, Exercise, Mistake, Property, changed
from course_lib.exercises.plain import shown

__all__ = ["AUDIT"]

Log = list[list[object]]
Limiter = Callable[[list[int], int, int], list[bool]]


def sliding(times: list[int], limit: int, window: int, edge: int = 0, room: int = 0) -> list[bool]:
    """Decide by the exact trailing window; `edge` and `room` (0) are where a defect can sit."""
    admitted: list[int] = []
    allowed: list[bool] = []
    for time in times:
        recent = sum(time - old < window + edge for old in admitted)
        allowed.append(recent < limit + room)
        admitted += [time] * allowed[-1]
    return allowed


def fixed(times: list[int], limit: int, window: int) -> list[bool]:
    """Count in windows that stand on the clock: twice the limit around a boundary."""
    counts: dict[int, int] = {}
    allowed: list[bool] = []
    for time in times:
        counts[time // window] = counts.get(time // window, 0) + 1
        allowed.append(counts[time // window] <= limit)
    return allowed


def charged(times: list[int], limit: int, window: int) -> list[bool]:
    """Count denied requests too: whoever goes on asking stays out."""
    return [
        sum(time - window < old <= time for old in times[:n]) < limit
        for n, time in enumerate(times)
    ]


def locked(times: list[int], limit: int, window: int) -> list[bool]:
    """Never expire: the first `limit` requests are the last."""
    return [n < limit for n in range(len(times))]


def shut(times: list[int], limit: int, window: int) -> list[bool]:
    """Deny all."""
    return [False for _ in times]


def one_more(times: list[int], limit: int, window: int) -> list[bool]:
    """Compare with <= where < is meant."""
    return sliding(times, limit, window, room=1)


def late(times: list[int], limit: int, window: int) -> list[bool]:
    """Keep a request one millisecond too long."""
    return sliding(times, limit, window, edge=1)


def early(times: list[int], limit: int, window: int) -> list[bool]:
    """Forget a request one millisecond too soon."""
    return sliding(times, limit, window, edge=-1)


def sound(log: Log, limit: int, window: int) -> bool:
    """Whether each decision in the log is what the trailing window says, given what was admitted
    before.
    """
    admitted: list[int] = []
    for time, allowed in log:
        assert isinstance(time, int)
        recent = sum(time - old < window for old in admitted)
        if allowed is not (recent < limit):
            return False
        admitted += [time] * bool(allowed)
    return True


def _traffic(draw: random.Random, limit: int, window: int) -> list[int]:
    """Arrivals that bring every defect out: over a boundary, at the edges of a window, then a
    long retry.
    """
    start = draw.randint(1, 9) * window
    burst = [start + window - 1 - draw.randint(0, window // 5) for _ in range(limit + 1)]
    first = min(burst)
    after = [start + window + draw.randint(0, window // 5) for _ in range(limit)]
    edges = [first + window - 1, first + window]
    retries = range(start + 2 * window, start + 4 * window, max(1, window // (2 * limit)))
    return sorted([*burst, *after, *edges, *retries])


def _log(limiter: Limiter, times: list[int], limit: int, window: int) -> Log:
    decided = limiter(times, limit, window)
    return [[time, allowed] for time, allowed in zip(times, decided, strict=True)]


def _judged(limiter: Limiter, right: bool, why: str) -> Property:
    """Return the property that logs of one limiter get the right verdict, three logs a draw."""

    def holds(attempt: Attempt, draw: random.Random) -> int:
        asked = [_ask(attempt, limiter, draw) for _ in range(3)]
        for log, limit, window, answer in asked:
            if sound(log, limit, window) is not right:
                raise RuntimeError(f"the traffic does not bring out {why}")
            if answer is not right:
                raise Counterexample(_told(log, limit, window, answer, right, why))
        return len(asked)

    verb = "accepts" if right else "refuses"
    return Property(f"{verb} {why}", f"your test {verb} the log of {why}.", holds)


def _ask(attempt: Attempt, limiter: Limiter, draw: random.Random) -> tuple[Log, int, int, object]:
    limit, window = draw.randint(2, 5), draw.choice([100, 1000])
    log = _log(limiter, _traffic(draw, limit, window), limit, window)
    return log, limit, window, attempt.call(log, limit, window)


def _told(log: Log, limit: int, window: int, answer: object, right: bool, why: str) -> str:
    if type(answer) is not bool:
        return f"`sound` answered `{shown(answer, 60)}`; right is True or False."
    counts = f"limit {limit}, window {window} ms, {len(log)} requests"
    return f"`sound` answered `{answer}` for the log of {why} ({counts}); right is `{right}`."


def _accepts_quiet(attempt: Attempt, draw: random.Random) -> int:
    """A log with nothing to object to: none, one request, exactly the limit."""
    limit, window = draw.randint(2, 5), 1000
    logs: Iterable[Log] = ([], [[0, True]], [[n, True] for n in range(limit)])
    asked = [(log, attempt.call(log, limit, window)) for log in logs]
    for log, answer in asked:
        if answer is not True:
            raise Counterexample(_told(log, limit, window, answer, True, "a quiet day"))
    return len(asked)


STUB = '''
def sound(log, limit, window):
    """Whether a limiter's log is what `limit` in any trailing `window` promises.

    log: [[time in ms, allowed], ...] in order of time. A request admitted at t counts for
    all times below t + window; denied requests do not count. Return False when a request was
    admitted that should not have been, or denied although there was room.
    """
    raise NotImplementedError
'''

ANSWER = """
def sound(log, limit, window):
    admitted = []
    for time, allowed in log:
        recent = [t for t in admitted if time < t + window]
        if allowed != (len(recent) < limit):
            return False
        if allowed:
            admitted.append(time)
    return True
"""


AUDIT = Exercise(
    id="rate_limiting.audit",
    place=6,
    title="A test that catches broken limiters",
    name="sound",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    reversed=True,
    properties=(
        Property(
            "accepts a quiet day",
            "your test accepts logs that never reach the limit.",
            _accepts_quiet,
        ),
        _judged(sliding, True, "a sound sliding log"),
        _judged(one_more, False, "a limiter that admits one too many"),
        _judged(fixed, False, "a fixed window, which admits twice the limit at a boundary"),
        _judged(shut, False, "a limiter that denies all"),
        _judged(locked, False, "a limiter that never forgets"),
        _judged(charged, False, "a limiter that counts denied requests"),
        _judged(late, False, "a limiter that forgets one millisecond too late"),
        _judged(early, False, "a limiter that forgets one millisecond too early"),
    ),
    mistakes=(
        Mistake(
            "looks for too many only",
            changed(
                ANSWER, ("allowed != (len(recent) < limit)", "allowed and len(recent) >= limit")
            ),
            "You look only for requests that should not have passed. A limiter that denies "
            "everybody "
            "passes your test: ask also whether there was room.",
        ),
        Mistake(
            "counts by the clock",
            changed(ANSWER, ("time < t + window", "time // window == t // window")),
            "You count per window of the clock, as the fixed window does. A test with the "
            "defect of its subject finds nothing.",
        ),
        Mistake(
            "counts the denied",
            changed(
                ANSWER,
                (
                    "        if allowed:\n            admitted.append(time)",
                    "        admitted.append(time)",
                ),
            ),
            "You count denied requests as if they had been admitted, so a sound limiter fails.",
        ),
        Mistake(
            "keeps the edge",
            changed(ANSWER, ("time < t + window", "time <= t + window")),
            "A request admitted at t no longer counts at t + window: the window is half open.",
        ),
        Mistake(
            "accepts one too many",
            changed(ANSWER, ("len(recent) < limit", "len(recent) <= limit")),
            "`recent` are the others. With this request they must be at most the limit: < and not "
            "<=.",
        ),
    ),
    hints=(
        "Go through the log in order and keep the times that were admitted.",
        "For each request: how many admitted times lie within the window before it? Is the "
        "decision right for that?",
        "Right means both ways: `allowed` is True exactly when fewer than `limit` admitted times "
        "t have "
        "`time < t + window`.",
    ),
)
