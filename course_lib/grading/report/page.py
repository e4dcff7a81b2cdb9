"""An HTML page that runs nothing: no script, no picture from anywhere, no style but our own."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["capital", "cells", "page", "prose", "table", "text"]

STYLE = """
:root{color-scheme:light dark;--line:#8886;--head:#8881;--good:#00713c;--bad:#a8320a}
@media(prefers-color-scheme:dark){:root{--good:#5cc98d;--bad:#f08a5d}}
body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.7rem;line-height:1.2}h2{font-size:1.25rem;margin:2.2rem 0 .4rem}
table{border-collapse:collapse;display:block;overflow-x:auto;margin:.6rem 0}
td,th{border:1px solid var(--line);padding:.25rem .7rem;text-align:left;vertical-align:top}
th{background:var(--head);font-weight:600}
.short{white-space:nowrap}.number{text-align:right;white-space:nowrap}
.good{color:var(--good);white-space:nowrap}.bad{color:var(--bad);white-space:nowrap}
.quiet{opacity:.75}.idea{border-left:.25rem solid var(--bad);padding-left:.8rem}
code,pre{font:.92em ui-monospace,monospace}
pre{overflow:auto;padding:.6rem;background:var(--head)}
svg{max-width:100%;height:auto}svg text{fill:currentColor}summary{cursor:pointer}
""".strip()
_HASH = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"


def page(title: str, *parts: str) -> str:
    """Return a whole page; `parts` are HTML of ours, in which all other text went through `text`.

    >>> page("a < b", "<p>c</p>").startswith("<!doctype html>")
    True
    """
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{text(title)}</title><style>{STYLE}</style></head><body>\n"
        f"<h1>{text(title)}</h1>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def text(value: object) -> str:
    """Return text in which nothing acts as markup."""
    return escape(str(value), quote=True)


def prose(value: object) -> str:
    """Return text with what stands between backticks as code: `a` -> <code>a</code>."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text(value))


def capital(sentence: str) -> str:
    """Return a sentence with a capital letter at its beginning."""
    return sentence[:1].upper() + sentence[1:]


def table(head: Sequence[str], rows: Iterable[str]) -> str:
    """Return a table; `rows` are made by `cells`."""
    heads = "".join(f"<th>{text(name)}</th>" for name in head)
    return f"<table><tr>{heads}</tr>{''.join(rows)}</table>"


def cells(*values: object, kinds: Sequence[str] = ()) -> str:
    """Return one row; `kinds` are the cells' classes of style, "" for none."""
    names = [*kinds, *[""] * (len(values) - len(kinds))]
    made = [f'<td class="{k}">' if k else "<td>" for k in names]
    return f"<tr>{''.join(f'{m}{prose(v)}</td>' for m, v in zip(made, values, strict=True))}</tr>"
