"""Making text from outside fit to be shown: no control characters, no glyphs a figure cannot draw, no endless names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from busight.results.history import History

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


def percent(share: float, digits: int = 0) -> str:
    """Return a share as per cent, never rounded to a certainty that it is not; a dash for NaN.

    Example:
        >>> percent(0.9), percent(0.9999), percent(1.0), percent(0.0004, 1), percent(0.0)
        ('90%', 'over 99%', '100%', 'under 0.1%', '0%')
    """
    if share != share:
        return "–"
    shown, least = f"{share:.{digits}%}", 10.0 ** -(digits + 2)
    if share in (0, 1):
        return f"{share:.0%}"
    if shown == f"{1:.{digits}%}":
        return f"over {1 - least:.{digits}%}"
    return f"under {least:.{digits}%}" if shown == f"{0:.{digits}%}" else shown


def counted(count: int, noun: str) -> str:
    """Return a number with its noun.

    Example:
        >>> counted(1, "image"), counted(0, "image")
        ('1 image', '0 images')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of a table as lines for a terminal: the first column to the left, the others to the right.

    Example:
        >>> aligned([("way", "Dice"), ("otsu", "0.5")])
        ['way   Dice', 'otsu   0.5']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        ).rstrip()
        for row in rows
    ]


@cache
def _drawable() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())


def kept_because(history: History) -> str:
    """Say why the kept epoch was kept.

    Example:
        >>> kept_because(History("classifier", (), 3, "last"))
        'the last epoch'
    """
    if history.monitor == "last":
        return "the last epoch"
    names = {"val_loss": "lowest validation loss", "val_dice": "highest validation Dice"}
    return names.get(history.monitor, f"best {history.monitor}")
