"""Commit to a prediction before the run; see it beside the measurement afterwards.

Predicting first makes the answer stick. A prediction is a number in a range or one of a few
choices; once committed it is locked. It leaves out scores: nobody is graded on a guess.
"""

from collections.abc import Sequence
from html import escape
from math import isfinite
from typing import Any, Literal

import anywidget
import traitlets

from course_lib.show.assets import module, style

__all__ = ["Predict", "Reveal", "predict"]

Answer = float | str
Kind = Literal["measured", "derived"]


def _words(value: Answer, unit: str) -> str:
    number = f"{value:,.6g}" if isinstance(value, int | float) else value
    return f"{number} {unit}".strip()


def _verdict(guess: float, truth: float) -> str:
    """How far off a number is, kindly."""
    if guess == truth:
        return "Exactly right."
    if abs(guess - truth) <= 0.1 * abs(truth):
        return "Very close."
    if guess == 0 or truth == 0 or (guess > 0) != (truth > 0):
        return f"Off by {abs(guess - truth):,.4g}: worth a second look at why."
    ratio = max(guess / truth, truth / guess)
    side = "more" if truth > guess else "less"
    if ratio < 2:
        return f"In the right region; it is {side} than you thought."
    return f"It is {ratio:.2g} times {side} than you thought: the rest of the section says why."


class Reveal:
    """A prediction beside what was measured or derived, in words and on a line."""

    def __init__(
        self,
        guess: Answer | None,
        truth: Answer,
        span: tuple[float, float],
        unit: str,
        kind: Kind = "measured",
    ) -> None:
        self.guess, self.truth, self.unit, self.kind = guess, truth, unit, kind
        self._low, self._high = span

    def __repr__(self) -> str:
        truth = f"{self.kind.capitalize()}: {_words(self.truth, self.unit)}."
        if self.guess is None:
            return f"No prediction was committed. {truth}"
        return f"Predicted: {_words(self.guess, self.unit)}. {truth} {self.verdict()}"

    def verdict(self) -> str:
        """One kind sentence on how far off the prediction was."""
        if isinstance(self.guess, str) or isinstance(self.truth, str):
            same = self.guess == self.truth
            return "That is what you said." if same else "A surprise is the best teacher."
        return _verdict(self.guess or 0, self.truth)

    def _repr_html_(self) -> str:
        line = self._line() if isinstance(self.truth, int | float) else ""
        return f'<div style="max-width:640px;padding:4px 0">{line}<p>{escape(repr(self))}</p></div>'

    def _line(self) -> str:
        marks = [self._mark(self.truth, self.kind, "#0072b2", "50%")]
        if self.guess is not None:
            marks.insert(0, self._mark(self.guess, "predicted", "#d55e00", "0"))
        rail = "position:relative;height:58px;margin:2px 56px;border-bottom:2px solid #8a949e"
        ends = (
            "display:flex;justify-content:space-between;margin:2px 40px;font-size:11px;opacity:.75"
        )
        scale = f"<span>{self._low:,.6g}</span><span>{_words(self._high, self.unit)}</span>"
        return f'<div style="{rail}">{"".join(marks)}</div><div style="{ends}">{scale}</div>'

    def _mark(self, value: Answer, name: str, colour: str, radius: str) -> str:
        """A square for the prediction, a disc for the truth: shape as well as colour."""
        low, high = min(self._low, float(self.truth)), max(self._high, float(self.truth))
        self._low, self._high = low, high
        at = 100 * (float(value) - low) / (high - low)
        row = "0" if name == "predicted" else "22px"
        word = f"{name} {float(value):,.6g}"
        side = "right:14px" if at > 50 else "left:14px"
        text = f"position:absolute;{side};top:-4px;white-space:nowrap;font-size:12px"
        shape = f"width:10px;height:10px;background:{colour};border-radius:{radius}"
        stem = (
            f"position:absolute;left:{at:.2f}%;top:{row};bottom:-1px;border-left:2px solid {colour}"
        )
        dot = f'<div style="position:absolute;left:-6px;top:0;{shape}"></div>'
        return f'<div style="{stem}">{dot}<span style="{text}">{word}</span></div>'


class Predict(anywidget.AnyWidget):
    """Asks for a prediction; `committed` is the locked answer as text, or empty."""

    _esm = module("draw", "predict")
    _css = style()
    question = traitlets.Unicode().tag(sync=True)
    choices = traitlets.List(traitlets.Unicode()).tag(sync=True)
    low = traitlets.Float(0.0).tag(sync=True)
    high = traitlets.Float(1.0).tag(sync=True)
    unit = traitlets.Unicode().tag(sync=True)
    committed = traitlets.Unicode().tag(sync=True)
    closed = traitlets.Bool(False).tag(sync=True)

    def commit(self, answer: Answer) -> None:
        """Locks `answer`, as the button does; a second one is refused."""
        if self.committed or self.closed:
            raise ValueError("This prediction is locked. Run its cell again to predict afresh.")
        self._check(answer)
        self.committed = f"{answer:g}" if isinstance(answer, int | float) else answer

    def reveal(self, truth: Answer, kind: Kind = "measured") -> Reveal:
        """The prediction beside `truth`; from then on, no prediction can be committed.

        `kind` says where the truth comes from: "measured" in a run, or "derived" by a formula.
        """
        self._check(truth, measured=True)
        self.closed = True
        guess = self._guess()
        return Reveal(guess, truth, (self.low, self.high), self.unit, kind)

    def _guess(self) -> Answer | None:
        if not self.committed:
            return None
        return self.committed if self.choices else float(self.committed)

    def _check(self, answer: Answer, measured: bool = False) -> None:
        if self.choices and answer not in self.choices:
            raise ValueError(f'"{answer}" is not one of the choices: {", ".join(self.choices)}.')
        if self.choices:
            return
        if isinstance(answer, str) or not isfinite(answer):
            raise ValueError(f"This prediction is a number, but {answer!r} is not.")
        if not measured and not self.low <= answer <= self.high:
            raise ValueError(f"The number must be between {self.low:g} and {self.high:g}.")

    def __repr__(self) -> str:
        scale = f"{self.low:g} to {self.high:g} {self.unit}".strip()
        return f"{self.question} ({', '.join(self.choices) or scale})"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return super()._repr_mimebundle_(**options)


def predict(
    question: str,
    *,
    low: float | None = None,
    high: float | None = None,
    unit: str = "",
    choices: Sequence[str] = (),
) -> Predict:
    """Asks `question`: a number from `low` to `high` in `unit`, or one of `choices`.

    >>> guess = predict("How many pass?", low=0, high=300, unit="requests")
    >>> guess.reveal(200)
    No prediction was committed. Measured: 200 requests.
    """
    if choices:
        return Predict(question=question, choices=list(choices), unit=unit)
    if low is None or high is None or not low < high:
        raise ValueError("A prediction needs choices, or a low that is below its high.")
    return Predict(question=question, low=low, high=high, unit=unit)
