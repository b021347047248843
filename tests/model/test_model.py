from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from golden_bundles import CASES, golden_model

from busight.data.readers.inputs import list_files, read_frames
from busight.data.sources.catalogue import load_data
from busight.errors import BundleError, ConfigError, DataError, InferenceError, OutputError
from busight.model.bundle.examples import replay, write_examples
from busight.model.bundle.load import load_bundle
from busight.model.bundle.save import write_card
from busight.model.engines.catalogue import EngineSettings
from busight.model.engines.onnxruntime import OnnxRuntimeEngine
from busight.model.model import Model, region_of
from busight.model.stream import predict_stream
from busight.preprocess.resize import resize_or_pad
from busight.types import Failure, Image, ImageRef, InputImage, Prediction, Rejected, prediction_of

Quick = Callable[..., Path]
FLOWS = {
    "two_stage": (),
    "otsu": ("segment.method=otsu",),
    "whole": ("classify.strategy=whole",),
    "joint": ("classify.strategy=joint", "classify.backbone=mobilenetv3_small_050", "classify.tta=true"),
    "global_local": ("classify.strategy=global_local", "classify.backbone=mobilenetv3_small_050"),
    "mask_channel": ("classify.strategy=mask_channel", "segment.method=otsu"),
    "binary": ("classify.task=binary", "classify.strategy=whole"),
    "segmentation": ("classify.task=segmentation",),
}
"""Every strategy that differs in how it is trained; the golden bundles hold the rest."""


@pytest.fixture(scope="module", params=FLOWS)
def trained(request: pytest.FixtureRequest, quick_run: Quick) -> Model:
    return Model.load(quick_run("demo", FLOWS[request.param]))


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Model]:
    """A function that gives a bundle of a tiny fixed network."""
    done: dict[str, Model] = {}

    def get(name: str) -> Model:
        if name not in done:
            done[name] = golden_model(name, tmp_path_factory.mktemp("golden"))
        return done[name]

    return get


def phantoms(count: int = 5) -> list[Image]:
    """Phantoms of several shapes."""
    data = load_data(f"phantom:{count},size=96,seed=5")
    return [data.reader.image(sample)[: 96 - 5 * place] for place, sample in enumerate(data.samples)]


def predicted(model: Model, image: Image) -> Prediction:
    return prediction_of(model.predict([image])[0])


def test_contract_of_every_trained_model(trained: Model) -> None:
    images = phantoms()
    for image, answer in zip(images, trained.predict(images), strict=True):
        found = prediction_of(answer)
        assert found.image.shape == found.enhanced.shape == image.shape
        assert found.classes == trained.labels.names
        for probs in (found.raw_probs, found.calibrated_probs):
            assert probs.shape == (len(found.classes),)
            assert probs.sum() == pytest.approx(1)
            assert probs.min() >= 0
        assert found.label == found.classes[int(np.argmax(found.calibrated_probs))]
        assert (found.mask is None) == (trained.card.segment is None)
        if found.mask is not None:
            assert found.mask.shape == image.shape
            assert found.mask.dtype == np.bool_
        assert 0 <= found.roi.top < found.roi.bottom <= image.shape[0]
        assert 0 <= found.roi.left < found.roi.right <= image.shape[1]
    assert replay(trained) < 1e-5


@pytest.mark.parametrize("name", CASES)
def test_a_list_is_predicted_as_its_images_one_by_one(name: str, golden: Callable[[str], Model]) -> None:
    model, images = golden(name), phantoms(20)
    together = [prediction_of(answer) for answer in model.predict(images)]
    for image, one in zip(images, together, strict=True):
        alone = predicted(model, image)
        np.testing.assert_allclose(one.calibrated_probs, alone.calibrated_probs, atol=1e-5)
        np.testing.assert_allclose(one.logits, alone.logits, atol=1e-5)
        assert (one.mask is None) == (alone.mask is None)
        if one.mask is not None and alone.mask is not None:
            np.testing.assert_array_equal(one.mask, alone.mask)
        assert one.warnings == alone.warnings
    assert len({tuple(one.logits.round(4)) for one in together}) > 10, "the images were never told apart"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (
            [np.zeros((64, 64), np.float32)],
            r"image 0: is float32 \(64, 64\), the model takes uint8 \(H, W\);",
        ),
        ([np.zeros((64, 64), np.uint16)], "is uint16"),
        ([np.zeros((64, 64), bool)], "is bool"),
        ([np.zeros((64, 64), np.uint8), np.zeros((64, 64, 3), np.uint8)], r"image 1: is uint8 \(64, 64, 3\)"),
        ([np.zeros((0, 64), np.uint8)], r"is uint8 \(0, 64\)"),
        (np.zeros((64, 64), np.uint8), r"image 0: is uint8 \(64,\)"),
        (["a.png"], "image 0: is str"),
    ],
)
def test_what_is_no_image_is_one_line(golden: Callable[[str], Model], given: Any, found: str) -> None:
    with pytest.raises(InferenceError, match=found):
        golden("whole").predict(given)


