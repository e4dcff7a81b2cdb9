"""Nearly all code cells are compared with a fresh run; what is not is announced with its reason."""

import tomllib
from pathlib import Path

import nbformat
import pytest

from tools.compared import count, kind, notebooks, seen, total

LIST = tomllib.loads((Path(__file__).parent / "not_compared.toml").read_text()).get("cell", [])
ANNOUNCED = {(cell["notebook"], cell["id"]): cell["reason"] for cell in LIST}


def cell(source: str = "1", outputs: list[object] | None = None, **metadata: object) -> object:
    """Give a code cell as it looks after a run."""
    return nbformat.v4.new_code_cell(
        source, outputs=outputs or [], metadata=metadata, execution_count=1
    )


TEXT = nbformat.v4.new_output("execute_result", data={"text/plain": "1"})
PICTURE = nbformat.v4.new_output("display_data", data={"image/png": "AAAA"})


@pytest.mark.parametrize(
    ("one", "judged"),
    [
        (cell(outputs=[TEXT]), "text"),
        (cell(outputs=[PICTURE, TEXT]), "text"),
        (cell(outputs=[PICTURE]), "not"),
        (cell(), "silence"),
        (cell(outputs=[TEXT], tags=["nbval-ignore-output"]), "not"),
        (cell("# NBVAL_SKIP\n1", [TEXT]), "not"),
        (nbformat.v4.new_code_cell("1"), "not"),
    ],
)
def test_kind(one: object, judged: str) -> None:
    """A cell counts as compared exactly when nbval compares text or silence."""
    assert kind(one) == judged


def test_seen_stream() -> None:
    """Printed text is compared."""
    assert seen(nbformat.v4.new_output("stream", name="stdout", text="1"))


def test_share() -> None:
    """At least 95% of all code cells are compared with a fresh run."""
    counts = [count(path) for path in notebooks()]
    assert sum(one.cells for one in counts) > 0
    assert total(counts).share >= 0.95, str(total(counts))


def test_every_exception_is_announced() -> None:
    """The cells that are not compared are the announced ones, no more and no fewer."""
    found = {(one.name, cell) for one in map(count, notebooks()) for cell in one.not_compared}
    assert found == set(ANNOUNCED)


def test_reasons() -> None:
    """Every announced cell has a reason of at least three words."""
    assert all(len(reason.split()) >= 3 for reason in ANNOUNCED.values())
