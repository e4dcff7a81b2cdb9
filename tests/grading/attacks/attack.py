"""What an attack is: a cell, or a whole file, whose honest score is 0.

A cell may hold words that the runner replaces: @HOST@ a folder of the host in which everybody may
write, @PORT@ a port on which somebody listens, @UNIX@ such a socket in a file, @SECRET@ the file of
the course's secret, @IN@ and @OUT@ the folders of submissions and grades, @COURSE@ and @VENV@ the
course and its packages. Whoever succeeds goes on to the right answer, so
that a success is points as well as a mark.
"""

from dataclasses import dataclass

__all__ = ["RETRY", "RIGHT", "VISIT", "Attack", "retry", "visit"]

RETRY = "rate_limiting.retry_after"
VISIT = "start_here.record_visit"
RIGHT = "return None if cost > burst else max(0.0, (cost - level) / rate)"
SIGNATURE = "def retry_after(level, rate, burst, cost):"


@dataclass(frozen=True)
class Attack:
    """One attack: its class, a name, the exercise, the cell.

    `slow`: its seconds, when it uses up a time limit. `caught`: to fail is not enough, the judge
    must see what was tried.
    """

    kind: str
    name: str
    exercise: str
    source: str
    slow: int = 0
    caught: bool = False

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


def retry(kind: str, name: str, crime: str, before: str = "", *, slow: int = 0) -> Attack:
    """An attack from inside a plain function: the crime, then the right answer."""
    lines = [*crime.strip("\n").splitlines(), RIGHT]
    body = "\n".join(f"    {line}" for line in lines)
    return Attack(kind, name, RETRY, f"{before}\n{SIGNATURE}\n{body}\n", slow)


def visit(kind: str, name: str, crime: str, before: str = "", *, slow: int = 0) -> Attack:
    """An attack on the judge's Redis: the crime, then the right answer to it."""
    lines = [*crime.strip("\n").splitlines(), "return await redis.incr(page)"]
    body = "\n".join(f"    {line}" for line in lines)
    source = f"{before}\nasync def record_visit(redis, page):\n{body}\n"
    return Attack(kind, name, VISIT, source, slow)
