"""Export of a bundle's graphs to OpenVINO and int8, with their agreement measured on the validation images."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from busight.data.dataset import DataSet
from busight.data.manifest import manifest_row
from busight.data.sources.catalogue import load_data
from busight.data.split_file import read_split
from busight.errors import BundleError, DataError, OutputError
from busight.io.digests import sha256_of_file
from busight.io.progress import Progress, Silent
from busight.metrics.ranking import auroc
from busight.model.bundle.card import Card, ExportPart, Target
from busight.model.bundle.examples import replay
from busight.model.bundle.openvino_graphs import FLOAT_SHARES, toolkit, write_float_graph, write_int8_graph
from busight.model.bundle.save import write_card
from busight.model.engines.catalogue import EngineSettings, exported_file
from busight.model.model import Model
from busight.model.recording import recording
from busight.types import FloatArray, Image, prediction_of

MAX_PROB_DIFF = 1e-4
"""Largest allowed difference of a probability in single precision."""

SAME_LABEL, MAX_AUROC_DIFF = 0.99, 0.005
"""Least share of validation images with the same label, and largest change of AUROC, in half precision and int8."""

_CALIBRATION_INPUTS = 300
"""Inputs that int8 is calibrated on, NNCF's own default; more change nothing."""


@dataclass(frozen=True, slots=True)
class ValidationSet:
    """The validation images of a bundle's training.

    Attributes:
        images: uint8 HW or HW3.
        positive: bool (N,): of the positive class; all False without one.
    """

    images: tuple[Image, ...]
    positive: NDArray[np.bool_]


def read_validation(model: Model, spec: str, split_file: Path) -> ValidationSet:
    """Read the validation images that a bundle's split names.

    Args:
        model: The model.
        spec: Its training data.
        split_file: Its split.

    Raises:
        DataError: The split is not that of the bundle, the images are not those it was trained with, or there are none.
    """
    data: DataSet = load_data(spec).read_as(model.preprocess.image)
    split = read_split(split_file, data.samples)
    if split.digest != model.card.training.split_digest:
        raise DataError(f"{split_file}: is not the split of {model.folder}; name the one that its training wrote")
    wanted, known = set(split.val), frozenset(model.card.training.digests)
    samples = [sample for sample in data.samples if sample.sample_id in wanted]
    images = tuple(data.reader.image(sample) for sample in samples)
    for sample, image in zip(samples, images, strict=True):
        if not manifest_row(sample, image).is_among(known):
            raise DataError(f"{sample.sample_id}: is another image than {model.folder} was trained with; name its data")
    if not images:
        raise DataError(f"{split_file}: has no validation images, which an export is measured on; train with some")
    labels = [model.labels.class_of(sample.label) for sample in samples]
    return ValidationSet(images, np.array([label == model.labels.positive for label in labels], dtype=np.bool_))


def export(
    model: Model, targets: Sequence[Target], validation: ValidationSet, progress: Progress | None = None
) -> Card:
    """Write a bundle's graphs for other engines, and how far their answers are from the ONNX graphs' onto its card.

    Nothing of the bundle changes for a target whose answers are too far away.

    Args:
        model: The model, opened in ONNX Runtime.
        targets: What to write; a target that the bundle has is made anew.
        validation: Its validation images.
        progress: Receives stages and lines.

    Returns:
        The card, written.

    Raises:
        BundleError: The bundle is an ensemble or has no graph, or a target's answers are too far away.
        OutputError: The bundle cannot be written to.
    """
    progress = progress or Silent()
    if model.card.inverse_temperatures:
        raise BundleError(f"{model.folder}: is an ensemble, which has no validation images; export its members")
    progress.stage("ONNX Runtime on the validation images")
    recorded, expected = _record(model, validation.images)
    if not recorded:
        raise BundleError(f"{model.folder}: has no network to export")
    card = model.card
    for target in targets:
        progress.stage(target)
        card = _export(replace(model, card=card), target, recorded, validation, expected)
        progress.line(f"{target}: {summary(card.exports[target])}")
    return card


def summary(part: ExportPart) -> str:
    """Return the agreement of an exported graph as a line."""
    auroc_text = "" if part.auroc_diff is None else f", AUROC {part.auroc_diff:+.4f}"
    layers = (
        "" if not part.float_share else f"; the first {100 * part.float_share:g} % of the layers in single precision"
    )
    return (
        f"{part.images} validation images, {100 * part.same_label:.1f} % with the same label, probabilities differ by "
        f"at most {part.max_prob_diff:.1g}{auroc_text}{layers}"
    )


