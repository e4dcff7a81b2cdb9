"""Real-time notifications: one log, one hub a server, four transports.

An event goes from a queue through the notification service (`service`) into a log (`log`,
`redis_log`), which every server's hub follows (`hub`), and on to its clients, through a bounded
queue each (`client_queue`): as an event stream (`event_stream`, `event_parser`), over a WebSocket,
or as the answer to a poll (`app`, `clients`). `presence` knows who is connected, `reconnect` when
to come back. `popular` has the answers that break.
"""

from course_lib.systems.realtime_notifications import popular
from course_lib.systems.realtime_notifications.app import create_app, from_environment
from course_lib.systems.realtime_notifications.client_queue import (
    POLICIES,
    ClientQueue,
    Overflow,
    Policy,
    room_for,
)
from course_lib.systems.realtime_notifications.clients import (
    Comeback,
    event_source,
    long_poll,
    poll,
    web_socket,
)
from course_lib.systems.realtime_notifications.event_parser import EventStreamParser, Message
from course_lib.systems.realtime_notifications.event_stream import HEARTBEAT, comment, encode
from course_lib.systems.realtime_notifications.hub import Bye, Gap, Hub, Opened, Page, Quiet
from course_lib.systems.realtime_notifications.log import Log, MemoryLog, Notice, Replay, order
from course_lib.systems.realtime_notifications.presence import Presence
from course_lib.systems.realtime_notifications.reconnect import full_jitter
from course_lib.systems.realtime_notifications.redis_log import RedisLog
from course_lib.systems.realtime_notifications.service import EventQueue, Told, Worker

__all__ = [
    "HEARTBEAT",
    "POLICIES",
    "Bye",
    "ClientQueue",
    "Comeback",
    "EventQueue",
    "EventStreamParser",
    "Gap",
    "Hub",
    "Log",
    "MemoryLog",
    "Message",
    "Notice",
    "Opened",
    "Overflow",
    "Page",
    "Policy",
    "Presence",
    "Quiet",
    "RedisLog",
    "Replay",
    "Told",
    "Worker",
    "comment",
    "create_app",
    "encode",
    "event_source",
    "from_environment",
    "full_jitter",
    "long_poll",
    "order",
    "poll",
    "popular",
    "room_for",
    "web_socket",
]
