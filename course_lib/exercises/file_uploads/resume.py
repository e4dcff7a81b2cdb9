"""Exercise: what does a resuming client do next? A decision for each thing that can happen.

The check plays a server whose connections break, before, in the middle of and after a chunk, and
lets the learner's function drive the client. Left out: how long to wait before it tries again.
"""

import random
from collections.abc import Iterator
from typing import Any, TypeGuard

from course_lib.exercises.attempt import Attempt
from course_lib.exercises.cases import Case, pure
from course_lib.exercises.exercise import Counterexample, Exercise, Mistake, Property, changed
from course_lib.exercises.plain import shown

__all__ = ["RESUME"]

NAME = "next_request"
Step = list[Any]


def truth(size: int, chunk: int, last: dict[str, Any] | None) -> Step:
    """Return the next step: `truth(100, 40, None)` -> `["HEAD"]`."""
    if last is None:
        return ["HEAD"]
    if last["status"] in (404, 410):
        return ["gone"]
    if last["status"] not in (200, 204):
        return ["HEAD"]
    if last["offset"] == size:
        return ["done"]
    return ["PATCH", last["offset"], min(last["offset"] + chunk, size)]


def _file(draw: random.Random) -> tuple[int, int]:
    chunk = draw.randint(20, 90)
    return chunk * draw.randint(3, 6) + draw.randint(1, chunk - 1), chunk


def begins(draw: random.Random) -> Iterator[Case]:
    """Nothing is known."""
    yield (*_file(draw), None)


def goes_on(draw: random.Random) -> Iterator[Case]:
    """The server has said how far it is: after a HEAD, after a PATCH, near the end, at it."""
    size, chunk = _file(draw)
    for request, status in (("HEAD", 200), ("PATCH", 204)):
        for offset in (0, draw.randint(1, chunk), size - draw.randint(1, chunk - 1), size):
            yield size, chunk, {"request": request, "status": status, "offset": offset}


def doubts(draw: random.Random) -> Iterator[Case]:
    """Nobody knows what was kept: a break, a conflict, a wrong checksum, a server in trouble."""
    size, chunk = _file(draw)
    start = chunk * draw.randint(1, 2)
    sent = {"request": "PATCH", "start": start, "stop": start + chunk}
    for status in (None, 409, 460, 503):
        yield size, chunk, {**sent, "status": status}
    yield size, chunk, {"request": "HEAD", "status": None}


def gone(draw: random.Random) -> Iterator[Case]:
    """The upload is not there any more."""
    for status in (404, 410):
        yield (*_file(draw), {"request": "HEAD", "status": status})


class Server:
    """A tus server behind a line that breaks at given requests, after a share of their bytes."""

    def __init__(self, size: int, breaks: dict[int, float]) -> None:
        self.size, self.breaks = size, breaks
        self.offset, self.sent, self.requests = 0, 0, 0

    def answer(self, step: Step) -> dict[str, Any]:
        """Do what a request asks, as far as the line lets it."""
        self.requests += 1
        share = self.breaks.get(self.requests)
        if step[0] == "HEAD":
            said = {"status": None} if share is not None else {"status": 200, "offset": self.offset}
            return {"request": "HEAD", **said}
        _, start, stop = step
        told: dict[str, Any] = {"request": "PATCH", "start": start, "stop": stop}
        self.sent += stop - start
        if start != self.offset or stop > self.size:
            return {**told, "status": 409}
        if share is not None:
            self.offset += int(share * (stop - start))
            return {**told, "status": None}
        self.offset = stop
        return {**told, "status": 204, "offset": stop}


def arrives(attempt: Attempt, draw: random.Random) -> int:
    """With breaks at every kind of place, the file arrives, and no request is ever a conflict."""
    size, chunk = _file(draw)
    shares = [0.0, 1.0, draw.random()]
    breaks = dict(zip(draw.sample(range(1, 9), 3), shares, strict=True))
    server, last, told = Server(size, breaks), None, []
    for _ in range(60):
        step = attempt.call(size, chunk, last)
        told.append(shown(step, 40))
        if step == ["done"]:
            break
        if not _is_request(step):
            raise Counterexample(f"{', '.join(told)}: the last one is no request.")
        last = server.answer(step)
        if last["status"] == 409:
            raise Counterexample(f"{', '.join(told)}: the server has {server.offset} bytes: 409.")
    if server.offset != size or told[-1] != shown(["done"]):
        had = f"the server has {server.offset} of {size} bytes"
        raise Counterexample(f"{', '.join(told[:8])} ...: {had} after {len(told)} steps.")
    return server.requests


