"""The course as a learner meets it: in JupyterLab as `make lab` starts it, by keyboard and mouse.

One server for all tests, one page with chapter 12 run from top to bottom, one page for what goes
wrong. What holds for every chapter is in test_chapters.py.
"""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest

pytest.importorskip("playwright", reason="playwright is not installed; browser tests are left out.")

from tests.browser.jupyterlab import Lab
from tests.browser.notebook import Notebook, until
from tests.browser.sliders import Tuned

CHAPTER = "12_rate_limiting"
RIGHT = """def retry_after(level, rate, burst, cost):
    if cost > burst:
        return None
    return max(0.0, (cost - level) / rate)
"""
ENDLESS = "def retry_after(level, rate, burst, cost):\n    while True:\n        pass\n"


@pytest.fixture(scope="module")
def visit(lab: Lab) -> Iterator[SimpleNamespace]:
    """Chapter 12 opened, looked at, and run from top to bottom: the page and what was seen."""
    with lab.open(CHAPTER) as page:
        seen = SimpleNamespace(chapter=page, opened=page.first_sight())
        page.run_all()
        yield seen


@pytest.fixture
def traffic(chapter: Notebook) -> Tuned:
    """The first widget with sliders, as at the beginning."""
    tuned = Tuned(chapter, "traffic-tune")
    tuned.reset()
    return tuned


@pytest.fixture(scope="module")
def bench(lab: Lab) -> Iterator[Notebook]:
    """A short notebook for what goes wrong: an exercise, its check, and three empty cells."""
    chosen = {"open", "exercise-retry-after", "check-retry-after"}
    cells = [cell for cell in _cells(lab) if cell.id in chosen]
    for name in ("first", "second", "third"):
        cells.append(nbformat.v4.new_code_cell(id=name))
    lab.write("what_goes_wrong", cells)
    with lab.open("what_goes_wrong") as page:
        page.run("open")
        yield page
        assert page.errors == []


def _cells(lab: Lab) -> list[Any]:
    return list(nbformat.read(lab.notebooks / f"{CHAPTER}.ipynb", as_version=4).cells)


# Opening -----------------------------------------------------------------------------------------


def test_nothing_asks_or_pops_up(visit: SimpleNamespace) -> None:
    """No kernel dialog, no news; the file browser lists the chapters by their numbers."""
    assert (visit.opened["dialogs"], visit.opened["news"]) == (0, 0)
    files = [name for name in visit.opened["files"] if name[0].isdigit()]
    assert len(files) >= 2
    assert files == sorted(files)


def test_a_request_to_elsewhere_is_seen(chapter: Notebook) -> None:
    """The guard works: a page that asks another machine is refused, and is found out."""
    assert chapter.lab.asked() == []
    asking = "fetch('https://course.test/').then(() => 'answered', () => 'refused')"
    assert chapter.page.evaluate(asking) == "refused"
    until(lambda: any("course.test" in line for line in chapter.lab.asked()), "it is found out")
    chapter.lab.wall.asked.clear()
    chapter.errors.clear()


# Sliders -----------------------------------------------------------------------------------------


def test_every_control_is_reached_by_tab(traffic: Tuned) -> None:
    """Tab goes from control to control, and each keeps the notebook's shortcuts away."""
    traffic.box.locator("select").first.focus()
    reached = []
    for _ in range(25):
        reached.append(
            traffic.page.evaluate(
                """() => [document.activeElement.ariaLabel || document.activeElement.textContent,
                   document.activeElement.dataset.lmSuppressShortcuts]"""
            )
        )
        traffic.page.keyboard.press("Tab")
    names = [name for name, away in reached if away == "true"]
    rows = traffic.box.locator(".atr-name").all_text_contents()
    assert [name for name in rows if name not in names] == []
    assert {"Reset", "Pin", "Play", "Time", "Speed"} <= set(names)


def test_reset_scenario_pin_and_seed(traffic: Tuned) -> None:
    """A scenario sets its values; New seed brings other arrivals; Pin keeps a run dashed; Reset
    goes back to the first setting and leaves the pinned run.
    """
    first = traffic.picture()
    scenario = traffic.box.locator("select").nth(3)
    traffic.changed(lambda: scenario.select_option(label="four servers, four counts"), "a scenario")
    assert (traffic.value("servers"), traffic.value("traffic")) == (4, 12)
    traffic.changed(lambda: traffic.button("New seed").click(), "a new seed")
    assert "13" in traffic.button("New seed").text_content()
    traffic.button("Pin").click()
    traffic.changed(lambda: traffic.button("Reset").click(), "Reset")
    ghosts = traffic.box.locator(".atr-ghost")
    until(lambda: ghosts.count() > 0, "the pinned run is dashed")
    traffic.button("Unpin").click()
    until(lambda: traffic.picture() == first, "all is as at the beginning")
    assert scenario.evaluate("e => e.selectedOptions[0].textContent").startswith("choose")


# The player --------------------------------------------------------------------------------------


