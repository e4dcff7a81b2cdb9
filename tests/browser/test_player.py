"""The shipped module and styles in headless Chromium, over a model without a kernel."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from course_lib.show import Cells, Histogram, Lanes, Level, Sequence, Series, States, Trace
from course_lib.show.assets import module

pytest.importorskip("playwright", reason="playwright is not installed; browser tests are left out.")

from tools.pictures import mount, render

Mount = Callable[..., Any]
OUTCOMES = ("admitted", "denied", "failed")


def _trace(seed: int = 4, requests: int = 60, end: float = 12.0, rate: int = 3) -> Trace:
    """A run with every track that goes over time."""
    random = Random(seed)
    times = sorted(random.uniform(0, end) for _ in range(requests))
    events = [
        (t, i % 2, random.choices(OUTCOMES, [6, 3, 1])[0], "note") for i, t in enumerate(times)
    ]
    level = [(t, random.randint(0, 8)) for t in times]
    lines = {"sliding window counter": level, "token bucket": [(0.0, rate)]}
    tracks = [
        Lanes("Requests", ["server 1", "server 2"], events),
        Level("Tokens", level, maximum=8, unit="tokens", limit=rate),
        Series("Load", lines, unit="requests", limit=rate),
        Histogram("Wait", [(t, random.gammavariate(2, 4)) for t in times], range(0, 24, 2), "ms"),
    ]
    return Trace(end, tracks, title="A run", summary=f"{requests} requests at {rate}.")


def _dialogue() -> Trace:
    messages = [
        (0, 0.5, 0, 1, "GET limit:ada", "ok"),
        (0.5, 1, 1, 0, "1", "ok"),
        (1, 1.5, 2, 1, "<img src=x onerror=alert(1)>", "ok"),
        (1.5, 2, 1, 2, "no answer", "failed"),
    ]
    track = Sequence("Effects", ["server 1", "redis", "server 2"], messages)
    return Trace(2, [track], title="A race", summary="Two passed.", clock="steps")


BREAKER = {
    ("closed", "success"): "closed",
    ("closed", "failures"): "open",
    ("open", "time"): "half-open",
    ("half-open", "success"): "closed",
    ("half-open", "failure"): "open",
}


def _machine() -> Trace:
    events = [(1, "success"), (2, "failures"), (3, "time"), (4, "failure"), (5, "time")]
    tracks = [
        States("Breaker", BREAKER, {"breaker": events}),
        States("Two breakers", BREAKER, {"a": events[:2], "b": []}),
    ]
    return Trace(6, tracks, title="A breaker", summary="It opened twice.")


def _cells() -> Trace:
    """Cells in every state, some with names, and so many that they are small."""
    states = ["waiting", "sending", "stored", "dropped", "expired", "locked"]
    events = [(t / 2, t, states[t % 6], "") for t in range(1, 24)]
    tracks = [
        Cells("Chunks", 24, states, events),
        Cells("Slots", ["user:7", "user:12", "a long key", ""], states[:3], events[:1]),
        Cells("Shards", 300, states[:2], events[:1]),
    ]
    return Trace(12, tracks, title="Cells", summary="24 chunks.")


def _counts(trace: Trace, at: float) -> list[str]:
    """What the picture must show beside the lanes, counted again in Python."""
    lanes: Any = trace.tracks[0]
    return [
        str(sum(e[0] <= at and e[1] == lane and e[2] == outcome for e in lanes.events))
        for lane in range(2)
        for outcome in OUTCOMES
    ]


@pytest.fixture
def show(browser: Any) -> Iterator[Mount]:
    """Mounts a player; at the end nothing has failed and nothing was asked of the network."""
    pages: list[Any] = []
    wrong: list[str] = []

    def open_page(trace: Trace, baseline: Trace | None = None, **options: Any) -> Any:
        start = options.pop("start", None)
        state = {"trace": trace.payload(), "baseline": baseline.payload() if baseline else {}}
        page = mount(browser, {**state, "start": start}, **options)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: wrong.append(request.url))
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.context.close()
    assert wrong == []


def _seek(page: Any, share: float) -> None:
    script = "(e, v) => { e.value = v; e.dispatchEvent(new Event('input')); }"
    page.locator(".atr-scrub").evaluate(script, round(share * 1000))


def _at(page: Any) -> float:
    return float(page.locator(".atr-root").get_attribute("data-at"))


def _shown_counts(page: Any) -> list[str]:
    texts: list[str] = page.locator(".atr-count").all_text_contents()
    return texts[:6]


def test_opens_at_the_end_and_waits(show: Mount) -> None:
    """At first the whole result is in sight, and nothing moves by itself."""
    page = show(_trace())
    assert _at(page) == 12
    assert _shown_counts(page) == _counts(_trace(), 12)
    page.wait_for_timeout(150)
    assert _at(page) == 12


def test_counts_are_those_of_the_trace(show: Mount) -> None:
    """At any position the counts are what Python counts, in the picture and in the words."""
    trace = _trace()
    page = show(trace)
    for share in (0, 0.125, 0.5, 0.775, 1):
        _seek(page, share)
        assert _shown_counts(page) == _counts(trace, share * 12)
    spoken = page.locator("[aria-live]").text_content()
    assert f"server 1 {_counts(trace, 12)[0]} admitted" in spoken
    assert page.get_by_role("img").get_attribute("aria-label").endswith(spoken)


def test_scrubbing_sends_nothing(show: Mount) -> None:
    """No control of the player sets a trait or saves one."""
    page = show(_trace())
    for share in range(11):
        _seek(page, share / 10)
    page.get_by_role("button", name="Step to the next event").click()
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Pause").click()
    assert page.evaluate("window.sent") == []


def test_scrubbing_is_quick(show: Mount) -> None:
    """A frame of a run with 2,000 requests is made in at most 16 ms, in the median of 100."""
    page = show(_trace(requests=2000))
    script = """(e) => { const took = [];
      for (let i = 0; i < 100; i++) {
        const start = performance.now();
        e.value = i * 10; e.dispatchEvent(new Event("input")); 
        document.body.getBoundingClientRect();
        took.push(performance.now() - start);
      }
      return took.sort((a, b) => a - b)[50]; }"""
    assert page.locator(".atr-scrub").evaluate(script) <= 16


def test_keyboard_reaches_everything(show: Mount) -> None:
    """Tab visits every control; each opts out of JupyterLab's shortcuts; arrows move the head."""
    page = show(_trace())
    visited = []
    for _ in range(5):
        page.keyboard.press("Tab")
        visited.append(page.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert visited == ["Play", "Back to start", "Step to the next event", "Time", "Speed"]
    focusable = page.locator("button, input, select").all()
    opted = [node.get_attribute("data-lm-suppress-shortcuts") for node in focusable]
    assert opted == ["true"] * 5
    page.get_by_role("slider", name="Time").focus()
    page.keyboard.press("ArrowLeft")
    assert _at(page) == pytest.approx(11.88)
    page.keyboard.press("Home")
    assert _at(page) == 0
    assert page.get_by_role("slider", name="Time").get_attribute("aria-valuetext") == "0.00 s"


def test_step_goes_from_event_to_event(show: Mount) -> None:
    """Step stops at each event in turn, and the caption says what happened."""
    trace = _trace()
    page = show(trace)
    page.get_by_role("button", name="Back to start").press("Enter")
    for time, lane, outcome, _ in trace.tracks[0].events[:4]:  # type: ignore[union-attr]
        page.get_by_role("button", name="Step to the next event").press("Enter")
        assert _at(page) == pytest.approx(time, abs=1e-6)
        said = f"server {lane + 1}: {outcome} (note)"
        assert page.locator(".atr-caption").text_content() == said


def test_new_trace_keeps_the_position(show: Mount) -> None:
    """Another run is shown at the same time; beyond its end, at its end."""
    page = show(_trace())
    _seek(page, 0.5)
    page.evaluate("(t) => model.set('trace', t)", _trace(rate=5).payload())
    assert _at(page) == 6
    assert page.locator(".atr-summary").text_content() == "60 requests at 5."
    page.evaluate("(t) => model.set('trace', t)", _trace(end=4).payload())
    assert _at(page) == 4


def test_play_starts_from_zero_and_pauses(show: Mount) -> None:
    """Play at the end begins anew, and Pause keeps the place."""
    page = show(_trace())
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("Number(document.querySelector('.atr-root').dataset.at) > 0.2")
    assert _at(page) < 11
    page.get_by_role("button", name="Pause").click()
    kept = _at(page)
    page.wait_for_timeout(100)
    assert _at(page) == kept


def test_reduced_motion_steps(show: Mount) -> None:
    """With prefers-reduced-motion, Play goes from event to event; nothing glides in between."""
    trace = _trace()
    page = show(trace, reduced_motion="reduce")
    moments = {0.0, *(round(e[0], 6) for e in trace.tracks[0].events)}  # type: ignore[union-attr]
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("Number(document.querySelector('.atr-root').dataset.at) < 12")
    assert {_at(page) for _ in range(20)} <= moments


def test_dragging_the_picture_scrubs(show: Mount) -> None:
    """Pressing in the picture moves the head to that time."""
    page = show(_trace())
    box = page.locator(".atr-picture").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 150)
    page.mouse.down()
    first = _at(page)
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + 150)
    page.mouse.up()
    assert 0 < _at(page) < first < 12


