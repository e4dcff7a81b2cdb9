"""Which process a task belongs to: the one before a node's death, or the one after its restart.

A task that once acted as a node belongs to that node's life of the time, and so does every task
that it creates. When the node dies, they are dead for good, even when the node is started again:
the new process has its own tasks. Tasks that never acted as the node are in nobody's life.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar

__all__ = ["EVERYBODY", "Lives"]

EVERYBODY = "*"


class Lives:
    """The deaths of nodes, counted, and for each task the count at its first act as a node."""

    def __init__(self) -> None:
        self._deaths = 0
        self._last_death: dict[str, int] = {}
        self._born: ContextVar[Mapping[str, int]] = ContextVar("born", default={})  # noqa: B039

    def end(self, node: str) -> None:
        """Let every task of this node's present life be dead."""
        self._deaths += 1
        self._last_death[node] = self._deaths

    def begin(self, *nodes: str) -> None:
        """Let the running task, and those it creates, belong to the present life of these nodes.

        Without nodes it belongs to nobody's life from now on.
        """
        born = self._born.get() if nodes else {}
        self._born.set({**born, **dict.fromkeys(nodes, self._deaths)})

    def is_dead(self, node: str) -> bool:
        """Whether the running task, acting as this node, belongs to a life that has ended."""
        born = self._born.get()
        at = born.get(node)
        if at is None:
            at = born.get(EVERYBODY, self._deaths)
            self._born.set({**born, node: at})
        return at < self._last_death.get(node, 0)
