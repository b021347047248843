from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from busight.data.readers.inputs import list_files, read_frames
from busight.data.sources.catalogue import load
from busight.errors import DataError
from busight.model.bundle.load import load_bundle
from busight.model.model import Predictor
from busight.model.opening import open_predictor
from busight.preprocess.resize import to_input
from busight.report.overlay import draw_overlay
from busight.results.prediction_record import csv_header, csv_line, record_of
from busight.segment.proposal import seed_region
from busight.segment.roi import region_of_interest
from busight.types import Failure, Image, Prediction, Roi

Quick = Callable[..., Path]
FLOWS = {
    "two-stage": (),
    "otsu": ("segment.method=otsu",),
    "whole": ("classify.lesion=whole",),
    "joint": ("classify.lesion=joint", "classify.backbone=mobilenetv3_small_050", "classify.test_flip=true"),
    "zoom": ("classify.lesion=zoom", "classify.backbone=mobilenetv3_small_050"),
    "masked": ("classify.lesion=masked", "segment.method=otsu"),
    "mask-channel": ("classify.lesion=mask-channel", "segment.method=otsu"),
    "malignancy": ("classify.task=malignancy", "classify.lesion=whole"),
    "segmentation": ("classify.task=segmentation",),
}


@pytest.fixture(scope="module", params=FLOWS)
def predictor(request: pytest.FixtureRequest, quick_run: Quick) -> Predictor:
    return open_predictor(load_bundle(quick_run("demo", FLOWS[request.param])))


def phantom() -> Image:
    data = load("phantom:12,size=96,seed=5")
    return data.reader.image(data.samples[3])


def test_contract_of_every_flow(predictor: Predictor) -> None:
    image = phantom()[:80]
    found = predictor.predict(image, "a.png")
    assert found.image.shape == found.enhanced.shape == image.shape
    assert found.finding in found.classes
    for probs in (found.raw_probs, found.calibrated_probs):
        assert probs.shape == (len(found.classes),)
        assert probs.sum() == pytest.approx(1)
        assert probs.min() >= 0
    assert found.finding == found.classes[int(np.argmax(found.calibrated_probs))]
    assert (found.mask is None) == (predictor.card.segment is None)
    if found.mask is not None:
        assert found.mask.shape == image.shape
        assert found.mask.dtype == np.bool_
    assert 0 <= found.roi.top < found.roi.bottom <= image.shape[0]
    assert 0 <= found.roi.left < found.roi.right <= image.shape[1]


def test_predicting_twice_gives_the_same(predictor: Predictor) -> None:
    first, second = predictor.predict(phantom()), predictor.predict(phantom())
    np.testing.assert_array_equal(first.logits, second.logits)


def test_flipped_views_give_a_mirrored_image_the_same_probabilities(quick_run: Quick) -> None:
    predictor = open_predictor(load_bundle(quick_run("demo", FLOWS["joint"])))
    image = cv2.resize(phantom(), (64, 64))
    mirrored = np.ascontiguousarray(image[:, ::-1])
    left, right = predictor.predict(image), predictor.predict(mirrored)
    # CLAHE's tiles are not mirror-symmetric to the last bit, hence the tolerance.
    np.testing.assert_allclose(left.raw_probs, right.raw_probs, atol=0.05)


def test_activation_maps_average_to_the_logits(quick_run: Quick) -> None:
    predictor = open_predictor(load_bundle(quick_run("demo", FLOWS["whole"])))
    found = predictor.predict(phantom())
    assert found.activation is not None
    index = found.classes.index(found.finding)
    assert float(found.activation.mean()) == pytest.approx(float(found.logits[index]), abs=0.1)


def test_graph_equals_the_trained_network(quick_run: Quick) -> None:
    """The examples in the bundle hold the network's outputs: the graph must repeat them."""
    import onnxruntime

    bundle = load_bundle(quick_run("demo"))
    with np.load(bundle.folder / "examples.npz", allow_pickle=False) as examples:
        for stem in ("classifier", "segmenter"):
            session = onnxruntime.InferenceSession(str(bundle.folder / f"{stem}.onnx"))
            given = examples[f"{stem}.images"][:, None].astype(np.float32) / 255
            names = [output.name for output in session.get_outputs()]
            for name, value in zip(names, session.run(names, {"images": given}), strict=True):
                np.testing.assert_allclose(value, examples[f"{stem}.{name}"], atol=2e-3, rtol=2e-3)
    assert bundle.card.parity <= 1e-3


