"""A folder with classes of any names and RGB images goes through training, evaluation, prediction and reports."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from quick import QUICK
from typer.testing import CliRunner

from busight.cli.app import app
from busight.data.image_spec import ImageSpec
from busight.data.sources.catalogue import load_data
from busight.model.model import Model
from busight.results.cases_file import read_cases
from busight.types import prediction_of

COLOURS = {"adenosis": (180, 60, 60), "fibroma": (60, 160, 70), "lobular": (70, 70, 190), "mucinous": (170, 160, 50)}


def busight(*arguments: str | Path) -> str:
    """Run a command, which must succeed, and return what it prints."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def write_colours(root: Path, images: int) -> None:
    """Write coloured noise whose mean colour tells the class."""
    rng = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (root / name).mkdir(parents=True)
        for number in range(images):
            pixels = np.array(colour) + rng.normal(0, 40, (40, 48, 3)) + rng.normal(0, 15, 3)
            Pillow.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(root / name / f"{number}.png")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The images, and what a run of ``small-cnn`` on them left."""
    root = tmp_path_factory.mktemp("colours")
    write_colours(root / "images", 12)
    settings = [*QUICK, "classify.size=32", "train.epochs=4", "split.val=0.25", "split.test=0.25"]
    overrides = [word for text in settings for word in ("--set", text)]
    busight("run", "small-cnn", "--data", f"folder:{root / 'images'}", "--out", root / "run", *overrides)
    return root / "images", root / "run"


def test_the_run_learns_and_reports_the_classes(folders: tuple[Path, Path]) -> None:
    _, run = folders
    cases, labels = read_cases(run / "cases.csv")
    assert (labels.names, labels.positive) == (tuple(COLOURS), None)
    assert np.mean([labels.names[int(np.argmax(case.logits))] == case.target for case in cases]) > 0.5  # chance: 0.25
    page = (run / "report.html").read_text()
    assert "mucinous" in page
    assert (run / "report.pdf").stat().st_size > 20_000
    for word in ("benign", "malignant"):
        assert word not in page.lower()


def test_the_bundle_says_that_it_takes_rgb(folders: tuple[Path, Path]) -> None:
    images, run = folders
    model = Model.load(run / "bundle")
    assert model.preprocess.image == ImageSpec(3)
    assert (model.labels.names, model.labels.positive) == (tuple(COLOURS), None)
    red = np.full((50, 60, 3), (180, 60, 60), np.uint8)
    green = np.full((50, 60, 3), (60, 160, 70), np.uint8)
    one, other = (prediction_of(answer).logits for answer in model.predict([red, green]))
    assert np.abs(one - other).max() > 1e-3
    assert load_data(f"folder:{images}").image_spec == ImageSpec(3)


def test_evaluate_predict_and_explain(folders: tuple[Path, Path], tmp_path: Path) -> None:
    images, run = folders
    assert "test images: 48" in busight("evaluate", run, "--data", f"folder:{images}", "--out", tmp_path / "own")
    assert '"logit_fibroma"' in busight("predict", "--model", run, images / "fibroma" / "0.png")
    busight("explain", "--model", run, images / "fibroma" / "0.png", "--out", tmp_path / "page")
    assert "benign" not in (tmp_path / "page" / "report.html").read_text().lower()


def test_a_grey_bundle_reads_rgb_as_grey_and_the_other_way_round(folders: tuple[Path, Path]) -> None:
    images, _ = folders
    data = load_data(f"folder:{images}")
    grey = data.read_as(ImageSpec())
    first = data.samples[0]
    assert (data.reader.image(first).ndim, grey.reader.image(first).ndim) == (3, 2)
    phantoms = load_data("phantom:6").read_as(ImageSpec(3))
    assert phantoms.reader.image(phantoms.samples[0]).shape[2] == 3
    joined = load_data(f"folder:{images} + phantom:6")
    assert joined.image_spec == ImageSpec()
    assert all(joined.reader.image(sample).ndim == 2 for sample in joined.samples)
