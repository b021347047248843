"""What a network saw in its training images: by it new images are compared with them."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from busight.errors import BundleError
from busight.io.atomic import written_beside


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """Features of the training images. They hold no picture, but they are of patients: share them as you would a table.

    Attributes:
        features: float32 (M, C): the classifier's pooled features.
        sample_ids: M names of samples.
        findings: M findings.
    """

    features: NDArray[np.float32]
    sample_ids: tuple[str, ...]
    findings: tuple[str, ...]


def write_memory(path: Path, features: NDArray[np.float32], sample_ids: Sequence[str], findings: Sequence[str]) -> None:
    """Write the features at half precision: of a cosine that changes the fourth digit.

    Raises:
        OutputError: They could not be written.
    """
    with written_beside(path) as beside, beside.open("wb") as stream:
        np.savez_compressed(
            stream,
            features=features.astype(np.float16),
            sample_ids=np.array(sample_ids, dtype=np.str_),
            findings=np.array(findings, dtype=np.str_),
        )


def read_memory(path: Path) -> Memory:
    """Read what `write_memory` wrote.

    Raises:
        BundleError: It is not such a file.
    """
    try:
        # Opened here: NumPy leaves a broken archive open.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as saved:
            features, ids, findings = saved["features"], saved["sample_ids"].tolist(), saved["findings"].tolist()
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise BundleError(f"{path}: not the features of a bundle; copy the whole folder again") from error
    known = isinstance(ids, list) and isinstance(findings, list)
    if not known or features.ndim != 2 or not 0 < len(features) == len(ids) == len(findings):
        raise BundleError(f"{path}: its features do not belong to its names; copy the whole folder again")
    if features.dtype.kind != "f" or not np.isfinite(features).all():
        raise BundleError(f"{path}: its features are no finite numbers; copy the whole folder again")
    return Memory(features.astype(np.float32), tuple(ids), tuple(findings))
