"""What the set-up does on machines that are not as they should be, and what it does not repeat."""

import ast
import errno
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

import tools.__main__ as command
from tools import install, lab
from tools.failures import Stop, recognise, sentence

ROOT = Path(__file__).resolve().parents[2]
Disk = namedtuple("Disk", "total used free")
NOT_SAID = "no sentence"


def test_syntax_of_an_old_python() -> None:
    """The files that a Python 3.6 reads before the version is checked hold nothing newer."""
    for name in ("__init__.py", "__main__.py"):
        ast.parse((ROOT / "tools" / name).read_text(), feature_version=(3, 6))


def test_python_too_old(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """Python 3.9 and no newer one on the PATH: one sentence that names both versions."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert command.main(["lab"], version=(3, 9, 6)) == 1
    said = capfd.readouterr().err
    assert "needs Python 3.11 or newer and this is 3.9.6" in said
    assert said.count("\n") == 1


def test_newer_python_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.9 and a newer one on the PATH: the newer one takes over."""
    calls: list[list[str]] = []
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(subprocess, "call", lambda call, **_: calls.append(call) or 0)
    assert command.main(["lab"], version=(3, 9, 6)) == 0
    assert calls[-1] == ["/bin/python3.14", "-m", "tools", "lab"]


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """No command, or `help`, lists the commands; an unknown one does so and fails."""
    assert command.main([]) == command.main(["help"]) == 0
    assert command.main(["lap"]) == 2
    assert capsys.readouterr().out.count("\n  lab ") == 3


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("error: No space left on device (os error 28)", "The disk is full"),
        ("The virtual environment was not created: ensurepip is not available.", "python3-venv"),
        (
            "ERROR: Could not install: [Errno 30] Read-only file system: '.venv'",
            "cannot be written",
        ),
        ("Caused by: dns error: failed to lookup address information", "cannot be reached"),
        ("ERROR: Could not find a version that satisfies uv (from versions: none)", "be reached"),
        ("Network connectivity is disabled, but the requested data", "cannot be reached"),
        ("invalid peer certificate: UnknownIssuer", "secure connection"),
        ("Something nobody has seen", NOT_SAID),
    ],
)
def test_recognise(output: str, said: str) -> None:
    """A tool's message becomes the sentence for its cause, and an unknown one becomes none."""
    assert said in (recognise(output) or NOT_SAID)


def test_system_errors() -> None:
    """The system's own errors are recognised by number; a mistake in our code is not."""
    assert "disk is full" in (sentence(OSError(errno.ENOSPC, "")) or "")
    assert "cannot be written" in (sentence(OSError(errno.EROFS, "")) or "")
    assert sentence(KeyError("ours")) is None


def fails(command: list[str]) -> str:
    """Give the sentence with which a step stops."""
    with pytest.raises(Stop) as stop:
        install.step("a step", command)
    return str(stop.value)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with the project's versions in it, where the set-up works from now on."""
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for name, path in {"ROOT": "", "VENV": ".venv", "LOG": "log", "STAMP": ".venv/stamp"}.items():
        monkeypatch.setattr(install, name, tmp_path / path)
    return tmp_path


def test_no_network(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network, the real installer's failure becomes the sentence about the network."""
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(elsewhere / "cache"))
    folder = ["--target", str(elsewhere / "packages")]
    uv = [sys.executable, "-m", "uv", "pip", "install", *folder, install.pin("simpy")]
    assert "cannot be reached" in fails(uv)


def test_an_unknown_failure_names_the_log(elsewhere: Path) -> None:
    """A failure that nobody foresaw is said with the tool's last line and the place of its log."""
    said = fails([sys.executable, "-c", "import sys; sys.exit('an odd thing')"])
    assert "an odd thing" in said
    assert "read log" in said
    assert "an odd thing" in (elsewhere / "log").read_text()


def test_no_space(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that cannot hold the packages is found before anything is written."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Disk(10**12, 10**12, 10**6))
    with pytest.raises(Stop, match="disk is full"):
        install.ensure("lab")
    assert not install.VENV.exists()


def test_stop_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """A foreseen failure prints its sentence to stderr, no traceback, and gives 1."""
    monkeypatch.setattr(install, "ensure", lambda level: install.room())
    monkeypatch.setattr(install, "VENV", ROOT / "none")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Disk(1, 1, 0))
    assert command.main(["test"]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("The disk is full: free about 1 GB")
    assert printed.err.count("\n") == 1


def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the steps only note their titles, and give the notes."""
    titles: list[str] = []

    def step(title: str, command: list[str]) -> None:
        titles.append(title[:3])
        if "venv" in command:
            subprocess.run([*command, "--without-pip"], check=True)

    monkeypatch.setattr(install, "step", step)
    return titles


def test_second_time_nothing_is_installed(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a finished set-up the next does nothing; the tests' level holds the lab's."""
    titles = made(monkeypatch)
    install.ensure("test")
    assert titles == ["1/3", "2/3", "3/3"]
    install.ensure("test")
    install.ensure("lab")
    assert len(titles) == 3


def test_an_interrupted_setup_is_repaired(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A set-up that was interrupted leaves no stamp, so the next one does the work again."""
    titles = made(monkeypatch)
    good = install.step

    def interrupted(title: str, command: list[str]) -> None:
        if title.startswith("3/3"):
            raise KeyboardInterrupt
        good(title, command)

    monkeypatch.setattr(install, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        install.ensure("lab")
    monkeypatch.setattr(install, "step", good)
    install.ensure("lab")
    assert titles[-1] == "3/3"


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_a_new_version_is_installed(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A changed lock or pyproject.toml is installed at the next call."""
    titles = made(monkeypatch)
    install.ensure("lab")
    with (elsewhere / name).open("a") as file:
        file.write("\n")
    titles.clear()
    install.ensure("lab")
    assert "3/3" in titles


def test_port_taken() -> None:
    """A taken port becomes the sentence that names another; other ends name the log."""
    one = "[C] ERROR: the Jupyter server could not be started because port 9123 is not available."
    all_of_them = "[C] ERROR: ... because no available port could be found."
    assert "make lab PORT=" in lab.why_not(one)
    assert "make lab PORT=" in lab.why_not(all_of_them)
    assert str(lab.LOG) in lab.why_not("Traceback\nImportError: no jupyterlab")


@pytest.mark.parametrize(
    ("platform", "variables", "screen"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("darwin", {}, True),
        ("darwin", {"SSH_CONNECTION": "a b"}, False),
    ],
)
def test_screen(
    monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], screen: bool
) -> None:
    """A browser is opened only where somebody would see it."""
    monkeypatch.setattr(sys, "platform", platform)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert lab.has_screen() is screen
