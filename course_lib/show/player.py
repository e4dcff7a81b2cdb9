"""The player widget: Python sends one trace, the browser draws each frame from it.

The position of the play head stays in the browser, so that scrubbing needs no kernel. What is
left out: the drawing itself (`js/`), and the stored pictures (`tools/pictures.py` takes them from
this widget).
"""

from typing import Any

import anywidget
import traitlets

from course_lib.show.assets import PLAYER, module, style
from course_lib.show.trace import Trace

__all__ = ["Player", "play"]


class Player(anywidget.AnyWidget):
    """Shows one trace, and a pinned one as dashed lines; the head starts at `start`."""

    _esm = module(*PLAYER)
    _css = style()
    trace = traitlets.Dict().tag(sync=True)
    baseline = traitlets.Dict().tag(sync=True)
    dimmed = traitlets.Bool(False).tag(sync=True)
    start = traitlets.Float(None, allow_none=True).tag(sync=True)

    def __repr__(self) -> str:
        return str(self.trace.get("summary") or self.trace.get("title") or "An empty player")

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return super()._repr_mimebundle_(**options)


def play(trace: Trace, *, baseline: Trace | None = None, start: float | None = None) -> Player:
    """A player for `trace`; its head starts at the end, or at `start` (seconds).

    >>> from course_lib.show import Level
    >>> play(Trace(end=1, tracks=[Level("Load", [(0, 1)], 2)], summary="The load was 1."))
    The load was 1.
    """
    pinned = baseline.payload() if baseline is not None else {}
    return Player(trace=trace.payload(), baseline=pinned, start=start)
