"""What bundles of fixed tiny networks say about phantoms: a change of code that changes an answer is noticed here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from golden_bundles import CASES, golden_bundle
from golden_file import check, coarse, numbers, packed

from busight.data.sources.catalogue import load
from busight.model.opening import open_predictor
from busight.types import Prediction

PHANTOMS = "phantom:4,size=120,seed=11"


@pytest.mark.parametrize("name", CASES)
def test_predictions_are_those_written_down(name: str, tmp_path: Path) -> None:
    predictor = open_predictor(golden_bundle(name, tmp_path))
    data = load(PHANTOMS)
    found = {}
    for index, sample in enumerate(data.samples):
        image = data.reader.image(sample)
        image = image[: len(image) - 10 * index]  # not all of one shape
        found[sample.sample_id] = _document(predictor.predict(image, pixel_spacing_mm=(0.1, 0.12)))
    check(name, found, tolerance=1e-6)


def _document(found: Prediction) -> dict[str, Any]:
    second = found.second_reader
    return {
        "label": found.finding,
        "logits": numbers(found.logits),
        "raw_probs": numbers(found.raw_probs),
        "calibrated_probs": numbers(found.calibrated_probs),
        "network_logits": numbers(found.network_logits),
        "above_threshold": found.flagged,
        "prediction_set": found.prediction_set and list(found.prediction_set),
        "rejected": found.refused,
        "warnings": list(found.cautions),
        "roi": [found.roi.top, found.roi.left, found.roi.bottom, found.roi.right],
        "mask": packed(found.mask),
        "mask_probs": coarse(found.mask_probs),
        "activation": coarse(found.activation),
        "enhanced": coarse(found.enhanced),
        "features": numbers(found.features),
        "descriptors": None
        if second is None
        else {
            "malignant": second.malignant,
            "reasons": [list(reason) for reason in second.reasons],
            "region": packed(second.region),
            "from_proposal": second.assumed,
        },
    }
