"""The sliders of chapter 18's experiments, and the settings worth a name."""

from __future__ import annotations

from course_lib.experiments.caching_eviction import WORKLOADS
from course_lib.experiments.caching_stampede import PROTECTIONS
from course_lib.experiments.caching_traffic import STRATEGIES
from course_lib.show import choice, slider

__all__ = [
    "EVICTION",
    "EVICTION_SCENARIOS",
    "EXPIRY",
    "STAMPEDE",
    "STAMPEDE_SCENARIOS",
    "TRAFFIC",
    "TRAFFIC_SCENARIOS",
]

TRAFFIC = (
    choice("strategy", STRATEGIES, value="TTL only"),
    slider("skew", 1.0, 0.0, 1.6, step=0.1),
    slider("size", 100, 10, 300, step=10, unit="of 300 keys"),
    slider("ttl", 4.0, 0.5, 10.0, step=0.5, unit="s", label="time to live"),
    slider("jitter", 0, 0, 90, step=10, unit="%"),
    slider("read_share", 90, 0, 100, step=5, unit="%"),
    choice("crash", ("never", "at 6 s"), label="cache forgets all"),
)
TRAFFIC_SCENARIOS = {
    "only the time to live": {"strategy": "TTL only", "ttl": 8.0},
    "write-heavy, write-through": {"strategy": "write-through", "read_share": 20},
    "write-heavy, write-back": {"strategy": "write-back", "read_share": 20},
    "write-back, and a crash": {"strategy": "write-back", "read_share": 20, "crash": "at 6 s"},
    "no favourites": {"skew": 0.0, "size": 50},
}

STAMPEDE = (
    choice("protection", PROTECTIONS),
    slider("rate", 60, 5, 80, step=5, unit="reads/s"),
    slider("load_ms", 500, 50, 1000, step=50, unit="ms", label="a load takes"),
    slider("ttl", 3.0, 1.0, 6.0, step=0.5, unit="s", label="time to live"),
    slider("beta", 1.0, 0.2, 3.0, step=0.1, label="beta (early recompute)"),
    slider("servers", 2, 1, 6),
)
STAMPEDE_SCENARIOS = {
    "one flight for each of six servers": {"protection": "single flight", "servers": 6},
    "one lease for all of them": {"protection": "lease", "servers": 6},
    "nobody waits, all a little old": {"protection": "stale while revalidate"},
    "tossing coins in time": {"protection": "early recompute", "beta": 2.0},
}

EXPIRY = (
    slider("keys", 40, 10, 60, step=10, unit="keys"),
    slider("ttl", 3.0, 1.0, 6.0, step=0.5, unit="s", label="time to live"),
    slider("jitter", 0, 0, 90, step=10, unit="%"),
)

EVICTION = (
    choice("workload", WORKLOADS),
    slider("skew", 1.0, 0.0, 1.6, step=0.1),
    slider("size", 50, 10, 250, step=10, unit="of 500 keys"),
)
EVICTION_SCENARIOS = {
    "a report scans the table": {"workload": "Zipf and a scan"},
    "where S3-FIFO loses": {"workload": "favourites change"},
}
