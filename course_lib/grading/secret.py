"""The course's secret: what makes the drawn parameters unforeseeable, and the same in a regrade.

It comes from the environment or from a file that only its owner can read, and is made at first use.
It stays in the process that grades: neither box gets it, only the seeds of one submission.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

import platformdirs

from course_lib.grading.errors import CannotStart

__all__ = ["Secret", "default_file", "load"]

VARIABLE = "COURSE_GRADING_SECRET"
SHORTEST = 16  # bytes


class Secret:
    """Draws seeds; its repr says nothing."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "Secret(...)"

    def seed(self, exercise: str, round: int, source: str, purpose: str) -> int:
        """Return 63 bits for one exercise, round, source and purpose ("graded 0", "example")."""
        frozen = hashlib.sha256(source.encode()).hexdigest()
        text = "\0".join((exercise, str(round), frozen, purpose))
        digest = hmac.new(self._key, text.encode(), "sha256").digest()
        return int.from_bytes(digest[:8], "big") >> 1

    @property
    def mark(self) -> str:
        """Eight hexadecimal digits that tell secrets apart and reveal nothing of them."""
        return hmac.new(self._key, b"mark", "sha256").hexdigest()[:8]


def default_file() -> Path:
    """Where the secret is kept unless a file is named."""
    return Path(platformdirs.user_config_dir("answers-that-run")) / "grading.secret"


def load(file: Path | None = None) -> Secret:
    """Return the secret from a named file, the environment, or the default file; make it if new.

    Raises CannotStart when others can read the file, or when it is too short.
    """
    given = os.environ.get(VARIABLE)
    if file is None and given:
        return _checked(given.encode(), f"${VARIABLE}")
    path = file or default_file()
    with contextlib.suppress(FileExistsError):
        _make(path)
    return _checked(_read(path), str(path))


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    whole = path.with_name(f"{path.name}.{os.getpid()}")
    fd = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w") as out:
        out.write(secrets.token_hex(32) + "\n")
    try:
        os.link(whole, path)  # appears whole or not at all, and replaces nothing
    finally:
        whole.unlink()


def _read(path: Path) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        mode = os.fstat(fd).st_mode
        if not stat.S_ISREG(mode) or mode & 0o077:
            raise CannotStart(
                f"The secret {path} must be a file that only you can read: chmod 600."
            )
        return file.read(4096).strip()


def _checked(key: bytes, where: str) -> Secret:
    if len(key) < SHORTEST:
        raise CannotStart(f"The secret in {where} is shorter than {SHORTEST} characters.")
    return Secret(key)
