"""The order workflow as a table: which action comes next, whatever happened to the last one.

A state is the action to do now; an event is what became of it. Compensatable steps come first and
have an undo, then at most one pivot, which decides the saga, then retriable steps, which must
succeed in the end. So a saga does T1..Tn, or T1..Tj and then Cj..C1. Leaves out: steps that run at
the same time, and sagas within sagas.
Source: Garcia-Molina and Salem, Sagas (SIGMOD 1987), section 2; Richardson, Microservices Patterns
(2018), section 4.3, for the three kinds of step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "COMPENSATED",
    "COMPLETED",
    "ORDER",
    "ORDER_WORKFLOW",
    "IllegalMove",
    "Step",
    "Table",
    "Workflow",
    "transitions",
]

Kind = Literal["compensatable", "pivot", "retriable"]
Table = dict[tuple[str, str], str]
COMPLETED, COMPENSATED = "completed", "compensated"


class IllegalMove(Exception):
    """An event that the state does not expect."""


@dataclass(frozen=True)
class Step:
    """One step: its action, the service that does it, and the action that takes it back."""

    action: str
    service: str
    kind: Kind
    undo: str = ""


ORDER = (
    Step("reserve", "stock", "compensatable", undo="release"),
    Step("charge", "payment", "compensatable", undo="refund"),
    Step("ship", "shipping", "pivot"),
    Step("notify", "notification", "retriable"),
)


def transitions(steps: Sequence[Step]) -> Table:
    """The table (state, event) -> state; raises ValueError for steps in an order that cannot work.

    Events are "done", "refused" (the service will not) and "gave up" (nobody knows, so undo it).

    >>> transitions(ORDER[:1])
    {('reserve', 'done'): 'completed', ('reserve', 'refused'): 'compensated', \
('reserve', 'gave up'): 'release', ('release', 'done'): 'compensated'}
    """
    _check_order(steps)
    table: Table = {}
    for number, step in enumerate(steps):
        before = steps[number - 1].undo if number else COMPENSATED
        after = steps[number + 1].action if number + 1 < len(steps) else COMPLETED
        table[step.action, "done"] = after
        if step.kind != "retriable":
            table[step.action, "refused"] = before
        if step.kind == "compensatable":
            table[step.action, "gave up"] = step.undo
            table[step.undo, "done"] = before
    return table


def _check_order(steps: Sequence[Step]) -> None:
    ranks = [("compensatable", "pivot", "retriable").index(step.kind) for step in steps]
    if ranks != sorted(ranks) or ranks.count(1) > 1:
        raise ValueError("Steps come in this order: compensatable, at most one pivot, retriable.")
    for step in steps:
        if (step.kind == "compensatable") != bool(step.undo):
            raise ValueError(
                f"{step.action} is {step.kind}: only what is compensatable has an undo."
            )


class Workflow:
    """Steps and their table; a saga's state is the fold of its events over the table.

    >>> ORDER_WORKFLOW.state_after(["done", "refused"])
    'release'
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = tuple(steps)
        self.table = transitions(steps)
        self.start = steps[0].action
        self.services = {step.action: step.service for step in steps}
        self.services |= {step.undo: step.service for step in steps if step.undo}

    def __repr__(self) -> str:
        return f"Workflow({', '.join(step.action for step in self.steps)})"

    def move(self, state: str, event: str) -> str:
        """The next state; IllegalMove if the table has none.

        >>> ORDER_WORKFLOW.move("ship", "refused")
        'refund'
        """
        if (state, event) not in self.table:
            raise IllegalMove(f'In state "{state}" the event "{event}" cannot happen.')
        return self.table[state, event]

    def state_after(self, events: Iterable[str]) -> str:
        """The state after these events, from the start."""
        state = self.start
        for event in events:
            state = self.move(state, event)
        return state

    def is_over(self, state: str) -> bool:
        """Whether there is nothing left to do.

        >>> ORDER_WORKFLOW.is_over("completed"), ORDER_WORKFLOW.is_over("refund")
        (True, False)
        """
        return state in (COMPLETED, COMPENSATED)

    def may_give_up(self, action: str) -> bool:
        """Whether an action of unknown outcome can be taken back instead of asked for again."""
        return (action, "gave up") in self.table

    def histories(self) -> list[tuple[str, ...]]:
        """What a finished saga may have done: T1..Tn, or T1..Tj and then Cj..C1, for each j.

        >>> ORDER_WORKFLOW.histories()[1:3]
        [(), ('reserve', 'release')]
        """
        undoable = [step for step in self.steps if step.kind == "compensatable"]
        ways = [undoable[:length] for length in range(len(undoable) + 1)]
        undone = [[*[s.action for s in way], *[s.undo for s in reversed(way)]] for way in ways]
        return [tuple(step.action for step in self.steps), *map(tuple, undone)]


ORDER_WORKFLOW = Workflow(ORDER)
