"""Exercise, reversed: choose a file name that writes outside of the upload folder.

The learner attacks three servers, each of which cleans names in a popular way. The check runs the
cleaning, resolves the path as the operating system does, and looks where the file would lie. Left
out: links, and what a name means to Windows.
"""

import posixpath
import random
from collections.abc import Callable
from urllib.parse import unquote

from course_lib.exercises.attempt import Attempt
from course_lib.exercises.exercise import Counterexample, Exercise, Mistake, Property
from course_lib.exercises.plain import shown

__all__ = ["ESCAPE", "landing"]

NAME = "name_for"


def joins(folder: str, name: str) -> str:
    """Refuse a name with `..`, then join: an absolute name replaces the folder."""
    return "" if ".." in name else posixpath.join(folder, name)


def strips(folder: str, name: str) -> str:
    """Remove every `../`, once, and a slash in front."""
    return posixpath.join(folder, name.replace("../", "").lstrip("/"))


def decodes(folder: str, name: str) -> str:
    """Refuse `..` and a slash in front, then decode percent signs."""
    if ".." in name or name.startswith("/"):
        return ""
    return posixpath.join(folder, unquote(name).lstrip("/"))


SERVERS: dict[str, Callable[[str, str], str]] = {
    "joins": joins,
    "strips": strips,
    "decodes": decodes,
}


def landing(server: str, folder: str, name: str) -> str:
    """Where a server writes; empty if it refuses: `landing("joins", "/srv/up", "/etc/x")` ->
    `"/etc/x"`.
    """
    path = SERVERS[server](folder, name)
    return posixpath.normpath(path) if path else ""


def _aim(draw: random.Random) -> tuple[str, str]:
    """A folder of two to five levels, and a file to overwrite."""
    levels = [f"{draw.choice('abcdefgh')}{draw.randint(1, 99)}" for _ in range(draw.randint(1, 4))]
    where = draw.choice(["etc/cron.d", "root/.ssh", "home/kim", "var/www"])
    return "/srv/" + "/".join(levels), f"/{where}/{draw.choice('klmnop')}{draw.randint(1, 99)}"


def _property(server: str, sentence: str) -> Property:
    def escapes(attempt: Attempt, draw: random.Random) -> int:
        aims = [_aim(draw) for _ in range(3)]
        asked = [(folder, target, attempt.call(server, folder, target)) for folder, target in aims]
        for folder, target, name in asked:
            _hit(server, folder, target, name)
        return len(asked)

    return Property(server, sentence, escapes)


def _hit(server: str, folder: str, target: str, name: object) -> None:
    call = f"`{NAME}({server!r}, {folder!r}, {target!r})`"
    if type(name) is not str or not name or "\0" in name:
        raise Counterexample(f"{call} answered `{shown(name, 60)}`; right is a file name, a str.")
    found = landing(server, folder, name)
    if not found:
        raise Counterexample(f"{call} answered `{shown(name, 80)}`, which the server refuses.")
    if found != target:
        raise Counterexample(f"{call} answered `{shown(name, 80)}`: it lands at {found}.")


STUB = '''
def name_for(server, folder, target):
    """A file name that makes the server write to `target`, outside of its upload folder.

    folder: where it means to write, such as "/srv/uploads"; target: such as "/etc/cron.d/job".
    server, one of three:
      "joins": refuses a name with ".." in it, then writes to os.path.join(folder, name)
      "strips": removes every "../" (one pass of str.replace), then slashes in front, then joins
      "decodes": refuses ".." and a slash in front, then decodes %2F and the like, then joins
    """
    raise NotImplementedError
'''

ANSWER = """
def name_for(server, folder, target):
    if server == "joins":
        return target
    up = folder.count("/")
    if server == "strips":
        return "....//" * up + target.lstrip("/")
    return "%2e%2e/" * up + target.lstrip("/")
"""


def _mistaken(joining: str, stripping: str, decoding: str) -> str:
    return (
        f"def {NAME}(server, folder, target):\n"
        '    up, goal = folder.count("/"), target.lstrip("/")\n'
        f'    if server == "joins":\n        return {joining}\n'
        f'    if server == "strips":\n        return {stripping}\n'
        f"    return {decoding}\n"
    )


STRIP, DECODE = '"....//" * up + goal', '"%2e%2e/" * up + goal'

ESCAPE = Exercise(
    id="file_uploads.escape",
    place=5,
    title="A name that leaves its folder",
    name=NAME,
    stub=STUB.lstrip("\n"),
    answer=ANSWER.lstrip("\n"),
    reversed=True,
    properties=(
        _property("joins", "a name without dots leaves the folder."),
        _property("strips", "a name that is cleaned once leaves the folder."),
        _property("decodes", "a name that is checked before it is decoded leaves the folder."),
    ),
    mistakes=(
        Mistake(
            "climbs where dots are refused",
            _mistaken('"../" * up + goal', STRIP, DECODE),
            "This server refuses `..`. What does os.path.join do with a name that begins at the "
            "root?",
        ),
        Mistake(
            "climbs plainly",
            _mistaken("target", '"../" * up + goal', DECODE),
            "The server removes your `../`, all of them. It looks once: what is left when a piece "
            "is cut out of the middle?",
        ),
        Mistake(
            "begins at the root",
            _mistaken("target", "target", DECODE),
            "The server takes slashes in front away, so the name is joined to the folder after "
            "all. You have to climb.",
        ),
        Mistake(
            "does not encode",
            _mistaken("target", STRIP, '"../" * up + goal'),
            "The check sees your dots. It runs before the decoding: write them so that they are "
            "dots only afterwards.",
        ),
        Mistake(
            "encodes twice",
            _mistaken("target", STRIP, '"%252e%252e/" * up + goal'),
            "This server decodes once. Your name still holds percent signs when it is used.",
        ),
        Mistake(
            "climbs one level",
            _mistaken("target", '"....//" + goal', '"%2e%2e/" + goal'),
            "You climb one level. From the folder up to the root it is one for each slash in it.",
        ),
    ),
    hints=(
        "Each server checks one thing and then does another. Find the step after the check.",
        "os.path.join('/srv/up', '/etc/x') is '/etc/x'. '....//'.replace('../', '') is '../'. "
        "'%2e%2e' decodes to '..'.",
        "Climb as many levels as the folder has slashes: `folder.count('/')`. The cure is to have "
        "no path at all: the server makes the name.",
    ),
)
