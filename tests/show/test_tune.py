"""Sliders: one change, one run, one picture; what goes wrong is a sentence."""

from importlib import import_module
from typing import Any

import pytest

from course_lib.show import Level, Trace, choice, slider, tune
from course_lib.show import tune as tune_function
from course_lib.show.tune import Tune


class Experiment:
    """Counts its runs; its trace tells the parameters."""

    def __init__(self) -> None:
        self.runs: list[tuple[int, float, str]] = []
        self.error: BaseException | None = None

    def __call__(self, *, seed: int, rate: float, kind: str) -> Trace:
        self.runs.append((seed, rate, kind))
        if self.error is not None:
            raise self.error
        said = f"{rate} a second, {kind}, seed {seed}."
        return Trace(end=1, tracks=[Level("Rate", [(0, rate)], 20)], summary=said)


def _tuned(experiment: Any) -> Tune:
    controls = [
        slider("rate", 5, 1, 20, unit="requests/s"),
        choice("kind", ["fixed", "sliding"]),
    ]
    return tune_function(experiment, controls, {"fast": {"rate": 20, "kind": "sliding"}}, seed=12)


@pytest.fixture
def experiment() -> Experiment:
    return Experiment()


@pytest.fixture
def tuned(experiment: Experiment) -> Tune:
    return _tuned(experiment)


def test_first_run_is_shown(tuned: Tune, experiment: Experiment) -> None:
    """Opening runs the experiment once, with the first values."""
    assert experiment.runs == [(12, 5, "fixed")]
    assert tuned.player.trace["summary"] == "5 a second, fixed, seed 12."


def test_one_change_is_one_run_and_one_message(tuned: Tune, experiment: Experiment) -> None:
    """Moving a slider makes one run and changes one trait of the player, its trace."""
    seen: list[str] = []
    tuned.player.observe(lambda change: seen.append(change["name"]))
    tuned.fields["rate"].value = 6
    assert experiment.runs[1:] == [(12, 6, "fixed")]
    assert seen == ["trace"]


def test_known_settings_are_not_run_again(tuned: Tune, experiment: Experiment) -> None:
    """Going back to a setting shows its kept trace."""
    tuned.fields["rate"].value = 6
    tuned.fields["rate"].value = 5
    assert len(experiment.runs) == 2
    assert tuned.player.trace["summary"].startswith("5 a second")


def test_scenario_is_one_run(tuned: Tune, experiment: Experiment) -> None:
    """A scenario sets all its parameters and then makes one run."""
    tuned.scenario.value = "fast"
    assert experiment.runs[1:] == [(12, 20, "sliding")]
    assert tuned.scenario.value == "fast"
    tuned.fields["rate"].value = 19
    assert tuned.scenario.value == ""


def test_reset_restores_values_and_seed(tuned: Tune) -> None:
    """Reset returns to the first values and to the first seed."""
    tuned.scenario.value = "fast"
    tuned.new_seed()
    tuned.reset()
    assert (tuned.values(), tuned.seed) == ({"rate": 5, "kind": "fixed"}, 12)
    assert tuned.scenario.value == ""


def test_without_dice() -> None:
    """An experiment that takes no seed gets none, and there is no button for a new one."""

    def experiment(*, rate: float, kind: str) -> Trace:
        return Trace(end=1, tracks=[Level("Rate", [(0, rate)], 20)], summary=f"{rate} {kind}.")

    tuned = _tuned(experiment)
    assert tuned.player.trace["summary"] == "5 fixed."
    assert tuned.buttons["New seed"].layout.display == "none"
    assert repr(tuned) == "rate 5 requests/s, kind fixed: 5 fixed."


def test_seeds_follow_one_another(tuned: Tune, experiment: Experiment) -> None:
    """New seed goes through the same seeds each time, and the button shows the seed."""
    tuned.buttons["New seed"].click()
    tuned.buttons["New seed"].click()
    assert [run[0] for run in experiment.runs] == [12, 13, 14]
    assert "14" in tuned.buttons["New seed"].description


def test_pin_and_unpin(tuned: Tune) -> None:
    """Pin keeps the shown run while sliders move; the same button lets it go."""
    tuned.buttons["Pin"].click()
    tuned.fields["rate"].value = 9
    assert tuned.player.baseline["summary"].startswith("5 a second")
    assert tuned.buttons["Pin"].description == "Unpin"
    tuned.buttons["Pin"].click()
    assert tuned.player.baseline == {}


