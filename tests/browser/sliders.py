"""The sliders of chapter 12 as a learner moves them, and how long a move takes to be seen.

Used by the browser tests, for which each move must change the picture, and by the benchmark, for
which it must do so soon. Every setting on a path is a new one, so that no move is answered from
the cache of runs.
"""

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import TimeoutError

from tests.browser.notebook import until

__all__ = ["PATHS", "Tuned"]

Path = tuple[tuple[str, str, int], ...]
# Cell -> 30 presses, as (slider, key, times); "Home" before them is not counted.
PATHS: dict[str, Path] = {
    "traffic-tune": (
        *(("traffic", "ArrowRight", 4), ("rate", "ArrowRight", 1), ("traffic", "ArrowLeft", 11)),
        *(("rate", "ArrowRight", 1), ("traffic", "ArrowRight", 11), ("rate", "ArrowRight", 1)),
        ("traffic", "ArrowLeft", 1),
    ),
    "outage-lab": (
        *(("limit", "ArrowRight", 6), ("timeout", "ArrowRight", 1), ("limit", "ArrowLeft", 9)),
        *(("timeout", "ArrowRight", 1), ("limit", "ArrowRight", 9), ("timeout", "ArrowRight", 1)),
        ("limit", "ArrowLeft", 3),
    ),
    "memory-per-key": (("limit", "Home", 0), ("limit", "ArrowRight", 30)),
}

# From the key's own time stamp until the frame with the new picture has been painted.
WATCH = """(tune) => {
  window.moves = [];
  window.watching?.abort();
  window.watching = new AbortController();
  let pressed = 0;
  const first = { capture: true, signal: window.watching.signal };
  window.addEventListener("keydown", (event) => { pressed = event.timeStamp; }, first);
  new MutationObserver(() => {
    const from = pressed;
    pressed = 0;
    if (!from) return;
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => window.moves.push(performance.now() - from);
      port2.postMessage(0);
    });
  }).observe(tune.querySelector(".atr-summary"), { childList: true });
}"""


class Tuned:
    """A widget with sliders in an open notebook."""

    def __init__(self, notebook: Any, cell_id: str) -> None:
        self.page, self.cell_id = notebook.page, cell_id
        self.box = notebook.cell(cell_id).locator(".atr-tune")
        self.box.scroll_into_view_if_needed()

    def slider(self, name: str) -> Any:
        """The handle of the slider with this name."""
        return self.box.locator(f'.atr-row:has(.atr-name:text-is("{name}")) .noUi-handle')

    def value(self, name: str) -> float:
        """Where a slider stands."""
        return float(self.slider(name).get_attribute("aria-valuenow"))

    def summary(self) -> str:
        """The sentence above the picture."""
        return str(self.box.locator(".atr-summary").text_content())

    def picture(self) -> str:
        """What is drawn, with its sentence: two settings that look alike are the same text."""
        return self.summary() + str(self.box.locator(".atr-wrap").inner_html())

    def button(self, name: str) -> Any:
        """A button of the widget, by the beginning of its name."""
        return self.box.locator("button").filter(has_text=name).first

    def changed(self, act: Any, what: str) -> None:
        """Do something, and wait until the picture is another one."""
        before = self.picture()
        act()
        until(lambda: self.picture() != before, f"{what} changes the picture")

    def reset(self) -> None:
        """Press Reset and wait until the kernel has answered."""
        self.button("Reset").click()
        self.page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').first.wait_for()

    def walk(self) -> Iterator[tuple[str, list[float]]]:
        """Press the path's keys one after the other; after each, the picture and all times (ms)."""
        self.box.evaluate(WATCH)
        for name, key, times in PATHS[self.cell_id]:
            self.slider(name).focus()
            if not times:
                self.changed(lambda key=key: self.page.keyboard.press(key), f"{name} {key}")
                self.page.evaluate("moves.length = 0")
            for _ in range(times):
                self.slider(name).focus()  # Run, where it was needed, has it now
                seen = self.page.evaluate("moves.length")
                self.page.keyboard.press(key)
                self.see(seen, f"{key} on {name}")
                yield self.picture(), self.page.evaluate("moves")

    def see(self, seen: int, what: str) -> None:
        """Wait for one more move; a machine so slow that the widget asks for Run gets its Run."""
        more = "([seen, dimmed]) => moves.length > seen || document.querySelector(dimmed) !== null"
        try:
            self.page.wait_for_function(more, arg=[seen, ".atr-tune .atr-dimmed"])
            if self.button("Run").is_visible():
                self.button("Run").click()
            self.page.wait_for_function("seen => moves.length > seen", arg=seen)
        except TimeoutError as late:
            said = self.box.locator(".atr-note").text_content()
            raise AssertionError(f"{what} changes no picture; {self.summary()} {said}") from late
