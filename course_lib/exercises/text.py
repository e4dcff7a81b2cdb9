"""Text that a learner's code produced, made safe to show: nothing of it acts as Markdown, HTML or
mathematics.

Every character but letters, digits, blanks and line ends becomes a numeric entity inside `code`
or `pre`. Control and direction characters become visible escapes. Left out: colours of terminals;
they are shown as escapes too.
"""

__all__ = ["block", "code", "printable", "prose"]


def printable(text: str) -> str:
    """Return the text with unprintable characters as escapes: `"a\\x1b"` -> `"a\\\\x1b"`."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def _entities(text: str) -> str:
    safe = printable(text)
    return "".join(c if c.isalnum() or c in " \n" else f"&#{ord(c)};" for c in safe)


def code(text: str) -> str:
    """Return one line of text as inline code: `code("<b>")` -> `"<code>&#60;b&#62;</code>"`."""
    return f"<code>{_entities(text.replace(chr(10), ' '))}</code>"


def block(text: str) -> str:
    """Return several lines of text as a preformatted block."""
    return f"<pre>{_entities(text.strip(chr(10)))}</pre>"


def prose(text: str) -> str:
    """Return text as running prose, every special character an entity; parts in backticks become
    inline code.
    """
    parts = text.replace("\n", " ").split("`")
    if len(parts) % 2 == 0:
        return code(text)
    return "".join(code(part) if i % 2 else _entities(part) for i, part in enumerate(parts))
