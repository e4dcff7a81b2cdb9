"""Exercise: write one event of an event stream so that a browser reads back what was meant.

Many texts are right, so the check reads the answer with the course's parser, which follows the
WHATWG rules, and compares what is dispatched. Left out: event types and the retry field.
"""

import random
import re
from collections.abc import Callable, Iterator

from course_lib.exercises.attempt import Attempt
from course_lib.exercises.exercise import Counterexample, Exercise, Mistake, Property
from course_lib.exercises.plain import shown
from course_lib.systems.realtime_notifications import EventStreamParser, Message, encode

__all__ = ["SSE_ENCODER"]

Case = tuple[str, str | None]
WORDS = ("order shipped", "paid", "price: 7", "2 new", "ok")
EARLIER = "6-0"


def read(text: str) -> list[Message]:
    """What a client dispatches that has seen the id 6-0 before."""
    parser = EventStreamParser()
    before = list(parser.feed(encode("earlier", id=EARLIER).encode()))
    return before[1:] + list(parser.feed(text.encode("utf-8", "surrogatepass")))


def wanted(data: str, id: str | None) -> Message:
    """The one event that must be dispatched."""
    kept = id if id is not None and not re.search("[\r\n\0]", id) else EARLIER
    return Message(re.sub("\r\n?", "\n", data), id=kept)


def simple(draw: random.Random) -> Iterator[Case]:
    """One line, with an id."""
    for word in draw.sample(WORDS, 3):
        yield word, f"{draw.randint(7, 99)}-{draw.randint(0, 9)}"


def lines(draw: random.Random) -> Iterator[Case]:
    """Several lines, ended by LF, CRLF and a CR alone."""
    for end in ("\n", "\r\n", "\r"):
        yield end.join(draw.sample(WORDS, draw.randint(2, 3))), f"{draw.randint(7, 99)}-0"


def edges(draw: random.Random) -> Iterator[Case]:
    """Nothing at all, a space or a colon in front, empty lines in the middle and at the end."""
    word = draw.choice(WORDS)
    for data in ("", f" {word}", f": {word}", f"{word}\n\n{word}", f"{word}\n"):
        yield data, f"{draw.randint(7, 99)}-0"


def other_ends(draw: random.Random) -> Iterator[Case]:
    """Characters that end a line elsewhere, and not in an event stream."""
    for end in "\u2028\x0b\x85\x0c":
        yield end.join(draw.sample(WORDS, 2)), f"{draw.randint(7, 99)}-0"


def ids(draw: random.Random) -> Iterator[Case]:
    """No id, and ids that would break the stream."""
    word = draw.choice(WORDS)
    yield word, None
    for bad in ("7\0-1", "7-1\ndata: forged", "7-1\rdata: forged"):
        yield word, bad.replace("7", str(draw.randint(7, 99)))


def survives(draws: Callable[[random.Random], Iterator[Case]]) -> Callable[..., int]:
    """A property: each drawn event is read back as it was meant."""

    def holds(attempt: Attempt, draw: random.Random) -> int:
        cases = list(draws(draw))
        answers = [attempt.call(*case) for case in cases]
        for case, answer in zip(cases, answers, strict=True):
            _judge(case, answer)
        return len(cases)

    return holds


def _judge(case: Case, answer: object) -> None:
    call = f"`encode({case[0]!r}, {case[1]!r})`"
    if type(answer) is not str:
        raise Counterexample(f"{call} answered `{shown(answer, 60)}`; right is a text.")
    got, right = read(answer), wanted(*case)
    if got != [right]:
        told = ", then ".join(f"data {m.data!r} with id {m.id!r}" for m in got[:3]) or "nothing"
        raise Counterexample(
            f"{call} answered {answer!r}. A browser reads from it: {told}; "
            f"meant was data {right.data!r} with id {right.id!r}."
        )


STUB = '''
def encode(data, id):
    """One event of a text/event-stream, as text.

    data: a text of one or more lines, ended by LF, CRLF or CR; a reader gets it back with LF.
    id: the event's id, or None. An id with a NUL, CR or LF must not be sent: leave it out.
    """
    raise NotImplementedError
'''

ANSWER = r"""
import re


def encode(data, id):
    text = ""
    if id is not None and not re.search("[\r\n\0]", id):
        text += f"id: {id}\n"
    for line in re.split("\r\n|\r|\n", data):
        text += f"data: {line}\n"
    return text + "\n"
"""

SAFE = r"""text += f"id: {id}\n" """.strip()


def _mistaken(*changes: tuple[str, str]) -> str:
    source = ANSWER.lstrip("\n")
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    return source


SSE_ENCODER = Exercise(
    id="realtime_notifications.sse_encoder",
    place=1,
    title="One event, as a browser reads it",
    name="encode",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    properties=(
        Property("simple", "one line and an id arrive as one event.", survives(simple)),
        Property("lines", "a text of several lines arrives as one event.", survives(lines)),
        Property(
            "edges", "empty data, spaces and empty lines arrive as they are.", survives(edges)
        ),
        Property(
            "other ends",
            "only CR, LF and CRLF end a line; all other characters are data.",
            survives(other_ends),
        ),
        Property("ids", "without an id, or with a broken one, the last id stays.", survives(ids)),
    ),
    mistakes=(
        Mistake(
            "one data line",
            _mistaken((r're.split("\r\n|\r|\n", data)', "[data]")),
            "A line break inside the data ends the field, and the rest is read as fields of other "
            "names. Every line needs its own `data:`.",
        ),
        Mistake(
            "cuts at LF only",
            _mistaken((r're.split("\r\n|\r|\n", data)', r'data.split("\n")')),
            "A CR alone ends a line too, in an event stream: what follows it is lost.",
        ),
        Mistake(
            "splitlines",
            _mistaken((r're.split("\r\n|\r|\n", data)', "data.splitlines()")),
            "str.splitlines is another format's idea of lines. It cuts at U+2028 and form feeds as "
            "well, drops a last empty line, and makes nothing at all of an empty text.",
        ),
        Mistake(
            "no space after the colon",
            _mistaken(("data: {line}", "data:{line}")),
            "A reader removes one space after the colon. If you send none, it takes the data's "
            "own.",
        ),
        Mistake(
            "no blank line",
            _mistaken((r'return text + "\n"', "return text")),
            "A blank line dispatches the event. Without it the reader waits for more, and drops it "
            "all when the connection ends.",
        ),
        Mistake(
            "two blank lines and no data for an empty text",
            _mistaken(
                (
                    r'for line in re.split("\r\n|\r|\n", data):',
                    r'for line in data and re.split("\r\n|\r|\n", data):',
                )
            ),
            "Without any `data` field nothing is dispatched, not even an empty event.",
        ),
        Mistake(
            "sends any id",
            _mistaken((r' and not re.search("[\r\n\0]", id)', "")),
            "Whoever chooses the id can then write fields of the stream. A reader also ignores an "
            "id with a NUL.",
        ),
        Mistake(
            "an id of None",
            _mistaken(
                (
                    r'id is not None and not re.search("[\r\n\0]", id)',
                    r'not re.search("[\r\n\0]", str(id))',
                )
            ),
            "You send the id `None`: the client comes back with it. Without an id, send no id "
            "field; the last one stays.",
        ),
    ),
    hints=(
        "Write it by hand for two lines of data. What tells the reader that the event is complete?",
        "Each line of the data becomes `data: ` and the line. Which three things end a line?",
        r're.split("\r\n|\r|\n", data) gives the lines, also for an empty text. The id goes '
        "before them, unless it holds one of the characters that would break it.",
    ),
)
