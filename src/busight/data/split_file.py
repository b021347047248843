"""A split as a file, so that another run can use exactly the same subsets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from busight.data.split import SUBSETS, Split
from busight.errors import DataError
from busight.io.atomic import write_json
from busight.types import Sample

FORMAT = 1


class _Header(BaseModel):
    format: int


class _SplitDocument(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: int
    kind: str
    seed: int
    digest: str
    data_digest: str
    train: list[str]
    val: list[str]
    test: list[str]


def write_split(path: Path, split: Split, data_digest: str) -> None:
    """Write a split with its own digest and the digest of the data it was made for.

    Raises:
        OutputError: The file could not be written.
    """
    document = _SplitDocument(
        format=FORMAT,
        kind=split.kind,
        seed=split.seed,
        digest=split.digest,
        data_digest=data_digest,
        train=list(split.train),
        val=list(split.val),
        test=list(split.test),
    )
    write_json(path, document.model_dump())


def read_split(path: Path, samples: Sequence[Sample], data_digest: str | None = None) -> Split:
    """Read a split back for a data set.

    Args:
        path: A file that `write_split` wrote.
        samples: The samples of the data set that it is used with.
        data_digest: Refuse the split when it was made for data with another digest; None accepts it when it names only
            samples of the data set.

    Raises:
        DataError: Not a split file, a changed one, one with a sample in two subsets, or one for other samples.
    """
    document = _read(path)
    split = Split(document.kind, document.seed, *(tuple(getattr(document, subset)) for subset in SUBSETS))
    if split.digest != document.digest:
        raise DataError(f"{path}: its parts do not match its digest; it was changed after it was written, make it anew")
    if data_digest is not None and document.data_digest != data_digest:
        raise DataError(f"{path}: was made for other data (the images, masks or labels have changed since); begin anew")
    ids = [sample_id for subset in SUBSETS for sample_id in getattr(split, subset)]
    if len(set(ids)) != len(ids):
        raise DataError(f"{path}: a sample stands in two parts; make the split anew")
    if missing := set(ids) - {sample.sample_id for sample in samples}:
        raise DataError(
            f"{path}: {len(missing)} of its {len(ids)} samples are not in this data set (first: {min(missing)}); "
            "use the split with the data it was made for"
        )
    return split


def data_digest_of(path: Path) -> str:
    """Return the digest of the data that a split file was made for.

    Raises:
        DataError: Not a split file.
    """
    return _read(path).data_digest


def _read(path: Path) -> _SplitDocument:
    try:
        content = path.read_bytes()
        # First the format alone: a newer one may have other fields, and should be reported as newer, not as damaged.
        version = _Header.model_validate_json(content).format
        if version > FORMAT:
            raise DataError(f"{path}: split format {version} is newer than {FORMAT}; update busight")
        return _SplitDocument.model_validate_json(content)
    except OSError as error:
        raise DataError(
            f"{path}: the split cannot be read ({error.strerror}); give --split an existing split.json"
        ) from error
    except ValidationError as error:
        raise DataError(f"{path}: not a split file of BUSight; give --split a split.json that a run wrote") from error
