"""The executed notebook, made safe to keep: our own cells, and of the outputs only their text.

What came out of the jail is not trusted: no HTML, no script, no picture and no metadata of it is
kept. Left out: anything that counts for a grade.
"""

import json
import re
from typing import Any

__all__ = ["sanitised"]

MOST = 20  # outputs of one cell
LONGEST = 4_000  # characters of one output
ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def sanitised(ours: dict[str, Any], text: str) -> str:
    """Return our notebook with the text outputs of an executed one, as JSON text."""
    outputs = _outputs(text)
    for cell in ours["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = outputs.get(cell.get("id"), [])
    return json.dumps(ours, indent=1, sort_keys=True) + "\n"


def _outputs(text: str) -> dict[str, list[dict[str, Any]]]:
    try:
        cells = json.loads(text)["cells"]
        return {cell["id"]: _of_cell(cell) for cell in cells if cell["cell_type"] == "code"}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _of_cell(cell: dict[str, Any]) -> list[dict[str, Any]]:
    texts = [_text(output) for output in cell["outputs"][:MOST]]
    return [{"output_type": "stream", "name": "stdout", "text": text} for text in texts if text]


def _text(output: dict[str, Any]) -> str:
    kind = output.get("output_type")
    if kind == "stream":
        return _plain(output.get("text"))
    if kind in ("execute_result", "display_data"):
        return _plain(output.get("data", {}).get("text/plain"))
    if kind == "error":
        return _plain(f"{output.get('ename')}: {output.get('evalue')}\n")
    return ""


def _plain(value: object) -> str:
    text = "".join(map(str, value)) if isinstance(value, list) else str(value or "")
    return UNSEEN.sub("", ESCAPES.sub("", text))[:LONGEST]
