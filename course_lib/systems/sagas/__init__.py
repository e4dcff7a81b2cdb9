"""Sagas: one order over four services, five ways to keep it whole.

The workflow as a table: workflow.py. The services: services.py, participant.py, calls.py. The ways:
popular.py (to learn from), orchestrator.py.
"""

from course_lib.systems.sagas import popular
from course_lib.systems.sagas.calls import Caller, Unreachable
from course_lib.systems.sagas.orchestrator import Orchestrator, SagaLog
from course_lib.systems.sagas.participant import JOURNAL, ONCE, Participant, perform
from course_lib.systems.sagas.services import SERVICES, Action, Order, Service
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
    "JOURNAL",
    "ONCE",
    "ORDER",
    "ORDER_WORKFLOW",
    "SERVICES",
    "Action",
    "Caller",
    "IllegalMove",
    "Orchestrator",
    "Order",
    "Participant",
    "SagaLog",
    "Service",
    "Step",
    "Unreachable",
    "Workflow",
    "perform",
    "popular",
    "transitions",
]
