"""An output that is Markdown where that can be shown, and plain text elsewhere.

Markdown renders in JupyterLab (both themes) and on GitHub alike. It leaves out HTML: nothing in a
cell of a table or in a caption is ever markup.
"""

import re

__all__ = ["Markdown", "escaped", "fence"]

SPECIAL = re.compile(r"([\\`*_{}\[\]#|$~])")
HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


class Markdown:
    """Text in two forms: `markdown` and `plain`."""

    def __init__(self, markdown: str, plain: str) -> None:
        self.markdown, self.plain = markdown, plain

    def __repr__(self) -> str:
        return self.plain

    def _repr_markdown_(self) -> str:
        return self.markdown


def escaped(text: str) -> str:
    """`text` so that Markdown shows it as it is, on one line.

    >>> escaped("a|b <c>")
    'a\\\\|b &lt;c&gt;'
    """
    safe = "".join(HTML.get(letter, letter) for letter in text)
    return "<br>".join(SPECIAL.sub(r"\\\1", safe).splitlines())


def fence(code: str, language: str) -> str:
    """`code` as a fenced block; the fence is longer than any run of backticks inside.

    >>> fence("x = 1", "python").splitlines()[0]
    '```python'
    """
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{code.rstrip()}\n{ticks}"
