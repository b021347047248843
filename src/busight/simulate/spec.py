"""The argument of the source ``phantom:``: number of images, seed, injected faults."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from busight.errors import ConfigError

_SHARES = {"duplicates": 0.2, "flips": 0.1, "overlays": 1.0, "wrong_labels": 0.2, "typical": 1.0}
_WHOLE = {"seed": (0, 2**32 - 1), "size": (64, 1024)}
_KEYS = (*_WHOLE, *_SHARES)
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class PhantomSpec:
    """A phantom set.

    Attributes:
        count: Images, 1–100000.
        seed: 0 to 2^32 - 1.
        size: Rows and columns, 64–1024.
        duplicates: Share of images that are near-duplicates of others, 0–0.2.
        flips: Share that are mirrored near-duplicates of others, 0–0.1.
        overlays: Share with text and calipers burned in, 0–1.
        wrong_labels: Share with a wrong label, 0–0.2.
        typical: Share of patients with a textbook mass, 0–1; the others overlap realistically.
    """

    count: int
    seed: int = 0
    size: int = 256
    duplicates: float = 0.0
    flips: float = 0.0
    overlays: float = 0.0
    wrong_labels: float = 0.0
    typical: float = 0.0


def parse_phantom_spec(argument: str) -> PhantomSpec:
    """Parse ``N`` or ``N,key=value,...``.

    Args:
        argument: The text after ``phantom:``.

    Returns:
        The set.

    Raises:
        ConfigError: A count, key or value that is not allowed; the message names the allowed ones.

    Example:
        >>> parse_phantom_spec("240,seed=7,duplicates=0.1").duplicates
        0.1
    """
    first, *settings = (part.strip() for part in argument.split(","))
    count = _whole("phantom count", first, 1, _MOST)
    seen: dict[str, str] = {}
    for setting in settings:
        key, separator, value = (part.strip() for part in setting.partition("="))
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, n=1, cutoff=0.0)[0]
            raise ConfigError(
                f"phantom:{argument}: unknown key {key!r}, did you mean {near!r}? Allowed: {', '.join(_KEYS)}"
            )
        if not separator or key in seen:
            raise ConfigError(f"phantom:{argument}: {key!r} must be given once, as {key}=VALUE")
        seen[key] = value
    whole = {key: _whole(f"phantom {key}", seen[key], *_WHOLE[key]) for key in _WHOLE if key in seen}
    shares = {key: _share(key, seen[key]) for key in _SHARES if key in seen}
    return PhantomSpec(
        count=count,
        seed=whole.get("seed", 0),
        size=whole.get("size", 256),
        duplicates=shares.get("duplicates", 0.0),
        flips=shares.get("flips", 0.0),
        overlays=shares.get("overlays", 0.0),
        wrong_labels=shares.get("wrong_labels", 0.0),
        typical=shares.get("typical", 0.0),
    )


def _whole(name: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text[:12]) <= most):
        raise ConfigError(f"{name} {text!r}: must be a whole number from {least} to {most}")
    return int(text)


def _share(key: str, text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= _SHARES[key]:
        raise ConfigError(f"phantom {key} {text!r}: must be a share from 0 to {_SHARES[key]:g}")
    return share
