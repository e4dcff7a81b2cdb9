"""`make notebooks` stores text and pictures, the same bytes each time, and breaks nothing."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Error

from tools import notebooks, stored

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAADCAIAAADZSiLoAAAADElEQVR4nGNgIA0AAAAwAAE="
)
LABS = """from IPython.display import display
from ipywidgets import IntSlider, VBox
from traitlets import Dict
from anywidget import AnyWidget
class Fake(AnyWidget):
    trace = Dict().tag(sync=True)
    def __repr__(self):
        return f"A picture of {self.trace}."
VBox([IntSlider(), Fake(trace={"end": 1})])"""
CELLS = ["seed = 12", LABS, "print('a')\nprint('b')\nseed"]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Let the pictures be three points wide and high, and note whose they are."""
    states: list[object] = []

    def render(asked: list[object]) -> list[bytes]:
        states.extend(asked)
        return [PICTURE] * len(asked)

    monkeypatch.setattr(stored.pictures, "render", render)
    return states


def written(folder: Path, cells: list[str], **tags: list[str]) -> Path:
    """Write a notebook that was never run."""
    path = folder / "tiny.ipynb"
    code = [nbformat.v4.new_code_cell(source, id=f"c{n}") for n, source in enumerate(cells)]
    for name, marks in tags.items():
        code[int(name[1:])].metadata["tags"] = marks
    nbformat.write(nbformat.v4.new_notebook(cells=code), path)
    return path


def test_twice_the_same_bytes(tmp_path: Path, drawn: list[object]) -> None:
    """A second rebuild changes no byte; no widget state, view or time is stored."""
    path = written(tmp_path, CELLS)
    assert notebooks.main([str(path)]) == 0
    once = path.read_bytes()
    assert notebooks.main([str(path)]) == 0
    assert path.read_bytes() == once
    assert b"widget" not in once.replace(b"ipywidgets", b"").replace(b"AnyWidget", b"").replace(
        b"anywidget", b""
    )
    assert b'execution"' not in once
    assert once.endswith(b"}\n")


def test_the_player_inside_is_drawn(tmp_path: Path, drawn: list[object]) -> None:
    """The picture is that of the player inside the shown widget, beside its text, in points."""
    path = written(tmp_path, CELLS)
    notebooks.main([str(path)])
    output = nbformat.read(path, as_version=4).cells[1].outputs[0]
    assert [state["trace"] for state in drawn] == [{"end": 1}]
    assert base64.b64decode(output.data["image/png"]) == PICTURE
    assert "A picture of" in output.data["text/plain"]
    assert output.metadata["image/png"]["width"] == round(3 / stored.pictures.SCALE)


def test_without_chromium(
    tmp_path: Path,
    drawn: list[object],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without Chromium, a picture of the same trace stays, and one of another trace is missed."""
    path = written(tmp_path, CELLS)
    notebooks.main([str(path)])
    before = path.read_bytes()

    def none(states: list[object]) -> list[bytes]:
        raise Error("Executable doesn't exist at /nowhere")

    monkeypatch.setattr(stored.pictures, "render", none)
    notebooks.main([str(path)])
    assert path.read_bytes() == before
    path.write_text(path.read_text().replace('\\"end\\": 1', '\\"end\\": 2'))
    notebooks.main([str(path)])
    assert "1 picture is missing" in capsys.readouterr().out
    assert "image/png" not in path.read_text()


def test_a_failing_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A failing cell is named with its error in one sentence, and the file stays as it was."""
    path = written(tmp_path, ["1", "1 / 0", "2"])
    before = path.read_bytes()
    assert notebooks.main([str(path)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("tiny.ipynb, code cell 2: ZeroDivisionError: division by zero.")
    assert path.read_bytes() == before


def test_an_announced_error_is_stored(tmp_path: Path) -> None:
    """A cell tagged raises-exception may fail, and its error is stored."""
    path = written(tmp_path, ["1 / 0", "2"], c0=["raises-exception"])
    assert notebooks.main([str(path)]) == 0
    assert "ZeroDivisionError" in path.read_text()


def test_check(tmp_path: Path, drawn: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    """--check accepts what a rebuild wrote, names a changed cell, and writes nothing."""
    path = written(tmp_path, ["seed = 12", "seed"])
    notebooks.main([str(path)])
    assert notebooks.main(["--check", str(path)]) == 0
    text = path.read_text().replace('"12"\n', '"13"\n')
    path.write_text(text)
    assert notebooks.main(["--check", str(path)]) == 1
    assert "differs in code cell 2" in capsys.readouterr().out
    assert path.read_text() == text


def test_stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell tagged with an exercise gets the stub from the registry, whatever stood in it."""
    path = written(tmp_path, ["my_answer = 1"], c0=["exercise", "exercise:tiny.one"])
    monkeypatch.setattr(notebooks, "stub", lambda name: f"name = {name!r}")
    assert notebooks.main([str(path)]) == 0
    cell = json.loads(path.read_text())["cells"][0]
    assert cell["source"] == ["name = 'tiny.one'"]


def test_unknown_exercise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An exercise that does not exist is named in one sentence."""
    path = written(tmp_path, ["1"], c0=["exercise:rate_limiting.nonsense"])
    assert notebooks.main([str(path)]) == 1
    assert "nonsense" in capsys.readouterr().err
