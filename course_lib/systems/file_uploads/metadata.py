"""What a client says about its file, and the dates of HTTP. Pure.

`Upload-Metadata` is a list of keys with Base64 values; a value can hold anything, so it is checked
before it is used and never echoed undecoded into another header.
Source: tus 1.0.0, extension Creation; RFC 9110, section 5.6.7 (dates).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from email.utils import formatdate

from course_lib.systems.file_uploads.refused import Refused

__all__ = ["encode_metadata", "http_date", "parse_metadata"]

LONGEST = 4096


def parse_metadata(header: str) -> dict[str, bytes]:
    """Read `Upload-Metadata`; 400 for what is no list of unique keys with Base64 values.

    >>> parse_metadata("filename Y2F0LmpwZw==,draft")
    {'filename': b'cat.jpg', 'draft': b''}
    """
    if len(header) > LONGEST or not header.isascii() or not header.isprintable():
        raise Refused(400, f"Upload-Metadata is ASCII, at most {LONGEST} characters")
    found: dict[str, bytes] = {}
    for pair in header.split(",") if header else []:
        key, _, value = pair.strip(" ").partition(" ")
        if not key or key in found:
            raise Refused(400, "Upload-Metadata has an empty or a repeated key")
        found[key] = _decoded(value)
    return found


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(400, "a value of Upload-Metadata is not Base64") from None


def encode_metadata(values: Mapping[str, bytes]) -> str:
    """Write `Upload-Metadata`.

    >>> encode_metadata({"filename": b"cat.jpg"})
    'filename Y2F0LmpwZw=='
    """
    return ",".join(f"{key} {base64.b64encode(v).decode()}".strip() for key, v in values.items())


def http_date(seconds: float) -> str:
    """Seconds since 1970 as an HTTP date.

    >>> http_date(0)
    'Thu, 01 Jan 1970 00:00:00 GMT'
    """
    return formatdate(seconds, usegmt=True)
