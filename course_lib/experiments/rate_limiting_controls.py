"""The sliders of chapter 12's experiments, and the settings worth a name."""

from __future__ import annotations

from course_lib.experiments.rate_limiting import ALGORITHMS, SHAPES
from course_lib.show import choice, slider

__all__ = [
    "MEMORY",
    "OUTAGE",
    "OUTAGE_SCENARIOS",
    "TRAFFIC",
    "TRAFFIC_SCENARIOS",
]

TRAFFIC = (
    choice("shape", SHAPES),
    choice("algorithm", ALGORITHMS),
    choice("counted", ("in Redis", "on each server")),
    slider("traffic", 8, 1, 12, unit="requests/s"),
    slider("rate", 4, 1, 10, unit="requests/s"),
    slider("burst", 8, 1, 30, unit="requests", label="burst (bucket, GCRA)"),
    slider("window", 2, 1, 6, unit="s"),
    slider("servers", 2, 1, 4),
    slider("latency", 5, 0, 200, unit="ms one way"),
)
TRAFFIC_SCENARIOS = {
    "boundary attack on a fixed window": {
        "shape": "boundary attack",
        "algorithm": "fixed window",
        "counted": "in Redis",
    },
    "the same attack on a sliding log": {
        "shape": "boundary attack",
        "algorithm": "sliding log",
        "counted": "in Redis",
    },
    "four servers, four counts": {"servers": 4, "counted": "on each server", "traffic": 12},
    "a bucket rides out bursts": {"shape": "bursts", "algorithm": "token bucket", "burst": 16},
}

OUTAGE = (
    choice("fallback", ("local", "open", "closed")),
    choice("redis", ("silent", "stopped"), label="Redis is"),
    slider("rate", 4, 1, 10, unit="requests/s", label="limit"),
    slider("servers", 2, 1, 4),
    slider("timeout", 100, 10, 500, step=10, unit="ms"),
    slider("cool_down", 1.0, 0.1, 4.0, step=0.1, unit="s"),
)
OUTAGE_SCENARIOS = {
    "fail open": {"fallback": "open"},
    "fail closed": {"fallback": "closed"},
    "hardly any cool-down": {"redis": "silent", "cool_down": 0.1, "timeout": 500},
}

MEMORY = (slider("limit", 20, 1, 31, unit="requests a minute"),)
