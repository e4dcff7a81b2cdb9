"""A notebook in JupyterLab as a learner sees it, and the keys that a learner presses.

Left out: the server and the browser (jupyterlab.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import nbformat
from nbformat import NotebookNode

__all__ = ["PATIENCE", "SELECTED", "Notebook", "until"]

PATIENCE = 90.0  # seconds: a slow machine with other work
SELECTED = ".jp-NotebookPanel:not(.lm-mod-hidden)"


class Place(Protocol):
    """Where notebooks are, and who is told of addresses."""

    @property
    def notebooks(self) -> Path:
        """The folder of the notebooks."""

    def note(self, address: str) -> None:
        """Hear of an address that was asked."""


def until(done: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Wait until `done()` is true and give what it gave; `what` says what was waited for."""
    end = time.monotonic() + patience
    while not (found := done()):
        if time.monotonic() > end:
            raise AssertionError(f"Not within {patience:.0f} s: {what}.")
        time.sleep(0.05)
    return found


class Notebook:
    """What a learner sees of one notebook in JupyterLab, and the keys that a learner presses."""

    def __init__(self, lab: Place, page: Any, name: str) -> None:
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

    def first_sight(self) -> dict[str, Any]:
        """What is on the page; of interest before anything was run."""
        area = self.panel.locator(".jp-OutputArea")
        return {
            "text": " ".join(area.all_text_contents()),
            "pictures": area.locator('img[src^="data:image/png"]').count(),
            "files": self.page.locator(".jp-DirListing-itemName").all_text_contents(),
            "dialogs": self.page.locator(".jp-Dialog").count(),
            "news": self.page.locator(".Toastify__toast").count(),
        }

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
        with self.page.expect_response(_is_checkpoint):  # the last step of saving
            self.page.keyboard.press("Control+s")
        return self.read()

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
        switched = "light => document.body.dataset.jpThemeLight === light"
        self.page.wait_for_function(switched, arg=light)

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


def _is_checkpoint(answer: Any) -> bool:
    return answer.request.method == "POST" and "/checkpoints" in answer.url
