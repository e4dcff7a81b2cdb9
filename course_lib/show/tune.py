"""Sliders for an experiment: move one, and the run is made again and its picture changes.

The experiment is a function of named parameters, and of a seed if it has any dice, that returns a
Trace. Runs are
cached, a slow one waits for a button, and an impossible setting is answered by the experiment's
own sentence. The browser sends at most one change of a slider while an earlier one is at work, so
that stale runs do not pile up.
"""

import gc
import inspect
from collections.abc import Callable, Coroutine, Mapping, Sequence
from html import escape
from time import perf_counter
from typing import Any, cast

import ipywidgets as widgets  # type: ignore[import-untyped]

from course_lib.show.controls import Control, field, row
from course_lib.show.player import Player
from course_lib.show.trace import Trace

__all__ = ["Tune", "tune"]

Value = float | str
Experiment = Callable[..., Trace | Coroutine[Any, Any, Trace]]
SLOW = 1.0
KEPT = 256


def _sentence(error: BaseException) -> str:
    if isinstance(error, ValueError):
        return str(error) or "This setting is not possible."
    if isinstance(error, KeyboardInterrupt):
        return "The run was stopped. The picture is that of the last finished run."
    return f"The run broke off: {type(error).__name__}: {error}"


def _takes_seed(experiment: Experiment) -> bool:
    taken = inspect.signature(experiment).parameters.values()
    return any(each.name == "seed" or each.kind is each.VAR_KEYWORD for each in taken)


