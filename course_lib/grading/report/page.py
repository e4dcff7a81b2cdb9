"""An HTML page that runs nothing: no script, no picture from anywhere, no style but our own."""

import hashlib
from base64 import b64encode
from html import escape

__all__ = ["page", "text"]

STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{border:1px solid #999;padding:.2rem .6rem;"
    "text-align:left;vertical-align:top}pre{overflow:auto}svg{max-width:100%;height:auto}"
)
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
        f"<title>{text(title)}</title><style>{STYLE}</style></head><body>\n"
        f"<h1>{text(title)}</h1>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def text(value: object) -> str:
    """Return text in which nothing acts as markup."""
    return escape(str(value), quote=True)