def _head(tuned: Tuned) -> float:
    return float(tuned.box.locator(".atr-root").get_attribute("data-at"))


def test_scrubbing_sends_no_message(traffic: Tuned, chapter: Notebook) -> None:
    """The head moves by arrow keys, by dragging the bar and by dragging in the picture; each
    changes the picture, and none sends a message to the kernel.
    """
    chapter.settle()
    sent = len(chapter.sent)
    traffic.box.locator(".atr-scrub").focus()
    for _ in range(20):
        traffic.changed(lambda: chapter.page.keyboard.press("ArrowLeft"), "an arrow key")
    for name in (".atr-scrub", ".atr-picture"):
        box = traffic.box.locator(name).bounding_box()
        y = box["y"] + min(box["height"] / 2, 60)
        chapter.page.mouse.move(box["x"] + box["width"] * 0.3, y)
        chapter.page.mouse.down()
        for part in (0.35, 0.5, 0.6):
            x = box["x"] + box["width"] * part
            traffic.changed(lambda x=x, y=y: chapter.page.mouse.move(x, y), f"dragging {name}")
        chapter.page.mouse.up()
    assert len(chapter.sent) == sent


def test_player_by_keyboard(traffic: Tuned, chapter: Notebook) -> None:
    """Space plays and pauses, Enter goes to the start and steps to the next event, and an arrow
    key changes the speed; all without a message to the kernel.
    """
    chapter.settle()
    sent, keys = len(chapter.sent), chapter.page.keyboard
    traffic.box.get_by_label("Back to start").press("Enter")
    assert _head(traffic) == 0
    traffic.box.get_by_label("Step to the next event").press("Enter")
    stepped = _head(traffic)
    assert stepped > 0
    traffic.box.get_by_label("Play", exact=True).press("Space")
    until(lambda: _head(traffic) > stepped, "playing moves the head")
    keys.press("Space")
    paused = _head(traffic)
    traffic.box.get_by_label("Play", exact=True).wait_for()
    assert _head(traffic) == paused
    speed = traffic.box.get_by_label("Speed")
    before = speed.input_value()
    speed.press("ArrowDown")
    assert float(speed.input_value()) > float(before)
    assert len(chapter.sent) == sent


def test_keys_on_a_widget_are_no_shortcuts(traffic: Tuned, chapter: Notebook) -> None:
    """With the focus on a slider or the player, letters and arrows do nothing to the notebook: no
    cell goes, comes, moves or changes its kind.
    """
    before = [(cell.id, cell.cell_type) for cell in chapter.read().cells]
    place = chapter.panel.locator(".jp-Cell.jp-mod-active").first.get_attribute("class")
    for focused in (traffic.slider("traffic"), traffic.box.locator(".atr-scrub")):
        focused.focus()
        for key in ("d", "d", "x", "a", "b", "m", "ArrowDown", "ArrowUp", "Control+Shift+ArrowUp"):
            chapter.page.keyboard.press(key)
    assert chapter.panel.locator(".jp-Cell.jp-mod-active").first.get_attribute("class") == place
    assert chapter.count() == len(before)
    assert [(cell.id, cell.cell_type) for cell in chapter.save().cells] == before


def test_saving_works_from_a_widget(traffic: Tuned, chapter: Notebook) -> None:
    """With the focus on a slider or the player Ctrl+S saves the notebook, again and again, and
    the arrow keys still belong to the widget afterwards.
    """
    for focused in (traffic.slider("traffic"), traffic.box.locator(".atr-scrub")):
        focused.focus()
        chapter.save()
        traffic.changed(lambda: chapter.page.keyboard.press("ArrowLeft"), "an arrow key")
        chapter.save()


# Looks -------------------------------------------------------------------------------------------

# The text's own colour over what lies behind it; opacity of all that holds it counts.
CONTRAST = """(root) => {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = (top, under) => top.slice(0, 3).map((c, i) => c * top[3] + under[i] * (1 - top[3]));
  const parents = (node) => node ? [node, ...parents(node.parentElement)] : [];
  const ground = (node) => parents(node).reverse()
    .map((n) => parse(getComputedStyle(n).backgroundColor))
    .reduce((under, top) => over(top, under), [255, 255, 255]);
  const light = (rgb) => rgb.map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = (node) => {
    const style = getComputedStyle(node), below = ground(node);
    const own = parse(node instanceof SVGElement ? style.fill : style.color);
    own[3] *= parents(node).reduce((all, n) => all * Number(getComputedStyle(n).opacity), 1);
    const [a, b] = [light(over(own, below)), light(below)];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  const texts = ".atr-title, .atr-summary, .atr-clock, .atr-caption, .atr-label, .atr-number,"
    + " .atr-name, .atr-range, .widget-readout, .widget-button, .atr-bar button, .atr-bar select";
  return [...root.querySelectorAll(texts)]
    .filter((n) => n.textContent.trim() && n.checkVisibility())
    .map((n) => [`${n.className.baseVal ?? n.className}: ${n.textContent.slice(0, 20)}`, ratio(n)]);
}"""


