"""Chapter 21's experiments: what the sliders show is what the services did."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.experiments import sagas as shop
from course_lib.experiments import sagas_controls as controls
from course_lib.experiments import sagas_lab as sliders
from course_lib.lab import run
from course_lib.show import Choice, Lanes, Series, States, Trace

FIRST = {control.name: control.value for control in controls.ORDERS}
SOUND = [style for style in shop.STYLES if style != "try/except"]


def orders(**changes: object) -> Trace:
    """Run the experiment from its first setting."""
    return run(sliders.orders(seed=21, **{**FIRST, **changes}))  # type: ignore[arg-type]


def told(trace: Trace) -> dict[str, float]:
    """The numbers of the picture's sentence."""
    found = re.findall(r"[\d.]+\d|\d", trace.summary)
    names = ("whole", "orders", "stuck", "compensations", "locked")
    return dict(zip(names, map(float, found), strict=True))


@settings(deadline=None, max_examples=25)
@given(
    st.fixed_dictionaries(
        {
            control.name: st.sampled_from(control.options)
            if isinstance(control, Choice)
            else st.sampled_from([control.low, control.value, control.high])
            for control in controls.ORDERS
        }
    )
)
def test_any_setting(values: dict[str, object]) -> None:
    """Every setting that the sliders can take gives a picture, and its sentence adds up."""
    numbers = told(orders(**values))
    assert numbers["whole"] + numbers["stuck"] == numbers["orders"] <= values["placed"]  # type: ignore[operator]


@pytest.mark.parametrize("style", shop.STYLES)
def test_calm(style: str) -> None:
    """With no crash and no loss every order is whole, and refused ones are compensated."""
    numbers = told(orders(style=style))
    assert (numbers["whole"], numbers["stuck"]) == (3, 0)
    assert numbers["compensations"] == (0 if style == "two-phase commit" else 4)


@pytest.mark.parametrize("style", SOUND)
@pytest.mark.parametrize("after", [1, 3, 4, 7, 10])
@pytest.mark.parametrize("victim", ["the order service", "the payment service"])
def test_nobody_is_stuck(style: str, after: int, victim: str) -> None:
    """Whoever dies and when, after the restart no order stays in pieces."""
    numbers = told(orders(style=style, crash=victim, after=after, down=1.0))
    assert numbers["stuck"] == 0


def test_the_stranded_charge() -> None:
    """The scenario of that name strands an order by try and except, and none with a log."""
    setting = controls.SCENARIOS["the stranded charge"]
    assert told(orders(**setting))["stuck"] == 1
    assert told(orders(**{**setting, "style": "orchestrated"}))["stuck"] == 0


def test_a_bad_network() -> None:
    """Lost messages alone make compensations: what did not answer is given up."""
    numbers = told(orders(**controls.SCENARIOS["a bad network"]))
    assert (numbers["stuck"], numbers["compensations"] > 0) == (0, True)


def test_locks() -> None:
    """A saga's lock does not know of the coordinator's absence; a promise lasts as long as it."""
    away = {
        style: [run(sliders.longest_lock(style, down)) for down in (1.0, 5.0)]
        for style in ("orchestrated", "two-phase commit")
    }
    saga, promise = away["orchestrated"], away["two-phase commit"]
    assert saga[0] == pytest.approx(saga[1])
    assert promise[1] - promise[0] == pytest.approx(4.0)


def test_the_machine_follows_the_table() -> None:
    """Styles that run by the table show it, with as many runs as orders; the others do not."""
    for style in shop.STYLES:
        shown = [track for track in orders(style=style).tracks if isinstance(track, States)]
        assert len(shown) == (style in ("orchestrated", "choreographed", "event-sourced"))
        assert all(len(track.runs) == 3 for track in shown)


def test_tracks_agree() -> None:
    """What the lanes show as undone is what the sentence counts; in the end nothing is locked."""
    trace = orders()
    lanes = next(track for track in trace.tracks if isinstance(track, Lanes))
    undone = sum(outcome == "denied" for _, _, outcome, _ in lanes.events)
    assert undone == told(trace)["compensations"]
    flight, locked = (track for track in trace.tracks if isinstance(track, Series))
    assert [points[-1][1] for points in flight.lines.values()] == [0, 0]
    assert locked.lines["rows"][-1][1] == 0


def test_same_seed() -> None:
    """One seed gives one picture; another seed gives another."""
    assert orders().payload() == orders().payload()
    other = run(sliders.orders(seed=22, **FIRST))  # type: ignore[arg-type]
    assert other.payload() != orders().payload()


def test_scenarios() -> None:
    """A scenario sets only what has a control."""
    assert all(set(values) <= set(FIRST) for values in controls.SCENARIOS.values())