def test_prediction_needs_no_pytorch(quick_run: Quick, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), phantom())
    code = (
        "import sys\n"
        "for name in ('torch', 'lightning', 'timm', 'torchvision', 'kornia', 'segmentation_models_pytorch'):\n"
        "    sys.modules[name] = None  # importing it raises\n"
        f"sys.argv = ['busight', 'predict', {str(quick_run('demo'))!r}, {str(tmp_path / 'a.png')!r}]\n"
        "from busight.cli.app import main\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["finding"] in ("normal", "benign", "malignant")


def test_files_below_a_folder_are_found_in_order_and_others_left_alone(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("b.png", "a.JPG", "deep/c.bmp"):
        cv2.imwrite(str(tmp_path / name), np.zeros((32, 32), np.uint8))
    (tmp_path / "notes.txt").write_text("no picture")
    names = [path.relative_to(tmp_path).as_posix() for path in list_files([tmp_path, tmp_path / "absent.png"])[0]]
    assert names == ["a.JPG", "b.png", "deep/c.bmp", "absent.png"]


def test_masks_beside_their_pictures_are_no_pictures(tmp_path: Path) -> None:
    for name in ("benign (1).png", "benign (1)_mask.png", "benign (1)_mask_1.png", "lonely_mask.png"):
        (tmp_path / name).write_bytes(b"")
    found, masks = list_files([tmp_path])
    assert [path.name for path in found] == ["benign (1).png", "lonely_mask.png"]
    assert [path.name for path in masks] == ["benign (1)_mask.png", "benign (1)_mask_1.png"]
    named, _ = list_files([tmp_path / "benign (1)_mask.png"])
    assert len(named) == 1  # whoever names it wants it


def test_results_are_no_pictures(quick_run: Callable[..., Path]) -> None:
    for path in (quick_run("demo"), quick_run("demo") / "bundle"):
        with pytest.raises(DataError, match="is a bundle or a result, not pictures"):
            list_files([path])


def test_an_unreadable_file_is_a_failure_and_not_an_exception(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    (found,) = read_frames(tmp_path / "text.png")
    assert isinstance(found, Failure)
    assert "text.png" in found.reason


def made(mask: np.ndarray | None, spacing: tuple[float, float] | None) -> Prediction:
    image = np.zeros((10, 20), np.uint8)
    probs = np.array([0.25, 0.75])
    return Prediction(
        path="x.png", frame=0, classes=("no lesion", "lesion"), finding="lesion", logits=np.log(probs),
        raw_probs=probs, calibrated_probs=probs, image=image, enhanced=image, roi=Roi(0, 0, 10, 20), mask=mask,
        pixel_spacing_mm=spacing,
    )  # fmt: skip


def test_areas_and_boxes_by_hand() -> None:
    mask = np.zeros((10, 20), np.bool_)
    mask[2:5, 4:10] = True
    record = record_of(made(mask, (0.5, 0.2)), ("no lesion", "lesion"))
    assert record["mask_area_px"] == 18
    assert record["mask_area_mm2"] == pytest.approx(1.8)
    assert [record[f"box_{side}"] for side in ("top", "left", "bottom", "right")] == [2, 4, 5, 10]
    assert (record["box_height_mm"], record["box_width_mm"]) == (1.5, pytest.approx(1.2))


def test_unknown_spacing_and_empty_masks_are_null_and_not_zero_millimetres() -> None:
    record = record_of(made(np.zeros((10, 20), np.bool_), None), ("no lesion", "lesion"))
    assert record["mask_area_px"] == 0
    assert record["mask_area_mm2"] is None
    assert record["box_top"] is None
    assert record_of(made(None, None), ("no lesion", "lesion"))["mask_area_px"] is None


def test_failures_have_the_same_columns_as_predictions() -> None:
    classes = ("no lesion", "lesion")
    good = record_of(made(None, None), classes)
    bad = record_of(Failure("y.png", "broken, sadly"), classes)
    assert list(good) == list(bad) == csv_header(classes).split(",")
    assert csv_line(bad).endswith('"broken, sadly"')


def test_overlay_draws_the_outline_and_leaves_the_rest() -> None:
    mask = np.zeros((10, 20), np.bool_)
    mask[2:8, 4:16] = True
    picture = draw_overlay(made(mask, None))
    assert picture.shape == (30, 20, 3)
    assert picture[2, 4].tolist() == [255, 176, 0]
    assert not picture[0, 0].any()
    assert picture[10:].any()  # the line of words, below the image


def test_zoom_is_the_mean_of_the_looks_at_the_image_and_at_the_found_region(quick_run: Quick) -> None:
    bundle = load_bundle(quick_run("demo", FLOWS["zoom"]))
    predictor = open_predictor(bundle)
    part = bundle.card.classify
    segment = bundle.card.segment
    assert part is not None
    assert segment is not None
    # A barely trained network marks nothing; a threshold of 0 makes the whole image the lesion, one of 1 nothing.
    finds = segment.model_copy(update={"postprocess": replace(segment.postprocess, threshold=0.3)})
    for card in (bundle.card, bundle.card.model_copy(update={"segment": finds})):
        found = replace(predictor, card=card).predict(phantom())
        once = card.model_copy(update={"classify": part.model_copy(update={"lesion": "joint"})})
        whole = replace(predictor, card=once).predict(phantom())
        assert whole.mask is not None
        assert found.mask is not None
        np.testing.assert_array_equal(found.mask, whole.mask)
        if not found.mask.any():
            np.testing.assert_array_equal(found.logits, whole.logits)
            continue
        box = region_of_interest(found.mask, segment.roi.margin, segment.roi.square)
        assert found.roi == box
        near = predictor._classify(found.enhanced, box)
        np.testing.assert_allclose(found.logits, (whole.logits + near.logits) / 2)
        assert found.activation is not None
    assert found.mask.any(), "the second look was never tested"


@pytest.mark.parametrize("lesion", ["masked", "mask-channel"])
def test_the_classifier_is_shown_the_mask_that_was_found(quick_run: Quick, lesion: str) -> None:
    predictor = open_predictor(load_bundle(quick_run("demo", FLOWS[lesion])))
    found = predictor.predict(phantom())
    seen = predictor.region(found)
    assert found.mask is not None
    assert found.mask.any()
    mask = to_input(np.where(found.mask, np.uint8(255), np.uint8(0)), 64, keep_aspect=False)
    if lesion == "masked":
        assert seen[mask == 0].max() == 0
        assert seen[mask == 255].max() > 0
    else:
        np.testing.assert_array_equal(seen[..., 2], mask)
    blind = predictor._classify(predictor._marked(found.enhanced, np.zeros_like(found.mask)), found.roi)
    assert not np.allclose(blind.logits, found.logits)


def test_zoom_looks_at_a_guess_too(quick_run: Quick) -> None:
    bundle = load_bundle(quick_run("demo", (*FLOWS["zoom"], "classify.guess=true")))
    predictor = open_predictor(bundle)
    part, segment = bundle.card.classify, bundle.card.segment
    assert part is not None
    assert segment is not None
    assert part.guess
    image = phantom()
    seen = predictor.enhancement.enhanced(image)
    guess = seed_region(seen).mask
    assert guess.any()
    finds = segment.model_copy(update={"postprocess": replace(segment.postprocess, threshold=0.3)})
    nothing = segment.model_copy(update={"postprocess": replace(segment.postprocess, threshold=1.0)})
    whole = predictor._classify(seen, Roi(0, 0, *image.shape))
    for own in (finds, nothing):
        found = replace(predictor, card=bundle.card.model_copy(update={"segment": own})).predict(image)
        assert found.mask is not None
        near = [one for one in (found.mask, guess) if one.any()]
        assert len(near) == (2 if own is finds else 1)
        boxes = [region_of_interest(one, segment.roi.margin, segment.roi.square) for one in near]
        looks = [predictor._classify(seen, box) for box in boxes]
        np.testing.assert_allclose(found.logits, (whole.logits + np.mean([o.logits for o in looks], axis=0)) / 2)
        assert found.roi == boxes[0]
        maps = np.mean([look.activation for look in looks], axis=0)
        finding = found.classes.index(found.finding)
        np.testing.assert_allclose(found.activation, (whole.activation + maps)[finding] / 2, atol=1e-6)


def test_what_is_found_within_the_field_is_told_in_the_whole_picture(quick_run: Quick) -> None:
    """The same tissue in a black frame: the same answer, the mask and the maps moved along."""
    run = quick_run("demo", (*FLOWS["zoom"], "enhance.chain=crop_region | median(3)"))
    predictor = open_predictor(load_bundle(run / "bundle"))
    rng = np.random.default_rng(1)
    tissue = rng.integers(60, 220, (128, 128), dtype=np.uint8)
    alone = predictor.predict(tissue)
    framed = np.zeros((256, 256), np.uint8)
    framed[64:192, 32:160] = tissue
    found = predictor.predict(framed)
    field = predictor.enhancement.field(framed)
    assert (field.height, field.width) == (128, 128)
    np.testing.assert_allclose(found.logits, alone.logits, atol=1e-6)
    assert found.mask is not None
    assert alone.mask is not None
    np.testing.assert_array_equal(field.cut(found.mask), alone.mask)
    assert found.mask.sum() == alone.mask.sum()
    assert found.activation is not None
    assert alone.activation is not None
    np.testing.assert_allclose(field.cut(found.activation), alone.activation, atol=1e-6)
    assert (found.roi.top, found.roi.left) == (alone.roi.top + 64, alone.roi.left + 32)
    np.testing.assert_array_equal(predictor.region(found), predictor.region(alone))


@pytest.mark.parametrize("lesion", ["zoom", "two-stage"])
def test_three_channels_go_all_the_way_to_the_graph(lesion: str, quick_run: Quick) -> None:
    run = quick_run("demo", (*FLOWS[lesion], 'enhance.channels=["raw", "clahe(2.0)", "median(5)"]'))
    predictor = open_predictor(load_bundle(run / "bundle"))
    assert predictor.card.channels == ("raw", "clahe(2.0)", "median(5)")
    assert predictor.classifier.get_inputs()[0].shape[1:] == [3, 64, 64]
    data = load("phantom:2,seed=9,size=96")
    image = data.reader.image(data.samples[0])
    found = predictor.predict(image)
    assert found.mask is not None
    assert found.mask.shape == image.shape
    seen = to_input(predictor.enhancement.layers(image), 64, predictor.card.classify.input.keep_aspect)  # type: ignore[union-attr]
    assert seen.shape == (64, 64, 3)
