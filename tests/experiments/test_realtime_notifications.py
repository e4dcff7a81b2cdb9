"""Chapter 28's experiments: the same seed, the same picture; each knob does what its name says."""

from typing import Any

import pytest

from course_lib.experiments import realtime_notifications as ex
from course_lib.experiments import realtime_notifications_controls as controls
from course_lib.lab import run
from course_lib.lab.published import against

USUAL: dict[str, Any] = {"seed": 28, "clients": 4, "rate": 0.5, "interval": 2.0, "drops": 4}
SLOW: dict[str, Any] = {"seed": 28, "rate": 20, "reads": 5, "limit": 20}
DEPLOY: dict[str, Any] = {"seed": 28, "clients": 200, "capacity": 60, "spread": 10}


def outcomes(trace: Any) -> list[str]:
    """The outcome of each event of the first track."""
    return [event[2] for event in trace.tracks[0].events]


def delays(trace: Any) -> list[float]:
    """All delays in seconds."""
    return [delay for _, delay in trace.tracks[1].samples]


@pytest.mark.parametrize(
    ("experiment", "sliders"),
    [
        (ex.delivery, controls.DELIVERY),
        (ex.slow_reader, controls.SLOW_READER),
        (ex.deploy, controls.DEPLOY),
    ],
)
def test_deterministic(experiment: Any, sliders: Any) -> None:
    """The same seed gives the same bytes, another seed others."""
    settings = {control.name: control.value for control in sliders}
    traces = [run(experiment(seed=seed, **settings)).payload() for seed in (28, 28, 29)]
    assert traces[0] == traces[1] != traces[2]


@pytest.mark.parametrize("transport", ex.TRANSPORTS)
@pytest.mark.parametrize("drops", [0, 12])
def test_delivery(transport: str, drops: int) -> None:
    """With a log nothing is missed or repeated, however often the network drops; without, some."""
    trace = run(ex.delivery(**{**USUAL, "transport": transport, "drops": drops}))
    missed, repeated = outcomes(trace).count("failed"), outcomes(trace).count("denied")
    assert repeated == 0
    assert (missed > 0) == (transport == "pub/sub, no log" and drops > 0)


def test_every_setting_meets_the_same_notices() -> None:
    """What is sent depends on seed, clients and rate, and not on how it is carried."""
    sent = {
        len(outcomes(run(ex.delivery(**USUAL, transport=transport)))) for transport in ex.TRANSPORTS
    }
    assert len(sent) == 1


def test_poll_interval() -> None:
    """A longer interval means later notices and fewer requests; a push has neither problem."""
    often, seldom = (
        run(ex.delivery(**{**USUAL, "interval": interval, "drops": 0}, transport="polling"))
        for interval in (0.5, 6.0)
    )
    pushed = run(ex.delivery(**{**USUAL, "drops": 0}, transport="SSE"))

    def requests(trace: Any) -> float:
        return sum(value for _, value in trace.tracks[2].lines["requests"])

    assert sum(delays(seldom)) > 5 * sum(delays(often))
    assert requests(often) > 8 * requests(seldom) > 8 * requests(pushed)
    assert max(delays(pushed)) == pytest.approx(0.03)


@pytest.mark.parametrize("policy", ["unbounded", "drop oldest", "coalesce", "disconnect"])
def test_slow_reader(policy: str) -> None:
    """Bounded means bounded, and only the two lossy policies lose."""
    trace = run(ex.slow_reader(**SLOW, policy=policy))
    most = max(value for _, value in trace.tracks[1].lines["waiting"])
    assert (most > SLOW["limit"]) == (policy == "unbounded")
    assert ("denied" in outcomes(trace)) == (policy in ("drop oldest", "coalesce"))
    assert ("failed" in outcomes(trace)) == (policy == "disconnect")


def test_sent_away_and_all_read() -> None:
    """One place in memory is enough for a reader who keeps up: every notice is read, once."""
    trace = run(ex.slow_reader(seed=28, policy="disconnect", rate=30, reads=40, limit=1))
    read = [event[3] for event in trace.tracks[0].events if event[2] == "admitted"]
    assert len(read) == len(set(read))
    assert " 0 still to come" in trace.summary
    assert outcomes(trace).count("failed") > 10


def test_deploy() -> None:
    """Without jitter all come at once; with it fewer are turned away; drained, none is."""

    def peak(leaving: str, wait: str) -> float:
        trace = run(ex.deploy(**DEPLOY, leaving=leaving, wait=wait))
        return max(value for _, value in trace.tracks[0].lines["attempts"])

    alike, doubling = peak("killed", "always 3 s"), peak("killed", "doubling, no jitter")
    spread, drained = peak("killed", "full jitter"), peak("drained", "full jitter")
    assert alike == doubling == 200
    assert alike > 2 * spread > 2 * drained
    assert drained <= 60


def test_polled() -> None:
    """Delay and empty polls are within one per cent of their closed forms."""
    measured = run(ex.polled(28, 5.0, 0.1, 40_000))
    delay = sum(measured.delays) / len(measured.delays)
    assert against("realtime_notifications.poll_delay", delay, T=5).within
    assert against("realtime_notifications.empty_polls", measured.empty, T=5, rate=0.1).within


def test_account() -> None:
    """What was missed and what came twice is told by name."""
    assert repr(ex.account(["a", "b"], ["b", "b"])) == "2 sent, 1 missed, 1 repeated: missed a"
