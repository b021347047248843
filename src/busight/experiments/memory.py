"""What a bundle keeps of its training images: features to compare with, the looks it will accept, a second reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from busight.data.dataset import Reader
from busight.data.labels import grades_lesions
from busight.data.split import Split
from busight.decision.image_statistics import image_statistics
from busight.decision.ood import NEIGHBOURS, feature_distance, feature_limit, fit_image_gate
from busight.descriptors.lexicon import words_digest
from busight.descriptors.model import fit_reader
from busight.errors import DataError
from busight.io.digests import sha256_of_file
from busight.io.progress import Progress
from busight.model.bundle.card import MEMORY, GatePart, ReaderPart
from busight.model.bundle.feature_bank import Memory, read_memory, write_memory
from busight.model.model import Predictor
from busight.types import Finding, FloatArray, Sample


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """One image of the training or the validation part."""

    sample: Sample
    trained: bool
    statistics: FloatArray
    features: NDArray[np.float32] | None
    words: dict[str, float] | None


def with_memory(
    predictor: Predictor, samples: Sequence[Sample], split: Split, reader: Reader, folder: Path, progress: Progress
) -> Predictor:
    """Write the training images' features beside the graphs, and learn gates and second reader.

    Args:
        predictor: Of a bundle that is not sealed yet.
        samples: All samples; those of the training and the validation part count.
        split: Which they are.
        reader: Reads them.
        folder: The bundle's.
        progress: Told about each image.

    Returns:
        The predictor with the features, and a card that names their file and holds the rest.

    Raises:
        OutputError: The features could not be written.
    """
    progress.stage("memory, gates and second reader")
    train, val = set(split.train), set(split.val)
    chosen = [sample for sample in samples if sample.sample_id in train | val]
    seen = []
    for number, sample in enumerate(chosen, start=1):
        seen.append(_look(sample, sample.sample_id in train, reader, predictor))
        progress.tick(number, len(chosen))
    memory = _memory(seen, folder)
    files = (
        predictor.card.files if memory is None else {**predictor.card.files, MEMORY: sha256_of_file(folder / MEMORY)}
    )
    second = _reader(seen)
    part = predictor.card.classify
    if part is not None and part.reader:
        if not grades_lesions(part.classes):
            progress.line(f"warning: classify.reader has no say in the task {part.task}")
        elif second.reader is None:
            progress.line(f"warning: classify.reader has no say in this bundle; {second.source}")
    update = {"gate": _gate(seen, memory), "reader": second, "files": files}
    return replace(predictor, card=predictor.card.model_copy(update=update), memory=memory)


def _look(sample: Sample, trained: bool, reader: Reader, predictor: Predictor) -> _Seen:
    image = reader.image(sample)
    is_lesion = sample.finding in (Finding.BENIGN, Finding.MALIGNANT)
    features, words = predictor.first_look(image, read=trained and is_lesion)
    return _Seen(sample, trained, image_statistics(image), features, words)


def _memory(seen: Sequence[_Seen], folder: Path) -> Memory | None:
    known = [(one.sample, one.features) for one in seen if one.trained and one.features is not None]
    if not known:
        return None
    features = np.array([features for _, features in known])
    findings = [str(sample.finding) for sample, _ in known]
    write_memory(folder / MEMORY, features, [sample.sample_id for sample, _ in known], findings)
    return read_memory(folder / MEMORY)


def _gate(seen: Sequence[_Seen], memory: Memory | None) -> GatePart:
    told = f"{len(seen)} training and validation images"
    try:
        image_gate = fit_image_gate(np.array([one.statistics for one in seen]))
        told += ", of which one in a hundred lies beyond the limit"
    except DataError as error:
        image_gate, told = None, f"no image gate: {error}"
    fresh = [one.features for one in seen if not one.trained and one.features is not None]
    limit = None
    if memory is not None and fresh:
        limit = feature_limit(feature_distance(np.array(fresh), memory.features))
        told += f"; one in twenty of {len(fresh)} validation images has features farther away"
    return GatePart(image=image_gate, feature_limit=limit, neighbours=NEIGHBOURS, source=told)


def _reader(seen: Sequence[_Seen]) -> ReaderPart:
    """Fit the second reader on lesions as the network outlines them, not as they were drawn."""
    worded = [(one.words, one.sample.finding) for one in seen if one.words is not None]
    if not worded:
        return ReaderPart(reader=None, source="no outlined lesion to learn words from")
    inputs = np.array([list(words.values()) for words, _ in worded])
    malignant = np.array([finding is Finding.MALIGNANT for _, finding in worded])
    try:
        fitted = fit_reader(list(worded[0][0]), inputs, malignant)
    except DataError as error:
        return ReaderPart(reader=None, source=f"none: {error}")
    return ReaderPart(
        reader=fitted,
        words=words_digest(),
        source=f"{len(worded)} lesions that the network outlined in training images",
    )
