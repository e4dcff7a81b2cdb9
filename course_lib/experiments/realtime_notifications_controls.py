"""The sliders of chapter 28's experiments, and the settings worth a name."""

from __future__ import annotations

from course_lib.experiments.realtime_notifications import LEAVING, TRANSPORTS, WAITS
from course_lib.show import choice, slider
from course_lib.systems.realtime_notifications import POLICIES

__all__ = [
    "DELIVERY",
    "DELIVERY_SCENARIOS",
    "DEPLOY",
    "DEPLOY_SCENARIOS",
    "SLOW_READER",
    "SLOW_READER_SCENARIOS",
]

DELIVERY = (
    choice("transport", TRANSPORTS),
    slider("clients", 5, 1, 10),
    slider("rate", 0.5, 0.1, 1.5, step=0.1, unit="notices/s for each client"),
    slider("interval", 2.0, 0.5, 8.0, step=0.5, unit="s", label="poll interval"),
    slider("drops", 4, 0, 12, unit="a minute for each client"),
)
DELIVERY_SCENARIOS = {
    "poll every 8 s": {"transport": "polling", "interval": 8.0},
    "poll twice a second": {"transport": "polling", "interval": 0.5},
    "a tunnel, without a log": {"transport": "pub/sub, no log", "drops": 12},
    "the same tunnel, with ids": {"transport": "SSE", "drops": 12},
}

SLOW_READER = (
    choice("policy", ("unbounded", *POLICIES)),
    slider("rate", 20, 1, 40, unit="notices/s"),
    slider("reads", 5, 1, 40, unit="notices/s"),
    slider("limit", 20, 1, 60, unit="notices"),
)
SLOW_READER_SCENARIOS = {
    "positions: drop the oldest": {"policy": "drop oldest", "limit": 10},
    "states: keep the last of each order": {"policy": "coalesce", "limit": 10},
    "nothing may be lost: disconnect": {"policy": "disconnect", "limit": 60},
}

DEPLOY = (
    choice("leaving", LEAVING, label="the server is"),
    choice("wait", WAITS, label="clients wait"),
    slider("clients", 300, 50, 400, step=50),
    slider("capacity", 60, 20, 200, step=10, unit="connections/s"),
    slider("spread", 10, 1, 30, unit="s", label="drain over"),
)
DEPLOY_SCENARIOS = {
    "everyone at once": {"leaving": "killed", "wait": "always 3 s"},
    "backoff alone": {"leaving": "killed", "wait": "doubling, no jitter"},
    "full jitter": {"leaving": "killed", "wait": "full jitter"},
    "a drained deploy": {"leaving": "drained", "wait": "full jitter"},
}
