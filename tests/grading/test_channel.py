"""The wire: one reply to one question, in time, in size, of the right form."""

import json
import os
import threading
from collections.abc import Callable, Iterator

import pytest

from course_lib.grading.protocol.channel import LONGEST, Channel, Violation

Far = Callable[[dict[str, object]], bytes]


class Ends:
    """A channel whose other end is a function of the question."""

    def __init__(self) -> None:
        self.their_in, self.our_out = os.pipe()
        self.our_in, self.their_out = os.pipe()
        self.channel = Channel(self.our_in, self.our_out, 2.0)

    def answer(self, far: Far) -> None:
        """Answer one question in a thread."""

        def work() -> None:
            question = json.loads(os.read(self.their_in, 1 << 16))
            data = far(question)
            while data:
                data = data[os.write(self.their_out, data) :]

        threading.Thread(target=work, daemon=True).start()


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Both ends, closed afterwards."""
    made = Ends()
    yield made
    for fd in (made.their_in, made.our_out, made.our_in, made.their_out):
        os.close(fd)


def said(**reply: object) -> bytes:
    """Return one line."""
    return json.dumps(reply).encode() + b"\n"


def refused(ends: Ends, far: Far) -> str:
    """Return the kind of the violation that a reply is."""
    ends.answer(far)
    with pytest.raises(Violation) as violation:
        ends.channel.exchange({})
    return violation.value.kind


def test_exchange(ends: Ends) -> None:
    """A reply with the question's nonce arrives without it."""
    ends.answer(lambda question: said(n=question["n"], events=[]))
    assert ends.channel.exchange({"do": []}) == {"events": []}


@pytest.mark.parametrize(
    "far",
    [
        lambda question: said(events=[]),
        lambda question: said(n="0" * 16),
        lambda question: said(n=[question["n"]]),
        lambda question: b"[]\n",
        lambda question: b'{"n": NaN}\n',
        lambda question: b'{"n": 1, "n": 2}\n',
        lambda question: b"[" * 100_000 + b"\n",
        lambda question: b"\xff\xfe\n",
    ],
    ids=["none", "other", "list", "array", "NaN", "twice", "deep", "bytes"],
)
def test_forged(ends: Ends, far: Far) -> None:
    """Whatever does not belong to the question, or is no strict JSON object, is a violation."""
    assert refused(ends, far) == "protocol"


def test_ahead(ends: Ends) -> None:
    """A reply sent before its question was asked is a violation: nobody sees the future."""
    os.write(ends.their_out, said(n="0" * 16))
    with pytest.raises(Violation, match="before it was asked"):
        ends.channel.exchange({})


def test_two_replies(ends: Ends) -> None:
    """A second reply to one question is a violation at the next."""
    ends.answer(lambda question: said(n=question["n"]) + said(n="0" * 16))
    ends.channel.exchange({})
    with pytest.raises(Violation, match="before it was asked"):
        ends.channel.exchange({})


def test_size(ends: Ends) -> None:
    """A line that is too long is cut off, not collected."""
    assert refused(ends, lambda question: b"x" * (LONGEST + 2)) == "size"


def test_time(ends: Ends) -> None:
    """A reply that does not come is a time-out."""
    assert refused(ends, lambda question: b"") == "time"


def test_ended() -> None:
    """A process that is gone is a violation, before and after the question."""
    ends = Ends()
    os.close(ends.their_out)
    os.close(ends.their_in)
    with pytest.raises(Violation) as violation:
        ends.channel.exchange({})
    assert violation.value.kind == "ended"
    os.close(ends.our_in)
    os.close(ends.our_out)
