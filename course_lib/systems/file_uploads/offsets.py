"""The decision at the heart of a resumable upload: may these bytes be appended here? Pure.

An upload has one number, its offset: all bytes below it are stored, none above. A request says
where its bytes belong. Only an exact match is appended, so a chunk that is sent twice, or late, or
by two clients at once, changes nothing.
Source: tus resumable upload protocol 1.0.0, PATCH, https://tus.io/protocols/resumable-upload.
"""

from __future__ import annotations

import re

from course_lib.systems.file_uploads.refused import Refused

__all__ = ["LARGEST", "check_append", "status_of_append", "whole_number"]

LARGEST = 2**63 - 1
"""The largest offset: what a signed 64-bit integer holds, in SQLite and in file systems."""


def check_append(offset: int, length: int, claimed: int, size: int | None) -> None:
    """Refuse to append `size` bytes (None: not known yet) at `claimed`, unless they belong there.

    >>> check_append(offset=70, length=100, claimed=60, size=10)
    Refused: 409: the upload is at byte 70, not 60
    """
    if claimed != offset:
        reason = f"the upload is at byte {offset}, not {claimed}"
        raise Refused(409, reason, {"Upload-Offset": str(offset)})
    if size is not None and offset + size > length:
        raise Refused(413, f"{size} bytes from byte {offset} on do not fit into {length}")


def status_of_append(offset: int, length: int, claimed: int, size: int) -> int:
    """The status of an append: 204, 409 for another offset, 413 for bytes beyond the end.

    >>> [status_of_append(70, 100, *request) for request in [(70, 30), (60, 10), (70, 31)]]
    [204, 409, 413]
    """
    try:
        check_append(offset, length, claimed, size)
    except Refused as refused:
        return refused.status
    return 204


def whole_number(name: str, text: str | None) -> int:
    """Read a header that must be a whole number from 0 to LARGEST; 400 for anything else.

    >>> whole_number("Upload-Offset", "70")
    70
    """
    # int() alone would also take "+7", "7_0" and digits of other scripts.
    if text is None or not re.fullmatch(r"[0-9]{1,19}", text) or int(text) > LARGEST:
        raise Refused(400, f"{name} must be a whole number from 0 to {LARGEST}")
    return int(text)
