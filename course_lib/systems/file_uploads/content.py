"""What a file is, by its first bytes: a name and a Content-Type are what the sender claims. Pure.

Leaves out: what follows the first bytes. A file can be a valid PNG and a valid ZIP at once, so
serve uploads from a domain of their own, as attachments, with `nosniff`.
Source: WHATWG MIME Sniffing Standard, section 6; the formats' own signatures.
"""

from __future__ import annotations

__all__ = ["ENOUGH", "fits", "sniff"]

ENOUGH = 16
"""The bytes that `sniff` looks at."""

SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"MZ", "application/x-executable"),
)


def sniff(head: bytes) -> str:
    """The type of a file by its first ENOUGH bytes; "application/octet-stream" if unknown.

    >>> sniff(b"\\x89PNG\\r\\n\\x1a\\n" + bytes(8)), sniff(b"<script>")
    ('image/png', 'application/octet-stream')
    """
    for place, signature, kind in SIGNATURES:
        if head[place : place + len(signature)] == signature:
            # "RIFF....WEBP": sound and video are RIFF as well.
            if kind == "image/webp" and not head.startswith(b"RIFF"):
                continue
            return kind
    return "application/octet-stream"


def fits(kind: str, head: bytes) -> bool:
    """Whether a declared type is believable: a known signature must be there, and no other one.

    >>> fits("image/png", b"<script>"), fits("text/plain", b"hello"), fits("text/plain", b"MZ")
    (False, True, False)
    """
    found = sniff(head)
    known = {each for _, _, each in SIGNATURES}
    return found == kind if kind in known or found in known else True
