"""Chapter 28's experiments: what arrives, when, how often, and what it costs the server.

`delivery`, `slow_reader` and `deploy` are what the sliders run: settings and a seed in, a Trace
out; the same seed gives the same events for every setting. They run the chapter's hub, queues and
reconnect rule on virtual time, over a log in this process, and leave out HTTP: a request is a
latency there and back. `Stack` runs the whole of it, with Redis, HTTP and WebSockets.
"""

from course_lib.experiments.realtime_notifications.account import (
    Account,
    account,
    through_a_tunnel,
)
from course_lib.experiments.realtime_notifications.delivery import TRANSPORTS, delivery
from course_lib.experiments.realtime_notifications.deploy import LEAVING, WAITS, deploy
from course_lib.experiments.realtime_notifications.polling import Polled, polled
from course_lib.experiments.realtime_notifications.races import (
    coming_back,
    each_once,
    once,
    two_events,
    worked_off,
    worker_on,
)
from course_lib.experiments.realtime_notifications.slow_reader import slow_reader
from course_lib.experiments.realtime_notifications.stack import Stack

__all__ = [
    "LEAVING",
    "TRANSPORTS",
    "WAITS",
    "Account",
    "Polled",
    "Stack",
    "account",
    "coming_back",
    "delivery",
    "deploy",
    "each_once",
    "once",
    "polled",
    "slow_reader",
    "through_a_tunnel",
    "two_events",
    "worked_off",
    "worker_on",
]