def _export(
    model: Model,
    target: Target,
    recorded: Mapping[str, Sequence[NDArray[np.float32]]],
    validation: ValidationSet,
    expected: FloatArray,
) -> Card:
    try:
        with tempfile.TemporaryDirectory(dir=model.folder, prefix=".export-") as name:
            work, mine = Path(name), {file for graph in recorded for file in _files(graph, target)}
            for file in model.card.files.keys() - mine:
                (work / file).symlink_to((model.folder / file).absolute())
            part = _made(work, model, target, recorded, validation, expected)
            return _moved(work, model, target, sorted(mine), part)
    except OSError as error:
        raise OutputError(f"{model.folder}: could not be written ({error.strerror or error})") from error


def _made(
    work: Path,
    model: Model,
    target: Target,
    recorded: Mapping[str, Sequence[NDArray[np.float32]]],
    validation: ValidationSet,
    expected: FloatArray,
) -> ExportPart:
    """Write the graphs into a folder that links to the bundle's files, and return their agreement.

    Raises:
        BundleError: The answers are too far away.
    """
    for float_share in FLOAT_SHARES if target == "int8" else (None,):
        for graph, inputs in recorded.items():
            path = work / exported_file(graph, target)
            if float_share is None:
                write_float_graph(model.folder / graph, path, half=target == "fp16")
            else:
                write_int8_graph(model.folder / graph, path, inputs, float_share)
        part = _agreement(work, model, target, recorded, validation, expected, float_share)
        if _agrees(part, target):
            return part
    raise BundleError(f"{model.folder}: {target} is too far from the ONNX graph, nothing was written: {summary(part)}")


def _moved(work: Path, model: Model, target: Target, names: Sequence[str], part: ExportPart) -> Card:
    """Move the written files into the bundle and return its new card."""
    files = {**model.card.files, **{name: sha256_of_file(work / name) for name in names}}
    card = model.card.changed(files=files, exports={**model.card.exports, target: part})
    if target in model.card.exports:  # until the new files are whole, the bundle is one without them
        others = {name: digest for name, digest in model.card.files.items() if name not in names}
        exports = {name: one for name, one in model.card.exports.items() if name != target}
        write_card(model.folder, model.card.changed(files=others, exports=exports))
    for name in names:
        (work / name).replace(model.folder / name)
    return write_card(model.folder, card)


def _agreement(
    work: Path,
    model: Model,
    target: Target,
    graphs: Iterable[str],
    validation: ValidationSet,
    expected: FloatArray,
    float_share: float | None,
) -> ExportPart:
    files = {**model.card.files, **{name: "" for graph in graphs for name in _files(graph, target)}}
    exported = Model.of_card(work, model.card.changed(files=files), EngineSettings(target))
    probs = _probs(exported, validation.images)
    place, difference = model.labels.positive_index, None
    if place is not None and 0 < validation.positive.sum() < len(validation.positive):
        before, after = (float(auroc(values[:, place], validation.positive)) for values in (expected, probs))
        difference = after - before
    return ExportPart(
        images=len(validation.images),
        max_prob_diff=float(np.abs(probs - expected).max()),
        same_label=float((probs.argmax(axis=1) == expected.argmax(axis=1)).mean()),
        auroc_diff=difference,
        max_example_diff=replay(exported, tolerance=1.0),
        float_share=float_share,
        toolkit=toolkit(target),
    )


def _agrees(part: ExportPart, target: Target) -> bool:
    if target == "openvino":
        return part.max_prob_diff <= MAX_PROB_DIFF
    return part.same_label >= SAME_LABEL and abs(part.auroc_diff or 0.0) <= MAX_AUROC_DIFF


def _files(graph: str, target: Target) -> tuple[str, str]:
    xml = exported_file(graph, target)
    return xml, f"{xml.removesuffix('.xml')}.bin"


def _record(model: Model, images: Sequence[Image]) -> tuple[dict[str, list[NDArray[np.float32]]], FloatArray]:
    """Return inputs of each graph on images, at most so many as int8 is calibrated on, and the probabilities."""
    recorder, engines = recording(model)
    probs = _probs(recorder, images)
    rng = np.random.default_rng(0)
    chosen = {}
    for graph, engine in engines.items():
        inputs = [image for batch in engine.batches for image in batch]
        chosen[graph] = [inputs[place] for place in rng.permutation(len(inputs))[:_CALIBRATION_INPUTS]]
    return chosen, probs


def _probs(model: Model, images: Sequence[Image]) -> FloatArray:
    return np.array([prediction_of(answer).calibrated_probs for answer in model.predict(images)])
