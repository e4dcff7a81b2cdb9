"""Presigned requests: one permission, written down and signed, for somebody who has no account.

The API signs what may be done: this method, this path, until then, at most so many bytes of this
type. The store needs no database to check it, only the secret. What is not signed can be changed
by whoever holds the link.
Leaves out: AWS's canonical form (Signature Version 4), and taking one permission back early.
Source: RFC 2104 (HMAC); the idea of S3's query string authentication.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import astuple, dataclass
from urllib.parse import urlencode

from course_lib.systems.file_uploads.refused import Refused

__all__ = ["Grant", "presign", "sign", "verify"]


@dataclass(frozen=True)
class Grant:
    """What is allowed: `expires` in whole seconds since 1970, `size` the most bytes.

    >>> Grant("PUT", "/photos/7", expires=1_767_225_600, size=1000, kind="image/png").text
    'PUT\\n/photos/7\\n1767225600\\n1000\\nimage/png'
    """

    method: str
    path: str
    expires: int
    size: int
    kind: str

    @property
    def text(self) -> str:
        """What is signed: every field on a line of its own, so that no two grants look alike."""
        fields = [str(value) for value in astuple(self)]
        if any("\n" in field for field in fields):
            raise ValueError("a grant's fields hold no line breaks")
        return "\n".join(fields)


def sign(secret: bytes, grant: Grant) -> str:
    """The signature in hexadecimal digits.

    >>> len(sign(b"secret", Grant("PUT", "/photos/7", 1_767_225_600, 1000, "image/png")))
    64
    """
    return hmac.new(secret, grant.text.encode(), hashlib.sha256).hexdigest()


def presign(secret: bytes, grant: Grant) -> str:
    """The path with the grant and its signature in the query."""
    query = {"expires": grant.expires, "size": grant.size, "type": grant.kind}
    return f"{grant.path}?{urlencode({**query, 'signature': sign(secret, grant)})}"


def verify(secret: bytes, grant: Grant, signature: str, now: float, size: int, kind: str) -> None:
    """Refuse with 403, 413 or 415 unless the grant is ours, still holds, and covers this body.

    The signature comes first: until it is checked, everything else is the sender's own claim.
    """
    # compare_digest takes the same time wherever the first difference is: no byte can be guessed
    # from the time that an answer takes. It wants ASCII or bytes.
    if not hmac.compare_digest(sign(secret, grant).encode(), signature.encode()):
        raise Refused(403, "the signature does not fit this request")
    if now >= grant.expires:
        raise Refused(403, "the permission has expired")
    if size > grant.size:
        raise Refused(413, f"at most {grant.size} bytes are allowed")
    if kind != grant.kind:
        raise Refused(415, f"the type must be {grant.kind}")