def test_baseline_is_dashed(show: Mount) -> None:
    """A pinned run is drawn as dashed lines, and its counts stand beside the lanes."""
    page = show(_trace(), _trace(seed=5))
    assert page.locator("path.atr-ghost").count() == 3
    dashed = page.locator("path.atr-ghost").first.evaluate(
        "e => getComputedStyle(e).strokeDasharray"
    )
    assert dashed != "none"
    was = page.locator(".atr-was").all_text_contents()
    assert was == [f"pinned {count}" for count in _counts(_trace(seed=5), 12)]
    page.evaluate("model.set('baseline', {})")
    assert page.locator("path.atr-ghost").count() == 0


def test_shapes_tell_outcomes_apart(show: Mount) -> None:
    """Admitted, denied and failed differ in outline, not in colour alone."""
    page = show(_trace(), start=6)
    outlines = {
        outcome: page.locator(f"path.atr-dot.atr-{outcome}").first.get_attribute("d")
        for outcome in OUTCOMES
    }
    assert len(set(outlines.values())) == 3


def test_crowds_are_drawn_on_a_canvas(show: Mount) -> None:
    """Above 200 moving dots they are painted on one canvas; few dots are SVG."""
    crowd = show(_trace(requests=4000), start=6)
    assert crowd.locator("canvas").count() == 1
    assert crowd.locator("path[data-event]").count() == 0
    painted = """(c) => c.getContext("2d").getImageData(0, 0, c.width, c.height).data
      .some((x) => x > 0)"""
    assert crowd.locator("canvas").evaluate(painted)
    assert show(_trace(), start=6).locator("canvas").count() == 0


