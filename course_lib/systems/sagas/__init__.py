"""Sagas: one order over four services, five ways to keep it whole.

The workflow as a table: workflow.py. The services: services.py, once.py, participant.py, calls.py.
The ways: popular.py (to learn from), orchestrator.py, choreography.py, two_phase.py with
prepared.py, event_sourced.py with event_store.py and projection.py.
"""

from course_lib.systems.sagas import choreography, once, popular
from course_lib.systems.sagas.calls import Caller, Unreachable
from course_lib.systems.sagas.choreography import Reactor, reactions
from course_lib.systems.sagas.event_sourced import EventSourced
from course_lib.systems.sagas.event_store import Event, EventStore, WrongVersion
from course_lib.systems.sagas.once import JOURNAL, ONCE, perform
from course_lib.systems.sagas.orchestrator import Orchestrator, SagaLog
from course_lib.systems.sagas.participant import Participant
from course_lib.systems.sagas.prepared import HELD, prepare
from course_lib.systems.sagas.projection import OrdersView
from course_lib.systems.sagas.services import SERVICES, Action, Order, Service
from course_lib.systems.sagas.two_phase import Coordinator
from course_lib.systems.sagas.workflow import (
    COMPENSATED,
    COMPLETED,
    ORDER,
    ORDER_WORKFLOW,
    IllegalMove,
    Step,
    Workflow,
    transitions,
)

__all__ = [
    "COMPENSATED",
    "COMPLETED",
    "HELD",
    "JOURNAL",
    "ONCE",
    "ORDER",
    "ORDER_WORKFLOW",
    "SERVICES",
    "Action",
    "Caller",
    "Coordinator",
    "Event",
    "EventSourced",
    "EventStore",
    "IllegalMove",
    "Orchestrator",
    "Order",
    "OrdersView",
    "Participant",
    "Reactor",
    "SagaLog",
    "Service",
    "Step",
    "Unreachable",
    "Workflow",
    "WrongVersion",
    "choreography",
    "once",
    "perform",
    "popular",
    "prepare",
    "reactions",
    "transitions",
]
