"""An HTTP client as a handle: the learner's httpx builds the request, the judge's world answers.

The answer's body comes in parts, as the app sends them.
"""

from typing import Any

import httpx

from course_lib.grading.protocol.values import NotSendable

__all__ = ["Http"]


class Http:
    """One client that a check hands to a learner."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._open: dict[int, tuple[httpx.Response, Any]] = {}
        self._number = 0

    def options(self) -> dict[str, object]:
        """What the learner's double adds to each request, and its time-outs in seconds."""
        client = self._client
        return {
            "base_url": str(client.base_url),
            "headers": [[name, value] for name, value in client.headers.multi_items()],
            "params": [[name, value] for name, value in client.params.multi_items()],
            "cookies": dict(client.cookies),
            "timeout": client.timeout.as_dict(),
            "follow_redirects": client.follow_redirects,
        }

    def ask(self, payload: Any) -> object:
        """Nothing is answered without waiting."""
        raise NotSendable("an HTTP request that does not wait")

    async def effect(self, payload: Any) -> object:
        """Send a request, or fetch the next part of an answer, or leave it."""
        match payload:
            case ["send", str(method), str(url), list(headers), bytes(body), dict(timeout)]:
                request = httpx.Request(
                    method,
                    url,
                    headers=[(str(name), str(value)) for name, value in headers],
                    content=body,
                    extensions={"timeout": timeout},
                )
                return await self._send(request)
            case ["part", int(number)] if number in self._open:
                return await anext(self._open[number][1], None)
            case ["close", int(number)] if number in self._open:
                await self._open.pop(number)[0].aclose()
                return None
        raise NotSendable("an HTTP request of no known form")

    async def _send(self, request: httpx.Request) -> list[object]:
        response = await self._client._transport.handle_async_request(request)
        self._number += 1
        self._open[self._number] = (response, response.aiter_raw())
        headers = [[name, value] for name, value in response.headers.multi_items()]
        return [self._number, response.status_code, headers]
