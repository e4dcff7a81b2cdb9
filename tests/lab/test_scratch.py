"""Files of worlds in memory: gone with their process, however it ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from course_lib.lab import scratch

WORLD = """
import sys
from course_lib.lab import World, run, scratch

async def open_one(world):
    await world.sql("a")

scratch.MEMORY, scratch.ENOUGH = sys.argv[1], 0
world = World()
run(open_one(world))
print(scratch.folder(), flush=True)
sys.stdin.read()
"""


def process(place: Path) -> tuple["subprocess.Popen[str]", Path]:
    """A process with a world and its database, and the folder that it has for them."""
    command = [sys.executable, "-c", WORLD, str(place)]
    made = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert made.stdout
    return made, Path(made.stdout.readline().strip())


def age(folder: Path) -> None:
    """Let the folder look as if it was made two minutes ago."""
    long_ago = time.time() - 2 * scratch.YOUNG
    os.utime(folder, (long_ago, long_ago))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such a place")
def test_killed_and_alive(tmp_path: Path) -> None:
    """The folder of a killed process is removed, that of a living one is not, and a process that
    ends by itself leaves nothing."""
    killed, left = process(tmp_path)
    alive, used = process(tmp_path)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert list(left.rglob("*.sqlite"))
    scratch.remove_abandoned(tmp_path)
    assert left.exists()  # it may have been made a moment ago
    age(left)
    age(used)
    scratch.remove_abandoned(tmp_path)
    assert not left.exists()
    assert list(used.rglob("*.sqlite"))
    alive.communicate()
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such a place")
def test_tidied_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that was deleted meanwhile is made again; with no room there is none."""
    monkeypatch.setattr(scratch, "MEMORY", str(tmp_path))
    monkeypatch.setattr(scratch, "ENOUGH", 0)
    scratch._of_process.cache_clear()
    first = scratch.folder()
    assert first == scratch.folder()
    Path(str(first)).rmdir()
    second = scratch.folder()
    assert second != first
    assert Path(str(second)).is_dir()
    monkeypatch.setattr(scratch, "ENOUGH", 2**80)
    scratch._of_process.cache_clear()
    assert scratch.folder() is None
    scratch._of_process.cache_clear()
