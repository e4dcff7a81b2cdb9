"""An effect log as a sequence diagram: who asked whom for what, in which order, and what came back.

It reads the fields of an effect (who, target, what, result, error, answered) and no more of the
world. Rows are in the order in which the effects took place; the axis counts steps, since the
order is the story.
"""

from collections.abc import Iterable
from typing import Literal, Protocol

from course_lib.show.trace import Sequence, Trace

__all__ = ["EffectLike", "sequence_of"]

Message = tuple[float, float, int, int, str, Literal["ok", "failed"]]
LONGEST = 60


class EffectLike(Protocol):
    """What `sequence_of` reads of an effect."""

    @property
    def who(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def result(self) -> object: ...
    @property
    def answered(self) -> float | None: ...
    @property
    def error(self) -> str | None: ...


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "…"


def _actors(effects: list[EffectLike]) -> list[str]:
    """Those who act, in order of appearance; targets in the middle, so that fewer arrows cross."""
    acting = list(dict.fromkeys(effect.who for effect in effects))
    targets = [e.target for e in effects if e.target not in acting]
    middle = (len(acting) + 1) // 2
    return [*acting[:middle], *dict.fromkeys(targets), *acting[middle:]]


def _messages(number: int, effect: EffectLike, actors: list[str]) -> list[Message]:
    who, target = actors.index(effect.who), actors.index(effect.target)
    request = _short(effect.what)
    if who == target:
        return [(number, number + 1, who, who, request, "ok")]
    ask: Message = (number, number + 0.5, who, target, request, "ok")
    if effect.answered is None:
        return [ask, (number + 0.5, number + 1, target, who, "no answer", "failed")]
    return [ask, (number + 0.5, number + 1, target, who, _answer(effect), "ok")]


def _answer(effect: EffectLike) -> str:
    if effect.error is not None:
        return _short(effect.error)
    return "nothing" if effect.result is None else _short(str(effect.result))


def sequence_of(effects: Iterable[EffectLike], title: str = "") -> Trace:
    """The sequence diagram of an effect log, one request and one reply for each effect.

    An empty log is an error: there is nothing to draw.
    """
    log = list(effects)
    if not log:
        raise ValueError("The effect log is empty: there is nothing to draw.")
    actors = _actors(log)
    messages = [m for number, effect in enumerate(log) for m in _messages(number, effect, actors)]
    lost = sum(message[5] == "failed" for message in messages)
    whole = f"{len(log)} effects" if len(log) > 1 else "1 effect"
    summary = f"{whole} in order" + (f", {lost} without an answer." if lost else ".")
    track = Sequence("Effects in the order in which they took place", actors, messages)
    return Trace(len(log), [track], title=title, summary=summary, clock="steps")
