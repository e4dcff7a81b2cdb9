"""Attacks on whoever reads: markup, formulas and signs that nobody sees, in all that may be shown.

They score 0 by themselves; what counts is that no page and no table holds more of them than text.
"""

from tests.grading.attacks.attack import RETRY, SIGNATURE, VISIT, Attack

__all__ = ["SHOWN"]

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>'\\\"&]]><svg onload=alert(1)>"
FORMULA = "=cmd|' /C calc'!A0"
UNSEEN = "\\x1b[31m\\u202e\\x00\\u2066"


def _shown(kind: str, text: str) -> tuple[Attack, ...]:
    """The same text in an error's message, its class's name, a command, a key and an answer."""
    message = f'{SIGNATURE}\n    raise ValueError("{text}")\n'
    named = (
        f'{SIGNATURE}\n    raise type("{text}".replace("\\0", ""), (Exception,), {{}})("{text}")\n'
    )
    top = f'raise type("{text}".replace("\\0", ""), (Exception,), {{}})("{text}")\n'
    asked = f'async def record_visit(redis, page):\n    await redis.set("{text}", "{text}")\n'
    answered = f'    return "{text}"\n'
    return (
        Attack(kind, "in a message", RETRY, message),
        Attack(kind, "in the name of an error", RETRY, named),
        Attack(kind, "in an error of the cell", RETRY, top),
        Attack(kind, "in a command and an answer", VISIT, asked + answered),
    )


SHOWN = (*_shown("HTML", MARKUP), *_shown("CSV", FORMULA), *_shown("signs", UNSEEN))
