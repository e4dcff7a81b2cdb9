"""Asking a participant, and asking again: "done", "refused", or nobody knows.

A time-out says nothing about what happened. As participants do each action once, the same request
can be sent again until somebody answers. Leaves out: jitter, budgets and breakers (chapter 30).
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict

import httpx

from course_lib.systems.sagas.services import Order

__all__ = ["Caller", "Unreachable"]


class Unreachable(Exception):
    """No answer, however often asked: the action may have happened or not."""


class Caller:
    """Posts orders to services by name; waits `timeout` seconds, pauses 1, 2, 4 ... x `pause`.

    >>> await Caller(client)("payment", "charge", Order("order-1"))
    'done'
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        attempts: int = 3,
        timeout: float = 1.0,
        pause: float = 0.5,
    ) -> None:
        self.client, self.attempts, self.timeout, self.pause = client, attempts, timeout, pause

    async def __call__(self, service: str, action: str, order: Order) -> str:
        """What became of it; raises Unreachable when nobody answered."""
        for attempt in range(self.attempts):
            if attempt:
                await asyncio.sleep(self.pause * 2 ** (attempt - 1))
            outcome = await self.once(service, action, order)
            if outcome is not None:
                return outcome
        raise Unreachable(f"{service} did not answer {self.attempts} times")

    async def once(self, service: str, action: str, order: Order) -> str | None:
        """What became of one request; None if there was no answer, or one that says nothing."""
        url = f"http://{service}/{action}"
        try:
            response = await self.client.post(url, json=asdict(order), timeout=self.timeout)
        except httpx.TransportError:
            return None
        return None if response.is_server_error else str(response.json()["outcome"])
