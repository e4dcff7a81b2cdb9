"""Which limit a request falls under: routes, policies, tiers, costs, keys.

    Route("/search", Policy("search", {"free": GCRA(1, 5), "paid": GCRA(20, 100)}), cost=5)

Leaves out: several limits on one route (put one middleware inside the other).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import HTTPConnection
from starlette.routing import compile_path

from course_lib.systems.rate_limiting.address import client_address
from course_lib.systems.rate_limiting.decision import Algorithm, whole
from course_lib.systems.rate_limiting.fallback import Fallback
from course_lib.systems.rate_limiting.headers import string

__all__ = ["Key", "Policy", "Route", "Tier", "by_address", "by_user", "match"]

Key = Callable[[HTTPConnection], str | None]
Tier = Callable[[HTTPConnection], str]

LONGEST_KEY = 64


@dataclass(frozen=True)
class Policy:
    """A named limit: one algorithm for each tier, and what to do when Redis is down.

    A tier that is not listed gets the first one.

    >>> Policy("default", {"free": TokenBucket(1, 10), "paid": TokenBucket(10, 100)}).of("paid")
    TokenBucket(rate=10, burst=100)
    """

    name: str
    tiers: Algorithm[Any] | Mapping[str, Algorithm[Any]]
    fallback: Fallback = "open"

    def __post_init__(self) -> None:
        string(self.name)
        if isinstance(self.tiers, Mapping) and not self.tiers:
            raise ValueError(f"policy {self.name!r} needs at least one tier")

    @property
    def algorithms(self) -> Mapping[str, Algorithm[Any]]:
        """The algorithm of each tier; a policy without tiers has one, without a name."""
        return self.tiers if isinstance(self.tiers, Mapping) else {"": self.tiers}

    def tier(self, asked: str) -> str:
        """The tier that counts: the one asked for, or the first."""
        return asked if asked in self.algorithms else next(iter(self.algorithms))

    def of(self, asked: str) -> Algorithm[Any]:
        """The algorithm of a tier."""
        return self.algorithms[self.tier(asked)]


@dataclass(frozen=True)
class Route:
    """A path as in FastAPI (`/users/{id}`, `/files/{path:path}`), its policy and a request's cost.

    Without `methods`, all of them; with GET comes HEAD. Policy None: no limit.

    >>> Route("/users/{id}", Policy("users", GCRA(10, 20))).matches("GET", "/users/7")
    True
    """

    path: str
    policy: Policy | None
    cost: int = 1
    methods: frozenset[str] | None = None
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        whole("cost", self.cost)
        object.__setattr__(self, "pattern", compile_path(self.path)[0])

    def matches(self, method: str, path: str) -> bool:
        """Whether a request falls under this route."""
        asked = "GET" if method == "HEAD" else method
        return (self.methods is None or asked in self.methods) and bool(self.pattern.match(path))


def match(routes: Sequence[Route], method: str, path: str) -> Route | None:
    """The first route that a request falls under."""
    return next((route for route in routes if route.matches(method, path)), None)


def by_address(trusted_proxies: int = 0) -> Key:
    """Tell clients apart by address, with this many of your own proxies in front."""

    def key(request: HTTPConnection) -> str | None:
        peer = request.client.host if request.client else ""
        forwarded = request.headers.getlist("x-forwarded-for")
        return "address:" + client_address(forwarded, peer, trusted_proxies)

    return key


def by_user(user: Key, otherwise: Key | None = None) -> Key:
    """Tell clients apart by `user(request)`, and by address where it gives None.

    `user` must give back only who has been verified: an unchecked header is as good as no limit.
    """
    fallback = otherwise or by_address()

    def key(request: HTTPConnection) -> str | None:
        name = user(request)
        return fallback(request) if name is None else "user:" + _short(name)

    return key


def _short(name: str) -> str:
    """Keep what a client sends from filling Redis: long names become digests."""
    if len(name) <= LONGEST_KEY:
        return name
    return "sha256-" + hashlib.sha256(name.encode()).hexdigest()
