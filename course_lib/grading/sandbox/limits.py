"""What a learner's code may use, in one place: time, memory, processes, files, bytes.

Without a cgroup, memory is limited for each process by itself, not for all of them together.
"""

import resource
from dataclasses import dataclass, replace

__all__ = ["CELL", "NOTEBOOK", "Limits", "apply", "cell", "longest"]

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Limits of one jail: `wall` and `cpu` in seconds, sizes in bytes."""

    wall: float
    cpu: int
    memory: int
    processes: int
    internet: bool = False
    files: int = 256
    file_size: int = 16 * MEGABYTE
    disk: int = 64 * MEGABYTE


CELL = Limits(wall=40.0, cpu=15, memory=768 * MEGABYTE, processes=16)
"""One exercise: the learner's cell and the calls that the judge makes, unless an instructor gives
it more or less time.
"""

NOTEBOOK = Limits(wall=120.0, cpu=90, memory=2048 * MEGABYTE, processes=64, internet=True)
"""The whole notebook under papermill, for the feedback only.

Its kernel binds a port of 127.0.0.1, in a network of its own that leads nowhere.
"""


def cell(seconds: float) -> Limits:
    """The limits of one exercise with so much real time, and processor time in proportion."""
    return replace(CELL, wall=seconds, cpu=max(1, round(seconds * CELL.cpu / CELL.wall)))


def longest(seconds: float) -> float:
    """How long one judge may take: the graded draw, the example, and starting."""
    return 2 * seconds + 5


def apply(limits: Limits) -> None:
    """Limit this process and all that it starts; there is no way back."""
    for name, value in (
        ("CPU", limits.cpu),
        ("AS", limits.memory + _size()),
        ("NPROC", limits.processes),
        ("NOFILE", limits.files),
        ("FSIZE", limits.file_size),
        ("CORE", 0),
        ("MSGQUEUE", 0),
        ("MEMLOCK", 0),
    ):
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def _size() -> int:
    """The address space in use now: imports count for nothing."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