def test_batches_and_threads_change_no_answer(golden: Callable[[str], Model]) -> None:
    folder, images = golden("global-local-fused").folder, phantoms(6)
    expected = [prediction_of(answer).logits for answer in golden("global-local-fused").predict(images)]
    for settings in (EngineSettings(threads=1, batch=1), EngineSettings(threads=2, batch=5)):
        found = [prediction_of(answer).logits for answer in Model.load(folder, settings).predict(images)]
        np.testing.assert_allclose(found, expected, atol=1e-5)
    for bad in ({"name": "abacus"}, {"batch": 0}, {"threads": -1}, {"threads": 10**6}):
        with pytest.raises(ConfigError):
            EngineSettings(**bad)


def test_a_mirrored_image_has_the_same_probabilities_with_tta(
    golden: Callable[[str], Model],
) -> None:
    image = np.ascontiguousarray(cv2.resize(phantoms(1)[0], (64, 64)))
    mirrored = np.ascontiguousarray(image[:, ::-1])
    apart = []
    for name in ("joint", "whole"):  # with and without
        left, right = predicted(golden(name), image), predicted(golden(name), mirrored)
        apart.append(float(np.abs(left.raw_probs - right.raw_probs).max()))
    assert apart[0] < 1e-5
    assert apart[1] > 1e-3, "without the augmentation the test would pass too"


def test_the_activation_map_averages_to_the_logit(golden: Callable[[str], Model]) -> None:
    image = cv2.resize(phantoms(1)[0], (64, 64), interpolation=cv2.INTER_AREA)
    found = predicted(golden("whole"), image)
    assert found.activation is not None
    place = found.classes.index(found.label)
    assert float(found.activation.mean()) == pytest.approx(float(found.network_logits[place]), abs=0.01)


def test_graph_equals_the_trained_network(quick_run: Quick) -> None:
    """The examples in the bundle hold the network's outputs: the graph must repeat them."""
    bundle = load_bundle(quick_run("demo"))
    with np.load(bundle.folder / "graph-examples.npz", allow_pickle=False) as examples:
        for stem in ("classifier", "segmenter"):
            given = examples[f"{stem}.images"][:, None].astype(np.float32) / 255
            outputs = OnnxRuntimeEngine(bundle.folder / f"{stem}.onnx").run(given)
            for name, value in outputs.items():
                np.testing.assert_allclose(value, examples[f"{stem}.{name}"], atol=2e-3, rtol=2e-3)
    assert bundle.card.onnx_max_abs_diff <= 1e-3


def test_saving_and_loading_give_the_same_model(golden: Callable[[str], Model], tmp_path: Path) -> None:
    model, image = golden("global-local-fused"), phantoms(1)[0]
    model.save(tmp_path / "elsewhere")
    again = Model.load(tmp_path / "elsewhere")
    assert again.card == model.card
    np.testing.assert_array_equal(predicted(again, image).logits, predicted(model, image).logits)
    with pytest.raises(OutputError, match="exists already"):
        model.save(tmp_path / "elsewhere")


def test_examples_are_replayed_and_a_changed_algorithm_is_noticed(
    golden: Callable[[str], Model], tmp_path: Path
) -> None:
    saved = golden("global-local-fused").save(tmp_path / "copy")
    with pytest.raises(BundleError, match=r"holds no examples\.npz"):
        replay(saved)
    card = saved.card.changed(files={**saved.card.files, **write_examples(saved)})
    model = saved.with_card(write_card(saved.folder, card))
    assert replay(Model.load(tmp_path / "copy")) == 0
    # Another filter, as a change of the code behind its name would be.
    other = replace(model, preprocess=golden("whole-cropped").preprocess)
    with pytest.raises(BundleError, match="answers its own examples otherwise than when it was made"):
        replay(other)


def test_an_image_unlike_all_known_ones_is_rejected(
    golden: Callable[[str], Model],
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (96, 96), dtype=np.uint8)
    (answer,) = golden("whole").predict([InputImage(noise, ImageRef("noise.png", 3))])
    assert isinstance(answer, Rejected)
    assert "unlike the images that this model learned from" in answer.reason
    assert (answer.ref.path, answer.ref.frame) == ("noise.png", 3)
    assert answer.withheld.logits.shape == (3,)
    assert isinstance(golden("whole").predict(phantoms(1))[0], Prediction)


