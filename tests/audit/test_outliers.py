from __future__ import annotations

import numpy as np
import pytest
from skimage import data as shipped
from sklearn.datasets import load_sample_images

from busight.audit.outliers import FAR, FEWEST, appearance_features, outlier_scores
from busight.data.manifest import DatasetManifest
from busight.data.sources.catalogue import load


def foreign() -> list[np.ndarray]:
    """Pictures that are no ultrasound, from libraries that ship them."""
    photographs = [image[..., 1] for image in load_sample_images().images]
    return [shipped.camera(), shipped.coins(), shipped.page(), shipped.text(), shipped.moon(), shipped.brick(),
            shipped.clock(), *photographs]  # fmt: skip


def test_the_look_by_hand() -> None:
    image = np.zeros((128, 128), np.uint8)
    image[:43] = 120
    image[43:86] = 60
    image[86:] = 30
    look = appearance_features(image)
    assert look[0] == pytest.approx(np.log(1 + (120 * 43 + 60 * 43 + 30 * 42) / 128))
    assert look[1] == pytest.approx(np.log((0.5 + 90 / 127) / 0.5))  # two steps, 60 and 30, over 127 row pairs
    # Thirds of 43, 43 and 42 rows.
    assert look[2:4] == pytest.approx([np.log(121 / 61), np.log(61 / 31)])
    assert look[4] == pytest.approx(0)
    assert look[7:].tolist() == [0, 0]


@pytest.mark.parametrize("image", [np.zeros((50, 60), np.uint8), np.full((1, 1), 255, np.uint8)])
def test_a_uniform_picture_has_a_finite_look(image: np.ndarray) -> None:
    assert np.isfinite(appearance_features(image)).all()


def test_photographs_among_phantoms_stand_out() -> None:
    data = load("phantom:80,size=128,seed=4")
    own = [appearance_features(data.reader.image(sample)) for sample in data.samples]
    distance = outlier_scores([*own, *map(appearance_features, foreign())])
    assert (distance[80:] > FAR).all()
    assert (distance[:80] > FAR).sum() <= 4
    assert np.median(distance) == pytest.approx(1)


@pytest.mark.slow
def test_photographs_among_busi_stand_out(busi: DatasetManifest) -> None:
    own = [appearance_features(busi.dataset.reader.image(sample)) for sample in busi.dataset.samples]
    distance = outlier_scores([*own, *map(appearance_features, foreign())])
    assert (distance[len(own) :] > FAR).all()
    assert (distance[: len(own)] > FAR).mean() < 0.02


def test_few_or_equal_pictures_say_nothing() -> None:
    look = appearance_features(np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8))
    assert np.isnan(outlier_scores([look] * (FEWEST - 1))).all()
    assert np.isnan(outlier_scores([look] * FEWEST)).all()
    assert outlier_scores([]).shape == (0,)
