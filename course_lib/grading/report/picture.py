"""A counterexample as a sequence diagram: SVG that we draw, with text that cannot act.

Left out: colour as the only carrier of meaning; every arrow has its words and its number.
"""

from html import escape
from typing import Any

__all__ = ["diagram"]

LANE, ROW, TOP = 210, 34, 40  # pixels
LETTERS = 30


def diagram(effects: list[dict[str, Any]]) -> str:
    """Return effects as SVG: a lane per node, an arrow per effect in the order they happened."""
    nodes = list(dict.fromkeys(node for e in effects for node in (e["who"], e["target"])))
    place = {node: 60 + LANE * number for number, node in enumerate(nodes)}
    width, height = LANE * len(nodes) + 40, TOP + ROW * (len(effects) + 1)
    parts = [_lane(node, x, height) for node, x in place.items()]
    for number, effect in enumerate(effects, 1):
        parts.append(_arrow(number, effect, place, TOP + ROW * number))
    label = f"Sequence diagram of {len(effects)} effects"
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{label}" xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )


def _lane(node: str, x: int, height: int) -> str:
    line = f'<line x1="{x}" y1="{TOP}" x2="{x}" y2="{height}" stroke="#999"/>'
    return f'{line}<text x="{x}" y="24" text-anchor="middle" font-size="13">{_word(node)}</text>'


def _arrow(number: int, effect: dict[str, Any], place: dict[str, int], y: int) -> str:
    left, right = place[effect["who"]], place[effect["target"]]
    words = f"{number}. {_word(effect['what'])} → {_word(effect['result'], 12)}"
    tip = right - 6 if right > left else right + 6
    head = f"M{tip},{y - 4} L{right},{y} L{tip},{y + 4} Z"
    return (
        f'<line x1="{left}" y1="{y}" x2="{right}" y2="{y}" stroke="#3b8fd0"/>'
        f'<path d="{head}" fill="#3b8fd0"/>'
        f'<text x="{min(left, right) + 8}" y="{y - 6}" font-size="11">{words}</text>'
    )


def _word(text: object, longest: int = LETTERS) -> str:
    plain = str(text)
    return escape(plain if len(plain) <= longest else plain[: longest - 1] + "…")
