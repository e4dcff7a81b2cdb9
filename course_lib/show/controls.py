"""The controls of an experiment: sliders and choices, and how each stands in its row.

A control is plain data; its field is an ipywidget. Label, range, unit and value are always in
sight. It leaves out what happens when a field changes (`tune.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets  # type: ignore[import-untyped]

__all__ = ["Choice", "Control", "Slider", "choice", "field", "row", "slider"]


@dataclass(frozen=True)
class Slider:
    """A number that the learner turns."""

    name: str
    value: float
    low: float
    high: float
    unit: str
    step: float
    label: str


@dataclass(frozen=True)
class Choice:
    """One of a few words that the learner picks."""

    name: str
    options: tuple[str, ...]
    value: str
    label: str
    unit: str = ""


def slider(
    name: str,
    value: float,
    low: float,
    high: float,
    *,
    unit: str = "",
    step: float = 0,
    label: str = "",
) -> Slider:
    """A slider for the parameter `name`, from `low` to `high`; whole if all three are whole.

    >>> slider("rate", 5, 1, 20, unit="requests/s").step
    1
    """
    if not low <= value <= high:
        raise ValueError(f"The slider {name} starts at {value}, outside of {low} to {high}.")
    whole = all(isinstance(number, int) for number in (value, low, high))
    step = step or (1 if whole else (high - low) / 100)
    return Slider(name, value, low, high, unit, step, label or name.replace("_", " "))


def choice(name: str, options: Sequence[str], *, value: str = "", label: str = "") -> Choice:
    """A choice for the parameter `name`; the first option unless `value` says another.

    >>> choice("algorithm", ["fixed window", "token bucket"]).value
    'fixed window'
    """
    if value and value not in options:
        raise ValueError(f'"{value}" is not an option of {name}: {", ".join(options)}.')
    return Choice(name, tuple(options), value or options[0], label or name.replace("_", " "))


Control = Slider | Choice


def field(control: Control) -> Any:
    """The input for a control: a dropdown, or a slider that shows its value as it moves."""
    wide = widgets.Layout(width="100%")
    if isinstance(control, Choice):
        return widgets.Dropdown(options=control.options, value=control.value, layout=wide)
    whole = all(
        isinstance(n, int) for n in (control.value, control.low, control.high, control.step)
    )
    kind = widgets.IntSlider if whole else widgets.FloatSlider
    look = {} if whole else {"readout_format": f".{_decimals(control.step)}f"}
    return kind(
        control.value, min=control.low, max=control.high, step=control.step, layout=wide, **look
    )


def row(control: Control, shown: Any) -> Any:
    """The label, below it the range and the unit, and beside both `shown`."""
    names = [widgets.Label(control.label)]
    names[0].add_class("atr-name")
    if isinstance(control, Slider):
        names.append(widgets.Label(f"{control.low:g} to {control.high:g} {control.unit}".strip()))
        names[1].add_class("atr-range")
    line = widgets.HBox([widgets.VBox(names), shown])
    line.add_class("atr-row")
    return line


def _decimals(step: float) -> int:
    """Decimals that tell two neighbouring values apart: 1 for a step of 0.1, at most 4."""
    return next((n for n in range(1, 4) if round(step, n) == step), 4)
