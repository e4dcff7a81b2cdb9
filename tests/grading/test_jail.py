"""What a learner's code finds in its jail, as root and as anybody."""

from typing import Any

import pytest

from course_lib.grading.judge.jails import Jails
from course_lib.grading.protocol.remote import RemoteAttempt
from course_lib.grading.protocol.session import Session
from course_lib.grading.sandbox.boundary import COURSE

PROBE = """
import ctypes, glob, os, socket, subprocess, sys
def tried(text):
    try:
        return str(eval(text))
    except BaseException as error:
        return type(error).__name__
"""
LIBC = "ctypes.CDLL(None, use_errno=True)"


@pytest.fixture
def probe(jails: Jails) -> Any:
    """Evaluates an expression in a jail."""
    session = Session(jails.channel())
    session.start({"prelude": [], "source": PROBE, "name": "tried"})
    return RemoteAttempt(session, "tried").call


def test_nothing_to_read(probe: Any) -> None:
    """Neither answers nor secrets nor other processes, nor the host's folders, are there."""
    assert probe(f"os.listdir({str(COURSE / 'exercises')!r})") == "[]"
    assert probe("[p for p in glob.glob('/proc/[0-9]*')]") == "['/proc/1']"
    assert probe("open('/etc/passwd').read()") == "FileNotFoundError"
    assert probe("glob.glob('/home/*') + glob.glob('/work/main/tests/*')") == "[]"
    assert "SECRET" not in probe("dict(os.environ)")
    assert (
        probe("[m for m in sys.modules if 'rate_limiting.retry' in m or 'start_here' in m]") == "[]"
    )


@pytest.mark.parametrize("place", ["/x", "/dev/x", "/proc/x", "/usr/x", str(COURSE / "x")])
def test_nowhere_to_write(probe: Any, place: str) -> None:
    """Only /tmp and /dev/shm can be written, and they are the jail's own."""
    assert probe(f"open({place!r}, 'w')") in ("OSError", "PermissionError", "FileNotFoundError")


def test_private_folder(jails: Jails) -> None:
    """What one jail leaves in /tmp, another does not see."""
    for expected in ("1", "1"):
        session = Session(jails.channel())
        session.start({"prelude": [], "source": PROBE, "name": "tried"})
        call = RemoteAttempt(session, "tried").call
        assert (
            call("[os.path.exists('/tmp/x'), open('/tmp/x', 'w').write('x')]")
            == f"[False, {expected}]"
        )


@pytest.mark.parametrize("family", [2, 10, 16, 17, 40])
def test_no_network(probe: Any, family: int) -> None:
    """No socket but a Unix one can be made: not IP, netlink, packets, nor the machine's host."""
    assert probe(f"socket.socket({family}, 1)") == "OSError"
    assert "socket" in probe("socket.socket(socket.AF_UNIX)")


def test_no_power(probe: Any) -> None:
    """No capability, no new namespace, no mount, no other user, no tracing."""
    status = probe("open('/proc/self/status').read()")
    assert {line.split()[1] for line in status.splitlines() if line.startswith("Cap")} == {"0" * 16}
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status
    assert probe("os.getuid() >= 61000") == "True"
    for call in (
        "unshare(0x10000000)",
        "ptrace(0, 0, 0, 0)",
        "mount(b'x', b'/tmp', b'tmpfs', 0, 0)",
    ):
        assert probe(f"{LIBC}.{call}") == "-1"
    assert probe("os.setuid(0)") in ("PermissionError", "OSError")


def test_limits(probe: Any) -> None:
    """Memory, files and processes have an end."""
    assert probe("len(bytearray(4 << 30))") == "MemoryError"
    assert probe("open('/tmp/large', 'wb').write(bytes(200 << 20))") == "OSError"
    assert probe("[os.open('/dev/null', 0) for _ in range(1000)]") == "OSError"