def _settle() -> None:
    """Let the garbage collector leave alone what is loaded by now.

    Once in some moves it would go through all of it, which takes longer than a run.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


class Tune(widgets.VBox):  # type: ignore[misc]  # ipywidgets is untyped
    """Controls above a player; made by `tune`."""

    def __init__(
        self,
        experiment: Experiment,
        controls: Sequence[Control],
        scenarios: Mapping[str, Mapping[str, Value]],
        seed: int,
    ) -> None:
        self._experiment, self._controls, self._first_seed = experiment, tuple(controls), seed
        self.seed, self.message, self.slow = seed, "", False
        self._throws_dice = _takes_seed(experiment)
        self._scenarios = {name: dict(values) for name, values in scenarios.items()}
        self._cache: dict[tuple[object, ...], Trace] = {}
        self._shown: Trace | None = None
        self._quiet = False
        self.player = Player()
        self.fields = {control.name: field(control) for control in self._controls}
        self._check_scenarios()
        super().__init__(self._parts())
        self.add_class("atr-tune")
        self._listen()
        self._run()
        if isinstance(self._error, KeyboardInterrupt):
            raise self._error
        _settle()

    _error: BaseException | None = None

    # What the learner sees -----------------------------------------------------------------------

    def _parts(self) -> list[Any]:
        rows = [row(control, self.fields[control.name]) for control in self._controls]
        grid = widgets.VBox(rows)
        grid.add_class("atr-controls")
        self.scenario = widgets.Dropdown(options=[("choose ...", ""), *self._named()])
        self.buttons = {name: widgets.Button(description=name) for name in TIPS}
        for name, tip in TIPS.items():
            self.buttons[name].tooltip = tip
        self.buttons["Run"].layout.display = "none"
        if not self._throws_dice:
            self.buttons["New seed"].layout.display = "none"
        self.note, self.progress = widgets.HTML(), widgets.HTML()
        self.note.add_class("atr-note")
        scenario = [widgets.Label("scenario"), self.scenario] if self._scenarios else []
        bar = widgets.HBox([*scenario, *self.buttons.values(), self.progress])
        bar.add_class("atr-tools")
        return [grid, bar, self.note, self.player]

    def _named(self) -> list[tuple[str, str]]:
        return [(name, name) for name in self._scenarios]

    def _check_scenarios(self) -> None:
        for name, values in self._scenarios.items():
            unknown = ", ".join(sorted(set(values) - set(self.fields)))
            if unknown:
                raise ValueError(f'The scenario "{name}" sets {unknown}, which has no control.')

    def _listen(self) -> None:
        for each in self.fields.values():
            each.observe(self._changed, "value")
        self.scenario.observe(self._choose, "value")
        acts = {"Reset": self.reset, "Pin": self.pin, "New seed": self.new_seed, "Run": self._run}
        for name, act in acts.items():
            self.buttons[name].on_click(lambda _, act=act: act())

    def _say(self, message: str, dimmed: bool) -> None:
        self.message = message
        shown = f'<div class="atr-message-line" role="status">{escape(message)}</div>'
        self.note.value = shown if message else ""
        self.player.dimmed = dimmed

    def _show_seed(self) -> None:
        self.buttons["New seed"].description = f"New seed (now {self.seed})"

    # What the learner does -----------------------------------------------------------------------

    def values(self) -> dict[str, Value]:
        """The value of each parameter, as the experiment gets it."""
        return {name: each.value for name, each in self.fields.items()}

    def set(self, **values: Value) -> None:
        """Sets several parameters and makes one run, as a scenario does."""
        self._quiet = True
        try:
            for name, value in values.items():
                self.fields[name].value = value
        finally:
            self._quiet = False
        self._changed()

    def reset(self) -> None:
        """Back to the first values and the first seed; a pinned run stays."""
        self.seed = self._first_seed
        self.set(**{control.name: control.value for control in self._controls})

    def new_seed(self) -> None:
        """The next seed, one higher: the same setting with other arrivals."""
        self.seed += 1
        self._changed()

    def pin(self) -> None:
        """Keeps the run that is shown as dashed lines, or lets it go."""
        pinned = bool(self.player.baseline)
        self.player.baseline = {} if pinned or self._shown is None else self._shown.payload()
        self.buttons["Pin"].description = "Unpin" if self.player.baseline else "Pin"

    def _chosen(self) -> dict[str, Value]:
        return self._scenarios.get(self.scenario.value, {})

    def _choose(self, change: Any) -> None:
        if change["new"]:
            self.set(**self._scenarios[change["new"]])

    # The run -------------------------------------------------------------------------------------

    def _changed(self, _: Any = None) -> None:
        if self._quiet:
            return
        if self.scenario.value and self.values() != {**self.values(), **self._chosen()}:
            self.scenario.value = ""
        self._show_seed()
        if self.slow and self._key() not in self._cache:
            self._say("Press Run to see this setting.", dimmed=True)
        else:
            self._run()

    def _key(self) -> tuple[object, ...]:
        return (self.seed, *self.values().items())

    def _run(self) -> None:
        self._error = None
        self._show_seed()
        if self.slow:
            self.progress.value = '<div class="atr-busy" role="status">running</div>'
        try:
            self._show(self._trace())
        except (Exception, KeyboardInterrupt) as error:
            self._error = error
            self._say(_sentence(error), dimmed=True)
        if self.progress.value:
            self.progress.value = ""

    def _trace(self) -> Trace:
        key = self._key()
        if key not in self._cache:
            began = perf_counter()
            trace = self._made()
            self._pace(perf_counter() - began)
            if len(self._cache) >= KEPT:
                self._cache.pop(next(iter(self._cache)))
            self._cache[key] = trace
        return self._cache[key]

    def _made(self) -> Trace:
        dice = {"seed": self.seed} if self._throws_dice else {}
        made = self._experiment(**dice, **self.values())
        if not inspect.iscoroutine(made):
            return cast(Trace, made)
        from course_lib.lab import run  # late, so that sliders work where no lab is needed

        return cast(Trace, run(made))

    def _pace(self, seconds: float) -> None:
        """After a run of more than a second, a change waits for Run; a quick run ends that.

        The first run also loads what it needs, so it says nothing about the second.
        """
        if not self._cache:
            return
        slow = seconds > (SLOW / 2 if self.slow else SLOW)
        if slow != self.slow:
            self.slow = slow
            self.buttons["Run"].layout.display = "" if slow else "none"

    def _show(self, trace: Trace) -> None:
        self._shown = trace
        if self.message or self.player.dimmed:
            self._say("", dimmed=False)
        self.player.trace = trace.payload()

    # Outputs -------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        settings = ", ".join(self._setting(control) for control in self._controls)
        said = self.message or (self._shown.summary if self._shown else "")
        seed = f", seed {self.seed}" if self._throws_dice else ""
        return f"{settings}{seed}: {said}"

    def _setting(self, control: Control) -> str:
        value = self.fields[control.name].value
        number = f"{value:g}" if isinstance(value, int | float) else str(value)
        return f"{control.label} {number} {control.unit}".strip()

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return {**super()._repr_mimebundle_(**options), "text/plain": repr(self)}


TIPS = {
    "Reset": "Back to the first values and the first seed",
    "Pin": "Keep this run as dashed lines to compare with",
    "New seed": "The same setting with other arrivals",
    "Run": "Run this setting",
}


def tune(
    experiment: Experiment,
    controls: Sequence[Control],
    scenarios: Mapping[str, Mapping[str, Value]] | None = None,
    seed: int = 12,
) -> Tune:
    """Sliders above a player: `experiment(seed=..., **params)` returns a Trace, at once or awaited.

    An experiment without a parameter `seed` gets none, and no button for a new one.
    A ValueError of the experiment is shown as its sentence; the last picture stays, dimmed.
    """
    return Tune(experiment, controls, scenarios or {}, seed)
