"""A real JupyterLab for the browser tests, with the settings of `make lab`, in a folder of its own.

The server works on a copy of the notebooks and of `.jupyter/labconfig`, with a home of its own, so
that nothing in the repository or of the user changes. Every address outside this machine is
refused and written down. Left out: other browsers than Chromium.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import psutil
from nbformat import NotebookNode

from tools import install, lab

__all__ = ["Lab", "Notebook", "lab_server", "until"]

PATIENCE = 90.0  # seconds: a slow machine with other work
HERE = {"127.0.0.1", "localhost"}
TOKEN = "token-of-the-tests"
CHROMIUMS_OWN = ("content-autofill.googleapis.com",)  # the browser asks there, not the page
SELECTED = ".jp-NotebookPanel:not(.lm-mod-hidden)"


def until(done: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Wait until `done()` is true and give what it gave; `what` says what was waited for."""
    end = time.monotonic() + patience
    while not (found := done()):
        if time.monotonic() > end:
            raise AssertionError(f"Not within {patience:.0f} s: {what}.")
        time.sleep(0.05)
    return found


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
    def open(self, name: str, **size: int) -> Iterator["Notebook"]:
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
        if urlsplit(address).scheme not in {"data", "blob"} and urlsplit(address).hostname not in HERE:
            self.wall.asked.append(address)


def _bare(cell: NotebookNode) -> NotebookNode:
    copy = nbformat.from_dict(cell)
    if copy.cell_type == "code":
        copy.outputs, copy.execution_count = [], None
    return copy


class Notebook:
    """What a learner sees of one notebook in JupyterLab, and the keys that a learner presses."""

    def __init__(self, lab: Lab, page: Any, name: str) -> None:
        self.lab, self.page, self.path = lab, page, lab.notebooks / f"{name}.ipynb"
        self.errors: list[str] = []
        self.sent: list[Any] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("websocket", self._socket)

    def _said(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _socket(self, opened: Any) -> None:
        self.lab.note(opened.url)
        if "/channels" in opened.url:
            opened.on("framesent", lambda frame: self.sent.append(frame))

    # Looking -------------------------------------------------------------------------------------

    @property
    def panel(self) -> Any:
        """The notebook itself."""
        return self.page.locator(SELECTED)

    def read(self) -> NotebookNode:
        """The notebook as it is on the disk."""
        return nbformat.read(self.path, as_version=4)

    def index(self, cell_id: str) -> int:
        """The place of a cell in the notebook."""
        return [cell.get("id") for cell in self.read().cells].index(cell_id)

    def cell(self, cell_id: str) -> Any:
        """A cell on the page."""
        return self.panel.locator(".jp-Notebook .jp-Cell").nth(self.index(cell_id))

    def count(self) -> int:
        """How many cells are on the page."""
        return int(self.panel.locator(".jp-Notebook .jp-Cell").count())

    def output(self, cell_id: str) -> str:
        """The text of a cell's outputs."""
        return " ".join(self.cell(cell_id).locator(".jp-OutputArea").all_text_contents())

    def errors_shown(self) -> list[str]:
        """The outputs on the page that are errors."""
        area = '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]'
        return list(self.panel.locator(area).all_text_contents())

    # Doing ---------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Wait until the kernel is there and has nothing to do."""
        idle = f'{SELECTED} .jp-Notebook-ExecutionIndicator[data-status="idle"]'
        self.page.locator(idle).wait_for()
        self.page.locator(".jp-StatusBar-TextItem", has_text="| Idle").wait_for()

    def menu(self, *names: str) -> None:
        """Choose an entry of the menu bar, such as Settings, Theme, JupyterLab Dark."""
        bar, *entries = names
        self.page.locator(".lm-MenuBar-itemLabel").get_by_text(bar, exact=True).click()
        for name in entries:
            label = self.page.locator(".lm-Menu-itemLabel").get_by_text(name, exact=True).last
            label.hover() if name != entries[-1] else label.click()

    def save(self) -> NotebookNode:
        """Save by keyboard and give what is then on the disk."""
        before = self.path.stat().st_mtime_ns
        self.page.keyboard.press("Control+s")

        def saved() -> NotebookNode | None:
            if self.path.stat().st_mtime_ns == before:
                return None
            try:
                return self.read()
            except ValueError:  # half of it is written
                return None

        return until(saved, "the notebook is saved")

    def click_into(self, cell_id: str) -> Any:
        """Put the cursor into a cell's source."""
        cell = self.cell(cell_id)
        cell.locator(".cm-content").click()
        self.panel.locator(".jp-Notebook.jp-mod-editMode").wait_for()
        return cell

    def type_over(self, cell_id: str, source: str) -> None:
        """Select all of a cell's source and put other text there, as a paste does."""
        self.click_into(cell_id)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(source)

    def start(self, cell_id: str) -> None:
        """Run one cell by keyboard, and do not wait for its end."""
        before = self.prompt(cell_id)
        self.click_into(cell_id)
        self.page.keyboard.press("Control+Enter")
        until(lambda: self.prompt(cell_id) != before, f"{cell_id} is started")

    def run(self, cell_id: str) -> str:
        """Run one cell by keyboard, and give the text of its outputs."""
        self.start(cell_id)
        until(lambda: self.prompt(cell_id) != "[*]:", f"{cell_id} has run")
        self.settle()
        return self.output(cell_id)

    def prompt(self, cell_id: str) -> str:
        """What stands beside a cell: "[ ]:", "[*]:" or "[7]:"."""
        return str(self.cell(cell_id).locator(".jp-InputPrompt").first.text_content()).strip()

    def run_all(self) -> None:
        """Run every cell, by the menu, and wait for the last one."""
        sent, last = len(self.sent), self.last()
        self.menu("Run", "Run All Cells")
        until(
            lambda: self.prompt(last)[1:-2].isdigit() and len(self.sent) > sent,
            "the last cell has run",
        )
        self.settle()

    def theme(self, name: str) -> None:
        """Switch to JupyterLab Light or JupyterLab Dark."""
        self.menu("Settings", "Theme", f"JupyterLab {name}")
        light = str(name == "Light").lower()
        self.page.wait_for_function("light => document.body.dataset.jpThemeLight === light", arg=light)

    def last(self) -> str:
        """The id of the last code cell."""
        return str([cell.id for cell in self.read().cells if cell.cell_type == "code"][-1])

    def end_kernel(self) -> None:
        """Shut the kernel down, so that it does not outlive its page."""
        self.page.evaluate(
            """async () => {
              const token = document.cookie.match(/_xsrf=([^;]*)/)?.[1] ?? "";
              const sessions = await (await fetch("/api/sessions")).json();
              await Promise.all(sessions.map(({ id }) => fetch(`/api/sessions/${id}`,
                { method: "DELETE", headers: { "X-XSRFToken": token } })));
            }"""
        )


@contextmanager
def lab_server(browser: Any) -> Iterator[Lab]:
    """Start a JupyterLab as `make lab` does, wait until it answers, and end it without leftovers."""
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
