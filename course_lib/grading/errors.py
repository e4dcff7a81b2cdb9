"""What ends grading before it has begun, and what ends a submission before it is judged."""

__all__ = ["VIOLATION", "CannotStart", "Refused"]

VIOLATION = "VIOLATION"
"""The state of an exercise whose code broke a rule: time, size, protocol."""


class CannotStart(Exception):
    """Grading cannot start; the text says what to install or to change."""


class Refused(Exception):
    """A submission cannot be read; `kind` is a word for programs, the text a plain reason."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind, self.sentence = kind, sentence
