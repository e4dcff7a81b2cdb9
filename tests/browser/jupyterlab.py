"""A real JupyterLab for the browser tests, with the settings of `make lab`, in a folder of its own.

The server works on a copy of the notebooks and of `.jupyter/labconfig`, with a home of its own, so
that nothing in the repository or of the user changes. Every address outside this machine is
refused and written down. Left out: other browsers than Chromium.
"""

import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import psutil
from nbformat import NotebookNode

from tests.browser.notebook import PATIENCE, Notebook, until
from tools import install, lab

__all__ = ["Lab", "lab_server"]

HERE = {"127.0.0.1", "localhost"}
TOKEN = "token-of-the-tests"
CHROMIUMS_OWN = ("content-autofill.googleapis.com",)  # the browser asks there, not the page


class Wall:
    """A proxy that lets nothing through and remembers who asked for what."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self) -> None:
        while True:
            try:
                caller, _ = self.socket.accept()
            except OSError:
                return
            with caller:
                caller.settimeout(5)
                self.asked.append(caller.recv(200).split(b"\r\n")[0].decode(errors="replace"))

    def variables(self) -> dict[str, str]:
        """The variables that send a program's requests here, those to this machine excepted."""
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        here = {name: self.address for upper in names for name in (upper, upper.lower())}
        return {**here, "NO_PROXY": ",".join(HERE), "no_proxy": ",".join(HERE)}


@dataclass
class Lab:
    """One JupyterLab, the folder that it serves, and the Chromium that looks at it."""

    browser: Any
    folder: Path
    port: int
    wall: Wall
    pages: int = 0

    @property
    def notebooks(self) -> Path:
        """Where the copies of the notebooks are."""
        return self.folder / "notebooks"

    @property
    def progress(self) -> Path:
        """The file that keeps the learner's progress."""
        return self.folder / "progress.json"

    def asked(self) -> list[str]:
        """What was asked of other machines, by the pages, the server or the kernels."""
        return [line for line in self.wall.asked if not any(own in line for own in CHROMIUMS_OWN)]

    def address(self, path: str) -> str:
        """The page of a file in a workspace of its own, so that no other tab opens with it."""
        self.pages += 1
        place = f"lab/workspaces/test-{self.pages}/tree/{path}"
        return f"http://127.0.0.1:{self.port}/{place}?token={TOKEN}"

    def write(self, name: str, cells: Sequence[NotebookNode]) -> None:
        """Save a notebook made of these cells, without their outputs."""
        made = nbformat.v4.new_notebook(cells=[_bare(cell) for cell in cells])
        made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
        nbformat.write(made, self.notebooks / f"{name}.ipynb")

    @contextmanager
    def open(self, name: str, **size: int) -> Iterator[Notebook]:
        """Open a notebook in a page of its own, and close it with its kernel."""
        viewport = {"width": 1280, "height": 900, **size}
        proxy = {"server": self.wall.address, "bypass": ",".join(HERE)}
        context = self.browser.new_context(viewport=viewport, proxy=proxy)
        context.set_default_timeout(PATIENCE * 1000)
        context.on("request", lambda request: self.note(request.url))
        page = context.new_page()
        notebook = Notebook(self, page, name)
        try:
            page.goto(self.address(f"notebooks/{name}.ipynb"))
            all_there = len(notebook.read().cells)
            notebook.panel.locator(".jp-Cell").first.wait_for()
            until(lambda: notebook.count() == all_there, "every cell is on the page")
            notebook.settle()
            yield notebook
        finally:
            notebook.end_kernel()
            context.close()

    def note(self, address: str) -> None:
        """Remember an address that is not on this machine."""
        parts = urlsplit(address)
        if parts.scheme not in {"data", "blob"} and parts.hostname not in HERE:
            self.wall.asked.append(address)


def _bare(cell: NotebookNode) -> NotebookNode:
    copy = nbformat.from_dict(cell)
    if copy.cell_type == "code":
        copy.outputs, copy.execution_count = [], None
    return copy


@contextmanager
def lab_server(browser: Any) -> Iterator[Lab]:
    """Start a JupyterLab as `make lab` does; when it answers, give it; end it without leftovers."""
    with tempfile.TemporaryDirectory(prefix="course-lab-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        shutil.copytree(
            install.ROOT / "notebooks",
            folder / "notebooks",
            ignore=shutil.ignore_patterns(".ipynb_checkpoints"),
        )
        shutil.copytree(lab.HOME / "labconfig", folder / ".jupyter" / "labconfig")
        found = Lab(browser, folder, _free_port(), Wall())
        with (folder / "lab.log").open("w") as log:
            server = subprocess.Popen(
                _command(found), cwd=folder, env=_variables(found), stdout=log, stderr=log
            )
        try:
            _wait(server, found)
            yield found
        finally:
            _end(server)
            found.wall.socket.close()


def _end(server: subprocess.Popen[bytes]) -> None:
    """End the server and its kernels: politely first, then whatever is left."""
    family = []
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(server.pid).children(recursive=True)
    server.terminate()
    with suppress(subprocess.TimeoutExpired):
        server.wait(20)
    server.kill()
    server.wait()
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _command(found: Lab) -> list[str]:
    """The program of `make lab`, with another folder, port and token."""
    same = [
        option.replace(str(install.ROOT), str(found.folder))
        for option in lab.command([])
        if not option.startswith("--ServerApp.port")
    ]
    own = [f"--ServerApp.port={found.port}", "--ServerApp.port_retries=0"]
    return [sys.executable, *same, *own, f"--IdentityProvider.token={TOKEN}"]


def _variables(found: Lab) -> dict[str, str]:
    """The variables of `make lab`, with every place moved into the temporary folder."""
    home = found.folder / "home"
    home.mkdir()
    moved = {
        name: value.replace(str(lab.HOME), str(found.folder / ".jupyter"))
        for name, value in lab.environment().items()
    }
    own = {"HOME": str(home), "COURSE_PROGRESS": str(found.progress)}
    gone = {"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"}
    kept = {name: value for name, value in moved.items() if name not in gone}
    return {**kept, **own, **found.wall.variables()}


def _wait(server: subprocess.Popen[bytes], found: Lab) -> None:
    runtime = found.folder / ".jupyter" / "runtime"

    def ready() -> bool:
        if server.poll() is not None:
            raise AssertionError(lab.why_not((found.folder / "lab.log").read_text()))
        return any(map(lab.answering, runtime.glob("jpserver-*.json")))

    until(ready, "JupyterLab answers")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