def _is_request(step: object) -> TypeGuard[Step]:
    if step == ["HEAD"]:
        return True
    if type(step) is not list or len(step) != 3 or step[0] != "PATCH":
        return False
    return type(step[1]) is int and type(step[2]) is int and 0 <= step[1] < step[2]


STUB = '''
def next_request(size, chunk, last):
    """The next step of a client that resumes: ["HEAD"], ["PATCH", start, stop], ["done"], ["gone"].

    size: bytes of the file; chunk: the most bytes of one PATCH.
    last: what became of the last request, None if there was none since the client started:
      {"request": "HEAD" or "PATCH", "status": 200 or 204, "offset": bytes the server has}
      {"request": ..., "status": None, ...}: the connection broke, and anything may have arrived
      {"request": "PATCH", "start": ..., "stop": ..., "status": 409, 460 or 503}
      {"request": ..., "status": 404 or 410}: the upload is gone
    """
    raise NotImplementedError
'''

ANSWER = """
def next_request(size, chunk, last):
    if last is None:
        return ["HEAD"]
    if last["status"] in (404, 410):
        return ["gone"]
    if last["status"] not in (200, 204):
        return ["HEAD"]
    offset = last["offset"]
    if offset == size:
        return ["done"]
    return ["PATCH", offset, min(offset + chunk, size)]
"""

DOUBT = 'if last["status"] not in (200, 204):\n        return ["HEAD"]'


def _after_a_break(step: str) -> str:
    """The answer, but with another step where a PATCH broke off."""
    mine = f'if last["status"] is None and "start" in last:\n        return {step}\n    {DOUBT}'
    return changed(ANSWER, (DOUBT, mine))


RESUME = Exercise(
    id="file_uploads.resume",
    place=2,
    title="The next step of a client that resumes",
    name=NAME,
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    properties=(
        pure("begins", "a client that has just started asks first.", begins, truth),
        pure("goes on", "after an offset: the next chunk from there, or done.", goes_on, truth),
        pure("doubts", "where nobody knows what was kept, the client asks.", doubts, truth),
        pure("gone", "an upload that is not there any more cannot be resumed.", gone, truth),
        Property("arrives", "the file arrives whatever breaks.", arrives),
    ),
    mistakes=(
        Mistake(
            "starts at zero",
            changed(ANSWER, ('return ["HEAD"]', 'return ["PATCH", 0, min(chunk, size)]')),
            "You begin at zero without asking. The server may have most of the file already.",
        ),
        Mistake(
            "starts again at zero after a break",
            _after_a_break('["PATCH", 0, min(chunk, size)]'),
            "After a break you begin at zero. Ask the server: everything up to its offset is safe.",
        ),
        Mistake(
            "sends the chunk again",
            _after_a_break('["PATCH", last["start"], last["stop"]]'),
            "After a break you send the same chunk again. Some of it, or all of it, may have "
            "arrived, and only the answer was lost. Ask first.",
        ),
        Mistake(
            "believes that it arrived",
            _after_a_break('["PATCH", last["stop"], min(last["stop"] + chunk, size)]'),
            "After a break you go on as if the chunk had arrived. No answer means no knowledge. "
            "Ask first.",
        ),
        Mistake(
            "gives up on a conflict",
            changed(ANSWER, ("(404, 410)", "(404, 409, 410)")),
            "A 409 is no end. It says that your offset was wrong, so ask for the right one.",
        ),
        Mistake(
            "runs over the end",
            changed(ANSWER, ("min(offset + chunk, size)", "offset + chunk")),
            "Your last chunk goes beyond the end of the file. It is shorter than the others.",
        ),
        Mistake(
            "never finishes",
            changed(ANSWER, ('    if offset == size:\n        return ["done"]\n', "")),
            "When the server has all, there is nothing left to send: done.",
        ),
        Mistake(
            "asks a grave",
            changed(
                ANSWER, ('    if last["status"] in (404, 410):\n        return ["gone"]\n', "")
            ),
            "404 and 410 are final. A client that asks again will ask for ever.",
        ),
    ),
    hints=(
        "There is one source of truth, and it is not the client's memory.",
        "Sort what can happen: the server told an offset; the upload is gone; everything else is "
        "doubt.",
        "In doubt, and at the start, `HEAD`. With an offset: done if it is `size`, else a PATCH "
        "from there to `min(offset + chunk, size)`.",
    ),
)
