"""Any folder: one sub-folder a class, or a CSV with the columns path, label and optionally patient and mask.

``labels.json`` beside them may define the label schema.
"""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from busight.data.dataset import DataSet
from busight.data.image_spec import GREY, ImageSpec, Pixels, spec_of
from busight.data.labels import BREAST, LabelSchema, infer_labels
from busight.data.readers.files import FileReader
from busight.data.readers.listing import (
    NO_IMAGE,
    are_drawn,
    below,
    has_image_suffix,
    is_hidden,
    is_mask_name,
    is_result,
    left_out,
    mask_owner,
    visible_files,
)
from busight.data.sources.table import TABLE_NAME, canonical_label, samples_of_table
from busight.errors import DataError, ImageError
from busight.io.paths import user_path
from busight.types import DataWarning, Sample

LABELS_NAME = "labels.json"
_IMAGES_READ = 64


def existing_folder(argument: str, source: str) -> Path:
    """Return the folder that a spec names.

    Raises:
        DataError: The path does not exist, is no folder, or the folder is empty.
    """
    root = user_path(argument)
    if not argument or not root.is_dir():
        raise DataError(
            f"{argument or '(nothing)'}: no such folder; write --data {source}:PATH with an existing folder"
        )
    if not any(root.iterdir()):
        raise DataError(f"{root}: the folder is empty; point --data {source}:PATH at the folder with the images")
    return root


def natural_order(path: Path) -> tuple[str | int, ...]:
    """Return a sort key that puts ``benign (2)`` before ``benign (10)``."""
    return tuple(int(part) if part.isdecimal() else part.lower() for part in re.split(r"(\d+)", path.as_posix()))


def load_folder(argument: str) -> DataSet:
    """List a folder of class folders, a folder with ``samples.csv``, or a CSV file.

    Each sub-folder is a class, whatever its name; masks lie beside their image as ``NAME_mask.png``. A CSV has a header
    with ``path,label`` and optionally ``id,patient,mask,laterality,birads,device,exam,view,histology,part,
    origin,spacing_mm``; paths are relative to it, several masks are separated by ``;``, an empty label means unknown.
    Without ``id`` the path names the sample. ``part`` is train, val, test or an official fold, ``origin`` the digest of
    the image that it was resized from, ``spacing_mm`` row;column.

    ``labels.json`` may name ``names`` (in the order of the probabilities), ``positive`` and ``without_lesion``; without
    it ``malignant`` is the positive class and ``normal`` the one without a lesion, where they occur.

    Args:
        argument: A folder or a CSV file.

    Raises:
        DataError: There is no usable image, or a column or label is unknown.
    """
    path = user_path(argument)
    if path.is_file():
        samples, problems = samples_of_table(path)
        root = path.parent
    else:
        root = existing_folder(argument, "folder")
        table = root / TABLE_NAME
        if table.is_file():
            samples, problems = samples_of_table(table)
            problems += _unlisted(root, samples)
        else:
            samples, problems = _from_class_folders(root)
    if not samples:
        raise DataError(
            f"{argument}: no labelled images found; expected a sub-folder for each class or a {TABLE_NAME} with "
            "the columns path,label"
        )
    labels = _labels(root, {sample.label for sample in samples if sample.label is not None})
    spec = _image_spec(FileReader(root), samples)
    reader = FileReader(root, spec)
    return DataSet(f"folder:{argument}", "folder", tuple(samples), reader, labels, tuple(problems), spec)


def _unlisted(root: Path, samples: Iterable[Sample]) -> list[DataWarning]:
    """Return a warning of the image files below a folder that its table does not name."""
    listed = {root / path for sample in samples for path in (sample.image_path, *sample.mask_paths)}
    images = (path for path in visible_files(root) if has_image_suffix(path) and path not in listed)
    names = sorted(path.relative_to(root).as_posix() for path in images)
    if not names:
        return []
    return [DataWarning(names[0], f"{len(names)} image files are not in {TABLE_NAME} and were left out")]


