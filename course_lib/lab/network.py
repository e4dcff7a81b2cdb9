"""The network between named nodes: latency, jitter, loss, partitions, and nodes that are stopped.

Pure book-keeping: it says how long a message travels, or that it never arrives. Bodies also take
bandwidth, which all connections of one direction share, and a connection can be made to break at a
chosen byte. Leaves out reordering within one connection. A lost message stays lost, as if the
connection had broken: the sender learns by its time-out.
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

    `bandwidth` is bytes of HTTP bodies per second, in each direction.

    Link(latency=0.002, jitter=0.001, loss=0.01, bandwidth=1_000_000)
    """

    latency: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    bandwidth: float = math.inf

    def __post_init__(self) -> None:
        if not (0 <= self.latency < math.inf and 0 <= self.jitter < math.inf):
            raise ValueError("latency and jitter are seconds: zero or more, and finite")
        if not 0 <= self.loss <= 1:
            raise ValueError("loss is a share of messages, from 0 to 1")
        if not self.bandwidth > 0:
            raise ValueError("bandwidth is bytes per second, above zero")


@dataclass
class Flow:
    """The bytes of bodies from one node to another: how many, until when, and where it breaks."""

    carried: int = 0
    busy_until: float = 0.0
    breaks: list[int] = field(default_factory=list)


@dataclass
class Network:
    """Which nodes exist, how far apart they are, and which of them answer."""

    random: random.Random
    default: Link
    links: dict[frozenset[str], Link] = field(default_factory=dict)
    cut: set[frozenset[str]] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    nodes: dict[str, int] = field(default_factory=dict)
    flows: dict[tuple[str, str], Flow] = field(default_factory=dict)

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
        link = self.link(sender, receiver)
        if pair in self.cut or (link.loss and self.random.random() < link.loss):
            return NEVER
        return link.latency + (self.random.uniform(0, link.jitter) if link.jitter else 0.0)

    def link(self, sender: str, receiver: str) -> Link:
        """The link between two nodes."""
        return self.links.get(frozenset((sender, receiver)), self.default)

    def flow(self, sender: str, receiver: str) -> Flow:
        """What has gone from sender to receiver."""
        return self.flows.setdefault((sender, receiver), Flow())

    def carry(self, sender: str, receiver: str, size: int) -> tuple[int, bool]:
        """Count `size` bytes; gives how many of them pass, and whether the connection breaks there.

        >>> net = Network(random.Random(1), Link())
        >>> net.flow("a", "b").breaks.append(3)
        >>> net.carry("a", "b", 2), net.carry("a", "b", 2), net.carry("a", "b", 2)
        ((2, False), (1, True), (2, False))
        """
        flow = self.flow(sender, receiver)
        if flow.breaks and flow.breaks[0] <= flow.carried + size:
            size = max(0, flow.breaks.pop(0) - flow.carried)
            flow.carried += size
            return size, True
        flow.carried += size
        return size, False

    def departure(self, sender: str, receiver: str, size: int, now: float) -> float:
        """When the last of `size` bytes has left: after all that waits, at the link's bandwidth."""
        bandwidth = self.link(sender, receiver).bandwidth
        if bandwidth == math.inf:
            return now
        flow = self.flow(sender, receiver)
        flow.busy_until = max(now, flow.busy_until) + size / bandwidth
        return flow.busy_until
