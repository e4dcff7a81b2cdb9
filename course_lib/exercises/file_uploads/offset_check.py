"""Exercise: may these bytes be appended here? The one decision that makes an upload resumable.

Left out: checksums and expiry, which come on top; a server asks this first.
"""

import random
from collections.abc import Iterator

from course_lib.exercises.cases import Case, pure
from course_lib.exercises.exercise import Exercise, Mistake, changed
from course_lib.systems.file_uploads import status_of_append

__all__ = ["OFFSET_CHECK"]

NAMES = ("offset", "length", "claimed", "size")


def truth(offset: int, length: int, claimed: int, size: int) -> list[int]:
    """Return the status and the offset afterwards: `truth(70, 100, 70, 30)` -> `[204, 100]`."""
    status = status_of_append(offset, length, claimed, size)
    return [status, offset + size if status == 204 else offset]


def _upload(draw: random.Random) -> tuple[int, int]:
    length = draw.randint(50, 500)
    return draw.randint(20, length - 20), length


def fits(draw: random.Random) -> Iterator[Case]:
    """A chunk in the middle, the first one, and the last one, which ends exactly at the end."""
    offset, length = _upload(draw)
    yield offset, length, offset, draw.randint(1, length - offset - 1)
    yield 0, length, 0, draw.randint(1, length - 1)
    yield offset, length, offset, length - offset


def again(draw: random.Random) -> Iterator[Case]:
    """A chunk that came before: just now, from the start on, and after all is there."""
    offset, length = _upload(draw)
    size = draw.randint(1, 19)
    yield offset, length, offset - size, size
    yield offset, length, 0, size
    yield length, length, length - size, size


def gap(draw: random.Random) -> Iterator[Case]:
    """A chunk that leaves a gap of one byte, and of more."""
    offset, length = _upload(draw)
    yield offset, length, offset + 1, 2
    yield offset, length, offset + draw.randint(2, 9), 3


def beyond(draw: random.Random) -> Iterator[Case]:
    """One byte too many, and far too many; the offset is right."""
    offset, length = _upload(draw)
    yield offset, length, offset, length - offset + 1
    yield offset, length, offset, length * draw.randint(2, 9)


def nothing(draw: random.Random) -> Iterator[Case]:
    """No bytes at all, at the end and before it: nothing changes, and nothing is wrong."""
    offset, length = _upload(draw)
    yield length, length, length, 0
    yield offset, length, offset, 0


STUB = '''
def append(offset, length, claimed, size):
    """Answer a PATCH; return [status, the offset afterwards].

    offset: bytes that are stored; length: bytes of the whole file; claimed: where the request
    says that its bytes begin; size: how many it brings. 204 appends them. Bytes for any other
    place are a conflict, 409. Bytes beyond the end are too many, 413. Refused bytes are not
    stored, not even some of them.
    """
    raise NotImplementedError
'''

ANSWER = """
def append(offset, length, claimed, size):
    if claimed != offset:
        return [409, offset]
    if offset + size > length:
        return [413, offset]
    return [204, offset + size]
"""

OFFSET_CHECK = Exercise(
    id="file_uploads.offset_check",
    place=1,
    title="Where do these bytes belong?",
    name="append",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    properties=(
        pure("fits", "bytes for the next place are appended.", fits, truth, NAMES),
        pure("again", "bytes that are there already are a conflict.", again, truth, NAMES),
        pure("gap", "bytes that would leave a gap are a conflict.", gap, truth, NAMES),
        pure("beyond", "bytes beyond the end are refused, all of them.", beyond, truth, NAMES),
        pure("nothing", "no bytes change nothing, and that is fine.", nothing, truth, NAMES),
    ),
    mistakes=(
        Mistake(
            "appends what came before",
            changed(ANSWER, ("claimed != offset", "claimed > offset")),
            "You append a chunk that the server has already. That is how a retry corrupts a file: "
            "only an exact match may be appended.",
        ),
        Mistake(
            "leaves a gap",
            changed(ANSWER, ("claimed != offset", "claimed < offset")),
            "You take bytes for a place further on. The bytes between would be missing, and every "
            "later offset wrong.",
        ),
        Mistake(
            "does not look",
            changed(ANSWER, ("claimed != offset", "False")),
            "You never look where the bytes belong. That is the popular server which appends "
            "whatever arrives.",
        ),
        Mistake(
            "believes the client",
            changed(
                ANSWER,
                ("claimed != offset", "False"),
                ("offset + size > length", "claimed + size > length"),
                ("[204, offset + size]", "[204, claimed + size]"),
            ),
            "You let the client say where the upload is. The offset is what the server has "
            "stored, never what somebody claims.",
        ),
        Mistake(
            "refuses the last chunk",
            changed(ANSWER, ("offset + size > length", "offset + size >= length")),
            "You refuse the chunk that ends exactly at the end. Without it no upload is complete.",
        ),
        Mistake(
            "keeps what fits",
            changed(ANSWER, ("return [413, offset]", "return [413, length]")),
            "You keep a part of what you refuse. A client that is told 413 believes that nothing "
            "was stored.",
        ),
        Mistake(
            "closes a complete upload",
            changed(
                ANSWER,
                (
                    "    if claimed != offset",
                    "    if offset == length:\n        return [403, offset]\n"
                    "    if claimed != offset",
                ),
            ),
            "You treat a complete upload as a special case. The two checks cover it: only zero "
            "bytes fit.",
        ),
    ),
    hints=(
        "Two questions, in this order: do the bytes belong at the end of what is stored, and do "
        "they fit into what is missing?",
        "`claimed` is a claim. Compare it with `offset`, and calculate with `offset` only.",
        "Equal or not: a smaller `claimed` is as much a conflict as a larger one. And "
        "`offset + size == length` is the last chunk.",
    ),
)