def _image_spec(reader: FileReader, samples: Sequence[Sample]) -> ImageSpec:
    """Infer from evenly spaced images whether they are colour images.

    Bits are not inferred: the scale of a 16-bit file must not depend on the files beside it.
    """
    try:
        return ImageSpec(spec_of(_readable(reader, samples[:: max(1, len(samples) // _IMAGES_READ)])).channels)
    except DataError:
        return GREY  # none can be read: the manifest lists each file


def _readable(reader: FileReader, samples: Iterable[Sample]) -> Iterator[Pixels]:
    """Yield the pixels of readable images, one at a time."""
    for sample in samples:
        with contextlib.suppress(ImageError):
            yield reader.pixels(sample)


def _labels(root: Path, found: set[str]) -> LabelSchema:
    """Return the schema of ``labels.json``, else the one inferred from the names."""
    path = root / LABELS_NAME
    if not path.is_file():
        _require_one_spelling(root, found)
        # A set without labels, or of a single class, can be viewed, predicted, and scored by a bundle.
        return infer_labels(found) if len(found) > 1 else infer_labels({*BREAST.names, *found})
    try:
        labels = TypeAdapter(LabelSchema).validate_json(path.read_bytes())
    except (ValidationError, OSError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error.strerror
        raise DataError(
            f'{path}: not label names ({reason}); write {{"names": ["a", "b"], "positive": "b"}}'
        ) from error
    if unknown := {label for label in found if labels.index(label) < 0}:
        raise DataError(f"{path}: does not name the label {min(unknown)!r}; known: {', '.join(labels.names)}")
    return labels


def _require_one_spelling(root: Path, found: set[str]) -> None:
    """Raise for labels that are probably one label in two spellings: each would silently become a class of its own."""
    for label in sorted(found - set(BREAST.names)):
        near = [name for name in found if name != label and name.casefold() == label.casefold()]
        near = near or difflib.get_close_matches(label.casefold(), BREAST.names, n=1, cutoff=0.8)
        if near:
            raise DataError(
                f"{root}: label {label!r} looks like {near[0]!r} written otherwise; write one of them everywhere, or "
                f"name the classes in {LABELS_NAME}"
            )


def _from_class_folders(root: Path) -> tuple[list[Sample], list[DataWarning]]:
    samples: list[Sample] = []
    problems: list[DataWarning] = []
    others: list[Path] = []
    for folder in sorted((path for path in root.iterdir() if _is_class_folder(path)), key=natural_order):
        results = {path for path in (folder, *below(folder)) if path.is_dir() and is_result(path)}
        if results:
            name = min(results).relative_to(root).as_posix()
            problems.append(DataWarning(name, "a bundle or a result of BUSight, whose images are none; left out"))
        listed = sorted(visible_files(folder), key=natural_order)
        listed = [path for path in listed if results.isdisjoint(path.parents)]
        others += [path for path in listed if not has_image_suffix(path)]
        paths = [path for path in listed if has_image_suffix(path)]
        images = [path for path in paths if not is_mask_name(path)]
        if results and not images:
            continue
        if not images:
            raise DataError(f"{folder}: no images of class {folder.name}; add some or remove the folder")
        _require_not_drawn(images)
        masks, orphans = masks_by_owner(images, [path for path in paths if is_mask_name(path)], root)
        problems += [DataWarning(mask, NO_IMAGE) for mask in orphans]
        for path in images:
            relative = path.relative_to(root)
            samples.append(
                Sample(
                    sample_id=relative.as_posix(),
                    source="folder",
                    label=canonical_label(folder.name),
                    image_path=relative.as_posix(),
                    mask_paths=tuple(masks.get(path.with_suffix(""), ())),
                )
            )
    beside = [path.name for path in root.iterdir() if has_image_suffix(path) and not is_hidden(path, root)]
    if beside:
        reason = (
            f"{len(beside)} images beside the class folders were left out; move them into the folder of their class"
        )
        problems.append(DataWarning(min(beside), reason))
    if text := left_out(path.relative_to(root).as_posix() for path in others):
        problems.append(DataWarning(".", text))
    return samples, problems


def _require_not_drawn(images: Iterable[Path]) -> None:
    by_folder: dict[Path, list[Path]] = {}
    for path in images:
        by_folder.setdefault(path.parent, []).append(path)
    for folder, inside in by_folder.items():
        if are_drawn(inside):
            raise DataError(
                f"{folder}: its images are named like those that BUSight draws, which are no data; move the folder, or "
                f"rename them, e.g. {inside[0].name}, if they are"
            )


def _is_class_folder(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith((".", "__"))


def masks_by_owner(
    images: Iterable[Path], masks: Iterable[Path], root: Path
) -> tuple[dict[Path, list[str]], list[str]]:
    """Return the masks of each image, by the image's path without its suffix, and the masks without an image.

    Args:
        images: Image files.
        masks: Mask files by their names, each in its image's folder.
        root: What the returned paths of masks are relative to.
    """
    stems: dict[Path, set[str]] = {}
    for path in images:
        stems.setdefault(path.parent, set()).add(path.stem)
    owned: dict[Path, list[str]] = {}
    orphans: list[str] = []
    for path in masks:
        owner = mask_owner(path.stem, stems.get(path.parent, set()))
        relative = path.relative_to(root).as_posix()
        if owner is None:
            orphans.append(relative)
        else:
            owned.setdefault(path.parent / owner, []).append(relative)
    return owned, orphans