def test_text_is_readable_in_both_themes(traffic: Tuned, chapter: Notebook) -> None:
    """In the light and in the dark theme every text of the sliders and of the player stands out
    from what is behind it by 4.5 to 1 at least.
    """
    seen = {}
    try:
        for theme in ("Dark", "Light"):
            chapter.theme(theme)
            traffic.box.scroll_into_view_if_needed()
            seen[theme] = traffic.box.evaluate(CONTRAST)
    finally:
        chapter.theme("Light")
    for theme, texts in seen.items():
        assert len(texts) > 20
        assert [(theme, text) for text in texts if text[1] < 4.5] == []


def test_nothing_sticks_out_of_a_narrow_window(traffic: Tuned, chapter: Notebook) -> None:
    """In a window of 700 pixels no control and no picture is wider than its cell."""
    outside = """(tune) => {
      const right = tune.closest(".jp-OutputArea-output").getBoundingClientRect().right + 1;
      return [...tune.querySelectorAll("*")].filter((n) => n.checkVisibility())
        .filter((n) => !n.closest(".atr-spoken") && n.getBoundingClientRect().right > right)
        .map((n) => String(n.className.baseVal ?? n.className) || n.tagName);
    }"""
    wide = chapter.page.viewport_size
    try:
        chapter.page.set_viewport_size({"width": 700, "height": 900})
        narrow = traffic.box.locator(".atr-root.atr-narrow")
        narrow.wait_for()
        assert traffic.box.evaluate(outside) == []
    finally:
        chapter.page.set_viewport_size(wide)


# Learning ----------------------------------------------------------------------------------------


def test_a_prediction_stands_beside_the_result(chapter: Notebook) -> None:
    """A guess that was committed by keyboard is shown with the measured number."""
    chapter.run("predict-boundary")
    form = chapter.cell("predict-boundary").locator(".atr-predict")
    form.get_by_role("spinbutton").click()
    chapter.page.keyboard.type("123")
    chapter.page.keyboard.press("Enter")
    until(lambda: "Committed: 123" in form.text_content(), "the guess is committed")
    said = chapter.run("break-incr-expire")
    assert "123" in said
    assert "199" in said


def test_start_page_shows_the_progress(chapter: Notebook, lab: Lab) -> None:
    """The start notebook runs from top to bottom without an error, and its map has the exercise
    that was passed in chapter 12.
    """
    chapter.type_over("exercise-retry-after", RIGHT)
    chapter.run("exercise-retry-after")
    assert "PASS" in chapter.run("check-retry-after")
    with lab.open("00_start_here") as start:
        start.run_all()
        assert start.errors_shown() == []
        assert start.errors == []
        row = start.cell("map").locator("tr", has_text="Rate limits over many servers")
        assert "1 of 6" in row.text_content()
    assert json.loads(lab.progress.read_text())


# What goes wrong ---------------------------------------------------------------------------------


def test_a_check_before_its_stub(bench: Notebook) -> None:
    """A check that runs before its exercise's cell names what is missing; afterwards all is well,
    however often either is run.
    """
    bench.type_over("first", "globals().pop('retry_after', None); None")
    bench.run("first")
    assert "name 'retry_after' is not defined" in bench.run("check-retry-after")
    for _ in range(2):
        bench.type_over("exercise-retry-after", RIGHT)
        bench.run("exercise-retry-after")
        said = [bench.run("check-retry-after") for _ in range(2)]
        assert ["PASS" in each for each in said] == [True, True]


def test_an_endless_loop_is_stopped(bench: Notebook) -> None:
    """The check stops an exercise that never ends, with a sentence, and the next cell runs."""
    bench.type_over("exercise-retry-after", ENDLESS)
    bench.run("exercise-retry-after")
    said = bench.run("check-retry-after")
    assert "FAIL" in said
    assert "did not finish" in said
    bench.type_over("second", "6 * 7")
    assert bench.run("second").endswith("42")


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.sleep(3600)",
        "while True:\n    pass",
        "while True:\n    await asyncio.sleep(1)",
        "from course_lib.lab import run\n\n\nasync def on():\n    while True:\n"
        "        await asyncio.sleep(1)\n\n\nrun(on())",
    ],
    ids=["asleep", "busy", "virtual time", "a run of its own"],
)
def test_interrupt_leaves_a_usable_kernel(bench: Notebook, source: str) -> None:
    """Interrupt stops a cell that sleeps or loops, on real and on virtual time, and the kernel
    runs the next cell as if nothing had been.
    """
    bench.type_over("first", source)
    bench.start("first")
    busy = bench.panel.locator('.jp-Notebook-ExecutionIndicator[data-status="busy"]')
    busy.wait_for()
    bench.page.keyboard.press("Escape")
    bench.page.keyboard.press("i")
    bench.page.keyboard.press("i")
    until(lambda: "KeyboardInterrupt" in bench.output("first"), "the cell is interrupted")
    bench.settle()
    bench.type_over("third", "await asyncio.sleep(60)\n'goes on'")
    assert "goes on" in bench.run("third")
