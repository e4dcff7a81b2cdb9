"""The sliders of chapter 21's experiment, and the settings worth a name."""

from __future__ import annotations

from course_lib.experiments.sagas import STYLES
from course_lib.experiments.sagas_lab import CRASHES
from course_lib.show import choice, slider

__all__ = ["ORDERS", "SCENARIOS"]

ORDERS = (
    choice("style", list(STYLES), value="orchestrated"),
    slider("placed", 3, 1, 6, unit="orders", label="placed, 0.4 s apart"),
    slider("stock", 0, 0, 100, unit="%", label="stock refuses"),
    slider("payment", 0, 0, 100, unit="%", label="payment refuses"),
    slider("shipping", 50, 0, 100, unit="%", label="shipping refuses"),
    slider("lost", 0, 0, 40, unit="%", label="lost messages"),
    slider("latency", 40, 0, 300, unit="ms one way"),
    choice("crash", list(CRASHES)),
    slider("after", 7, 1, 40, unit="effects", label="it dies after"),
    slider("down", 4.0, 0.5, 12.0, step=0.5, unit="s", label="and is down for"),
)
SCENARIOS = {
    "the stranded charge": {"style": "try/except", "crash": "the order service", "after": 4},
    "the same crash, with a log": {"crash": "the order service", "after": 7},
    "the coordinator dies": {
        "style": "two-phase commit",
        "crash": "the order service",
        "after": 6,
        "down": 8.0,
    },
    "nobody in the middle": {"style": "choreographed", "crash": "the payment service", "after": 4},
    "a bad network": {"lost": 20, "shipping": 0},
}
