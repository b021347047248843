"""Names of files below a folder: which are images, which are masks, which are neither."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

from busight.data.readers.image import IMAGE_SUFFIXES

NO_MASK = "image without a mask; kept, its lesion outline counts as unknown"
NO_IMAGE = "mask without its image; left out"
"""What is told of an image or a mask that stands alone."""

_MASK = "_mask"
_RESULTS = (
    "card.json", "bundle/card.json", "recipe.toml", "metrics.json", "plan.json", "audit.json", "report.html",
    "lesions.csv", "lesions.unfinished.csv", "filters.csv", "segmenters.csv",
)  # fmt: skip
"""File names that mark the folder of a bundle, a run, an evaluation and its like, a page, a segmentation, a study."""

_DRAWN = re.compile(r"\d{5}_.+_\d+\.png")
"""Names that ``busight.report.overlay.image_file_name`` gives."""

_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db"})


def is_hidden(path: Path, root: Path) -> bool:
    """Return whether a file is hidden, in a hidden folder below ``root``, or one that a system keeps for itself.

    macOS writes a file ``._NAME`` beside each file on foreign disks (AppleDouble), and ``__MACOSX`` into archives.
    """
    parts = path.relative_to(root).parts
    return any(part.startswith((".", "__MACOSX")) for part in parts) or path.name.lower() in _SYSTEM_FILES


def below(root: Path) -> Iterator[Path]:
    """Yield files and folders below a folder, in no order, also behind links to folders; a link upwards is not entered.

    Folders that may not be listed are passed over.
    """
    return _below(root, frozenset())


def _below(folder: Path, entered: frozenset[tuple[int, int]]) -> Iterator[Path]:
    try:
        status = folder.stat()
        with os.scandir(folder) as found:
            entries = list(found)
    except OSError:  # also of a link to a file
        return
    identity = status.st_dev, status.st_ino
    if identity in entered:
        return
    for entry in entries:
        yield (path := folder / entry.name)
        if entry.is_dir(follow_symlinks=False) or entry.is_symlink():
            yield from _below(path, entered | {identity})


def visible_files(root: Path) -> Iterator[Path]:
    """Yield the files below a folder that are not hidden, in no order; dead links too: reading them fails."""
    return (path for path in below(root) if not is_hidden(path, root) and not path.is_dir())


def is_result(folder: Path) -> bool:
    """Return whether a folder holds a bundle or a result, whose image files are figures."""
    try:
        return any((folder / name).is_file() for name in _RESULTS)
    except OSError:  # a name too long, or a folder that may not be listed: reading it gives the reason
        return False


def has_image_suffix(path: Path) -> bool:
    """Return whether a file's suffix, in any case, is one of ``IMAGE_SUFFIXES``."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def is_mask_name(path: Path) -> bool:
    """Return whether a file is a mask by its name: ``NAME_mask.png``, ``NAME_mask_1.png``, ``NAME_mask (1).png``."""
    return _MASK in path.stem.lower()


def are_drawn(images: Iterable[Path]) -> bool:
    """Return whether all images are named as BUSight names overlays, outlines and enhanced images."""
    return all(_DRAWN.fullmatch(path.name) for path in images)


def mask_owner(stem: str, image_stems: Container[str]) -> str | None:
    """Return the stem of the image that a mask belongs to.

    Args:
        stem: Stem of the mask file, with ``_mask`` in it.
        image_stems: Stems of the images beside it.

    Returns:
        What stands before ``_mask``, whatever follows it (numbers of lesions, ``(1)`` and ``- Copy`` of copies); else
        the stem without ``_mask``. None where there is no such image.

    Example:
        >>> mask_owner("a_mask_1_1", {"a", "b"}), mask_owner("a_mask_07", {"a_07"}), mask_owner("c_mask", {"a"})
        ('a', 'a_07', None)
    """
    places = [place for place in range(len(stem)) if stem[place : place + len(_MASK)].lower() == _MASK]
    for place in reversed(places):
        before, behind = stem[:place], stem[place + len(_MASK) :]
        for owner in (before, before + behind):
            if owner in image_stems:
                return owner
    return None


def left_out(names: Iterable[str]) -> str | None:
    """Return one line on the files that are no images by their suffix, with the first as example; None for no file."""
    ordered = sorted(names)
    if not ordered:
        return None
    files = "1 file" if len(ordered) == 1 else f"{len(ordered)} files"
    return f"{files} left out, because the suffix is none of an image, e.g. {ordered[0]}"
