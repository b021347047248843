"""Opening a bundle: from checked files to a predictor."""

from __future__ import annotations

from typing import Any

from busight.classify.masked import input_channels
from busight.decision.image_statistics import NAMES as STATISTICS
from busight.descriptors.lexicon import words_digest
from busight.errors import BundleError, ConfigError
from busight.model.bundle.card import CLASSIFIER, MEMORY, SEGMENTER, SegmentPart
from busight.model.bundle.feature_bank import Memory, read_memory
from busight.model.bundle.load import Bundle
from busight.model.model import Predictor
from busight.preprocess.pipeline import parse_enhancement
from busight.segment.settings import is_learned
from busight.strategies.segmenters import ClassicalSegmenter, GraphSegmenter, Segmenter


def open_predictor(bundle: Bundle) -> Predictor:
    """Make a predictor from a checked bundle.

    Raises:
        BundleError: A file that the card needs is missing, ONNX Runtime cannot run a graph, or a graph or the
            enhancement chain is not what the card needs.
    """
    card = bundle.card
    _require_same_words(bundle)
    try:
        enhancement = parse_enhancement(card.enhance, card.channels)
    except ConfigError as error:
        raise BundleError(f"{bundle.folder}: {error}; update busight or get the bundle again") from error
    classifier = None
    if (part := card.classify) is not None:
        channels = input_channels(part.lesion, enhancement.n_channels)
        shape = (channels, part.input.size, part.input.size)
        classifier = _session(bundle, CLASSIFIER, shape, {"logits": len(part.classes), "activation": None})
    segmenter = _segmenter(bundle, card.segment, enhancement.n_channels) if card.segment is not None else None
    return Predictor(card, enhancement, segmenter, classifier, _memory(bundle, classifier))


def _memory(bundle: Bundle, classifier: Any) -> Memory | None:
    path = bundle.path(MEMORY)
    if path is None:
        return None
    memory = read_memory(path)
    widths = [] if classifier is None else [one.shape[-1] for one in classifier.get_outputs() if one.name == "features"]
    if widths != [memory.features.shape[1]]:
        raise BundleError(f"{path}: its features are of another network; copy the whole folder again")
    return memory


def _require_same_words(bundle: Bundle) -> None:
    """Refuse a gate or a second reader that was taught by numbers which this version measures otherwise."""
    gate, reader = bundle.card.gate, bundle.card.reader
    other_looks = gate is not None and gate.image is not None and len(gate.image.mean) != len(STATISTICS)
    if other_looks or (reader is not None and reader.words not in ("", words_digest())):
        raise BundleError(
            f"{bundle.folder}: its gate or second reader was taught by another version's numbers; use busight "
            f"{bundle.card.busight}, or train it anew"
        )


def _segmenter(bundle: Bundle, part: SegmentPart, channels: int) -> Segmenter | None:
    if part.method == "joint":
        return None
    if not is_learned(part.method):
        return ClassicalSegmenter(part.method)
    if part.input is None:
        raise BundleError(f"{bundle.folder}: the card names a network without an input size; get the bundle again")
    session = _session(bundle, SEGMENTER, (channels, part.input.size, part.input.size), {"mask_probs": None})
    return GraphSegmenter(session, part.input.size, part.input.keep_aspect, part.test_flip)


def _session(bundle: Bundle, name: str, shape: tuple[int, int, int], outputs: dict[str, int | None]) -> Any:
    """Open a graph and check that it takes images of the card's shape and gives the outputs, each with its width."""
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as refusals

    path = bundle.path(name)
    if path is None:
        raise BundleError(f"{bundle.folder}: the card needs {name}, but does not list it; get the bundle again")
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except (
        refusals.Fail,
        refusals.InvalidArgument,
        refusals.InvalidGraph,
        refusals.InvalidProtobuf,
        refusals.NotImplemented,
        refusals.RuntimeException,
    ) as error:
        raise BundleError(f"{path}: ONNX Runtime cannot run it ({str(error)[:100]}); update onnxruntime") from error
    sides = {given.name: given.shape[1:] for given in session.get_inputs()}
    found = {given.name: given.shape[1:] for given in session.get_outputs()}
    widths_fit = all(key in found and (width is None or found[key] == [width]) for key, width in outputs.items())
    if sides != {"images": list(shape)} or not widths_fit:
        raise BundleError(f"{path}: its inputs or outputs are not those that the card names; get the bundle again")
    return session
