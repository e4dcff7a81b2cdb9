"""Waiting for pipes."""

import os
import resource

import pytest

from course_lib.grading.protocol.waiting import readable, writable

HIGH = 1_500


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_NOFILE)[0] <= HIGH + 2, reason="few files may be open here"
)
def test_high_descriptors() -> None:
    """A pipe whose number `select` does not know is waited for all the same."""
    reader, writer = os.pipe()
    os.dup2(reader, HIGH)
    os.dup2(writer, HIGH + 1)
    try:
        assert not readable(HIGH, 0)
        assert writable(HIGH + 1, 0)
        os.write(HIGH + 1, b"x")
        assert readable(HIGH, 0)
    finally:
        for fd in (reader, writer, HIGH, HIGH + 1):
            os.close(fd)


def test_closed() -> None:
    """The end of the other side is something to read."""
    reader, writer = os.pipe()
    os.close(writer)
    try:
        assert readable(reader, 0)
    finally:
        os.close(reader)