def test_an_answer_carries_the_identity_of_its_image(golden: Callable[[str], Model]) -> None:
    ref = ImageRef("a.dcm", 2, "1.2.3", "4.5.6", "7.8.9", (0.1, 0.2), (30, 40))
    (answer,) = golden("whole").predict([InputImage(phantoms(1)[0], ref)])
    assert prediction_of(answer).ref is ref


def test_a_stream_keeps_the_order_of_images_and_failures(golden: Callable[[str], Model]) -> None:
    images = [InputImage(image, ImageRef(str(place))) for place, image in enumerate(phantoms(5))]
    given = [images[0], Failure(ImageRef("x"), "broken"), *images[1:], Failure(ImageRef("y"), "too")]
    for batch in (1, 2, 50):
        answers = list(predict_stream(golden("whole"), iter(given), batch))
        assert [answer.ref.path for answer in answers] == ["0", "x", "1", "2", "3", "4", "y"]
        assert isinstance(answers[1], Failure)


def test_what_is_found_in_the_crop_box_lies_in_the_whole_image(golden: Callable[[str], Model]) -> None:
    """The same tissue in a black frame: the same answer, the mask and the maps moved along."""
    model = golden("joint")
    cropping = replace(model, preprocess=replace(golden("whole-cropped").preprocess))
    tissue = np.random.default_rng(1).integers(60, 220, (128, 128), dtype=np.uint8)
    tissue[40:80, 50:90] = 30
    alone = predicted(cropping, tissue)
    framed = np.zeros((256, 256), np.uint8)
    framed[64:192, 32:160] = tissue
    found = predicted(cropping, framed)
    box = cropping.preprocess(framed).crop_box
    assert (box.height, box.width) == (128, 128)
    np.testing.assert_allclose(found.logits, alone.logits, atol=1e-6)
    assert found.mask is not None
    assert alone.mask is not None
    assert alone.mask.any()
    np.testing.assert_array_equal(box.cut(found.mask), alone.mask)
    assert found.mask.sum() == alone.mask.sum()
    assert found.activation is not None
    assert alone.activation is not None
    np.testing.assert_allclose(box.cut(found.activation), alone.activation, atol=1e-6)
    assert (found.roi.top, found.roi.left) == (alone.roi.top + 64, alone.roi.left + 32)
    np.testing.assert_array_equal(region_of(cropping, found), region_of(cropping, alone))


def test_three_channels_go_all_the_way_to_the_graph(quick_run: Quick) -> None:
    run = quick_run("demo", (*FLOWS["global_local"], 'enhance.channels=["raw", "clahe(2.0)", "median(5)"]'))
    model = Model.load(run)
    assert model.card.preprocess.channels == ("raw", "clahe(clip=2.0, tiles=8)", "median(size=5)")
    assert model.stages.classifier is not None
    assert model.stages.classifier.input_shape == (3, 64, 64)
    image = phantoms(1)[0]
    assert predicted(model, image).mask is not None
    assert resize_or_pad(model.preprocess(image).channels, 64, keep_aspect=False).shape == (64, 64, 3)


def test_prediction_needs_no_pytorch(golden: Callable[[str], Model], tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), phantoms(1)[0])
    code = (
        "import sys\n"
        "for name in ('torch', 'lightning', 'timm', 'torchvision', 'kornia', 'segmentation_models_pytorch'):\n"
        "    sys.modules[name] = None  # importing it raises\n"
        f"sys.argv = ['busight', 'predict', '--model', {str(golden('joint').folder)!r}, {str(tmp_path / 'a.png')!r}]\n"
        "from busight.cli.app import main\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["label"] in ("normal", "benign", "malignant")


def test_results_are_no_images(quick_run: Quick) -> None:
    for path in (quick_run("demo"), quick_run("demo") / "bundle"):
        with pytest.raises(DataError, match="is a bundle or a result, not images"):
            list_files([path])


def test_an_unreadable_file_is_a_failure_and_not_an_exception(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    (found,) = read_frames(tmp_path / "text.png")
    assert isinstance(found, Failure)
    assert "text.png" in found.reason


def test_what_was_assumed_of_a_file_stands_first_among_the_warnings(golden: Callable[[str], Model]) -> None:
    model = golden("malignancy")
    (pixels,) = phantoms(1)
    plain, told = (prediction_of(one) for one in model.predict([pixels, InputImage(pixels, warnings=("a", "b"))]))
    assert told.warnings == ("a", "b", *plain.warnings)