def test_sequence_appears_as_the_head_passes(show: Mount) -> None:
    """Future messages are faint, the current one is marked, and all are in a list for readers."""
    page = show(_dialogue(), start=1.4)
    shades = [m.get_attribute("opacity") for m in page.locator(".atr-message").all()]
    assert shades == ["1", "1", "1", "0.13"]
    assert page.locator(".atr-current title").all_text_contents() == [
        "<img src=x onerror=alert(1)>"
    ]
    assert page.locator("ol li").nth(3).text_content() == "redis to server 2: no answer (failed)"
    assert page.locator(".atr-lost .atr-cross").count() == 1


def test_state_follows_the_head(show: Mount) -> None:
    """The current state is marked by a thicker line, the last arrow too; words say it."""
    page = show(_machine(), start=2.5)
    here = page.locator(".atr-here title").all_text_contents()
    assert here == ["open", "closed", "open"]
    assert page.locator(".atr-move.atr-current title").all_text_contents() == ["failures"] * 2
    width = "e => parseFloat(getComputedStyle(e).strokeWidth)"
    thick = page.locator(".atr-here .atr-stateBox").first.evaluate(width)
    assert thick > page.locator(".atr-state:not(.atr-here) .atr-stateBox").first.evaluate(width)
    assert page.locator(".atr-badgeText").all_text_contents() == ["", "", "", "1", "1", ""]
    _seek(page, 1)
    spoken = page.locator("[aria-live]").text_content()
    assert "Breaker: half-open." in spoken
    assert "Two breakers: closed 1, open 1" in spoken


