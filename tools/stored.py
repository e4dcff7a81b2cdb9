"""What of a run is stored in a notebook: text and pictures, no widget state, no times, fixed bytes.

The picture of a widget is the player's own drawing, taken by tools/pictures.py in Chromium. Without
Chromium an earlier picture is kept as long as the trace behind it is the same.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Iterator
from typing import Any

import nbformat
from nbformat import NotebookNode
from playwright.sync_api import Error

from tools import pictures

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
PNG = "image/png"
SPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "pygments_lexer": "ipython3",
}
TRACES = {"execution", "collapsed", "scrolled", "ExecuteTime", "papermill", "vscode", "trusted"}
State = dict[str, Any]


def text(run: NotebookNode) -> str:
    """Strip a run of what is not to be stored and give its file's text."""
    run.metadata = nbformat.from_dict({"kernelspec": SPEC, "language_info": LANGUAGE})
    for number, cell in enumerate(code(run), start=1):
        cell.execution_count = number
        for trace in TRACES & set(cell.metadata):
            del cell.metadata[trace]
        for output in cell.outputs:
            strip(output, number)
    nbformat.validate(run)
    return str(nbformat.writes(run)).rstrip("\n") + "\n"


def strip(output: NotebookNode, number: int) -> None:
    """Take a widget's view from an output, and number its result like its cell."""
    if output.output_type == "execute_result":
        output.execution_count = number
    output.get("data", {}).pop(VIEW, None)


def code(notebook: NotebookNode) -> list[NotebookNode]:
    """Give the code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def comparable(notebook: NotebookNode) -> list[object]:
    """Give each code cell's source and outputs without pictures, views and numbers."""
    return [(cell.source, [plain(output) for output in cell.outputs]) for cell in code(notebook)]


def plain(output: NotebookNode) -> object:
    """Give what of an output must be the same in every run."""
    if "data" in output:
        return {kind: value for kind, value in output.data.items() if kind not in {VIEW, PNG}}
    return {key: output.get(key) for key in ("name", "text", "ename", "evalue")}


def add_pictures(run: NotebookNode, before: NotebookNode) -> int:
    """Put a picture beside each player in the run; give the number of those that lack one."""
    players = list(shown(run))
    states = [state for _, state in players]
    found = taken(states) or kept(before, states)
    for (output, state), picture in zip(players, found, strict=True):
        if picture is not None:
            store(output, state, picture)
    return found.count(None)


def shown(run: NotebookNode) -> Iterator[tuple[NotebookNode, State]]:
    """Give each output that shows a widget with a player in it, and that player's state."""
    widgets = run.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    for cell in code(run):
        for output in cell.outputs:
            view = output.get("data", {}).get(VIEW)
            state = pictures.states_of(widgets, view["model_id"]) if view else None
            if state and state["trace"]:
                yield output, state


def taken(states: list[State]) -> list[bytes | None] | None:
    """Take the players' pictures; None where there is no Chromium."""
    if not states:
        return []
    try:
        return [*pictures.render(states)]
    except Error as error:
        if "Executable doesn't exist" in str(error):
            return None
        raise


def kept(before: NotebookNode, states: list[State]) -> list[bytes | None]:
    """Give the earlier pictures of the same traces."""
    earlier = {
        output.metadata[PNG]["trace"]: base64.b64decode(output.data[PNG])
        for cell in code(before)
        for output in cell.outputs
        if PNG in output.get("data", {}) and "trace" in output.metadata.get(PNG, {})
    }
    return [earlier.get(fingerprint(state)) for state in states]


def store(output: NotebookNode, state: State, picture: bytes) -> None:
    """Put a picture into an output, with its size in points, its trace and the trace's mark.

    The trace is small text; the static site plays it (tools/site.py).
    """
    width, height = struct.unpack(">II", picture[16:24])
    size = {"width": round(width / pictures.SCALE), "height": round(height / pictures.SCALE)}
    output.data[PNG] = base64.b64encode(picture).decode("ascii")
    text = json.dumps(state, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    output.metadata[PNG] = {**size, "trace": fingerprint(state), "state": text}


def fingerprint(state: State) -> str:
    """Give a short mark of what a picture shows."""
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()[:16]
