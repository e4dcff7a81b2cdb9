"""The life of an upload as a table: which state it is in, what may happen, and the status if not.

        create            last byte               terminate
    -------------> open -----------> complete ----------------> gone
                    |  \\                                          ^
         too late   |   ------------- terminate ------------------|
                    v                                             |
                 expired ------------- sweep ----------------------

Only unfinished uploads expire. Leaves out: uploads whose length is told later.
Source: tus 1.0.0, extensions Creation, Expiration, Termination.
"""

from __future__ import annotations

from course_lib.systems.file_uploads.refused import Refused

__all__ = ["STATUS", "TRANSITIONS", "require", "state_of"]

TRANSITIONS: dict[tuple[str, str], str] = {
    ("open", "last byte"): "complete",
    ("open", "too late"): "expired",
    ("open", "terminate"): "gone",
    ("complete", "terminate"): "gone",
    ("expired", "sweep"): "gone",
}

STATUS: dict[tuple[str, str], int] = {
    ("open", "append"): 204,
    ("open", "ask"): 200,
    ("open", "terminate"): 204,
    ("open", "download"): 409,
    ("complete", "append"): 204,  # of nothing: the offset check refuses every byte
    ("complete", "ask"): 200,
    ("complete", "terminate"): 204,
    ("complete", "download"): 200,
    **{("expired", action): 410 for action in ("append", "ask", "terminate", "download")},
    **{("gone", action): 404 for action in ("append", "ask", "terminate", "download")},
}


def state_of(offset: int, length: int, expires: float, now: float) -> str:
    """The state of an upload that has a record; times are seconds since 1970.

    >>> state_of(offset=10, length=10, expires=5.0, now=9.0), state_of(9, 10, 5.0, 9.0)
    ('complete', 'expired')
    """
    if offset == length:
        return "complete"
    return "open" if now < expires else "expired"


def require(state: str, action: str) -> int:
    """The status of an action that is possible in this state; Refused if it is not.

    >>> require("expired", "append")
    Refused: 410: the upload is expired
    """
    status = STATUS[state, action]
    if status >= 400:
        raise Refused(status, f"the upload is {'not complete' if state == 'open' else state}")
    return status
