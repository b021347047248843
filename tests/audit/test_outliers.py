from __future__ import annotations

import numpy as np
import pytest
from skimage import data as shipped
from sklearn.datasets import load_sample_images

from busight.audit.outliers import FAR, FEWEST, outlier_scores
from busight.data.manifest import DatasetManifest
from busight.data.sources.catalogue import load_data
from busight.metrics.image_statistics import image_statistics


def foreign() -> list[np.ndarray]:
    """Pictures that are no ultrasound, from libraries that ship them."""
    photographs = [image[..., 1] for image in load_sample_images().images]
    return [shipped.camera(), shipped.coins(), shipped.page(), shipped.text(), shipped.moon(), shipped.brick(),
            shipped.clock(), *photographs]  # fmt: skip


def test_photographs_among_phantoms_stand_out() -> None:
    data = load_data("phantom:80,size=128,seed=4")
    own = [image_statistics(data.reader.image(sample)) for sample in data.samples]
    distance = outlier_scores([*own, *map(image_statistics, foreign())])
    assert (distance[80:] > FAR).all()
    assert (distance[:80] > FAR).sum() <= 4
    assert np.median(distance) == pytest.approx(1)


@pytest.mark.slow
def test_photographs_among_busi_stand_out(busi: DatasetManifest) -> None:
    own = [image_statistics(busi.dataset.reader.image(sample)) for sample in busi.dataset.samples]
    distance = outlier_scores([*own, *map(image_statistics, foreign())])
    assert (distance[len(own) :] > FAR).all()
    assert (distance[: len(own)] > FAR).mean() < 0.02


def test_few_or_equal_pictures_say_nothing() -> None:
    look = image_statistics(np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8))
    assert np.isnan(outlier_scores([look] * (FEWEST - 1))).all()
    assert np.isnan(outlier_scores([look] * FEWEST)).all()
    assert outlier_scores([]).shape == (0,)
