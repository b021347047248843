"""The model that comes with BUSight, as it is shipped."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from quick import call
from sklearn.datasets import load_sample_images

from busight.data.readers.image import read_grey
from busight.data.readers.inputs import read_frames
from busight.data.sources.catalogue import load_data
from busight.model.installed import READY, find_model, installed_models
from busight.model.model import Model
from busight.types import Image, InputImage, Rejected

PICTURES = (
    "astronaut", "camera", "cat", "coffee", "coins", "hubble_deep_field", "immunohistochemistry", "moon", "page",
    "retina", "rocket", "text",
)  # fmt: skip
PHANTOMS = load_data("phantom:24,size=384,seed=11")


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.load()


def rejected(model: Model, picture: np.ndarray, folder: Path) -> str | None:
    """Return why a picture, uint8 HW or RGB, is rejected when it is read from a file; None where it is answered."""
    path = folder / "picture.png"
    cv2.imwrite(str(path), picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    (frame,) = read_frames(path, model.preprocess.image)
    assert isinstance(frame, InputImage)
    (answer,) = model.predict([frame])
    return answer.reason if isinstance(answer, Rejected) else None


def with_colour_box(image: Image, seed: int) -> np.ndarray:
    """Return an image with a Doppler box: its frame, and red and blue flow in a part of it."""
    rng = np.random.default_rng(seed)
    height, width = image.shape
    top, left = int(rng.uniform(0.1, 0.4) * height), int(rng.uniform(0.1, 0.4) * width)
    bottom, right = top + height // 2, left + width // 2
    coloured = np.repeat(image[:, :, None], 3, axis=2)
    flow = cv2.GaussianBlur(rng.normal(size=(bottom - top, right - left)), (0, 0), max(4, width / 60))
    flow /= np.abs(flow).max()
    box = coloured[top:bottom, left:right]
    box[flow > 0.4] = (200, 40, 30)
    box[flow < -0.4] = (30, 60, 200)
    cv2.rectangle(coloured, (left, top), (right, bottom), (255, 255, 0), 1)
    return coloured


def test_it_is_installed_whole_small_and_says_what_it_learned_from(model: Model) -> None:
    folder = installed_models()[READY]
    assert find_model(READY) == folder
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 15e6
    card = model.card
    assert card.name == READY
    assert card.labels.names == ("normal", "benign", "malignant")
    assert {source.name for source in card.training.sources} == {"busi", "busbra", "bus_uc"}
    assert all(source.citation and source.licence for source in card.training.sources)
    assert "Not for diagnosis" in card.not_for
    assert card.evidence is not None
    assert {row.source for row in card.evidence.rows} == {"busi", "busbra", "bus_uc"}
    assert {row.attribute for row in card.evidence.rows} >= {"", "device", "BI-RADS", "lesion size"}
    assert card.decision.calibration.calibrated
    assert card.decision.conformal is not None
    assert card.decision.threshold is not None
    assert card.decision.threshold.wanted_sensitivity == 0.95
    assert model.bank is not None
    assert ":/" not in card.training.recipe  # no path of the machine that it was trained on


def test_without_a_name_it_answers_and_says_so(tmp_path: Path) -> None:
    assert call("data", "sample", "--out", tmp_path / "sample.png")[0] == 0
    code, said = call("predict", tmp_path / "sample.png")
    assert code == 0, said
    told, record = said.splitlines()[0], json.loads(said.splitlines()[-1])
    assert told == "busight: model busight-base, for research use only; --model names another"
    assert record["label"] == "malignant"
    code, said = call("explain", tmp_path / "sample.png", "--out", tmp_path / "page")
    assert code == 0, said
    assert "model busight-base" in said
    assert (tmp_path / "page" / "report.html").is_file()
    code, said = call("segment", tmp_path / "sample.png", "--out", tmp_path / "masks")
    assert code == 0, said
    code, said = call("models")
    assert code == 0, said
    assert "(used where none is named)" in said
    code, said = call("verify", READY)
    assert code == 0, said


def test_photographs_pages_and_histology_are_rejected(model: Model, tmp_path: Path) -> None:
    pictures = {name: np.asarray(getattr(skimage.data, name)()) for name in PICTURES}
    # Two photographs that the detector was not fitted against.
    pictures |= {f"scikit-learn {number}": one for number, one in enumerate(load_sample_images().images)}
    answered = [name for name, picture in pictures.items() if rejected(model, picture, tmp_path) is None]
    assert not answered
    grey = [
        name
        for name, picture in pictures.items()
        if picture.ndim == 3 and rejected(model, cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), tmp_path) is None
    ]
    assert len(grey) <= 1


def test_mammograms_are_rejected(model: Model, data_root: Path, tmp_path: Path) -> None:
    files = sorted((data_root / "literature" / "mini_mias").rglob("*.p*"))[1::40]
    assert files
    assert all(rejected(model, read_grey(path), tmp_path) is not None for path in files)


def test_doppler_two_images_and_empty_fields_are_rejected(model: Model, tmp_path: Path) -> None:
    images = [PHANTOMS.reader.image(sample) for sample in PHANTOMS.samples]
    for seed, image in enumerate(images[:8]):
        assert "coloured" in str(rejected(model, with_colour_box(image, seed), tmp_path))
    gap = np.zeros((384, 6), np.uint8)
    for left, right in zip(images[:8], images[8:16], strict=True):
        assert rejected(model, np.hstack([left, gap, right]), tmp_path) is not None
    rng = np.random.default_rng(0)
    depth = np.linspace(0, 1, 400)[:, None]
    echoes = 220 * sum(np.exp(-(((depth - k * 0.06) / 0.008) ** 2) - 0.5 * k) for k in range(1, 8))
    without_contact = np.clip(echoes + rng.exponential(4, (400, 500)), 0, 255).astype(np.uint8)
    for empty in (np.zeros((300, 400), np.uint8), np.full((300, 400), 90, np.uint8), without_contact):
        assert rejected(model, empty, tmp_path) is not None


def test_elastography_is_rejected(model: Model, tmp_path: Path) -> None:
    for sample in PHANTOMS.samples[:4]:
        image = PHANTOMS.reader.image(sample)
        colours = cv2.applyColorMap(cv2.GaussianBlur(image, (0, 0), 9), cv2.COLORMAP_JET)[..., ::-1]
        half = np.repeat(image[:, :, None], 3, axis=2)
        half[100:260, 80:300] = (0.6 * half[100:260, 80:300] + 0.4 * colours[100:260, 80:300]).astype(np.uint8)
        assert "coloured" in str(rejected(model, half, tmp_path))


def test_phantoms_are_answered(model: Model) -> None:
    answers = model.predict([PHANTOMS.reader.image(sample) for sample in PHANTOMS.samples])
    assert sum(isinstance(answer, Rejected) for answer in answers) <= 1


def test_real_images_are_answered_unless_a_colour_box_lies_over_them(
    model: Model, busi_root: Path, tmp_path: Path
) -> None:
    files = [path for path in sorted(busi_root.rglob("*.png")) if "_mask" not in path.name][::40]
    reasons = [rejected(model, read_grey(path), tmp_path) for path in files]
    assert sum(reason is not None for reason in reasons) <= 1, reasons
    for seed, path in enumerate(files[:6]):
        assert "coloured" in str(rejected(model, with_colour_box(read_grey(path), seed), tmp_path))
