"""The bounded queue and its policies."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.lab import World, run
from course_lib.systems.realtime_notifications import (
    POLICIES,
    ClientQueue,
    Notice,
    Overflow,
    Policy,
    order,
    room_for,
)


def notices(keys: list[str]) -> list[Notice]:
    """Notices in order, with these keys."""
    return [Notice(f"{n}-0", "ann", f"notice {n}", key) for n, key in enumerate(keys, 1)]


@given(st.lists(st.sampled_from(["", "a", "b", "c"])), st.integers(1, 4), st.sampled_from(POLICIES))
def test_bounded_in_order_and_newest_kept(keys: list[str], limit: int, policy: Policy) -> None:
    """At most `limit` wait, in order of their ids; the newest is among them, or there is an end."""
    waiting: list[Notice] = []
    for notice in notices(keys):
        kept = room_for(notice, waiting, limit, policy)
        if kept is None:
            assert (policy, len(waiting)) == ("disconnect", limit)
            return
        waiting = kept
        assert len(waiting) <= limit
        assert waiting[-1] == notice
        assert waiting == sorted(waiting, key=lambda each: order(each.id))


@given(st.lists(st.sampled_from(["", "a", "b"])), st.integers(1, 4))
def test_what_each_policy_keeps(keys: list[str], limit: int) -> None:
    """Drop oldest keeps the last `limit`; coalesce the last of each key, as far as they fit."""
    sent = notices(keys)
    dropping, coalescing = list[Notice](), list[Notice]()
    for notice in sent:
        dropping = room_for(notice, dropping, limit, "drop oldest") or []
        coalescing = room_for(notice, coalescing, limit, "coalesce") or []
    assert dropping == sent[-limit:]
    last = {n.key or n.id: n for n in sent}
    assert set(coalescing) <= set(last.values())
    if len(last) <= limit:
        assert set(coalescing) == set(last.values())


def test_get_waits_and_loses_patience() -> None:
    """`get` gives what comes, and None when nothing comes in time."""

    async def scenario() -> list[object]:
        world, queue = World(), ClientQueue(2)
        asyncio.get_running_loop().call_later(3, queue.put, notices(["a"])[0])
        first, at = await queue.get(5), world.now
        return [first, at, await queue.get(5), world.now]

    assert run(scenario()) == [notices(["a"])[0], 3, None, 8]


def test_overflow() -> None:
    """After an overflow whoever gets is told, nothing waits any more, and nothing is taken in."""

    async def scenario() -> None:
        queue = ClientQueue(2, "disconnect")
        for notice in notices([""] * 4):
            queue.put(notice)
        assert (len(queue.waiting), queue.is_open, queue.most) == (0, False, 2)
        with pytest.raises(Overflow, match="more than 2 notices waited"):
            await queue.get()

    run(scenario())


def test_dropped_are_counted() -> None:
    """The queue says how many it gave up."""
    queue = ClientQueue(2, "drop oldest")
    for notice in notices([""] * 5):
        queue.put(notice)
    assert repr(queue) == "ClientQueue(2 of 2 waiting, 3 dropped)"


def test_a_queue_needs_room() -> None:
    """A limit below 1 is refused."""
    with pytest.raises(ValueError, match="at least one notice"):
        ClientQueue(0)
