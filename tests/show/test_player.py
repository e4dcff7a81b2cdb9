"""The player widget: what a notebook stores and what the kernel is told."""

from course_lib.show import Level, Trace, play
from course_lib.show.assets import PLAYER, module
from course_lib.show.player import Player


def _trace(value: float = 1) -> Trace:
    return Trace(end=2, tracks=[Level("Load", [(0, value)], 4)], summary=f"The load was {value}.")


def test_output_says_the_result() -> None:
    """text/plain is the summary, without a memory address, and the view comes with it."""
    data, _ = play(_trace())._repr_mimebundle_()
    assert data["text/plain"] == "The load was 1."
    assert "application/vnd.jupyter.widget-view+json" in data


def test_position_is_no_trait() -> None:
    """The position of the head is no synced trait, so that scrubbing cannot send a message."""
    own = set(Player.class_traits(sync=True)) & {"at", "time", "position"}
    assert own == set()


def test_baseline_is_sent() -> None:
    """A pinned trace goes to the browser whole; without one there is an empty one."""
    assert play(_trace(), baseline=_trace(2)).baseline == _trace(2).payload()
    assert play(_trace()).baseline == {}


def test_module_is_one_module() -> None:
    """The joined module imports nothing, and has one default export."""
    text = module(*PLAYER)
    assert "\nimport " not in text
    assert text.count("export default") == 1


def test_nothing_is_loaded_from_elsewhere() -> None:
    """Neither script nor style names an address, apart from the SVG namespace; no innerHTML."""
    text = module(*PLAYER) + module("predict") + str(Player._css)
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "innerHTML" not in text
