"""Text of others, made safe to show."""

from __future__ import annotations


def one_line(text: str) -> str:
    """Return text as one line that a terminal only shows: a file's name may hold line breaks and escape sequences.

    Example:
        >>> one_line("a\\nb.png: empty")
        'a\\\\nb.png: empty'
    """
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)
