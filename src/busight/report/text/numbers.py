"""Numbers as text: per cent, intervals, counts with their noun, durations."""

from __future__ import annotations

import math


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


def duration_text(seconds: float) -> str:
    """Return a duration with its units.

    Example:
        >>> duration_text(2330.8), duration_text(4.2)
        ('38 min 51 s', '4.2 s')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def interval_text(low: float, high: float, form: str = ".3f") -> str:
    """Return an interval, or that there is none where an end is NaN.

    Args:
        low: Lower end.
        high: Upper end.
        form: Format of each end; ``"+"`` before it shows every sign.

    Example:
        >>> interval_text(0.8119, 0.9212), interval_text(-0.05, 0.2, "+.1f"), interval_text(float("nan"), 1.0)
        ('0.812–0.921', '−0.1 to +0.2', 'no interval')
    """
    if math.isnan(low) or math.isnan(high):
        return "no interval"
    # A sign would make "–-0.1" of a range dash.
    dash = " to " if low < 0 or form.startswith("+") else "–"
    return f"{low:{form}}{dash}{high:{form}}".replace("-", "−")
