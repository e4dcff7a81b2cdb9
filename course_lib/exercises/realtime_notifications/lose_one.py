"""Exercise, reversed: cut the connection at the moment at which a wrong resume loses, or repeats.

The learner attacks two servers that keep each client's position themselves: one moves it when a
notice is sent, the other when its acknowledgement is back. Left out: the right resume, which no cut
can hurt; the check runs it beside the others to show that.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from course_lib.exercises.attempt import Attempt
from course_lib.exercises.exercise import Counterexample, Exercise, Mistake, Property, changed
from course_lib.exercises.plain import shown

__all__ = ["LOSE_ONE"]

NAME = "cut"
RULES = ("sent", "acknowledged")


@dataclass(frozen=True)
class Target:
    """Notices sent at `times` ms over a link of `latency` ms; the cut is at `start` or later."""

    times: tuple[int, ...]
    latency: int
    start: int
    rule: str

    @property
    def call(self) -> str:
        """The call in words."""
        return f"`{NAME}({list(self.times)}, {self.latency}, {self.start}, {self.rule!r})`"

    def arrived(self, cut: int) -> list[int]:
        """The notices that the client has when the connection is cut."""
        return [t for t in self.times if t + self.latency < cut]

    def position(self, cut: int, rule: str) -> int:
        """The last notice that counts as seen when the client comes back, 0 for none."""
        trips = {"sent": 0, "client": 1, "acknowledged": 2}[rule]
        return max((t for t in self.times if t + trips * self.latency < cut), default=0)

    def outcome(self, cut: int, rule: str) -> tuple[list[int], list[int]]:
        """What is lost and what is repeated, once the client is back for good."""
        replayed = [t for t in self.times if t > self.position(cut, rule)]
        got = self.arrived(cut)
        lost = [t for t in self.times if t not in got and t not in replayed]
        return lost, [t for t in got if t in replayed]


def targets(draw: random.Random) -> Iterator[Target]:
    """Both rules; notices closer together than the latency first, then one that stands alone."""
    for rule in RULES:
        for early in (0, draw.randint(3, 6)):
            yield _target(draw, rule, early)


def _target(draw: random.Random, rule: str, early: int) -> Target:
    latency = draw.randint(20, 90)
    times, now = list[int](), draw.randint(100, 999)
    for _ in range(early + 3):
        times.append(now)
        now += draw.randint(1, latency // 4)
    start = times[early - 1] + 3 * latency if early else 0
    alone = times[-1] + 4 * latency + draw.randint(1, 200)
    after = [alone + 3 * latency + draw.randint(1, 200)]
    after += [after[0] + draw.randint(1, latency // 2)]
    return Target(
        (*times, alone, *after),
        latency,
        max(start, times[-1] + 2 * latency + 1) if early else 0,
        rule,
    )


def hurts(attempt: Attempt, draw: random.Random) -> int:
    """Exactly one is lost or repeated, on every target; all are asked before one is judged."""
    asked = [(t, attempt.call(list(t.times), t.latency, t.start, t.rule)) for t in targets(draw)]
    for target, answer in asked:
        _judge(target, answer)
    return len(asked)


def _judge(target: Target, answer: object) -> None:
    if type(answer) is not int:
        told = f"answered `{shown(answer, 60)}`; right is an int, in milliseconds"
        raise Counterexample(f"{target.call} {told}.")
    if answer < target.start:
        told = f"cuts at {answer} ms, before the start at {target.start} ms"
        raise Counterexample(f"{target.call} {told}.", (), EARLY)
    lost, repeated = target.outcome(answer, target.rule)
    assert target.outcome(answer, "client") == ([], [])
    hit, word = (lost, "lost") if target.rule == "sent" else (repeated, "repeated")
    if len(hit) != 1:
        raise Counterexample(
            f"{target.call} cuts at {answer} ms: {len(hit)} notices are {word}; it must be 1. "
            f"(With the position at the client, none is.)"
        )


EARLY = "The client has no connection before `start`: a cut there cuts nothing."

STUB = '''
def cut(times, latency, start, rule):
    """When to cut a connection so that exactly one notice is lost, or repeated.

    All times are whole milliseconds. Notices are sent at `times`; each arrives `latency` later,
    and its acknowledgement is back after another `latency`. What would arrive at the cut or
    later, in either direction, never does. The client then comes back for good, and the server
    goes on after the last notice that it counts as seen:
    rule "sent": all that it had sent before the cut. Make it lose exactly one.
    rule "acknowledged": all whose acknowledgement was back. Make it repeat exactly one.
    Return the moment of the cut, an int, not before `start`.
    """
    raise NotImplementedError
'''

ANSWER = """
def cut(times, latency, start, rule):
    trips = 0 if rule == "sent" else 1
    def hit(moment):
        return sum(t + trips * latency < moment <= t + (trips + 1) * latency for t in times)
    candidates = [t + trips * latency + 1 for t in times]
    return next(moment for moment in candidates if moment >= start and hit(moment) == 1)
"""

LOSE_ONE = Exercise(
    id="realtime_notifications.lose_one",
    place=5,
    title="The cut that loses one",
    name=NAME,
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    reversed=True,
    properties=(Property("hurts", "exactly one notice is lost, or repeated.", hurts),),
    mistakes=(
        Mistake(
            "cuts before it is sent",
            changed(ANSWER, ("latency + 1 for t", "latency for t"), ("hit(moment) == 1", "True")),
            "A notice that leaves at the moment of the cut has not been sent before it: the server "
            "knows that, and sends it again.",
        ),
        Mistake(
            "cuts when all is well",
            "def cut(times, latency, start, rule):\n"
            "    return max(start, times[0] + 3 * latency)\n",
            "You cut after everything has come to rest. Cut while something is on its way.",
        ),
        Mistake(
            "one cut for both rules",
            changed(ANSWER, ('0 if rule == "sent" else 1', "0")),
            "To lose one, cut a notice on its way to the client. To repeat one, cut its "
            "acknowledgement on the way back: one latency later.",
        ),
        Mistake(
            "the rules swapped",
            changed(ANSWER, ('0 if rule == "sent" else 1', '1 if rule == "sent" else 0')),
            "The server that counts a notice as seen too early loses it; the one that counts it "
            "too late repeats it. You have them the other way round.",
        ),
        Mistake(
            "before the start",
            changed(ANSWER, ("moment >= start and ", "")),
            EARLY,
        ),
        Mistake(
            "several at once",
            "def cut(times, latency, start, rule):\n"
            '    trips = 1 if rule == "sent" else 2\n'
            "    return next(t + trips * latency for t in times if t + latency >= start)\n",
            "Several notices are on their way at your cut. Find a moment at which one is alone.",
        ),
    ),
    hints=(
        "Draw one notice: sent, arrived, acknowledged. Between which two does each server err?",
        "Rule sent: after t and up to t + latency. Rule acknowledged: one latency later.",
        "Try the moment just after each of these begins, and count for how many notices it falls "
        "into the gap. Take the first one, from `start` on, with a count of 1.",
    ),
)
