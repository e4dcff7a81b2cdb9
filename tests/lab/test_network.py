"""The network's book-keeping."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.lab.network import NEVER, Link, Network


def network(link=Link(), seed=1):  # noqa: B008
    return Network(random.Random(seed), link)


@given(st.floats(0, 10), st.floats(0, 10))
def test_travel_is_latency_plus_jitter(latency, jitter):
    """A message takes its link's latency and at most the jitter more, in both directions."""
    net = network(Link(latency, jitter))
    for _ in range(5):
        assert latency <= net.travel("a", "b") <= latency + jitter
        assert latency <= net.travel("b", "a") <= latency + jitter


def test_a_link_of_its_own():
    """A link that was set counts for its pair alone, whatever the direction."""
    net = network(Link(1.0))
    net.links[frozenset(("a", "b"))] = Link(3.0)
    assert [net.travel("a", "b"), net.travel("b", "a"), net.travel("a", "c")] == [3.0, 3.0, 1.0]


@pytest.mark.parametrize(("loss", "low", "high"), [(0, 0, 0), (1, 2000, 2000), (0.25, 430, 570)])
def test_loss_is_a_share(loss, low, high):
    """Of many messages the link's share is lost."""
    net = network(Link(loss=loss))
    assert low <= sum(net.travel("a", "b") == NEVER for _ in range(2000)) <= high


def test_a_cut_loses_everything():
    """Nothing passes a cut, and everything else does."""
    net = network()
    net.cut.add(frozenset(("a", "b")))
    assert net.travel("b", "a") == NEVER
    assert net.travel("a", "c") == 0


def test_addresses():
    """Each node has an address of its own, by order of mention, and keeps it."""
    net = network()
    addresses = [net.address(f"node {number}") for number in range(600)]
    assert addresses[:2] == ["10.0.0.1", "10.0.0.2"]
    assert len(set(addresses)) == 600
    assert net.address("node 7") == addresses[7]


@pytest.mark.parametrize(
    "wrong",
    [
        {"latency": -1},
        {"jitter": float("inf")},
        {"loss": 1.1},
        {"latency": float("nan")},
        {"bandwidth": 0},
        {"bandwidth": float("nan")},
    ],
)
def test_impossible_links(wrong):
    """A link that cannot be is refused with a sentence."""
    with pytest.raises(ValueError, match=r"latency and jitter|loss is a share|bandwidth is bytes"):
        Link(**wrong)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=10), st.integers(1, 500))
def test_bandwidth_is_shared(sizes, bandwidth):
    """Bytes that want to leave at once leave one after the other, at the link's rate."""
    net = network(Link(bandwidth=bandwidth))
    left = [net.departure("a", "b", size, 0.0) for size in sizes]
    assert left == sorted(left)
    assert left[-1] == pytest.approx(sum(sizes) / bandwidth)
    assert net.departure("b", "a", 0, 5.0) == 5.0


def test_idle_bandwidth_is_not_saved_up():
    """After a pause the next bytes take as long as ever."""
    net = network(Link(bandwidth=10))
    assert net.departure("a", "b", 20, 0.0) == 2.0
    assert net.departure("a", "b", 20, 100.0) == 102.0


def test_without_bandwidth_nothing_waits():
    """By default bodies leave at once."""
    assert network().departure("a", "b", 10**12, 3.0) == 3.0


@given(
    st.lists(st.integers(0, 50), max_size=20),
    st.lists(st.integers(0, 300), max_size=5, unique=True).map(sorted),
)
def test_breaks_come_at_their_byte(sizes, breaks):
    """Every break that is reached comes once, after exactly so many bytes, in order."""
    net = network()
    net.flow("a", "b").breaks = list(breaks)
    came = []
    for size in sizes:
        passed, broken = net.carry("a", "b", size)
        assert passed <= size
        if broken:
            came.append(net.flow("a", "b").carried)
    assert came == breaks[: len(came)]
