"""Expected values that are kept beside the tests: compared by default, written anew on request.

``BUSIGHT_WRITE_GOLDEN=1 pytest tests/golden`` writes them. A value that changes on purpose is named in the CHANGELOG
under "Numbers changed".
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXPECTED = Path(__file__).parent / "expected"


def check(name: str, found: Any, tolerance: float) -> None:
    """Compare a JSON value with the one that was written down; numbers within the tolerance, absolute or relative."""
    path = EXPECTED / f"{name}.json"
    if os.environ.get("BUSIGHT_WRITE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return
    expected = json.loads(path.read_text(encoding="utf-8"))
    differences: list[str] = []
    _compare("", json.loads(json.dumps(found)), expected, tolerance, differences)
    assert not differences, f"{name}: {len(differences)} values differ\n" + "\n".join(differences[:20])


def _compare(where: str, found: Any, expected: Any, tolerance: float, differences: list[str]) -> None:
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted(expected.keys() | found.keys()):
            if key not in found or key not in expected:
                differences.append(f"{where}/{key}: only in {'expected' if key in expected else 'found'}")
            else:
                _compare(f"{where}/{key}", found[key], expected[key], tolerance, differences)
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (one, other) in enumerate(zip(found, expected, strict=True)):
            _compare(f"{where}/{index}", one, other, tolerance, differences)
    elif _is_number(expected) and _is_number(found):
        same = (found != found and expected != expected) or abs(found - expected) <= tolerance * max(1, abs(expected))
        if not same:
            differences.append(f"{where}: {found!r}, expected {expected!r}")
    elif found != expected:
        differences.append(f"{where}: {found!r}, expected {expected!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def numbers(values: NDArray[Any] | None) -> Any:
    """Return an array as nested lists of full precision."""
    return None if values is None else np.asarray(values, np.float64).tolist()


def packed(mask: NDArray[np.bool_] | None) -> Any:
    """Return a mask as text that shows every pixel: its shape and its bits."""
    if mask is None:
        return None
    return {"shape": list(mask.shape), "bits": base64.b64encode(np.packbits(mask).tobytes()).decode()}


def coarse(values: NDArray[np.float32] | None, side: int = 8) -> Any:
    """Return the means of a map over side × side blocks."""
    if values is None:
        return None
    rows, columns = (np.array_split(np.arange(length), side) for length in values.shape)
    return [[float(values[np.ix_(r, c)].mean(dtype=np.float64)) for c in columns] for r in rows]
