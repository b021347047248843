from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
from dicom_files import region, write_dicom
from picture_files import picture, save
from quick import QUICK
from typer.testing import CliRunner

from busight.cli.app import app
from busight.data.sources.catalogue import load_data
from busight.errors import OutputError
from busight.experiments.bench.segmenters import CrossvalSegmenter, compare_segmenters
from busight.experiments.crossval import crossval
from busight.io.csv_text import csv_rows
from busight.metrics.overlap import dice
from busight.model.segmenters import ClassicalMethod, Segmentation
from busight.recipes.load import load_recipe
from busight.results.crossval_folder import Plan
from busight.segment.classical.catalogue import METHODS, PROMPTED
from busight.segment.proposal import propose_lesion
from busight.types import InputImage

Quick = Callable[..., Path]
SEGMENTS = ("classify.task=segmentation", "segment.method=unet")


def call(*arguments: object) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["segment", *map(str, arguments)])
    return found.exit_code, found.output


def bench(*arguments: object) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["bench", "segmenters", *map(str, arguments)])
    return found.exit_code, found.output


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


@pytest.fixture
def lesion(tmp_path: Path) -> tuple[Path, np.ndarray]:
    """A picture with a lesion, and the lesion."""
    data = load_data("phantom:12,seed=3,typical=1")
    sample = next(one for one in data.samples if one.label == "benign")
    path = tmp_path / "in" / "lesion.png"
    save(path, data.reader.image(sample))
    truth = data.reader.mask(sample)
    assert truth is not None
    return path, truth


