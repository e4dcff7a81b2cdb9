"""Redis commands come from learners, and fakeredis runs them inside the judge: close what reaches
further than a database.

Its RESTORE unpickles what it is given, which is any Python at all, also when a script calls it;
real Redis has a format of data there. ACL SAVE and ACL LOAD open files. Left out: scripts (see
lua).
"""

from typing import Any

from fakeredis._helpers import SimpleError
from fakeredis.commands_mixins import acl_mixin, generic_mixin

__all__ = ["close"]


class _NoPickle:
    """Stands for `pickle` in fakeredis."""

    @staticmethod
    def dumps(value: object) -> bytes:
        raise SimpleError("ERR DUMP is not part of this course")

    @staticmethod
    def loads(data: bytes) -> object:
        raise SimpleError("ERR RESTORE is not part of this course")


def _no_file(*given: object, **options: object) -> Any:
    raise SimpleError("ERR there are no files here")


def close() -> None:
    """Let no Redis of this process unpickle or open a file."""
    generic: Any = generic_mixin
    generic.pickle = _NoPickle
    access: Any = acl_mixin
    access.open = _no_file
