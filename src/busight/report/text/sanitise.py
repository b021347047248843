"""Sanitising text from outside: no control characters, no glyphs that a figure cannot draw, no endless names."""

from __future__ import annotations

from functools import cache

_KEPT_SPACES = "\n\t\u00a0\u2009\u202f"
_UNSHOWABLE = "\ufffd"


def printable(text: str) -> str:
    """Replace control characters, lone surrogates and direction overrides: they break XML, UTF-8 or the reading order.

    Example:
        >>> printable("case\\x00 1")
        'case\ufffd 1'
    """
    return "".join(sign if sign.isprintable() or sign in _KEPT_SPACES else _UNSHOWABLE for sign in text)


def short_label(text: str, longest: int = 30) -> str:
    """Return one line for a figure: printable, drawable, cut in the middle where longer than ``longest`` characters.

    Both ends stay because file names differ at the end and folders at the start.

    Example:
        >>> short_label("benign/benign (12)", 12)
        'benig…n (12)'
    """
    line = " ".join(printable(text).split())
    line = "".join(sign if ord(sign) in _drawable() else "□" for sign in line)
    if line.startswith("_"):
        # Matplotlib leaves names with a leading underscore out of its legends.
        line = f" {line}"
    if len(line) <= longest:
        return line
    front = longest // 2 - 1
    return f"{line[:front]}…{line[len(line) - (longest - front - 1) :]}"


def file_stem(text: str) -> str:
    """Return text as part of a file name: ASCII letters and digits, all else a hyphen.

    Example:
        >>> file_stem("../no lesion")
        '---no-lesion'
    """
    return "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in text)


@cache
def _drawable() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())
