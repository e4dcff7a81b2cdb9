"""Exercise, reversed: the drops that turn a file into another one, on a server that only appends.

The learner chooses what becomes of each request; the check plays client and server. Left out:
chunks that break in the middle.
"""

import random
from collections.abc import Iterator

from course_lib.exercises.attempt import Attempt
from course_lib.exercises.exercise import Counterexample, Exercise, Mistake, Property
from course_lib.exercises.plain import shown

__all__ = ["DROP_SCHEDULE", "stored"]

NAME = "drops"
FATES = ("ok", "request lost", "answer lost")


def stored(chunks: list[str], fates: list[str]) -> str:
    """What the server has in the end; later requests are ok: `stored(["a"], ["answer lost"])` ->
    `"aa"`.
    """
    file, left = "", list(fates)
    for chunk in chunks:
        answered = False
        while not answered:
            fate = left.pop(0) if left else "ok"
            file += "" if fate == "request lost" else chunk
            answered = fate == "ok"
    return file


def _game(draw: random.Random, most: int) -> tuple[list[str], str]:
    """Chunks that are all different, and a file with some of them up to `most` times."""
    letters = draw.sample("abcdefghijklmnop", draw.randint(3, 6))
    chunks = [letter * draw.randint(1, 3) + letter.upper() for letter in letters]
    times = [draw.randint(1, most) for _ in chunks]
    times[draw.randrange(len(chunks))] = most
    return chunks, "".join(chunk * n for chunk, n in zip(chunks, times, strict=True))


def _games(draw: random.Random, most: int) -> Iterator[tuple[list[str], str]]:
    for _ in range(3):
        yield _game(draw, most)


def _property(name: str, sentence: str, most: int) -> Property:
    def holds(attempt: Attempt, draw: random.Random) -> int:
        games = list(_games(draw, most))
        asked = [(chunks, file, attempt.call(chunks, file)) for chunks, file in games]
        for chunks, file, fates in asked:
            _same(chunks, file, fates)
        return len(asked)

    return Property(name, sentence, holds)


def _same(chunks: list[str], file: str, fates: object) -> None:
    call = f"`{NAME}({shown(chunks, 60)}, {file!r})`"
    if type(fates) is not list or any(fate not in FATES for fate in fates):
        right = f"a list of {', '.join(FATES)}"
        raise Counterexample(f"{call} answered `{shown(fates, 60)}`; right is {right}.")
    if len(fates) > 60:
        raise Counterexample(f"{call} decides {len(fates)} requests; 60 must do.")
    found = stored(chunks, fates)
    if found != file:
        raise Counterexample(f"{call}: with {shown(fates, 90)} the server has {found!r}.")


STUB = '''
def drops(chunks, file):
    """What becomes of each request, so that the server ends up with `file`.

    chunks: the pieces of the true file, all different. The client sends them in order, and sends
    a chunk again until it is answered. The server appends whatever arrives.
    file: what the server shall have in the end: the chunks in order, some of them repeated.
    Return a list of "ok", "request lost" and "answer lost", one for each request.
    """
    raise NotImplementedError
'''

ANSWER = """
def drops(chunks, file):
    fates = []
    for chunk in chunks:
        while file.startswith(chunk + chunk):
            fates.append("answer lost")
            file = file[len(chunk):]
        fates.append("ok")
        file = file[len(chunk):]
    return fates
"""


def _mistaken(*body: str) -> str:
    return "\n    ".join([f"def {NAME}(chunks, file):", *body]) + "\n"


DROP_SCHEDULE = Exercise(
    id="file_uploads.drop_schedule",
    place=6,
    title="The drops that corrupt",
    name=NAME,
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    reversed=True,
    properties=(
        _property("twice", "some chunks are stored twice.", 2),
        _property("three times", "some chunks are stored up to three times.", 3),
    ),
    mistakes=(
        Mistake(
            "loses requests",
            ANSWER.replace("answer lost", "request lost").lstrip("\n"),
            "A request that is lost stores nothing, so sending it again is right. Which loss "
            "leaves the chunk stored and the client in doubt?",
        ),
        Mistake(
            "no last answer",
            _mistaken(
                "fates = []",
                "for chunk in chunks:",
                "    times = file.count(chunk)",
                '    fates += ["answer lost"] * times + ["ok"]',
                "return fates",
            ),
            "You lose one answer too many: the request that is answered stores the chunk as well.",
        ),
        Mistake(
            "at most twice",
            _mistaken(
                "fates = []",
                "for chunk in chunks:",
                '    fates += ["answer lost"] * (chunk + chunk in file) + ["ok"]',
                "return fates",
            ),
            "A chunk can be repeated more than once: each lost answer stores it once more.",
        ),
        Mistake(
            "all at the end",
            _mistaken(
                "extra = sum(file.count(c) - 1 for c in chunks)",
                'return ["ok"] * (len(chunks) - 1) + ["answer lost"] * extra',
            ),
            "All your losses meet the last chunk. The list goes by requests, and a chunk that is "
            "not answered is sent again before the next one.",
        ),
    ),
    hints=(
        "What does the server store when the request is lost? And when the answer is?",
        'A chunk that is stored n times: n - 1 times "answer lost", then "ok".',
        "Go through the chunks in order and count how often each stands at the front of what is "
        "left of `file`.",
    ),
)
