"""The table: what it allows is a saga, and what it does not allow cannot happen."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.systems.sagas import (
    COMPENSATED,
    COMPLETED,
    ORDER,
    ORDER_WORKFLOW,
    IllegalMove,
    Step,
    Workflow,
    transitions,
)

EVENTS = ("done", "refused", "gave up")


def steps(undoable: int, pivot: bool, retriable: int) -> list[Step]:
    """Steps of all three kinds, in order."""
    first = [Step(f"t{n}", f"s{n}", "compensatable", undo=f"c{n}") for n in range(undoable)]
    middle = [Step("pivot", "p", "pivot")] if pivot else []
    return [*first, *middle, *[Step(f"r{n}", f"s{n}", "retriable") for n in range(retriable)]]


STEPS = st.builds(steps, st.integers(0, 4), st.booleans(), st.integers(0, 3)).filter(len)


@given(STEPS, st.data())
def test_every_way_is_a_saga(workflow: list[Step], data: st.DataObject) -> None:
    """Whatever becomes of each action, a saga ends, and did T1..Tn or T1..Tj and Cj..C1."""
    flow = Workflow(workflow)
    state, done = flow.start, []
    while not flow.is_over(state):
        event = data.draw(st.sampled_from([e for e in EVENTS if (state, e) in flow.table]))
        # Who gives up does not know: the action may have been done.
        happened = event == "done" or (event == "gave up" and data.draw(st.booleans()))
        done += [state] if happened else []
        state = flow.move(state, event)
        if event == "gave up" and not happened:
            state = flow.move(state, "done")  # the undo finds nothing, and is not in the history
    assert tuple(done) in flow.histories()
    assert (state == COMPLETED) == (tuple(done) == flow.histories()[0])


def test_table_of_the_order() -> None:
    """The order's table is the one in the book: eleven moves, written out here by hand."""
    assert transitions(ORDER) == {
        ("reserve", "done"): "charge",
        ("reserve", "refused"): COMPENSATED,
        ("reserve", "gave up"): "release",
        ("release", "done"): COMPENSATED,
        ("charge", "done"): "ship",
        ("charge", "refused"): "release",
        ("charge", "gave up"): "refund",
        ("refund", "done"): "release",
        ("ship", "done"): "notify",
        ("ship", "refused"): "refund",
        ("notify", "done"): COMPLETED,
    }


def test_illegal_moves() -> None:
    """Every pair that the table does not have is refused, with both names in the sentence."""
    states = {state for state, _ in ORDER_WORKFLOW.table} | {COMPLETED, COMPENSATED}
    illegal = set(product(states, EVENTS)) - set(ORDER_WORKFLOW.table)
    assert len(illegal) == 8 * 3 - 11
    for state, event in illegal:
        with pytest.raises(IllegalMove, match=f'"{state}" the event "{event}"'):
            ORDER_WORKFLOW.move(state, event)


def test_only_what_can_be_undone_is_given_up() -> None:
    """The pivot, what follows it, and undos are asked for until somebody answers."""
    given_up = {action for action in ORDER_WORKFLOW.services if ORDER_WORKFLOW.may_give_up(action)}
    assert given_up == {"reserve", "charge"}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ([Step("a", "s", "pivot"), Step("b", "s", "pivot")], "at most one pivot"),
        ([Step("a", "s", "retriable"), Step("b", "s", "pivot")], "in this order"),
        ([Step("a", "s", "compensatable")], "only what is compensatable has an undo"),
        ([Step("a", "s", "pivot", undo="b")], "only what is compensatable has an undo"),
    ],
)
def test_wrong_orders(wrong: list[Step], sentence: str) -> None:
    """Steps in an order that cannot be undone are refused with the reason."""
    with pytest.raises(ValueError, match=sentence):
        transitions(wrong)
