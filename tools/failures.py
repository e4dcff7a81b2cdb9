"""What can go wrong on a learner's machine, and the sentence that says what to do.

A tool's own message (pip, uv, venv, the operating system) is recognised by its words. What is not
recognised is passed on with the place of the whole log; nothing is guessed.
"""

from __future__ import annotations

import errno
import re

AGAIN = "then type the same command again; what is already there is kept."

SENTENCES: tuple[tuple[str, str], ...] = (
    (
        r"no space left|os error 28\b|errno 28\b|not enough space|disk quota|os error 112\b",
        "The disk is full: free about 1 GB, " + AGAIN,
    ),
    (
        r"ensurepip is not available|no module named '?ensurepip|no module named '?venv",
        "This Python cannot make virtual environments: on Debian or Ubuntu type "
        "`sudo apt install python3-venv`, elsewhere install Python from its own installer, "
        + AGAIN,
    ),
    (
        r"read-only file system|permission denied|access is denied|os error (13|30)\b",
        "The course's folder cannot be written to: move it to a place that is yours, such as your "
        "home folder, " + AGAIN,
    ),
    (
        r"certificate|unknownissuer",
        "The secure connection to the package registry was refused: if your network has its own "
        "certificates, set SSL_CERT_FILE and PIP_CERT to their file, " + AGAIN,
    ),
    (
        r"dns error|failed to (resolve|fetch|establish)|could not connect|error sending request|"
        r"connection (refused|reset|aborted|error)|network is unreachable|timed? ?out|"
        r"name resolution|newconnectionerror|network (connectivity )?(is|was) disabled|proxyerror|"
        r"from versions: none",
        "The package registry cannot be reached: check the network (and HTTPS_PROXY if you are "
        "behind a proxy), " + AGAIN,
    ),
)

NUMBERS = {
    errno.ENOSPC: "no space left",
    errno.EDQUOT: "no space left",
    errno.EROFS: "read-only file system",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
}


class Stop(Exception):
    """A foreseen failure; its text is the sentence for the learner."""


def sentence(error: BaseException) -> str | None:
    """Give the sentence for an error, or None when it is not a foreseen one.

    >>> sentence(OSError(errno.ENOSPC, "No space left on device"))[:17]
    'The disk is full:'
    """
    if isinstance(error, Stop):
        return str(error)
    if isinstance(error, OSError) and error.errno in NUMBERS:
        return recognise(NUMBERS[error.errno])
    return None


def recognise(output: str) -> str | None:
    """Give the sentence for a tool's output, or None when its words say nothing known."""
    for words, said in SENTENCES:
        if re.search(words, output, re.IGNORECASE):
            return said
    return None
