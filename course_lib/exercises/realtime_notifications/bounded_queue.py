"""Exercise: a bounded queue for one client, with three policies for one notice too many.

A plain function from what waits to what waits then. Left out: waking the one who reads.
"""

import random
from collections.abc import Iterator

from course_lib.exercises.cases import Case, pure
from course_lib.exercises.exercise import Exercise, Mistake, changed
from course_lib.systems.realtime_notifications import POLICIES, Notice, room_for

__all__ = ["BOUNDED_QUEUE"]

NAMES = ("waiting", "notice", "limit", "policy")
Pair = list[str]


def truth(waiting: list[Pair], notice: Pair, limit: int, policy: str) -> list[Pair] | None:
    """What waits then, by the course's own queue; None for a disconnect."""
    kept = room_for(_notice(notice), [_notice(one) for one in waiting], limit, policy)  # type: ignore[arg-type]
    return None if kept is None else [[one.key, one.data] for one in kept]


def _notice(pair: Pair) -> Notice:
    return Notice("0-0", "ann", data=pair[1], key=pair[0])


def _pairs(draw: random.Random, count: int) -> list[Pair]:
    """Notices of orders that differ, in order."""
    orders = draw.sample(range(10, 99), count)
    return [[f"order {order}", f"step {draw.randint(1, 9)}"] for order in orders]


def room(draw: random.Random) -> Iterator[Case]:
    """An empty queue, and one with one place left."""
    for policy in POLICIES:
        limit = draw.randint(3, 6)
        pairs = _pairs(draw, limit)
        yield [], pairs[0], limit, policy
        yield pairs[:-1], pairs[-1], limit, policy


def full(draw: random.Random) -> Iterator[Case]:
    """No room, and a notice of an order that does not wait yet; a limit of 1 too."""
    for policy in POLICIES:
        for limit in (draw.randint(3, 6), 1):
            pairs = _pairs(draw, limit + 1)
            yield pairs[:-1], pairs[-1], limit, policy


def same_key(draw: random.Random) -> Iterator[Case]:
    """A later notice of an order that waits: with room and without, first, middle and last."""
    for policy in POLICIES:
        for free in (0, 2):
            pairs = _pairs(draw, draw.randint(3, 5))
            place = draw.randrange(len(pairs) - 1)
            yield pairs, [pairs[place][0], "step 10"], len(pairs) + free, policy


def no_key(draw: random.Random) -> Iterator[Case]:
    """Notices without a key have nothing to do with each other."""
    for free in (0, 1):
        pairs = [["", f"hello {number}"] for number in range(draw.randint(2, 4))]
        yield pairs, ["", "hello again"], len(pairs) + free, "coalesce"


STUB = '''
def offer(waiting, notice, limit, policy):
    """What waits for a client once `notice` has come; None if the client is to be disconnected.

    A notice is [key, text]; waiting is a list of them, oldest first, at most `limit`.
    policy "drop oldest": the newest `limit` are kept.
    policy "coalesce": notices that have the same key are about the same thing, and only the last
    counts: it takes the place at the end, whether there is room or not. Without such a one, as
    above. An empty key is no key.
    policy "disconnect": a notice for which there is no room disconnects; nothing is dropped.
    """
    raise NotImplementedError
'''

ANSWER = """
def offer(waiting, notice, limit, policy):
    if policy == "coalesce" and notice[0]:
        waiting = [other for other in waiting if other[0] != notice[0]]
    if len(waiting) < limit:
        return waiting + [notice]
    if policy == "disconnect":
        return None
    return (waiting + [notice])[-limit:]
"""

BOUNDED_QUEUE = Exercise(
    id="realtime_notifications.bounded_queue",
    place=3,
    title="One notice too many",
    name="offer",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    properties=(
        pure("room", "a notice for which there is room waits at the end.", room, truth, NAMES),
        pure("full", "at most `limit` wait, and the policy says who goes.", full, truth, NAMES),
        pure("same key", "only coalesce looks at keys, and always.", same_key, truth, NAMES),
        pure("no key", "notices without a key are not about one thing.", no_key, truth, NAMES),
    ),
    mistakes=(
        Mistake(
            "no bound",
            changed(ANSWER, ("len(waiting) < limit", "True")),
            "With `limit` waiting there is no room for one more. Without a bound, one client that "
            "does not read costs you the server.",
        ),
        Mistake(
            "drops the newest",
            changed(ANSWER, ("return (waiting + [notice])[-limit:]", "return waiting")),
            "You keep the oldest and drop the news. Who reads late wants the newest.",
        ),
        Mistake(
            "full one too early",
            changed(ANSWER, ("len(waiting) < limit", "len(waiting) < limit - 1")),
            "There was one place left, and you gave up a notice, or a client, for nothing.",
        ),
        Mistake(
            "coalesces only when it is full",
            changed(
                ANSWER,
                ('policy == "coalesce" and', 'policy == "coalesce" and len(waiting) == limit and'),
            ),
            "Two notices of one order wait although only the last counts. Coalesce always.",
        ),
        Mistake(
            "coalesces in place",
            changed(
                ANSWER,
                (
                    "waiting = [other for other in waiting if other[0] != notice[0]]",
                    "if notice[0] in [other[0] for other in waiting]:\n"
                    "            same = [other[0] == notice[0] for other in waiting]\n"
                    "            return [notice if s else o for s, o in zip(same, waiting)]",
                ),
            ),
            "You put the news into the old one's place. Then ids no longer grow along the queue, "
            "and a client that resumes after the last one misses what was behind it.",
        ),
        Mistake(
            "an empty key is a key",
            changed(ANSWER, (" and notice[0]:", ":")),
            "Notices without a key are about different things. You keep only the last of them.",
        ),
        Mistake(
            "coalesces under every policy",
            changed(ANSWER, ('policy == "coalesce" and notice[0]', "notice[0]")),
            "Only `coalesce` may replace: under the other policies every notice of an order "
            "counts.",
        ),
        Mistake(
            "disconnects and keeps",
            changed(ANSWER, ("return None", "return waiting")),
            "You drop the notice without a word, and the client never knows. Disconnect: then it "
            "comes back and reads the log.",
        ),
    ),
    hints=(
        "Begin with the bound: when is there no room, and what does each policy do then?",
        "Coalesce comes before the bound: taking the old one out may make room.",
        "Take out what has the same key (unless the key is empty), then append if fewer than "
        "`limit` wait. Otherwise None, or the last `limit` of all.",
    ),
)
