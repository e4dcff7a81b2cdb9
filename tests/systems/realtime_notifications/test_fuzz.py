"""schemathesis asks the app whatever its own OpenAPI document allows, and more."""

import asyncio
from typing import Any

import fakeredis
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error

from course_lib.systems.realtime_notifications import Hub, Presence, RedisLog, create_app


def app() -> FastAPI:
    """A server on a Redis in this process; its streams end soon, since the fuzzer reads to the end.

    A stream ends when the hub drains, so this one drains each client at once.
    """
    redis: Any = fakeredis.FakeAsyncRedis(decode_responses=True)
    return create_app(Brief(RedisLog(redis)), Presence(redis, "server"))


class Brief(Hub):
    """A hub whose subscriptions are sent away after the first items."""

    def join(self, user: str) -> Any:
        queue = super().join(user)
        asyncio.get_running_loop().call_later(0.01, queue.end, _drained())
        return queue


def _drained() -> Exception:
    from course_lib.systems.realtime_notifications.hub import Drained

    return Drained()


schema = schemathesis.openapi.from_asgi("/openapi.json", app())


@schema.parametrize()
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_unhandled_error(case: Any) -> None:
    """No request that the document describes, or nearly, makes the server fail."""
    answer = case.call()
    case.validate_response(answer, checks=[not_a_server_error])


def test_every_route_is_fuzzed() -> None:
    """The document names the routes: a fuzzer of nothing would find nothing."""
    assert len(list(schema.get_all_operations())) == 3
