"""Whose request it is, whatever the client writes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.systems.rate_limiting import client_address


@given(st.lists(st.text(max_size=30), max_size=4), st.integers(0, 2))
def test_forging_does_not_work(forged: list[str], proxies: int) -> None:
    """Whatever a client writes in front, the address comes from what our own proxies appended."""
    seen = ["203.0.113.7", "10.0.0.2"][:proxies]
    peer = "10.0.0.1" if proxies else "203.0.113.7"
    fields = forged + seen if proxies else forged
    assert client_address(fields, peer, proxies) == "203.0.113.7"


@pytest.mark.parametrize(
    ("forwarded", "proxies", "address"),
    [
        ([], 0, "10.0.0.1"),
        (["203.0.113.7"], 0, "10.0.0.1"),
        (["203.0.113.7"], 1, "203.0.113.7"),
        (["1.1.1.1, 203.0.113.7"], 1, "203.0.113.7"),
        (["1.1.1.1", "203.0.113.7"], 1, "203.0.113.7"),
        (["1.1.1.1, 203.0.113.7, 10.0.0.2"], 2, "203.0.113.7"),
        (["203.0.113.7:51234"], 1, "203.0.113.7"),
        (["[2001:db8:1:2:3:4:5:6]:443"], 1, "2001:db8:1:2::/64"),
        (["2001:db8:1:2:ffff::9"], 1, "2001:db8:1:2::/64"),
        (["::ffff:203.0.113.7"], 1, "203.0.113.7"),
        (["unknown"], 1, "10.0.0.1"),
        ([""], 1, "10.0.0.1"),
        (["203.0.113.7"], 2, "10.0.0.1"),
        ([], 1, "10.0.0.1"),
    ],
)
def test_examples(forwarded: list[str], proxies: int, address: str) -> None:
    """Several fields, ports, brackets, IPv6, rubbish, and chains that are too short."""
    assert client_address(forwarded, "10.0.0.1", proxies) == address


def test_a_peer_that_is_no_address() -> None:
    """A connection without an address (a Unix socket) keeps its name."""
    assert client_address([], "testclient") == "testclient"