def test_masks_outlines_and_a_table_are_written(tmp_path: Path, lesion: tuple[Path, np.ndarray]) -> None:
    path, truth = lesion
    save(path.parent / "sub" / "lesion.png", np.full((60, 80), 128, np.uint8))  # the same name, nothing in it
    code, said = call(path.parent, "--method", "geodesic", "--out", tmp_path / "out")
    assert (code, "segmented: a lesion in 1 of 2 images by geodesic" in said) == (0, True), said
    names = ["00001_lesion_0.png", "00002_lesion_0.png"]
    for folder in ("masks", "outlines"):
        assert sorted(one.name for one in (tmp_path / "out" / folder).iterdir()) == names
    mask = cv2.imread(str(tmp_path / "out" / "masks" / names[0]), cv2.IMREAD_UNCHANGED)
    assert (mask.shape, set(np.unique(mask))) == (truth.shape, {0, 255})
    assert dice(mask > 0, truth) > 0.6
    with_lesion, without = table(tmp_path / "out" / "lesions.csv")
    assert int(with_lesion["area_px"]) == (mask > 0).sum()
    rows, columns = np.nonzero(mask)
    box = [int(with_lesion[name]) for name in ("box_x", "box_y", "box_width", "box_height")]
    assert box == [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
    assert float(with_lesion["centre_x"]) == pytest.approx(columns.mean(), abs=0.01)
    assert (without["lesion"], without["area_px"], without["error"]) == ("0", "", "")


def test_a_folder_as_it_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("=1+1.png", "b.jfif", "b_mask (1).png"):
        save(tmp_path / name, np.full((60, 80), 128, np.uint8))
    (tmp_path / "._b.png").write_bytes(b"AppleDouble")
    (tmp_path / "notes.txt").write_text("no image")
    monkeypatch.chdir(tmp_path)
    code, said = call(".", "--method", "otsu", "--out", "out")
    assert code == 0
    assert "busight: 1 mask files left out, e.g. b_mask (1).png\n" in said
    assert "busight: 1 file left out, because the suffix is none of an image, e.g. notes.txt\n" in said
    content = (tmp_path / "out" / "lesions.csv").read_text()
    assert [line[:9] for line in content.splitlines()[1:]] == ["'=1+1.png", "b.jfif,0,"]
    assert [row[0] for row in csv_rows(content)[1:]] == ["=1+1.png", "b.jfif"]


@pytest.mark.parametrize("method", ["grabcut", "watershed"])
def test_a_box_bounds_the_mask(method: str, tmp_path: Path, lesion: tuple[Path, np.ndarray]) -> None:
    path, truth = lesion
    rows, columns = np.nonzero(truth)
    box = (columns.min() - 3, rows.min() - 3, np.ptp(columns) + 7, np.ptp(rows) + 7)
    code, said = call(path, "--method", method, "--box", ",".join(map(str, box)), "--out", tmp_path / "out")
    assert code == 0, said
    mask = cv2.imread(str(next((tmp_path / "out" / "masks").iterdir())), cv2.IMREAD_UNCHANGED) > 0
    assert dice(mask, truth) > 0.7
    inside = np.zeros_like(mask)
    inside[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = True
    assert not (mask & ~inside).any()


def test_a_click_chooses_among_two_lesions(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:120, :200]
    image = np.full((120, 200), 150, np.uint8)
    for column in (60, 140):
        image[np.hypot(rows - 60, columns - column) < 18] = 50
    save(tmp_path / "two.png", image)
    for column in (60, 140):
        out = tmp_path / str(column)
        code, said = call(tmp_path / "two.png", "--method", "region_growing", "--click", f"{column},60", "--out", out)
        assert code == 0, said
        (row,) = table(out / "lesions.csv")
        assert float(row["centre_x"]) == pytest.approx(column, abs=4)


def test_a_small_box_is_a_lesion_however_small(tmp_path: Path) -> None:
    image = np.full((480, 640), 160, np.uint8)
    image[200:214, 300:316] = 40
    save(tmp_path / "small.png", image)
    box = ("--box", "296,196,24,22")
    code, said = call(tmp_path / "small.png", "--method", "grabcut", *box, "--out", tmp_path / "out")
    assert code == 0, said
    (row,) = table(tmp_path / "out" / "lesions.csv")
    assert int(row["area_px"]) == pytest.approx(14 * 16, rel=0.25)


@pytest.mark.parametrize("method", PROMPTED)
def test_a_click_is_held(method: str, tmp_path: Path) -> None:
    save(tmp_path / "noise.png", picture(4))
    code, said = call(tmp_path / "noise.png", "--method", method, "--click", "3,5", "--out", tmp_path / "out")
    assert code == 0, said
    mask = cv2.imread(str(next((tmp_path / "out" / "masks").iterdir())), cv2.IMREAD_UNCHANGED)
    assert mask[5, 3] == 255


def test_a_box_on_a_dicom_file_is_in_the_files_frame(tmp_path: Path) -> None:
    """The ultrasound region of the file begins at column 30, row 20; box and table must agree."""
    pixels = np.full((1, 200, 240), 150, np.uint8)
    pixels[0, 90:120, 110:150] = 30
    limits = {"MinX0": 30, "MinY0": 20, "MaxX1": 229, "MaxY1": 189}
    field = region(**{f"RegionLocation{name}": value for name, value in limits.items()})
    path = write_dicom(tmp_path / "scan.dcm", pixels, SequenceOfUltrasoundRegions=[field])
    code, said = call(path, "--method", "grabcut", "--box", "105,85,50,40", "--out", tmp_path / "out")
    assert code == 0, said
    (row,) = table(tmp_path / "out" / "lesions.csv")
    assert float(row["centre_x"]) == pytest.approx(129.5, abs=3)
    assert float(row["centre_y"]) == pytest.approx(104.5, abs=3)
    mask = cv2.imread(str(tmp_path / "out" / "masks" / row["image_file"]), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (170, 200)


def test_a_large_picture_is_looked_at_smaller() -> None:
    rows, columns = np.mgrid[:1800, :2400]
    lesion = np.hypot(rows - 700, columns - 1200) < 250
    image = np.where(lesion, 50, 160).astype(np.uint8)
    image += np.random.default_rng(0).integers(0, 20, image.shape, dtype=np.uint8)
    for method in METHODS:
        found = ClassicalMethod(method).segment(InputImage(image))
        assert found.mask.shape == image.shape
        # A tenth of all edges is Canny's, and so sharp a disc has fewer: it finds none of it.
        assert method == "canny" or dice(found.mask, lesion) > 0.84


def test_results_are_no_pictures(tmp_path: Path) -> None:
    save(tmp_path / "in" / "one.png", picture(1))
    call(tmp_path / "in", "--method", "otsu", "--out", tmp_path / "in" / "found")
    code, said = call(tmp_path / "in", "--method", "otsu", "--out", tmp_path / "again")
    assert (code, "of 1 images" in said) == (0, True), said
    code, said = call(tmp_path / "again", "--method", "otsu", "--out", tmp_path / "third")
    assert (code, "is a bundle or a result" in said) == (1, True), said


def test_what_was_done_survives_ctrl_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for index in range(3):
        save(tmp_path / "in" / f"{index}.png", picture(index))
    segment = ClassicalMethod.segment
    seen: list[int] = []

    def interrupted(self: ClassicalMethod, given: InputImage) -> Segmentation:
        seen.append(1)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return segment(self, given)

    monkeypatch.setattr(ClassicalMethod, "segment", interrupted)
    out, command = tmp_path / "out", (tmp_path / "in", "--method", "otsu", "--out", tmp_path / "out")
    code, said = call(*command, "--resume")
    assert (code, "no interrupted call to resume; leave --resume away" in said, out.exists()) == (1, True, False), said
    code, said = call(*command)
    assert (code, said) == (1, f"busight: interrupted; what is done so far is in {out}; go on with --resume\n")
    assert len(table(out / "lesions.unfinished.csv")) == 2
    assert not (out / "lesions.csv").exists()
    (out / "masks" / ".00003_2_0.123.part.png").write_bytes(b"half")  # what SIGKILL leaves
    code, said = call(*command)
    assert (code, "left by an interrupted call; go on with --resume, or remove" in said) == (1, True), said
    code, said = call(out, "--method", "otsu", "--out", tmp_path / "other")
    assert (code, "is a bundle or a result, not images" in said) == (1, True), said
    code, said = call(*command[:-1], out, "--chain", "median(3)", "--resume")
    assert (code, "was begun with another bundle, other files or options" in said) == (1, True), said
    kept = (out / "lesions.unfinished.csv").read_bytes()
    (out / "lesions.unfinished.csv").write_bytes(kept.replace(b"0_0.png,1,", b"0_0.png,2,"))
    code, said = call(*command, "--resume")
    assert (code, "the unfinished records were changed" in said) == (1, True), said
    (out / "lesions.unfinished.csv").write_bytes(kept)
    code, said = call(*command, "--resume")
    assert (code, "a lesion in 3 of 3 images" in said) == (0, True), said
    monkeypatch.undo()
    assert call(*command[:-1], tmp_path / "at-once")[0] == 0
    written = [sorted(path.relative_to(folder) for path in folder.rglob("*")) for folder in (out, tmp_path / "at-once")]
    assert written[0] == written[1]
    assert all(
        (out / name).read_bytes() == (tmp_path / "at-once" / name).read_bytes() for name in written[0] if name.suffix
    )


def test_a_click_where_nothing_is_dark_starts_from_a_disc(tmp_path: Path) -> None:
    save(tmp_path / "grey.png", picture(1))
    code, said = call(tmp_path / "grey.png", "--method", "chan_vese", "--click", "5,5", "--out", tmp_path / "out")
    assert code == 0, said


def test_a_box_outside_one_picture_costs_that_picture_only(tmp_path: Path) -> None:
    save(tmp_path / "in" / "a.png", np.full((20, 20), 9, np.uint8))
    save(tmp_path / "in" / "b.png", np.full((60, 80), 9, np.uint8))
    (tmp_path / "in" / "c.png").write_bytes(b"no picture")
    code, said = call(tmp_path / "in", "--method", "grabcut", "--box", "10,10,30,20", "--out", tmp_path / "out")
    assert code == 1
    assert "a.png: box 10,10,30,20: empty, or outside the image of 20×20 pixels" in said
    rows = table(tmp_path / "out" / "lesions.csv")
    assert [bool(row["error"]) for row in rows] == [True, False, True]


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (["--method", "otsu", "--out", "out"], "segment: Missing argument 'PATHS...'; see busight segment --help"),
        (["x.png", "--method", "otsu"], "segment: Missing option '--out'; see busight segment --help"),
        (["x.png", "--method", "otsu", "--model", "runs/x", "--out", "out"], "give a --method or a --model, not both"),
        (
            ["x.png", "--method", "ostu", "--out", "out"],
            "'ostu': no method without training; did you mean otsu?",
        ),
        (["x.png", "--method", "unet", "--out", "out"], "'unet': no method without training"),
        (["x.png", "--method", "otsu", "--box", "1,2,3,4", "--out", "out"], "otsu: cannot start from a box or a click"),
        (
            ["x.png", "--method", "grabcut", "--box", "1,2,3", "--out", "out"],
            "--box '1,2,3' is not of the form x,y,w",
        ),
        (["x.png", "--method", "grabcut", "--box", "-5,0,20,20", "--out", "out"], "x and y are 0 or more"),
        (["x.png", "--method", "grabcut", "--box", "5,5,0,20", "--out", "out"], "w and h 1 or more"),
        (["x.png", "--method", "grabcut", "--box", "", "--out", "out"], "--box '' is not of the form"),
        (["x.png", "--method", "grabcut", "--click", "-1,2", "--out", "out"], "x and y are 0 or more"),
        (["x.png", "--method", "grabcut", "--click", "a,b", "--out", "out"], "--click 'a,b' is not of the form x,y"),
        (
            ["x.png", "--method", "grabcut", "--click", "1,2", "--box", "1,2,3,4", "--out", "out"],
            "give --box or --click, not both",
        ),
        (
            ["x.png", "--method", "otsu", "--uncertainty", "--out", "out"],
            "--uncertainty needs the probabilities",
        ),
        (["x.png", "--method", "otsu", "--fallback-to-proposal", "--out", "out"], "a --method always makes a proposal"),
        (["x.png", "--method", "otsu", "--limit", "3", "--out", "out"], "segment: No such option: --limit"),
        (["x.png", "--method", "otsu", "--chain", "medain", "--out", "out"], "did you mean median?"),
        (["empty", "--method", "otsu", "--out", "out"], "no image or DICOM file in it"),
    ],
)
def test_wrong_calls(arguments: list[str], rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    code, said = call(*arguments)
    assert (code, rule in said) == (2, True), said
    assert not (tmp_path / "out").exists()


def test_a_bundle_outlines_what_it_predicts(tmp_path: Path, quick_run: Quick, lesion: tuple[Path, np.ndarray]) -> None:
    run = quick_run("demo", SEGMENTS)
    code, said = call(lesion[0], "--model", run, "--uncertainty", "--out", tmp_path / "out")
    assert code == 0, said
    mask = cv2.imread(str(next((tmp_path / "out" / "masks").iterdir())), cv2.IMREAD_UNCHANGED)
    assert mask.shape == lesion[1].shape
    uncertain = cv2.imread(str(next((tmp_path / "out" / "uncertainty").iterdir())), cv2.IMREAD_UNCHANGED)
    assert uncertain.shape == mask.shape
    assert uncertain.max() > 0
    (row,) = table(tmp_path / "out" / "lesions.csv")
    assert (row["mean_prob"] == "") == (row["lesion"] == "0")


def test_the_proposal_takes_the_place_of_an_unsure_mask(
    tmp_path: Path, quick_run: Quick, lesion: tuple[Path, np.ndarray]
) -> None:
    """A network after one epoch is sure of nothing: the proposal takes its place."""
    run = quick_run("demo", SEGMENTS)
    code, said = call(lesion[0], "--model", run, "--fallback-to-proposal", "--out", tmp_path / "out")
    assert (code, "a lesion in 1 of 1" in said, "else the lesion proposal" in said) == (0, True, True), said
    mask = cv2.imread(str(next((tmp_path / "out" / "masks").iterdir())), cv2.IMREAD_UNCHANGED) > 0
    np.testing.assert_array_equal(mask, propose_lesion(cv2.imread(str(lesion[0]), cv2.IMREAD_GRAYSCALE)).mask)
    code, said = bench(
        "phantom:8,size=96",
        "--model",
        run,
        "--method",
        "otsu",
        "--fallback-to-proposal",
        "--out",
        tmp_path / "all",
    )
    assert code == 0, said
    names = [row["segmenter"] for row in table(tmp_path / "all" / "segmenters.csv")]
    assert len(names) == 3
    assert sum(name.endswith("else the lesion proposal") for name in names) == 1


def test_a_bundle_without_masks_is_refused(tmp_path: Path, quick_run: Quick) -> None:
    run = quick_run("demo", ("classify.strategy=whole",))
    code, said = call("x.png", "--model", run, "--out", tmp_path / "out")
    assert (code, "the model draws no masks" in said) == (1, True), said


def test_every_method_is_compared_on_phantoms(tmp_path: Path) -> None:
    code, said = bench("phantom:8,size=96", "--out", tmp_path / "out")
    assert code == 0, said
    rows = table(tmp_path / "out" / "segmenters.csv")
    assert {row["segmenter"] for row in rows} == set(METHODS)
    found = [float(row["dice (lesion images)"]) for row in rows]
    assert found == sorted(found, reverse=True)
    assert (rows[0]["dice less best"], float(rows[-1]["dice less best"]) <= 0) == ("", True)
    assert all(int(row["specificity_image_level (normal images) images"]) > 0 for row in rows)
    assert (tmp_path / "out" / "segmenters.png").stat().st_size > 10_000
    assert said.count("\n") >= len(METHODS) + 3


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ([], "bench segmenters: Missing argument 'DATA'; see busight bench segmenters --help"),
        (["phantom:3", "--box", "1,2,3,4"], "bench segmenters: No such option: --box"),
        (["phantom:3", "--limit", "-1"], "Invalid value for '--limit'"),
        (["phantom:3", "--method", "ostu"], "did you mean otsu?"),
        (["phantom:3", "--fallback-to-proposal"], "a --method always makes a proposal"),
        (["phantom:3", "--chain", "medain"], "did you mean median?"),
    ],
)
def test_wrong_calls_of_bench(arguments: list[str], rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, said = bench(*arguments, "--out", "out")
    assert (code, rule in said, said.count("\n")) == (2, True, 1), said
    assert not (tmp_path / "out").exists()


def test_a_set_without_masks_cannot_be_compared_on(tmp_path: Path) -> None:
    for index in range(3):
        save(tmp_path / "data" / "benign" / f"{index}.png", picture(index))
    code, said = bench(f"folder:{tmp_path / 'data'}", "--out", tmp_path / "out")
    assert (code, "no image has a drawn mask" in said) == (1, True), said


def test_folds_are_each_measured_on_their_own_test_images(tmp_path: Path, quick_run: Quick) -> None:
    spec = "phantom:60,size=64"
    recipe = load_recipe("demo", [f"data.spec='{spec}'", *QUICK, *SEGMENTS, "segment.tune_postprocess_on=validation"])
    record = crossval(recipe, tmp_path / "folds", Plan(folds=2))
    folds = CrossvalSegmenter(tmp_path / "folds")
    found = compare_segmenters(load_data(spec), [folds, ClassicalMethod("otsu")])
    row = next(row for row in found.rows if row.name == folds.name)
    for metric, of in (
        ("dice", "lesion images"),
        ("hd95_px", "lesion images"),
        ("specificity_image_level", "normal images"),
    ):
        expected = record.metrics.get(metric, of)
        assert row.metrics[metric, of].value == pytest.approx(expected.value, nan_ok=True)
        assert row.metrics[metric, of].images == expected.n
    assert row.n_trained_on == 0
    assert {one.rank for one in row.shown} == {"best", "median", "worst"}


def test_ways_that_find_nothing_stand_beside_others_in_millimetres() -> None:
    """Phantoms know their spacing; distances are undefined where nothing is found, and nothing else moves."""
    nothing = Nothing()
    found = compare_segmenters(load_data("phantom:10"), [nothing, ClassicalMethod("kmeans")])
    alone = compare_segmenters(load_data("phantom:10"), [ClassicalMethod("kmeans")])
    row = next(row for row in found.rows if row.name == "kmeans")
    assert repr(row.metrics) == repr(alone.rows[0].metrics)
    assert row.metrics["hd95_mm", "lesion images"].images > 0
    empty = next(row for row in found.rows if row.name == "nothing")
    assert empty.metrics["hd95_mm", "lesion images"].images == 0
    assert empty.metrics["specificity_image_level", "normal images"].value == 1
    assert empty.metrics["false_positives_per_image", "images with a known mask"].value == 0


class Nothing:
    """Finds nothing."""

    name = "nothing"

    def segment(self, given: InputImage) -> Segmentation:
        return Segmentation(np.zeros(given.pixels.shape, np.bool_), None)

    def knows(self, sample_id: str) -> bool:
        return True

    def trained_on(self, sample_id: str) -> frozenset[str]:
        return frozenset()


def test_what_the_ready_model_rejects_is_not_outlined_unless_asked_for(tmp_path: Path) -> None:
    photograph = skimage.data.astronaut()
    save(tmp_path / "in" / "photograph.png", photograph)
    code, said = call(tmp_path / "in", "--out", tmp_path / "out")
    assert (code, "photograph.png: rejected: coloured" in said, "rejected: 1 image" in said) == (0, True, True), said
    (row,) = table(tmp_path / "out" / "lesions.csv")
    assert (row["lesion"], row["image_file"], row["error"]) == ("", "", "")
    assert row["rejected"].startswith("coloured in ")
    assert not (tmp_path / "out" / "masks").exists()
    code, said = call(tmp_path / "in", "--out", tmp_path / "all", "--show-rejected")
    assert (code, "segmented: " in said) == (0, True), said
    assert all(row["rejected"] and row["image_file"] for row in table(tmp_path / "all" / "lesions.csv"))
    assert len(list((tmp_path / "all" / "masks").iterdir())) == 1
    code, said = call(tmp_path / "in", "--out", tmp_path / "no", "--method", "otsu", "--show-rejected")
    assert (code, "a --method rejects nothing" in said) == (2, True), said


def test_images_that_a_bundle_was_trained_on_are_told(tmp_path: Path, quick_run: Quick) -> None:
    run = quick_run("demo", SEGMENTS)
    code, said = bench(
        "phantom:60,size=96",
        "--limit",
        "10",
        "--method",
        "otsu",
        "--model",
        run,
        "--out",
        tmp_path / "out",
    )
    assert code == 0, said
    assert "was trained on" in said


def test_a_segmentation_that_ends_before_its_first_record_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a full disk: the mask of the first image is written, its outline is not."""
    image, written = tmp_path / "a.png", []
    cv2.imwrite(str(image), load_data("phantom:1,size=96").reader.image(load_data("phantom:1,size=96").samples[0]))

    def full(path: Path, pixels: np.ndarray) -> None:
        if written:
            raise OutputError(f"{path}: could not be written (No space left on device)")
        path.parent.mkdir(parents=True)
        path.write_bytes(b"mask")
        written.append(path)

    monkeypatch.setattr("busight.report.overlay.write_image", full)
    code, output = call(image, "--method", "otsu", "--out", tmp_path / "out")
    assert (code, output.count("\n")) == (1, 1), output
    assert written
    assert not (tmp_path / "out").exists()
    monkeypatch.undo()
    assert call(image, "--method", "otsu", "--out", tmp_path / "out")[0] == 0
