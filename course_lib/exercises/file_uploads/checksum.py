"""Exercise: is what arrived what was sent? The checksum extension, with its three statuses.

Left out: bodies that come in pieces; a server feeds the digest as they come.
"""

import base64
import hashlib
import random
from collections.abc import Iterator

from course_lib.exercises.cases import Case, pure
from course_lib.exercises.exercise import Exercise, Mistake, changed
from course_lib.systems.file_uploads import Checksum, Refused

__all__ = ["CHECKSUM"]

NAMES = ("header", "body")
KINDS = ("sha1", "sha256")
LETTERS = "abcdefgh ijklmnop qrstuvw äöü"


def truth(header: str | None, body: str) -> int:
    """Return the status: `truth(None, "hello")` -> `204`."""
    if header is None:
        return 204
    if header.partition(" ")[0] not in KINDS:
        return 400
    data = body.encode()
    try:
        claimed = Checksum.parse(header)
        claimed.check(hashlib.new(claimed.algorithm, data).digest())
    except Refused as refused:
        return refused.status
    return 204


def _text(draw: random.Random) -> str:
    return "".join(draw.choice(LETTERS) for _ in range(draw.randint(5, 20))) + "é"


def _header(kind: str, body: str) -> str:
    return f"{kind} {base64.b64encode(hashlib.new(kind, body.encode()).digest()).decode()}"


def good(draw: random.Random) -> Iterator[Case]:
    """Both algorithms, letters beyond ASCII, and an empty body."""
    for kind in KINDS:
        body = _text(draw)
        yield _header(kind, body), body
    yield _header("sha1", ""), ""


def none(draw: random.Random) -> Iterator[Case]:
    """No checksum was sent."""
    yield None, _text(draw)


def changed_body(draw: random.Random) -> Iterator[Case]:
    """A letter changed, one lost, and two swapped."""
    for kind in KINDS:
        body = "xy" + _text(draw)
        yield _header(kind, body), body[:-1] + "ö"
        yield _header(kind, body), body[:-1]
        yield _header(kind, body), "yx" + body[2:]


def other_case(draw: random.Random) -> Iterator[Case]:
    """The same letters with another case are another digest."""
    for kind in KINDS:
        body = _text(draw)
        yield f"{kind} {_header(kind, body).partition(' ')[2].swapcase()}", body


def unknown(draw: random.Random) -> Iterator[Case]:
    """An algorithm that the server does not offer."""
    body = _text(draw)
    for kind in ("sha512", "crc32", "SHA1"):
        digest = hashlib.sha512(body.encode()).digest()
        yield f"{kind} {base64.b64encode(digest).decode()}", body


def unreadable(draw: random.Random) -> Iterator[Case]:
    """No Base64, hexadecimal digits, no digest at all."""
    body = _text(draw)
    yield "sha1 !!!not base64!!!", body
    yield f"sha1 {hashlib.sha1(body.encode()).hexdigest()}", body
    yield "sha256", body


STUB = '''
def checked(header, body):
    """The status for a chunk: 204 to keep it, 460 if its checksum is another one, 400 if unclear.

    header: "sha1 <Base64 of the digest>" or "sha256 <Base64 ...>", None if no checksum was sent
    (then the chunk is kept); body: a str whose UTF-8 bytes are the chunk. 400: an algorithm other
    than these two, or no Base64 of a digest of its length (sha1 has 20 bytes, sha256 has 32).
    """
    raise NotImplementedError
'''

ANSWER = """
import base64, binascii, hashlib, hmac

def checked(header, body):
    if header is None:
        return 204
    kind, _, text = header.partition(" ")
    if kind not in ("sha1", "sha256"):
        return 400
    computed = hashlib.new(kind, body.encode()).digest()
    try:
        claimed = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return 400
    if len(claimed) != len(computed):
        return 400
    return 204 if hmac.compare_digest(claimed, computed) else 460
"""

CHECKSUM = Exercise(
    id="file_uploads.checksum",
    place=3,
    title="Is what arrived what was sent?",
    name="checked",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    properties=(
        pure("good", "a chunk with its own checksum is kept.", good, truth, NAMES),
        pure("none", "without a checksum a chunk is kept.", none, truth, NAMES),
        pure("changed", "a chunk that has changed is 460.", changed_body, truth, NAMES),
        pure("case", "Base64 distinguishes a and A.", other_case, truth, NAMES),
        pure("unknown", "an algorithm that is not offered is 400.", unknown, truth, NAMES),
        pure("unreadable", "what is no digest is 400.", unreadable, truth, NAMES),
    ),
    mistakes=(
        Mistake(
            "demands one",
            changed(ANSWER, ("return 204\n    kind", "return 400\n    kind")),
            "The checksum is optional: a chunk without one is kept.",
        ),
        Mistake(
            "compares hexadecimal digits",
            changed(
                ANSWER,
                (
                    "claimed = base64.b64decode(text, validate=True)",
                    "claimed = bytes.fromhex(text)",
                ),
            ),
            "The header carries Base64 of the digest's bytes, not its hexadecimal digits.",
        ),
        Mistake(
            "ignores the case",
            changed(
                ANSWER,
                (
                    "hmac.compare_digest(claimed, computed)",
                    "base64.b64encode(computed).decode().lower() == text.lower()",
                ),
            ),
            "Base64 uses A and a for different bits. Compare the bytes, not the letters without "
            "their case.",
        ),
        Mistake(
            "takes the algorithm as it comes",
            changed(
                ANSWER,
                (
                    'if kind not in ("sha1", "sha256")',
                    "if kind not in hashlib.algorithms_available",
                ),
            ),
            "You accept whatever Python knows. Offer what you announce: the client chooses from "
            "that list, and an attacker the weakest.",
        ),
        Mistake(
            "a wrong digest is a bad request",
            changed(ANSWER, ("else 460", "else 400")),
            "A checksum that does not fit is 460: the client should send the chunk again. 400 says "
            "that it should not.",
        ),
        Mistake(
            "unclear is a mismatch",
            changed(
                ANSWER,
                (
                    "        return 400\n    if len(claimed) != len(computed):\n        return 400",
                    "        return 460\n    if len(claimed) != len(computed):\n        return 460",
                ),
            ),
            "A header that nobody can read will be as unreadable the next time: 400, not 460.",
        ),
        Mistake(
            "counts letters",
            changed(ANSWER, ("body.encode()", "body.encode('latin-1', 'replace')")),
            "The chunk is the UTF-8 bytes of the text. Another encoding gives other bytes.",
        ),
    ),
    hints=(
        "Three questions: was one sent, can it be read, does it fit?",
        "`base64.b64decode(text, validate=True)` raises binascii.Error for what is no Base64. "
        "Without `validate` it skips such characters.",
        "Compare bytes with bytes: `hashlib.new(kind, body.encode()).digest()`. A digest of the "
        "wrong length is unreadable, 400; of the right length but different, 460.",
    ),
)
