"""Exercise: may this request pass? A permission that was signed, and somebody who holds it.

The check signs grants, then changes one thing after another, as whoever holds the link can. Left
out: how long the comparison takes, which an answer alone does not show; the hints name the cure.
"""

import hashlib
import hmac
import random
from collections.abc import Iterator
from typing import Any

from course_lib.exercises.cases import Case, pure
from course_lib.exercises.exercise import Exercise, Mistake, changed

__all__ = ["PRESIGN_VERIFY"]

NAMES = ("secret", "now", "request")
FIELDS = ("method", "path", "expires", "size", "type")


def signature(secret: str, request: dict[str, Any]) -> str:
    """Return the signature of a request's grant: 64 hexadecimal digits."""
    text = "\n".join(str(request[field]) for field in FIELDS)
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def truth(secret: str, now: int, request: dict[str, Any]) -> bool:
    """Whether the request is covered by a grant that was signed with the secret."""
    fits = hmac.compare_digest(signature(secret, request), request["signature"])
    covered = request["body_size"] <= request["size"] and request["body_type"] == request["type"]
    return fits and covered and now < request["expires"]


def _signed(draw: random.Random, **more: Any) -> tuple[str, int, dict[str, Any]]:
    """A request that may pass, an hour before its end, signed with what `more` says."""
    secret, now = f"secret-{draw.getrandbits(40)}", 1_767_225_600 + draw.randint(0, 9999)
    size = draw.randint(100, 900)
    request = {
        "method": "PUT",
        "path": f"/photos/{draw.randint(1, 999)}",
        "expires": now + draw.randint(60, 3600),
        "size": size,
        "type": draw.choice(["image/png", "image/jpeg"]),
        "body_size": draw.randint(1, size - 1),
        "body_type": "",
    }
    request["body_type"] = request["type"]
    request |= {name: value(request) for name, value in more.items()}
    request["signature"] = signature(secret, request)
    return secret, now, request


def genuine(draw: random.Random) -> Iterator[Case]:
    """Well within the grant, the largest body, and the last second."""
    yield _signed(draw)
    yield _signed(draw, body_size=lambda request: request["size"])
    secret, _, request = _signed(draw)
    yield secret, request["expires"] - 1, request


def late(draw: random.Random) -> Iterator[Case]:
    """At the very second of its end, and long after."""
    for seconds in (0, draw.randint(1, 9999)):
        secret, _, request = _signed(draw)
        yield secret, request["expires"] + seconds, request


def too_much(draw: random.Random) -> Iterator[Case]:
    """One byte more than was allowed, and ten times as many."""
    for size in (lambda request: request["size"] + 1, lambda request: 10 * request["size"]):
        yield _signed(draw, body_size=size)


def other_type(draw: random.Random) -> Iterator[Case]:
    """A page instead of a picture."""
    yield _signed(draw, body_type=lambda request: "text/html")


def tampered(draw: random.Random) -> Iterator[Case]:
    """One field of the grant changed, and the signature left as it was."""
    changes: dict[str, Any] = {
        "method": "DELETE",
        "path": "/photos/1000",
        "expires": 1_900_000_000,
        "size": 10**9,
        "type": "text/html",
    }
    for field, value in changes.items():
        secret, now, request = _signed(draw)
        changed_too = {"body_type": value} if field == "type" else {}
        yield secret, now, {**request, field: value, **changed_too}


def forged(draw: random.Random) -> Iterator[Case]:
    """No signature, another secret's, a part of it, and one that differs at the very end."""
    secret, now, request = _signed(draw)
    right = request["signature"]
    other = signature(secret + "x", request)
    last = "0" if right[-1] != "0" else "1"
    for wrong in ("", other, right[:8], right[:8] + other[8:], right[:-1] + last):
        yield secret, now, {**request, "signature": wrong}


STUB = '''
def may_pass(secret, now, request):
    """Whether a request is covered by a grant that was signed with `secret`; True or False.

    request: {"method", "path", "expires", "size", "type", "signature", "body_size", "body_type"}.
    The grant is the first five, as the link says them. What was signed is their texts in this
    order, joined with line breaks; the signature is the HMAC-SHA256 in hexadecimal digits.
    It covers bodies of at most `size` bytes, of exactly this type, before the second `expires`.
    """
    raise NotImplementedError
'''

ANSWER = """
import hashlib, hmac

def may_pass(secret, now, request):
    fields = ("method", "path", "expires", "size", "type")
    text = "\\n".join(str(request[field]) for field in fields)
    right = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(right, request["signature"]):
        return False
    if now >= request["expires"]:
        return False
    return request["body_size"] <= request["size"] and request["body_type"] == request["type"]
"""

COMPARE = 'hmac.compare_digest(right, request["signature"])'
BODY = 'request["body_size"] <= request["size"] and request["body_type"] == request["type"]'

PRESIGN_VERIFY = Exercise(
    id="file_uploads.presign_verify",
    place=4,
    title="Check a presigned request",
    name="may_pass",
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    properties=(
        pure("genuine", "what the grant covers passes.", genuine, truth, NAMES),
        pure("late", "from the second of its end on, a grant is void.", late, truth, NAMES),
        pure("too much", "a body larger than the grant says is refused.", too_much, truth, NAMES),
        pure("other type", "a body of another type is refused.", other_type, truth, NAMES),
        pure("tampered", "a grant that was changed is refused.", tampered, truth, NAMES),
        pure("forged", "only the whole and right signature counts.", forged, truth, NAMES),
    ),
    mistakes=(
        Mistake(
            "forgets the end",
            changed(ANSWER, ('now >= request["expires"]', "False")),
            "You never look at the clock. A link that leaks is good for ever.",
        ),
        Mistake(
            "one second too long",
            changed(ANSWER, ("now >=", "now >")),
            "`expires` is the first second at which the grant is void, not the last at which it "
            "holds.",
        ),
        Mistake(
            "forgets the size",
            changed(ANSWER, (BODY, 'request["body_type"] == request["type"]')),
            "You do not compare the body's size with the grant. The holder may send a terabyte.",
        ),
        Mistake(
            "forgets the type",
            changed(ANSWER, (BODY, 'request["body_size"] <= request["size"]')),
            "You do not compare the body's type with the grant. A picture's link now stores a web "
            "page with a script.",
        ),
        Mistake(
            "takes every method for a PUT",
            changed(
                ANSWER, ("str(request[field]) for", 'str({**request, "method": "PUT"}[field]) for')
            ),
            "You leave the method out of what you check. A link to store becomes a link to delete.",
        ),
        Mistake(
            "does not check the signature",
            changed(ANSWER, (f"not {COMPARE}", "False")),
            "You never check the signature. Everything in the link is then the sender's own claim.",
        ),
        Mistake(
            "compares the beginning",
            changed(ANSWER, (COMPARE, 'right.startswith(request["signature"])')),
            "You compare as far as the sender's text goes. An empty signature then passes.",
        ),
        Mistake(
            "compares eight digits",
            changed(ANSWER, (COMPARE, 'right[:8] == request["signature"][:8]')),
            "You compare a part of the signature. Eight digits can be tried out.",
        ),
    ),
    hints=(
        "Everything in the link is a claim until the signature is checked, so check it first.",
        "Sign the five fields anew and compare. `hmac.compare_digest` takes the same time wherever "
        "the difference is; `==` stops at the first, and that time can be measured.",
        "Then three comparisons: the clock with `expires` (at that second it is void), the body's "
        "size with `size`, the body's type with `type`.",
    ),
)
