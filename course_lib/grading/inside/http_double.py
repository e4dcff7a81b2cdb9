"""An httpx client whose requests are answered by the judge's world.

Left out: a request's body that is sent while it is made; it is collected first.
"""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from course_lib.grading.inside.learner import Learner

__all__ = ["http_client"]


def http_client(learner: "Learner", number: int, options: dict[str, Any]) -> httpx.AsyncClient:
    """Return a client that stands for the judge's handle of that number."""
    return httpx.AsyncClient(
        transport=_Transport(learner, number),
        base_url=options["base_url"],
        headers=[tuple(pair) for pair in options["headers"]],
        params=[tuple(pair) for pair in options["params"]],
        cookies=options["cookies"],
        timeout=httpx.Timeout(**options["timeout"]),
        follow_redirects=options["follow_redirects"],
    )


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, learner: "Learner", number: int) -> None:
        self._learner, self._number = learner, number

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        headers = [[name, value] for name, value in request.headers.multi_items()]
        timeout = dict(request.extensions.get("timeout", {}))
        asked = ["send", request.method, str(request.url), headers, body, timeout]
        number, status, headers = await self._learner.effect(self._number, asked)
        return httpx.Response(
            status,
            headers=[tuple(pair) for pair in headers],
            stream=_Body(self._learner, self._number, number),
            request=request,
        )


class _Body(httpx.AsyncByteStream):
    """The answer's body, part by part."""

    def __init__(self, learner: "Learner", handle: int, number: int) -> None:
        self._learner, self._handle, self._number = learner, handle, number
        self._left = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (
            part := await self._learner.effect(self._handle, ["part", self._number])
        ) is not None:
            yield part

    async def aclose(self) -> None:
        if not self._left:
            self._left = True
            await self._learner.effect(self._handle, ["close", self._number])
