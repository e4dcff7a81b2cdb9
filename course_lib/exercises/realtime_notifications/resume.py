"""Exercise: what to send to a client that comes back, from the log and from what has come since.

Plain lists of ids. Left out: the order of joining and looking, which makes the two lists overlap
and is the lesson of the notebook.
"""

import random
from collections.abc import Iterator

from course_lib.exercises.cases import Case, pure
from course_lib.exercises.exercise import Exercise, Mistake, changed
from course_lib.systems.realtime_notifications import order

__all__ = ["RESUME"]

NAMES = ("last", "history", "live")


def truth(last: str, history: list[str], live: list[str]) -> list[str]:
    """The ids to send, in order: `truth("7-0", ["7-0", "8-0"], ["8-0", "9-0"])` -> 8-0, 9-0."""
    return sorted({i for i in [*history, *live] if order(i) > order(last)}, key=order)


def _ids(draw: random.Random, count: int, digits: int = 4) -> list[str]:
    """Ids that only grow, some within one millisecond."""
    now, number, made = draw.randint(10 ** (digits - 1), 6 * 10 ** (digits - 1)), 0, []
    for _ in range(count):
        made.append(f"{now}-{number}")
        now, number = (now, number + 1) if draw.random() < 0.3 else (now + draw.randint(1, 40), 0)
    return made


def apart(draw: random.Random) -> Iterator[Case]:
    """The log ends before the first that came live."""
    for _ in range(2):
        ids = _ids(draw, 7)
        yield ids[0], ids[1:4], ids[4:]


def overlap(draw: random.Random) -> Iterator[Case]:
    """Some are in both, or all of one are in the other; some live ones are older than the log's."""
    for live in (3, 1, 4):
        ids = _ids(draw, 7)
        yield ids[0], ids[1:5], ids[live:]
    ids = _ids(draw, 6)
    yield ids[0], ids[1:], ids[2:4]


def seen(draw: random.Random) -> Iterator[Case]:
    """Both hold ids that the client has seen, the last one too."""
    ids = _ids(draw, 8)
    yield ids[3], ids[1:6], ids[5:]
    yield ids[5], ids[:6], ids[3:]
    yield ids[-1], ids, ids[4:]


def quiet(draw: random.Random) -> Iterator[Case]:
    """Nothing was missed, or nothing has come since."""
    ids = _ids(draw, 5)
    yield ids[0], [], ids[1:]
    yield ids[0], ids[1:], []
    yield ids[-1], [], []


def digits(draw: random.Random) -> Iterator[Case]:
    """Numbers that grow by a digit: 999-0 and 1000-0, and 5-9 and 5-10."""
    ms = draw.choice([99, 999, 9_999])
    ids = [f"{ms - 1}-0", f"{ms}-0", f"{ms + 1}-0", f"{ms + 2}-0"]
    yield ids[0], ids[1:3], ids[2:]
    ids = [f"{ms}-{number}" for number in (8, 9, 10, 11)]
    yield ids[0], ids[1:3], ids[2:]


STUB = '''
def resume(last, history, live):
    """The ids to send to a client that comes back: in order, each once, none that it has seen.

    last: the id that the client saw last. history: ids read from the log, in order. live: ids
    that have come in since the server joined, in order; it joined before it read the log.
    An id is a text, milliseconds-number: "1700-0" comes before "1700-1" and "1701-0".
    """
    raise NotImplementedError
'''

ANSWER = """
def resume(last, history, live):
    def order(id):
        milliseconds, number = id.split("-")
        return int(milliseconds), int(number)

    send = []
    for id in [*history, *live]:
        if order(id) > order(last):
            send.append(id)
            last = id
    return send
"""

RESUME = Exercise(
    id="realtime_notifications.resume",
    place=2,
    title="What was missed, once",
    name="resume",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    properties=(
        pure("apart", "first what was missed, then what has come since.", apart, truth, NAMES),
        pure("overlap", "what is in both is sent once.", overlap, truth, NAMES),
        pure("seen", "nothing is sent that the client has seen.", seen, truth, NAMES),
        pure("quiet", "either list may be empty.", quiet, truth, NAMES),
        pure("digits", "ids compare by their numbers.", digits, truth, NAMES),
    ),
    mistakes=(
        Mistake(
            "compares texts",
            changed(ANSWER, ("return int(milliseconds), int(number)", "return id")),
            'As texts, "999-0" is larger than "1000-0". Compare the two numbers.',
        ),
        Mistake(
            "compares as a decimal number",
            changed(
                ANSWER,
                (
                    "return int(milliseconds), int(number)",
                    'return float(f"{milliseconds}.{number}")',
                ),
            ),
            "1700-10 is not 1700.10: that is smaller than 1700.9. Compare pairs of ints.",
        ),
        Mistake(
            "sends the last one again",
            changed(ANSWER, ("order(id) > order(last)", "order(id) >= order(last)")),
            "The client has seen `last`. Go on after it, not with it.",
        ),
        Mistake(
            "sends both lists",
            changed(ANSWER, ("            last = id\n", "")),
            "What came between joining and reading the log is in both lists, and you send it "
            "twice.",
        ),
        Mistake(
            "history only",
            changed(ANSWER, ("[*history, *live]", "history")),
            "What came after the log was read is in `live` only. It is lost.",
        ),
        Mistake(
            "live only",
            changed(ANSWER, ("[*history, *live]", "live")),
            "What the client missed before the server joined is in `history` only. It is lost.",
        ),
        Mistake(
            "live first",
            changed(ANSWER, ("[*history, *live]", "[*live, *history]")),
            "You start with what is newest. All that was missed is older, and you skip it.",
        ),
        Mistake(
            "drops the first of the live ones",
            changed(ANSWER, ("[*history, *live]", "[*history, *live[1:]]")),
            "You take for granted that the two lists overlap by one. They may not overlap at all.",
        ),
    ),
    hints=(
        "Which of the two lists holds the older ids? Send that first.",
        "Remember the id that you sent last. It starts as `last`. What does it say about the next?",
        "Turn an id into a pair of ints, and send only what is above the one that you sent last.",
    ),
)
