"""Which limit a request falls under."""

from typing import Any

import pytest
from starlette.requests import HTTPConnection

from course_lib.systems.rate_limiting import GCRA, FixedWindow, Policy, Route, by_address, by_user
from course_lib.systems.rate_limiting.policy import match

FREE, PAID = GCRA(1, 5), GCRA(10, 50)
POLICY = Policy("p", {"free": FREE, "paid": PAID})


def request(user: str | None = None, forwarded: str | None = None) -> HTTPConnection:
    """A request of a user, through proxies."""
    pairs = [("x-user", user), ("x-forwarded-for", forwarded)]
    headers = [(name.encode(), value.encode()) for name, value in pairs if value is not None]
    return HTTPConnection({"type": "http", "headers": headers, "client": ("203.0.113.7", 1)})


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/search", 0),
        ("HEAD", "/search", 0),
        ("POST", "/search", 2),
        ("GET", "/users/7", 1),
        ("DELETE", "/users/7", 1),
        ("GET", "/users/7/orders", 2),
        ("GET", "/", 2),
        ("GET", "/search/", 2),
    ],
)
def test_the_first_route_that_fits(method: str, path: str, found: int) -> None:
    """Routes are tried in order, by path and method, and HEAD goes where GET goes."""
    routes = [
        Route("/search", POLICY, methods=frozenset({"GET"})),
        Route("/users/{id}", POLICY),
        Route("/{path:path}", POLICY),
    ]
    assert match(routes, method, path) is routes[found]
    assert match(routes[:0], method, path) is None


def test_tiers() -> None:
    """A tier has its own algorithm, and an unknown tier is the first one."""
    assert POLICY.of("paid") is PAID
    assert POLICY.of("gold") is FREE
    assert POLICY.tier("gold") == "free"
    assert Policy("p", FREE).of("paid") is FREE


def test_keys() -> None:
    """A user has one key wherever it is; who is not known goes by address; the two never meet."""
    key = by_user(lambda r: r.headers.get("x-user"), by_address(trusted_proxies=1))
    assert key(request(user="ann", forwarded="1.1.1.1")) == "user:ann"
    assert key(request(forwarded="9.9.9.9, 198.51.100.1")) == "address:198.51.100.1"
    assert key(request(user="address:198.51.100.1")) == "user:address:198.51.100.1"
    assert by_address()(request(forwarded="1.1.1.1")) == "address:203.0.113.7"
    assert by_user(lambda r: None)(request()) == "address:203.0.113.7"


def test_long_names_are_shortened() -> None:
    """A client cannot store a novel in Redis, and two long names stay two."""
    key = by_user(lambda r: r.headers.get("x-user"))
    long, other = key(request(user="x" * 9_000)), key(request(user="x" * 9_001))
    assert long
    assert len(long) < 100
    assert long != other


@pytest.mark.parametrize(
    "make",
    [
        lambda: Policy("ü", FREE),
        lambda: Policy("p", {}),
        lambda: Route("/", POLICY, cost=0),
        lambda: Route("/", Policy("p", FixedWindow(1, 1)), cost=True),
    ],
)
def test_settings_make_sense(make: Any) -> None:
    """A name that no header can hold, no tiers, or no cost: refused with a sentence."""
    with pytest.raises(ValueError, match=r"printable|tier|cost"):
        make()
