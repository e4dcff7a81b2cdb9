"""The limit in front of a FastAPI or Starlette application: plain ASGI, so streams stay streams.

    app.add_middleware(
        RateLimitMiddleware,
        redis=redis,
        routes=[
            Route("/health", None),
            Route("/search", Policy("search", GCRA(rate=1, burst=5), fallback="local"), cost=5),
            Route("/{path:path}", Policy("default", TokenBucket(rate=10, burst=20))),
        ],
        key=by_user(
            lambda request: getattr(request.state, "user", None), by_address(trusted_proxies=1)
        ),
        servers=4,
    )

A refusal is 429 with a problem document. A request that costs more than the whole limit can never
go: 429 too, without Retry-After. Redis down and "closed": 503 with Retry-After.
Leaves out: websockets; errors that no handler catches (Starlette answers these further out, without
our fields); CORS fields on refusals (add CORSMiddleware after this one, so that it lies outside).
Source: RFC 6585 (429), RFC 9457 (problem documents), draft-ietf-httpapi-ratelimit-headers-11.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

from redis.asyncio import Redis
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from course_lib.systems.rate_limiting.decision import Decision
from course_lib.systems.rate_limiting.fallback import FallbackLimiter, Outage, Ruling
from course_lib.systems.rate_limiting.headers import (
    legacy,
    policy_field,
    rate_limit_field,
    retry_after_field,
)
from course_lib.systems.rate_limiting.policy import Key, Policy, Route, Tier, by_address, match
from course_lib.systems.rate_limiting.redis_limiter import RedisLimiter

__all__ = ["RateLimitMiddleware"]

PROBLEMS = "https://iana.org/assignments/http-problem-types#"


def _running_clock() -> float:
    return asyncio.get_running_loop().time()


class RateLimitMiddleware:
    """Limits HTTP requests by route, key and tier, over Redis, and says so in every answer.

    servers: by how many a limit is shared while each counts locally.
    timeout, cool_down: seconds; see fallback.py.
    clock: seconds; the running loop's time if not given.
    """

    def __init__(
        self,
        app: ASGIApp,
        redis: Redis,
        routes: Sequence[Route],
        *,
        key: Key | None = None,
        tier: Tier = lambda request: "",
        servers: int = 1,
        timeout: float = 0.1,
        cool_down: float = 1.0,
        legacy_headers: bool = False,
        prefix: str = "limit",
        clock: Callable[[], float] = _running_clock,
    ) -> None:
        self.app = app
        self.routes = routes
        self.key = key or by_address()
        self.tier = tier
        self.legacy_headers = legacy_headers
        self.outage = Outage(clock, timeout, cool_down)
        self._limiters: dict[tuple[str, str], FallbackLimiter] = {}
        for policy, cost in _policies(routes):
            for name, algorithm in policy.algorithms.items():
                limiter = RedisLimiter(
                    redis, algorithm, ":".join(filter(None, [prefix, policy.name, name]))
                )
                self._limiters[policy.name, name] = FallbackLimiter(
                    limiter, self.outage, policy.fallback, servers, cost
                )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer in the application's place."""
        route = self._route(scope) if scope["type"] == "http" else None
        if route is None or route.policy is None:
            await self.app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        tier = route.policy.tier(self.tier(request))
        limiter = self._limiters[route.policy.name, tier]
        ruling = await limiter.hit(self.key(request) or "everybody", route.cost)
        fields = self._fields(route.policy.name, limiter, ruling)
        if ruling.allowed:
            await self.app(scope, receive, _with_fields(send, fields))
        else:
            refusal = self._refusal(route, ruling, fields)
            await refusal(scope, receive, send)

    def _route(self, scope: Scope) -> Route | None:
        path, root = scope["path"], scope.get("root_path", "")
        inside = root and (path + "/").startswith(root + "/")
        return match(self.routes, scope["method"], path[len(root) :] or "/" if inside else path)

    def _fields(self, policy: str, limiter: FallbackLimiter, ruling: Ruling) -> dict[str, str]:
        shared = limiter.local if ruling.by == "local" else limiter.limiter
        fields = {"RateLimit-Policy": policy_field(policy, shared.algorithm)}
        if ruling.decision:
            fields["RateLimit"] = rate_limit_field(policy, ruling.decision)
            if self.legacy_headers:
                fields |= legacy(ruling.decision)
        return fields

    def _refusal(self, route: Route, ruling: Ruling, fields: dict[str, str]) -> Response:
        seconds = ruling.decision.retry_after if ruling.decision else self.outage.cool_down
        wait = retry_after_field(seconds)
        if wait:
            fields = fields | {"Retry-After": wait}
        if ruling.decision and route.policy:
            return _problem(_exceeded(route.policy.name, route.cost, ruling.decision), fields)
        return _problem(_unavailable(), fields)


def _policies(routes: Sequence[Route]) -> list[tuple[Policy, int]]:
    """Each policy once, with the highest cost that a route asks of it."""
    policies: dict[str, tuple[Policy, int]] = {}
    for route in routes:
        if route.policy is None:
            continue
        known, cost = policies.get(route.policy.name, (route.policy, 1))
        if known != route.policy:
            raise ValueError(f"two different policies are named {known.name!r}")
        policies[known.name] = known, max(cost, route.cost)
    return list(policies.values())


def _with_fields(send: Send, fields: dict[str, str]) -> Send:
    async def with_fields(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in fields.items():
                headers.append(name, value)
        await send(message)

    return with_fields


def _exceeded(policy: str, cost: int, decision: Decision) -> dict[str, Any]:
    if math.isinf(decision.retry_after):
        detail = f"This request costs {cost}, more than the whole limit of {decision.limit}."
    else:
        detail = (
            f"The limit is {decision.limit}; {decision.remaining} left, and this request costs "
            f"{cost}. Try again in {retry_after_field(decision.retry_after)} s."
        )
    return {
        "type": PROBLEMS + "quota-exceeded",
        "title": "Request cannot be satisfied as assigned quota has been exceeded",
        "status": 429,
        "detail": detail,
        "violated-policies": [policy],
    }


def _unavailable() -> dict[str, Any]:
    return {
        "type": PROBLEMS + "temporary-reduced-capacity",
        "title": "Request cannot be satisfied due to temporary server capacity constraints",
        "status": 503,
        "detail": "Requests cannot be counted at present, and this route needs them to be.",
        "violated-policies": [],
    }


def _problem(body: dict[str, Any], fields: dict[str, str]) -> Response:
    return Response(
        json.dumps(body),
        status_code=body["status"],
        headers=fields,
        media_type="application/problem+json",
    )