def test_state_machine_has_contrast(show: Mount) -> None:
    """Names, the current box and the taken arrows stand out in both themes."""
    script = """() => {
      const lum = (text) => {
        const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map((c) => c / 255)
          .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const ground = lum(getComputedStyle(document.body).backgroundColor);
      const ratio = (text) => { const l = lum(text);
        return (Math.max(l, ground) + 0.05) / (Math.min(l, ground) + 0.05); };
      const of = (query, key) => ratio(getComputedStyle(document.querySelector(query))[key]);
      return [of(".atr-stateName", "fill"), of(".atr-here .atr-stateBox", "stroke"),
        of(".atr-taken .atr-moveLine", "stroke")];
    }"""
    for light in (True, False):
        name, *marks = show(_machine(), light=light).evaluate(script)
        assert name >= 4.5
        assert min(marks) >= 3


def test_text_is_never_markup(show: Mount) -> None:
    """Markup in a name, a note or a message is shown as text."""
    page = show(_dialogue())
    assert page.locator("img").count() == 0


def test_cells_follow_the_time(show: Mount) -> None:
    """Each cell shows its state at the play head, by mark and in words; the legend counts them."""
    page = show(_cells())

    def marks() -> list[str]:
        script = "all => all.slice(0, 24).map((e) => e.getAttribute('class').slice(-1))"
        return list(page.locator("[data-cell] path").evaluate_all(script))

    _seek(page, 0)
    assert marks() == ["0"] * 24
    _seek(page, 0.5)
    assert marks() == [str(n % 6) for n in range(13)] + ["0"] * 11
    title = page.locator("[data-cell='8'] title").first.text_content()
    assert title == "Chunks 9: stored"
    assert page.locator(".atr-count").all_text_contents()[:6] == ["14", "2", "2", "2", "2", "2"]
    shapes = "all => new Set(all.slice(0, 6).map((e) => e.getAttribute('d'))).size"
    assert page.locator("[data-cell] path").evaluate_all(shapes) == 6
    spoken = page.locator("[aria-live]").text_content()
    assert "Chunks: 14 waiting, 2 sending, 2 stored" in spoken


def test_cells_have_contrast(show: Mount) -> None:
    """The marks of all states differ from the ground in both themes."""
    script = """() => {
      const lum = (text) => {
        const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map((c) => c / 255)
          .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const ground = lum(getComputedStyle(document.body).backgroundColor);
      return [1, 2, 3, 4, 5].map((state) => {
        const style = getComputedStyle(document.querySelector(`.atr-cell${state}`));
        const l = lum(style.stroke === "none" ? style.fill : style.stroke);
        return (Math.max(l, ground) + 0.05) / (Math.min(l, ground) + 0.05);
      });
    }"""
    for light in (True, False):
        assert min(show(_cells(), light=light).evaluate(script)) >= 3


@pytest.mark.parametrize("make", [_trace, _machine, _cells])
@pytest.mark.parametrize("width", [360, 500, 760])
def test_texts_do_not_overlap(show: Mount, width: int, make: Callable[[], Trace]) -> None:
    """From 360 px on, nothing is wider than the picture, and no two texts lie on one another."""
    script = """() => {
      const box = document.querySelector(".atr-root").getBoundingClientRect();
      const all = [...document.querySelectorAll("svg text")].filter((t) => t.textContent)
        .map((t) => [t.textContent, t.getBoundingClientRect()]);
      const out = all.filter(([, r]) => r.right > box.right + 1 || r.left < box.left - 1)
        .map(([t]) => t);
      for (const [i, [a, p]] of all.entries()) for (const [b, q] of all.slice(i + 1)) {
        const wide = Math.min(p.right, q.right) - Math.max(p.left, q.left);
        const high = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
        if (wide > 1 && high > 5) out.push(a + " / " + b);
      }
      return [out, document.documentElement.scrollWidth <= innerWidth];
    }"""
    assert show(make(), width=width).evaluate(script) == [[], True]


