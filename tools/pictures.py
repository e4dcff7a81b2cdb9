"""Takes pictures of the player, for readers without a kernel: the same module and styles, headless.

There is one drawing, the player's. One browser renders all states; the same states give the same
bytes on one machine (fonts differ between machines). It leaves out which outputs get a picture.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, Route, ViewportSize, sync_playwright

from course_lib.show.assets import PLAYER, module, style

__all__ = ["chromium", "mount", "render", "states_of"]

State = dict[str, Any]
WIDTH, SCALE = 760, 1.5
PAGE = "http://player.test/"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
]
EMPTY: State = {"trace": {}, "baseline": {}, "start": None, "dimmed": False}
MOUNT = """async (state) => {
  const heard = {};
  window.sent = [];
  window.model = {
    get: (key) => state[key],
    set(key, value) { state[key] = value; (heard["change:" + key] ?? []).forEach((f) => f()); },
    on: (event, f) => (heard[event] ??= []).push(f),
    off: (event, f) => { heard[event] = (heard[event] ?? []).filter((g) => g !== f); },
    save_changes: () => window.sent.push({ ...state }),
  };
  const { default: widget } = await import("/player.js");
  window.dispose?.();
  document.getElementById("here").replaceChildren();
  window.dispose = widget.render({ model: window.model, el: document.getElementById("here") });
  await document.fonts.ready;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium: the system's own, or playwright's if there is none."""
    with sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def _serve(script: str, light: bool) -> Any:
    """Answers the page and the module from memory, and refuses everything else."""
    theme, ground = str(light).lower(), "#fff" if light else "#111"
    look = f"body{{margin:8px;background:{ground}}}{style()}"
    html = (
        f'<!doctype html><meta charset="utf-8"><style>{look}</style>'
        f'<body data-jp-theme-light="{theme}"><div id="here"></div></body>'
    )
    if not light:
        dark = "--jp-content-font-color1:#fff;--jp-content-font-color2:rgb(255 255 255/70%)"
        html += f"<style>:root{{{dark};--jp-layout-color0:#111}}</style>"

    def answer(route: Route) -> None:
        if route.request.url == PAGE:
            route.fulfill(body=html, content_type="text/html")
        elif route.request.url == f"{PAGE}player.js":
            route.fulfill(body=script, content_type="text/javascript")
        else:
            route.abort()

    return answer


def mount(
    browser: Browser,
    state: State,
    *,
    width: int = WIDTH,
    light: bool = True,
    scale: float = SCALE,
    script: str | None = None,
    **context: Any,
) -> Page:
    """A page that shows one player in `state`, the traits of the widget, without a kernel."""
    size = ViewportSize(width=width + 16, height=700)
    page = browser.new_context(viewport=size, device_scale_factor=scale, **context).new_page()
    page.route("**/*", _serve(script or module(*PLAYER), light))
    page.goto(PAGE)
    page.evaluate(MOUNT, {**EMPTY, **state})
    return page


def _picture(page: Page, state: State) -> bytes:
    page.evaluate(MOUNT, {**EMPTY, **state})
    return page.locator(".atr-root").screenshot(animations="disabled")


def _render(states: Sequence[State]) -> list[bytes]:
    with chromium() as browser:
        page = mount(browser, EMPTY)
        page.add_style_tag(content=".atr-bar, .atr-caption { display: none !important; }")
        return [_picture(page, state) for state in states]


def render(states: Sequence[State]) -> list[bytes]:
    """One PNG for each state: {"trace": ..., "baseline": ..., "start": seconds or None}.

    It runs in a thread of its own, since playwright refuses to start inside a running event loop.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_render, json.loads(json.dumps(list(states)))).result()


def states_of(widgets: dict[str, Any], model_id: str) -> State | None:
    """The state of the player below a shown widget.

    `widgets` is `metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]`.
    """
    own = widgets.get(model_id, {}).get("state", {})
    if "trace" in own:
        return {key: own.get(key) for key in ("trace", "baseline", "start")}
    children = [str(child).removeprefix("IPY_MODEL_") for child in own.get("children", [])]
    found = (states_of(widgets, child) for child in children)
    return next((state for state in found if state is not None), None)
