"""Sliders as a learner moves them, and how long a move takes to be seen.

Used by the browser tests, for which each move must change the picture, and by the benchmark, for
which it must do so soon. Every setting on a walk is a new one, so that no move is answered from
the cache of runs.
"""

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import TimeoutError

from tests.browser.notebook import until

__all__ = ["PRESSES", "WALKS", "Tuned"]

PRESSES = 30
# Notebook -> cell -> the sliders of its walk: the first goes up and down, the second steps on.
WALKS: dict[str, dict[str, tuple[str, ...]]] = {
    "12_rate_limiting": {
        "traffic-tune": ("traffic", "rate"),
        "outage-lab": ("limit", "timeout"),
        "memory-per-key": ("limit",),
    },
    "18_caching": {
        "jitter": ("jitter", "time to live"),
        "traffic-tune": ("time to live", "skew"),
        "stampede-tune": ("rate", "a load takes"),
        "eviction-tune": ("size", "skew"),
    },
    "21_sagas": {"orders-lab": ("latency",)},
    "28_realtime_notifications": {
        "delivery-tune": ("poll interval", "clients"),
        "slow-tune": ("rate", "reads"),
        "deploy-tune": ("capacity", "clients"),
    },
    "29_file_uploads": {"tune-transfer": ("chunk", "between drops")},
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

    def new_seed(self) -> None:
        """Press New seed and wait until the button names another one."""
        button = self.button("New seed")
        before = button.text_content()
        button.click()
        until(lambda: button.text_content() != before, "another seed")

    def reset(self) -> None:
        """Press Reset and wait until the kernel has answered."""
        self.button("Reset").click()
        self.page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').first.wait_for()

    def press(self, name: str, key: str) -> bool:
        """Press a key on a slider; whether it moved."""
        before = self.value(name)
        self.slider(name).focus()  # Run, where it was needed, has it now
        self.page.keyboard.press(key)
        return self.value(name) != before

    def walk(self, *names: str) -> Iterator[tuple[str, list[float]]]:
        """Press keys from the first slider's start on; after each, the picture and all times (ms).

        At an end of the first slider the second goes one step, and the first turns round.
        """
        first, *second = names
        if self.value(first) != float(self.slider(first).get_attribute("aria-valuemin")):
            self.changed(lambda: self.press(first, "Home"), f"{first} at its start")
        self.box.evaluate(WATCH)
        key = "ArrowRight"
        for _ in range(PRESSES):
            seen = self.page.evaluate("moves.length")
            if not self.press(first, key):
                assert self.press(*second, "ArrowRight"), f"{self.cell_id} has no setting left"
                key = "ArrowLeft" if key == "ArrowRight" else "ArrowRight"
            self.see(seen, f"{key} on {first}")
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
