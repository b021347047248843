"""What bundles of fixed tiny networks say about phantoms: a change of code that changes an answer is noticed here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from golden_bundles import CASES, golden_model
from golden_file import check, coarse, numbers, packed

from busight.data.sources.catalogue import load_data
from busight.types import Image, ImageRef, InputImage, Prediction, Rejected, prediction_of

PHANTOMS = "phantom:4,size=120,seed=11"


@pytest.mark.parametrize("name", CASES)
def test_predictions_are_those_written_down(name: str, tmp_path: Path) -> None:
    model = golden_model(name, tmp_path)
    images = phantoms()
    answers = model.predict([InputImage(image, ImageRef(pixel_spacing_mm=(0.1, 0.12))) for image in images.values()])
    found = {sample_id: _document(answer) for sample_id, answer in zip(images, answers, strict=True)}
    check(name, found, tolerance=1e-6)


def phantoms() -> dict[str, Image]:
    """Phantoms, not all of one shape."""
    data = load_data(PHANTOMS)
    return {
        sample.sample_id: data.reader.image(sample)[: 120 - 10 * index] for index, sample in enumerate(data.samples)
    }


def _document(answer: Prediction | Rejected) -> dict[str, Any]:
    prediction = prediction_of(answer)
    evidence = prediction.descriptors
    return {
        "label": prediction.label,
        "logits": numbers(prediction.logits),
        "raw_probs": numbers(prediction.raw_probs),
        "calibrated_probs": numbers(prediction.calibrated_probs),
        "network_logits": numbers(prediction.network_logits),
        "above_threshold": prediction.above_threshold,
        "prediction_set": prediction.prediction_set and list(prediction.prediction_set),
        "rejected": answer.reason if isinstance(answer, Rejected) else None,
        "warnings": list(prediction.warnings),
        "roi": [prediction.roi.top, prediction.roi.left, prediction.roi.bottom, prediction.roi.right],
        "mask": packed(prediction.mask),
        "mask_probs": coarse(prediction.mask_probs),
        "activation": coarse(prediction.activation),
        "enhanced": coarse(prediction.enhanced),
        "features": numbers(prediction.features),
        "descriptors": None
        if evidence is None
        else {
            "malignant": evidence.prob_positive,
            "reasons": [list(reason) for reason in evidence.contributions],
            "region": packed(evidence.region),
            "from_proposal": evidence.from_proposal,
        },
    }
