"""File names: what a client calls its file is text to show, never a path to open. Pure.

On disk, files have names that the server made. The client's name comes back only in
`Content-Disposition`, after this. Leaves out: transliteration; letters of all scripts are kept.
Source: CWE-22 (path traversal); RFC 6266 and RFC 8187 (the header).
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

__all__ = ["content_disposition", "safe_name"]

LONGEST = 200  # bytes; file systems take 255
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")


def safe_name(name: str) -> str:
    """A name without folders, control characters, or a meaning to any file system.

    >>> safe_name("../../etc/passwd"), safe_name("C:\\\\pictures\\\\cat.jpg"), safe_name("..")
    ('passwd', 'cat.jpg', 'file')
    """
    name = unicodedata.normalize("NFC", name)
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C" and c not in '<>:"|?*')
    name = name.strip(" .")
    while len(name.encode()) > LONGEST:
        name = name[:-1]
    return "file" if not name.strip(" .") or RESERVED.fullmatch(name) else name.strip(" .")


def content_disposition(name: str) -> str:
    """The header that makes a browser save the file under a safe name, and never run it.

    >>> content_disposition("naïve.txt")
    "attachment; filename*=UTF-8''na%C3%AFve.txt"
    """
    return f"attachment; filename*=UTF-8''{quote(safe_name(name), safe='')}"
