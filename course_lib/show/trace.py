"""What an experiment hands to the player: a run, written down as tracks over one time axis.

A trace holds plain numbers only, so that it can be sent to a browser, cached and compared. It
leaves out how it is drawn (`js/`) and how it came about (`course_lib.lab`). Times are seconds
from the start of the run, unless the clock of the trace counts steps.
"""

from collections.abc import Sequence as Seq
from dataclasses import dataclass, field
from typing import Literal

from course_lib.show.states import States
from course_lib.show.tracks import (
    Cells,
    Histogram,
    Lanes,
    Level,
    Payload,
    Sequence,
    Series,
    number,
    require,
    short,
)

__all__ = ["Cells", "Histogram", "Lanes", "Level", "Sequence", "Series", "States", "Trace", "Track"]

Track = Lanes | Level | Series | Histogram | Sequence | States | Cells


@dataclass(frozen=True)
class Trace:
    """One run, ready to be played: tracks over one time axis, and one sentence with its numbers.

    >>> level = Level("Tokens", [(0, 8)], maximum=8)
    >>> Trace(end=12, tracks=[level], summary="8 tokens were left.").payload()["end"]
    12
    """

    end: float
    tracks: Seq[Track]
    title: str = ""
    summary: str = ""
    clock: Literal["seconds", "steps"] = "seconds"
    _sent: Payload = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        number(self.end, "The end of a trace")
        require(self.end > 0, f"A trace must last longer than 0, but its end is {self.end}.")
        require(len(self.tracks) > 0, "A trace needs at least one track.")
        for track in self.tracks:
            late = track.last()
            beyond = (
                f'"{track.label}" goes on until {late}, after the end of the trace, {self.end}.'
            )
            require(late <= self.end + 1e-9, beyond)

    def payload(self) -> Payload:
        """The whole trace as plain lists and numbers, made once; fit for JSON."""
        if not self._sent:
            self._sent.update(
                end=short(self.end),
                title=self.title,
                summary=self.summary,
                clock=self.clock,
                tracks=[track.payload() for track in self.tracks],
            )
        return self._sent

    def __repr__(self) -> str:
        labels = ", ".join(track.label for track in self.tracks)
        return f"Trace of {self.end:g} {self.clock} ({labels}): {self.summary}"
