"""The network between named nodes: latency, jitter, loss, partitions, and nodes that are stopped.

Pure book-keeping: it says how long a message travels, or that it never arrives. Leaves out
bandwidth and reordering within one connection. A lost message stays lost, as if the connection had
broken: the sender learns by its time-out.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

__all__ = ["Link", "Network"]

NEVER = math.inf


@dataclass(frozen=True)
class Link:
    """One direction-less link: one-way latency and jitter in seconds, loss as a share of messages.

    Link(latency=0.002, jitter=0.001, loss=0.01)
    """

    latency: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.latency < math.inf and 0 <= self.jitter < math.inf):
            raise ValueError("latency and jitter are seconds: zero or more, and finite")
        if not 0 <= self.loss <= 1:
            raise ValueError("loss is a share of messages, from 0 to 1")


@dataclass
class Network:
    """Which nodes exist, how far apart they are, and which of them answer."""

    random: random.Random
    default: Link
    links: dict[frozenset[str], Link] = field(default_factory=dict)
    cut: set[frozenset[str]] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    nodes: dict[str, int] = field(default_factory=dict)

    def address(self, node: str) -> str:
        """The node's address, by order of first mention: 10.0.0.1, 10.0.0.2, ..."""
        high, low = divmod(self.number(node), 256)
        return f"10.0.{high}.{low}"

    def number(self, node: str) -> int:
        """How many nodes were mentioned up to this one."""
        return self.nodes.setdefault(node, len(self.nodes) + 1)

    def travel(self, sender: str, receiver: str) -> float:
        """Seconds that one message takes from sender to receiver; NEVER if it is lost."""
        pair = frozenset((sender, receiver))
        link = self.links.get(pair, self.default)
        if pair in self.cut or (link.loss and self.random.random() < link.loss):
            return NEVER
        return link.latency + (self.random.uniform(0, link.jitter) if link.jitter else 0.0)
