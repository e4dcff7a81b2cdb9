"""State machines: what is drawn is the table, and a run cannot do what the table forbids."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.show import States, Trace

JOB = {
    ("queued", "taken"): "running",
    ("running", "failed"): "queued",
    ("running", "progress"): "running",
    ("running", "succeeded"): "done",
    ("running", "given up"): "dead",
}
LETTERS = st.sampled_from("abcde")
TABLES = st.dictionaries(st.tuples(LETTERS, st.sampled_from(["x", "y"])), LETTERS, min_size=1)


def job(*events: str, **options: object) -> States:
    """A job that goes through these events, one a second."""
    run = [(float(n), event) for n, event in enumerate(events, start=1)]
    return States("Job", JOB, {"job-1": run}, **options)  # type: ignore[arg-type]


def test_every_move_is_drawn_once() -> None:
    """Each pair of states has one arrow, which names all its events; ends have no way on."""
    sent = job().payload()
    arrows = zip(sent["from"], sent["to"], sent["events"], strict=True)
    names = sent["states"]
    drawn = {(names[a], event, names[b]) for a, b, all in arrows for event in all.split(", ")}
    assert drawn == {(state, event, after) for (state, event), after in JOB.items()}
    assert [name for name, end in zip(names, sent["ends"], strict=True) if end] == ["done", "dead"]


def test_columns_are_distances() -> None:
    """Without rows, a state stands as far right as it is moves away from the start."""
    assert job().places() == {
        "queued": (0, 0),
        "running": (1, 0),
        "done": (2, 0),
        "dead": (2, 1),
    }


def test_rows_place_the_states() -> None:
    """Rows say where each state stands."""
    rows = [["queued", "running"], ["dead", "done"]]
    assert job(rows=rows).places()["done"] == (1, 1)


def test_runs_follow_the_table() -> None:
    """The arrow of each move is the one that the table has for its event."""
    sent = job("taken", "failed", "taken", "succeeded").payload()
    ends = [sent["states"][sent["to"][arrow]] for arrow in sent["arrow"]]
    assert ends == ["running", "queued", "running", "done"]


def test_runs_are_merged_by_time() -> None:
    """The moves of several runs stand in the order of time."""
    runs = {"a": [(1.0, "taken"), (5.0, "failed")], "b": [(2.0, "taken")]}
    sent = States("Jobs", JOB, runs).payload()
    assert (sent["t"], sent["run"]) == ([1, 2, 5], [0, 1, 0])


@given(TABLES)
def test_any_table_can_be_drawn(table: dict[tuple[str, str], str]) -> None:
    """Every table has a picture: each state in a place of its own."""
    drawn = States("Any", table, {"run": []})
    places = drawn.places()
    assert set(places) == set(drawn.states)
    assert len(set(places.values())) == len(places)
    assert drawn.payload()["states"][drawn.payload()["start"]] == next(iter(table))[0]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: job("succeeded"), '"succeeded" cannot happen in state "queued"'),
        (lambda: job("taken", "given up", "taken"), 'in state "dead" of "Job" .run "job-1"'),
        (lambda: States("J", {}, {"a": []}), "at least one move"),
        (lambda: States("J", JOB, {}), "at least one run"),
        (lambda: job(start="asleep"), '"asleep", is not in the table'),
        (lambda: job(rows=[["queued"]]), "name each state once"),
        (lambda: States("J", JOB, {"a": [(2, "taken"), (1, "failed")]}), "sorted"),
        (lambda: Trace(1, [job("taken", "failed")]), "after the end of the trace"),
    ],
)
def test_what_is_wrong_is_said(make: Callable[[], object], sentence: str) -> None:
    """What the table does not allow is refused with a sentence that names it."""
    with pytest.raises(ValueError, match=sentence):
        make()
