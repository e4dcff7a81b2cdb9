"""Checksums of chunks: the bytes that arrived are the bytes that were sent, or none is kept.

TCP's own checksum has 16 bits, and proxies, disks and memory lie outside of it.
Source: tus 1.0.0, extension Checksum: status 460 for a mismatch, 400 for an unknown algorithm.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

from course_lib.systems.file_uploads.refused import Refused

__all__ = ["ALGORITHMS", "MISMATCH", "Checksum"]

ALGORITHMS = ("sha256", "sha1", "md5")
"""What `Tus-Checksum-Algorithm` offers; sha1 is mandatory."""

MISMATCH = 460
"""Not registered with IANA: tus's own status, "Checksum Mismatch"."""


@dataclass(frozen=True)
class Checksum:
    """What the sender says of its bytes: algorithm and digest.

    >>> Checksum.of("sha1", b"hello").header
    'sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00='
    """

    algorithm: str
    digest: bytes

    @classmethod
    def of(cls, algorithm: str, data: bytes) -> Checksum:
        """The checksum of some bytes."""
        return cls(algorithm, hashlib.new(algorithm, data).digest())

    @classmethod
    def parse(cls, header: str) -> Checksum:
        """Read `Upload-Checksum: sha1 <Base64>`; 400 if it cannot be understood."""
        algorithm, _, text = header.partition(" ")
        if algorithm not in ALGORITHMS:
            raise Refused(400, f"the checksum must be one of {', '.join(ALGORITHMS)}")
        try:
            digest = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise Refused(400, "the digest must be Base64") from None
        if len(digest) != hashlib.new(algorithm).digest_size:
            raise Refused(400, f"a {algorithm} digest has another length")
        return cls(algorithm, digest)

    @property
    def header(self) -> str:
        """The value of `Upload-Checksum`."""
        return f"{self.algorithm} {base64.b64encode(self.digest).decode()}"

    def check(self, computed: bytes) -> None:
        """Refuse with 460 if the bytes that arrived have another digest."""
        if not hmac.compare_digest(self.digest, computed):
            raise Refused(MISMATCH, f"the {self.algorithm} of what arrived is another one")
