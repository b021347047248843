"""Packing of a trained bundle for others: small, with evidence from data sets that its recipe was tested on."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from busight.errors import BundleError
from busight.experiments.evidence import evidence_of
from busight.io.atomic import filled_at_once, require_free_folder
from busight.io.digests import sha256_of_file
from busight.io.progress import Progress, Silent
from busight.model.bundle.card import CARD, CLASSIFIER, FEATURES, GRAPH_EXAMPLES, SEGMENTER, Card
from busight.model.bundle.examples import replay
from busight.model.bundle.finish import finished
from busight.model.bundle.graph_examples import write_own_examples
from busight.model.bundle.half_precision import write_half_precision
from busight.model.model import Model

LARGEST_CHANGE = 0.01
"""Largest allowed change of a probability by half precision."""


def pack(
    model: Model,
    out: Path,
    *,
    name: str | None = None,
    evidence: Path | None = None,
    progress: Progress | None = None,
) -> tuple[Model, float]:
    """Write a bundle with graphs in half precision and without the weights that training would begin from.

    Args:
        model: The model.
        out: A new folder.
        name: The name of the packed model; None keeps it.
        evidence: A cross-validation by source of the same recipe, for the card; None for none.
        progress: Receives stages and lines.

    Returns:
        The packed model, and the largest change of a probability or mask share on the bundle's examples.

    Raises:
        BundleError: An ensemble, or half precision changes the answers.
        DataError: The cross-validation is not by source, or of another recipe.
        OutputError: The folder is not free.
    """
    progress = progress or Silent()
    require_free_folder(out)
    card = model.card
    if card.inverse_temperatures:
        raise BundleError(f"{model.folder}: is an ensemble; pack a single network")
    if evidence is not None:
        progress.stage("evidence")
        card = card.changed(evidence=evidence_of(evidence, card.training.recipe))
    progress.stage("graphs in half precision")
    with filled_at_once(out, CARD) as inside:
        packed = Model.of_card(inside, _with_half_precision(model, inside, card.changed(name=name or card.name)))
        # The examples of the whole bundle, answered by the packed one.
        moved = replay(replace(packed, folder=model.folder), tolerance=1.0)
        if not moved <= LARGEST_CHANGE:
            raise BundleError(f"{model.folder}: half precision changes its answers by {moved:.2g}; do not pack it")
        packed = finished(packed)
    return replace(packed, folder=out), moved


def _with_half_precision(model: Model, folder: Path, card: Card) -> Card:
    """Write graphs in half precision, their examples and the features to a folder; return the card that lists them."""
    graphs = [file for file in (CLASSIFIER, SEGMENTER) if file in card.files]
    for graph in graphs:
        write_half_precision(model.folder / graph, folder / graph)
    difference = write_own_examples(model.folder, folder, graphs)
    files = {file: sha256_of_file(folder / file) for file in (*graphs, GRAPH_EXAMPLES)}
    if FEATURES in card.files:
        shutil.copyfile(model.folder / FEATURES, folder / FEATURES)
        files[FEATURES] = card.files[FEATURES]
    # Of a bundle that was packed before, the graphs stay the same and so does their distance from the network.
    difference = max(difference, card.onnx_max_abs_diff)
    return card.changed(files=files, exports={}, onnx_max_abs_diff=difference, digest="")
