"""A reader chooses the region: every model that looks at the lesion looks there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from golden_bundles import CASES, golden_model

from busight.data.sources.catalogue import load_data
from busight.errors import DataError
from busight.model.model import Model
from busight.types import InputImage, Roi, prediction_of

SET = load_data("phantom:12,seed=3,typical=1")
LESION = next(sample for sample in SET.samples if sample.label == "benign")
IMAGE = SET.reader.image(LESION)
HEIGHT, WIDTH = IMAGE.shape
CORNER = Roi(HEIGHT // 2, WIDTH // 2, HEIGHT // 2 + HEIGHT // 4, WIDTH // 2 + WIDTH // 4)


@pytest.fixture(scope="module", params=CASES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    return golden_model(request.param, tmp_path_factory.mktemp("golden"))


def test_the_mask_lies_in_the_region_or_the_model_says_that_it_needs_none(model: Model) -> None:
    given = InputImage(IMAGE, region=CORNER)
    if not model.strategy.uses_region:
        with pytest.raises(DataError, match="does not depend on a region; give the image alone"):
            model.predict([given])
        return
    found = prediction_of(model.predict([given])[0])
    assert found.mask is not None
    assert found.mask.any(), "the reader says that there is a lesion"
    outside = found.mask.copy()
    CORNER.cut(outside)[:] = False
    assert not outside.any()
    assert np.isfinite(found.calibrated_probs).all()


def test_the_local_view_is_cut_around_the_region() -> None:
    model = Model.load()
    free = prediction_of(model.predict([IMAGE])[0])
    chosen = prediction_of(model.predict([InputImage(IMAGE, region=CORNER)])[0])
    assert chosen.roi.top <= CORNER.bottom
    assert chosen.roi.bottom >= CORNER.top
    assert chosen.roi != free.roi
    assert not np.array_equal(chosen.calibrated_probs, free.calibrated_probs)


def test_the_models_own_region_gives_its_own_answer() -> None:
    model = Model.load()
    free = prediction_of(model.predict([IMAGE])[0])
    chosen = prediction_of(model.predict([InputImage(IMAGE, region=Roi(0, 0, HEIGHT, WIDTH))])[0])
    np.testing.assert_array_equal(chosen.calibrated_probs, free.calibrated_probs)


def test_images_with_and_without_a_region_in_one_batch_are_as_alone() -> None:
    model = Model.load()
    together = [prediction_of(one) for one in model.predict([IMAGE, InputImage(IMAGE, region=CORNER)])]
    alone = [prediction_of(model.predict([one])[0]) for one in (IMAGE, InputImage(IMAGE, region=CORNER))]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one.calibrated_probs, other.calibrated_probs, atol=1e-6)


@pytest.mark.parametrize("region", [Roi(-1, 0, 5, 5), Roi(0, 0, HEIGHT + 1, 5), Roi(5, 5, 5, 9), Roi(9, 5, 5, 9)])
def test_a_region_outside_the_image_is_one_line(region: Roi, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"empty, or outside the image of \d+×\d+ pixels; give x,y,w,h"):
        Model.load().predict([InputImage(IMAGE, region=region)])
