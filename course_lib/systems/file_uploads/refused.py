"""A request that is refused: the status, a sentence, and the headers that go with it.

The cores raise it and know nothing of the web framework; `tus.py` and `object_store.py` turn it
into an answer.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["Refused"]


class Refused(Exception):
    """The server will not do this: `status` is the HTTP status, `reason` a sentence for people.

    >>> Refused(409, "the upload is at byte 70, not 60").status
    409
    """

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}: {reason}")
        self.status, self.reason, self.headers = status, reason, dict(headers or {})
