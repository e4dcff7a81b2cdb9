"""What a response says about the limit: RateLimit, RateLimit-Policy, Retry-After, old names.

    RateLimit-Policy: "default";q=100;w=60       100 units in 60 seconds
    RateLimit: "default";r=50;t=30               50 left, for the next 30 seconds

Both are structured fields: lists of strings with whole numbers as parameters.
Leaves out: partition keys (pk) and units other than requests (qu).
Source: draft-ietf-httpapi-ratelimit-headers-11 (May 2026; still a draft); RFC 9651 for structured
fields; RFC 9110, section 10.2.3 for Retry-After.
"""

from __future__ import annotations

import math
from typing import Any

from course_lib.systems.rate_limiting.decision import Algorithm, Decision

__all__ = ["legacy", "policy_field", "rate_limit_field", "retry_after_field", "string"]

LARGEST = 999_999_999_999_999


def string(text: str) -> str:
    r"""Write a structured field's string; ValueError for what it cannot hold.

    >>> string('the "fast" lane')
    '"the \\"fast\\" lane"'
    """
    if not all(" " <= character <= "~" for character in text):
        raise ValueError(f"{text!r} has a character outside of printable ASCII")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def policy_field(name: str, algorithm: Algorithm[Any]) -> str:
    """Write RateLimit-Policy; the window is whole seconds, rounded up, left out below one second.

    >>> policy_field("default", FixedWindow(limit=100, window=60))
    '"default";q=100;w=60'
    >>> policy_field("burst", TokenBucket(rate=100, burst=10))
    '"burst";q=10'
    """
    window = f";w={_integer(algorithm.span)}" if algorithm.span >= 1 else ""
    return f"{string(name)};q={_integer(algorithm.limit)}{window}"


def rate_limit_field(name: str, decision: Decision) -> str:
    """Write RateLimit: what is left, and for how long, in whole seconds rounded up.

    After a refusal the time ends with Retry-After, which must not come before it.

    >>> rate_limit_field("default", Decision(False, 10, 0, retry_after=0.2, reset_after=2.0))
    '"default";r=0;t=1'
    """
    waits = math.isfinite(decision.retry_after) and not decision.allowed
    seconds = decision.retry_after if waits else decision.reset_after
    return f"{string(name)};r={_integer(decision.remaining)};t={_integer(seconds)}"


def retry_after_field(seconds: float) -> str | None:
    """Write Retry-After: whole seconds, rounded up (down would be too early); None for never.

    >>> retry_after_field(0.2), retry_after_field(math.inf)
    ('1', None)
    """
    return _integer(seconds) if math.isfinite(seconds) else None


def legacy(decision: Decision) -> dict[str, str]:
    """Write the unregistered X- fields, the reset in seconds from now.

    >>> legacy(Decision(True, 10, 9, retry_after=0.0, reset_after=0.1))["X-RateLimit-Reset"]
    '1'
    """
    return {
        "X-RateLimit-Limit": _integer(decision.limit),
        "X-RateLimit-Remaining": _integer(decision.remaining),
        "X-RateLimit-Reset": _integer(decision.reset_after),
    }


def _integer(value: Any) -> str:
    return str(min(LARGEST, math.ceil(value)))
