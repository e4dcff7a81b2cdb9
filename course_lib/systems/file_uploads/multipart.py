"""Multipart uploads as S3 has them: numbered parts, an ETag each, a list that closes it. Pure.

Parts come in any order and at the same time; a part that is sent again replaces the one before. The
client closes the upload with the list of what it means: numbers and ETags. So the store never
guesses which parts belong to the file.
Leaves out: copying parts, checksums other than MD5, and listing in pages.
Source: Amazon S3 User Guide, Multipart upload limits; API Reference, CompleteMultipartUpload.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from course_lib.systems.file_uploads.refused import Refused

__all__ = [
    "LEAST_PART",
    "MOST_PARTS",
    "Piece",
    "Stored",
    "check_complete",
    "check_number",
    "etag",
    "etag_of_parts",
    "part_size_for",
    "pieces_of",
]

MIB = 1024 * 1024
LEAST_PART = 5 * MIB
"""Every part but the last is at least so large."""

MOST_PARTS = 10_000


class Piece(NamedTuple):
    """What the client sends as one part: its number from 1, and its place in the file."""

    number: int
    start: int
    stop: int


class Stored(NamedTuple):
    """What the store has of a part: its size in bytes, its ETag, its file."""

    size: int
    etag: str
    file: str


def part_size_for(size: int, wanted: int = LEAST_PART) -> int:
    """The part size for a file: what is wanted, or more where 10,000 parts would not do.

    Rounded up to whole MiB, so that parts begin at round places.

    >>> part_size_for(1024 * MIB) // MIB, part_size_for(1024 * 1024 * MIB) // MIB
    (5, 105)
    """
    least = max(wanted, LEAST_PART, math.ceil(size / MOST_PARTS))
    return math.ceil(least / MIB) * MIB


def pieces_of(size: int, part_size: int) -> list[Piece]:
    """The parts of a file; one empty part for an empty file.

    >>> pieces_of(7, part_size=5)
    [Piece(number=1, start=0, stop=5), Piece(number=2, start=5, stop=7)]
    """
    starts = range(0, max(size, 1), part_size)
    return [Piece(n, start, min(start + part_size, size)) for n, start in enumerate(starts, 1)]


def check_number(number: int) -> None:
    """Refuse a part number outside of 1 to 10,000."""
    if not 1 <= number <= MOST_PARTS:
        raise Refused(400, f"part numbers go from 1 to {MOST_PARTS:,}, not {number}")


def etag(data: bytes) -> str:
    """The ETag of a part: its MD5, in double quotes.

    >>> etag(b"hello")
    '"5d41402abc4b2a76b9719d911017c592"'
    """
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def etag_of_parts(etags: Sequence[str]) -> str:
    """The ETag of the whole: the MD5 of the parts' MD5s, and how many they were.

    It depends on where the file was cut, so it is no checksum of the file.

    >>> etag_of_parts([etag(b"hello")])
    '"62109206880d38a4010a98e11243924a-1"'
    """
    digests = b"".join(bytes.fromhex(each.strip('"')) for each in etags)
    return f'"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(etags)}"'


def check_complete(
    listed: Sequence[tuple[int, str]], stored: Mapping[int, Stored], least: int = LEAST_PART
) -> list[Stored]:
    """The parts in order, if the client's list is one that closes the upload; else 400.

    >>> check_complete([(1, '"a"')], {1: Stored(10, '"b"', "x")})
    Refused: 400: part 1 is not what you list
    """
    numbers = [number for number, _ in listed]
    if not numbers or numbers != sorted(set(numbers)):
        raise Refused(400, "list at least one part, each once, in rising order")
    for number, tag in listed:
        if number not in stored or stored[number].etag != tag:
            raise Refused(400, f"part {number} is not what you list")
    parts = [stored[number] for number in numbers]
    for number, part in zip(numbers[:-1], parts[:-1], strict=True):
        if part.size < least:
            raise Refused(
                400, f"part {number} has {part.size:,} bytes; all but the last need {least:,}"
            )
    return parts