def test_both_themes_have_contrast(show: Mount) -> None:
    """Text and marks differ from the ground in both themes: at least 4.5 and 3 to 1."""
    script = """() => {
      const lum = (text) => {
        const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map((c) => c / 255)
          .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const ground = lum(getComputedStyle(document.body).backgroundColor);
      const ratio = (text) => { const l = lum(text);
        return (Math.max(l, ground) + 0.05) / (Math.min(l, ground) + 0.05); };
      const of = (query, key) => ratio(getComputedStyle(document.querySelector(query))[key]);
      return [of(".atr-label", "fill"), of(".atr-tick.atr-admitted", "stroke"),
        of(".atr-tick.atr-denied", "stroke"), of(".atr-tick.atr-failed", "stroke"),
        of(".atr-levelLine", "stroke")];
    }"""
    for light in (True, False):
        text, *marks = show(_trace(), light=light).evaluate(script)
        assert text >= 4.5
        assert min(marks) >= 3


def test_dispose_lets_go(show: Mount) -> None:
    """A closed view no longer listens to its model."""
    page = show(_trace())
    page.evaluate("dispose()")
    page.evaluate("(t) => model.set('trace', t)", _trace(rate=5).payload())
    assert page.locator(".atr-summary").text_content() == "60 requests at 3."


def test_stored_pictures_keep_their_bars(show: Mount) -> None:
    """What is hidden for a stored picture, the controls, is no part of the drawing."""
    page = show(_trace())
    page.add_style_tag(content=".atr-bar, .atr-caption { display: none !important; }")
    assert page.locator("svg .atr-bin").first.is_visible()
    assert not page.locator(".atr-play").is_visible()


def test_pictures_are_the_same_each_time(browser: Any) -> None:
    """The same states give the same PNG bytes, in order, from a browser of their own."""
    states = [
        {"trace": _trace().payload(), "baseline": {}, "start": 6},
        {"trace": _dialogue().payload()},
    ]
    first, second = render(states), render(states)
    assert first == second
    assert all(picture.startswith(b"\x89PNG") for picture in first)
    assert first[0] != first[1]


PREDICTION = {"question": "How many?", "choices": [], "low": 0, "high": 300, "unit": "requests"}


def _predict(browser: Any, **state: Any) -> Any:
    blank = {**PREDICTION, "committed": "", "closed": False}
    return mount(browser, {**blank, **state}, script=module("draw", "predict"))


def test_prediction_is_committed_once(browser: Any) -> None:
    """Commit sends the number once and locks the field; nothing or a wild number is refused."""
    page = _predict(browser)
    for text, said in [("", "Enter a number first"), ("301", "between 0 and 300")]:
        page.get_by_role("spinbutton").fill(text)
        page.get_by_role("button", name="Commit").click()
        assert said in page.get_by_role("status").text_content()
    page.get_by_role("spinbutton").fill("120")
    page.keyboard.press("Enter")
    assert [state["committed"] for state in page.evaluate("window.sent")] == ["120"]
    assert page.get_by_role("spinbutton").is_disabled()
    page.context.close()


def test_prediction_of_a_choice(browser: Any) -> None:
    """A choice is committed by its own words; once the truth is out, the form is shut."""
    page = _predict(browser, choices=["fixed window", "token bucket"])
    page.get_by_label("token bucket").check()
    page.get_by_role("button", name="Commit").click()
    assert page.evaluate("window.sent")[0]["committed"] == "token bucket"
    shut = _predict(browser, choices=["a", "b"], closed=True)
    assert shut.get_by_role("button", name="Commit").is_disabled()
    assert "Run this cell again" in shut.get_by_role("status").text_content()
    page.context.close()
    shut.context.close()
