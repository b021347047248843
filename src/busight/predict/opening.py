"""Opening a bundle: from checked files to a predictor."""

from __future__ import annotations

from typing import Any

from busight.bundle.card import CLASSIFIER, MEMORY, SEGMENTER, SegmentPart
from busight.bundle.load import Bundle
from busight.bundle.memory import read_memory
from busight.classify.masked import input_channels
from busight.enhance.enhancement import parse_enhancement
from busight.errors import BundleError, RecipeError
from busight.predict.predictor import Predictor
from busight.predict.segmenters import ClassicalSegmenter, GraphSegmenter, Segmenter
from busight.segment.settings import is_learned


def open_predictor(bundle: Bundle) -> Predictor:
    """Make a predictor from a checked bundle.

    Raises:
        BundleError: A file that the card needs is missing, ONNX Runtime cannot run a graph, or a graph or the
            enhancement chain is not what the card needs.
    """
    card = bundle.card
    try:
        enhancement = parse_enhancement(card.enhance, card.channels)
    except RecipeError as error:
        raise BundleError(f"{bundle.folder}: {error}; update busight or get the bundle again") from error
    classifier = None
    if (part := card.classify) is not None:
        channels = input_channels(part.lesion, enhancement.n_channels)
        shape = (channels, part.input.size, part.input.size)
        classifier = _session(bundle, CLASSIFIER, shape, {"logits": len(part.classes), "activation": None})
    segmenter = _segmenter(bundle, card.segment, enhancement.n_channels) if card.segment is not None else None
    path = bundle.path(MEMORY)
    return Predictor(card, enhancement, segmenter, classifier, None if path is None else read_memory(path))


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
