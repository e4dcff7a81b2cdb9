"""The judge's end of the wire: one line out, one line back, within a deadline and a size.

Every message carries a fresh nonce, and the reply must repeat it. So a reply proves that it was
written after the question was read, and nothing can be sent ahead.
"""

import json
import os
import secrets
import time
from typing import Any

from course_lib.grading.protocol.waiting import readable, writable

__all__ = ["Channel", "Violation"]

LONGEST = 1_000_000  # bytes in one reply
MOST = 200_000  # messages in one session


class Violation(BaseException):
    """The learner's process broke a rule; `kind` is a word, `sentence` a plain reason.

    No `Exception`, because a check that catches those must not survive it.
    """

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind, self.sentence = kind, sentence


class Channel:
    """Two pipes to a process that is not trusted; `seconds` of real time for the whole session.

    `processor` is how many seconds of processor time the process has: the kernel ends it then, and
    all that is seen of it is an end, no sooner than that.
    """

    def __init__(self, reader: int, writer: int, seconds: float, processor: float = 1e9) -> None:
        self.reader, self.writer, self.seconds = reader, writer, seconds
        self._processor, self._begin = processor, time.monotonic()
        self.messages = 0
        self._end = time.monotonic() + seconds
        self._buffer = b""
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)

    def exchange(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send one message and return the one reply to it, or raise Violation."""
        self.messages += 1
        if self.messages > MOST:
            raise Violation("messages", f"More than {MOST:,} messages went back and forth.")
        nonce = secrets.token_hex(8)
        line = json.dumps({**message, "n": nonce}, allow_nan=False, separators=(",", ":"))
        self._send(line.encode() + b"\n")
        reply = _parsed(self._line())
        if reply.pop("n", None) != nonce:
            raise Violation("protocol", "A reply did not belong to the question that was asked.")
        return reply

    def _left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise _late(self.seconds)
        return left

    def _gone(self) -> Violation:
        if time.monotonic() - self._begin >= self._processor:
            return Violation("time", f"It used up its {self._processor:g} s of processor time.")
        return Violation("ended", "The process ended before the check did.")

    def _send(self, data: bytes) -> None:
        if self._buffer or readable(self.reader, 0):
            self._spoke_early()
        while data:
            writable(self.writer, self._left())
            try:
                data = data[os.write(self.writer, data) :]
            except BlockingIOError:
                continue
            except OSError:
                raise self._gone() from None

    def _spoke_early(self) -> None:
        if not self._buffer and self._read() == b"":
            raise self._gone()
        raise Violation("protocol", "The learner's process spoke before it was asked.")

    def _read(self) -> bytes | None:
        try:
            return os.read(self.reader, 1 << 16)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _line(self) -> bytes:
        while b"\n" not in self._buffer:
            readable(self.reader, self._left())
            part = self._read()
            if part == b"":
                raise self._gone()
            self._buffer += part or b""
            if len(self._buffer) > LONGEST:
                raise Violation("size", f"A reply was longer than {LONGEST:,} bytes.")
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line


def _late(seconds: float) -> Violation:
    return Violation("time", f"It did not finish within {seconds:g} s of real time.")


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        reply = json.loads(line, parse_constant=_no_number, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Violation("protocol", "A reply was not the JSON that was asked for.") from None
    if type(reply) is not dict:
        raise Violation("protocol", "A reply was not the JSON that was asked for.")
    return reply


def _no_number(text: str) -> float:
    raise ValueError(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("the same key twice")
    return found
