"""Nothing that a student writes raises a score or touches the host, as root and as anybody.

All attacks are handed in at once and graded by the command that an instructor types. Two such runs
go on side by side, because the slow attacks use up a time limit and little else.
"""

import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.grading.attacks.corpus import ATTACKS
from tests.grading.attacks.executed import run_notebooks
from tests.grading.attacks.files import FILES
from tests.grading.attacks.host import Host
from tests.grading.attacks.runner import ORDINARY, run

CLASSES = {
    "CSV",
    "HTML",
    "clocks",
    "disk",
    "exceptions",
    "foresight",
    "forged protocol",
    "forks",
    "judge",
    "machine",
    "memory",
    "network",
    "nonce replay",
    "output",
    "pickles",
    "reading",
    "signs",
    "survivors",
    "tampering",
    "time",
    "writing",
    "malformed",
    "oversized",
    "linked",
    "duplicate ids",
    "unknown ids",
}
USERS = {"root": 0, "ordinary user": ORDINARY} if os.geteuid() == 0 else {"user": os.geteuid()}
Runs = dict[tuple[str, str], Future[Any]]


@pytest.fixture(scope="module")
def runs(sandbox: None) -> Iterator[Runs]:
    """Everything that takes long, begun at once for every user."""
    with ThreadPoolExecutor(2) as pool:
        begun: Runs = {("cells", name): pool.submit(run, user) for name, user in USERS.items()}
        begun |= {("whole", n): pool.submit(run_notebooks, user) for n, user in USERS.items()}
        yield begun


def test_every_class() -> None:
    """The corpus has every class of the design, and no attack twice."""
    names = Counter(str(attack) for attack in (*ATTACKS, *FILES))
    assert {name.partition(":")[0] for name in names} == CLASSES
    assert max(names.values()) == 1
    assert len(ATTACKS) >= 40


@pytest.mark.parametrize("name", USERS)
def test_attacks(runs: Runs, name: str) -> None:
    """Every attack scores 0, nothing is touched or left behind, and the neighbours lose nothing."""
    report = runs["cells", name].result()
    assert report.problems == [], str(report)
    assert len(report.states) == len(ATTACKS) + len(FILES)


@pytest.mark.parametrize("name", USERS)
def test_executed(runs: Runs, name: str) -> None:
    """A notebook that is executed as a whole reaches nothing either, and its output is text."""
    assert runs["whole", name].result() == []


# The markers themselves


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A host that nobody attacks."""
    made = Host(tmp_path / "host", "canary-" + "0" * 32)
    yield made
    made.close()


def test_untouched(host: Host) -> None:
    """Where nothing happens, nothing is seen."""
    assert host.touched() == []


def test_file_seen(host: Host) -> None:
    """A new file and a changed one are marks."""
    (host.folder / "mark").touch()
    (host.folder / "readable").write_text("x")
    assert host.touched() == ["the file mark", "the file readable"]


@pytest.mark.parametrize("kind", ["tcp", "udp", "unix", "abstract"])
def test_call_seen(host: Host, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever calls on a socket is seen."""
    monkeypatch.chdir(host.folder)
    family = socket.AF_INET if kind in ("tcp", "udp") else socket.AF_UNIX
    form = socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM
    where = {"unix": "socket", "abstract": f"\0course-attack-{host.port}"}
    with socket.socket(family, form) as caller:
        caller.connect(where.get(kind, ("127.0.0.1", host.port)))
        if kind == "udp":
            caller.send(b".")
        host.settle()
    assert len(host.touched()) == 1


def test_survivor_seen(host: Host) -> None:
    """A process that goes on is seen."""
    name = f"survivor{host.port}".encode()
    code = f"import ctypes, sys; ctypes.CDLL(None).prctl(15, {name!r}, 0, 0, 0); "
    code += "print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        assert host.touched() == [f"a process {process.pid}"]
        process.kill()


def test_orphan_seen() -> None:
    """A process that has left its parent and its session is found, and ended."""
    code = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\nos._exit(0)"
    keeper = [sys.executable, "-m", "tests.grading.attacks.keeper", str(os.geteuid())]
    done = subprocess.run([*keeper, sys.executable, "-c", code], capture_output=True, text=True)
    assert '"left": ["' in done.stdout