def test_impossible_settings_are_explained(tuned: Tune, experiment: Experiment) -> None:
    """A ValueError is its sentence beside the last picture, dimmed; the next good run clears it."""
    experiment.error = ValueError("A burst of 0 admits nothing <ever>.")
    tuned.fields["rate"].value = 6
    assert tuned.player.dimmed
    assert tuned.player.trace["summary"].startswith("5 a second")
    assert "&lt;ever&gt;" in tuned.note.value
    assert repr(tuned).endswith("A burst of 0 admits nothing <ever>.")
    experiment.error = None
    tuned.fields["rate"].value = 7
    assert (tuned.player.dimmed, tuned.note.value) == (False, "")


def test_other_errors_are_one_sentence(tuned: Tune, experiment: Experiment) -> None:
    """Any other exception is told by type and message, never as a traceback."""
    experiment.error = KeyError("rate")
    tuned.fields["rate"].value = 6
    assert tuned.message == "The run broke off: KeyError: 'rate'"
    assert "Traceback" not in tuned.note.value


def test_interrupt_leaves_a_working_widget(tuned: Tune, experiment: Experiment) -> None:
    """Stopping a run keeps the last picture and says so; the next change runs again."""
    experiment.error = KeyboardInterrupt()
    tuned.fields["rate"].value = 6
    assert "stopped" in tuned.message
    experiment.error = None
    tuned.fields["rate"].value = 7
    assert tuned.message == ""


def test_interrupt_of_the_first_run_reaches_the_cell(experiment: Experiment) -> None:
    """Interrupting the cell that makes the widget stops that cell."""
    experiment.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        _tuned(experiment)


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What each run takes from now on, seconds: the clock that times runs is the test's."""
    took, now = [0.0], [0.0]

    def clock() -> float:
        now[0] += took[0]
        return now[0]

    monkeypatch.setattr(import_module("course_lib.show.tune"), "perf_counter", clock)
    return took


def test_slow_runs_wait_for_the_button(
    tuned: Tune, experiment: Experiment, seconds: list[float]
) -> None:
    """After a run of over a second, a change waits for Run; a quick run ends the waiting."""
    seconds[0] = 1.2
    tuned.fields["rate"].value = 6
    assert tuned.slow
    assert tuned.buttons["Run"].layout.display == ""
    tuned.fields["rate"].value = 7
    assert [run[1] for run in experiment.runs] == [5, 6]
    assert "Press Run" in tuned.message
    assert tuned.player.dimmed
    seconds[0] = 0.1
    tuned.buttons["Run"].click()
    assert [run[1] for run in experiment.runs] == [5, 6, 7]
    assert (tuned.slow, tuned.message, tuned.progress.value) == (False, "", "")


def test_first_run_may_take_long(experiment: Experiment, seconds: list[float]) -> None:
    """The first run loads modules too: however long it takes, the next change runs at once."""
    seconds[0] = 3.0
    tuned = _tuned(experiment)
    assert not tuned.slow
    seconds[0] = 0.1
    tuned.fields["rate"].value = 6
    assert [run[1] for run in experiment.runs] == [5, 6]


def test_kept_runs_need_no_button(tuned: Tune, seconds: list[float]) -> None:
    """A slow setting that was run before is shown at once."""
    seconds[0] = 1.2
    tuned.fields["rate"].value = 6
    tuned.fields["rate"].value = 5
    assert tuned.message == ""
    assert tuned.player.trace["summary"].startswith("5 a second")


def test_output_says_setting_and_result(tuned: Tune) -> None:
    """text/plain holds every parameter, the seed and the summary, uncut."""
    said = tuned._repr_mimebundle_()["text/plain"]
    assert said == "rate 5 requests/s, kind fixed, seed 12: 5 a second, fixed, seed 12."


def test_awaited_experiments_run_on_virtual_time() -> None:
    """An experiment that waits an hour is shown at once."""
    import asyncio

    async def experiment(*, seed: int, hours: float) -> Trace:
        await asyncio.sleep(hours * 3600)
        now = asyncio.get_running_loop().time()
        return Trace(end=now, tracks=[Level("Load", [(0, 1)], 2)], summary=f"Until {now:.0f} s.")

    assert repr(tune(experiment, [slider("hours", 2, 1, 9)])).endswith("Until 7200 s.")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: slider("rate", 50, 1, 20), "starts at 50, outside of 1 to 20"),
        (lambda: choice("kind", ["a"], value="b"), '"b" is not an option of kind: a'),
        (lambda: tune(Experiment(), [], {"fast": {"rtae": 1}}), "sets rtae, which has no control"),
    ],
)
def test_wrong_controls_are_said(make: Any, sentence: str) -> None:
    """A control or a scenario that cannot be is refused with a sentence."""
    with pytest.raises(ValueError, match=sentence):
        make()
