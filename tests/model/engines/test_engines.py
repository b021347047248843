"""Every engine gives the answers of ONNX Runtime, in batches, in threads and in one line where it cannot."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from golden_bundles import golden_model

from busight.data.sources.catalogue import load_data
from busight.errors import BundleError, ConfigError, MissingExtraError
from busight.io import cache_folder as cache
from busight.model.bundle.card import CLASSIFIER
from busight.model.engines import catalogue, fastest
from busight.model.engines.catalogue import EngineSettings, GraphSource, open_graph, runnable
from busight.model.engines.onnxruntime import OnnxRuntimeEngine
from busight.model.engines.openvino import OpenVinoEngine
from busight.model.model import Model
from busight.model.stream import predict_stream
from busight.types import Failure, Image, ImageRef, InputImage, prediction_of

Engines = type[OnnxRuntimeEngine] | type[OpenVinoEngine]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return golden_model("joint", tmp_path_factory.mktemp("golden"))


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))


def images(count: int) -> list[Image]:
    data = load_data(f"phantom:{count},size=96,seed=8")
    return [data.reader.image(sample)[: 96 - 3 * (place % 4)] for place, sample in enumerate(data.samples)]


def logits(model: Model, given: list[Image]) -> list[np.ndarray]:
    return [prediction_of(answer).logits for answer in model.predict(given)]


@pytest.mark.parametrize("name", ["openvino", "auto"])
@pytest.mark.parametrize(("threads", "streams", "batch"), [(0, 1, 8), (1, 1, 3), (2, 2, 1)])
def test_the_answers_are_those_of_onnx_runtime(model: Model, name: str, threads: int, streams: int, batch: int) -> None:
    given = images(7)
    other = Model.load(model.folder, EngineSettings(name, threads, streams, batch))
    np.testing.assert_allclose(logits(other, given), logits(model, given), atol=1e-4)


def test_pytorch_answers_as_its_graph_does(quick_run: Callable[..., Path]) -> None:
    folder = quick_run("demo")  # a segmenter and a classifier, each with a graph
    given = images(5)
    expected, found = (Model.load(folder, EngineSettings(name)).predict(given) for name in ("onnxruntime", "pytorch"))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(
            prediction_of(one).calibrated_probs, prediction_of(other).calibrated_probs, atol=1e-4
        )
        assert (prediction_of(one).mask != prediction_of(other).mask).mean() < 1e-3


@pytest.mark.parametrize("kind", [OnnxRuntimeEngine, OpenVinoEngine])
def test_threads_may_share_an_engine(model: Model, kind: Engines) -> None:
    engine = kind(model.folder / CLASSIFIER, 2, 2, 4)
    batches = np.random.default_rng(0).random((12, 5, *engine.input_shape), dtype=np.float32)
    alone = [engine.run(batch)["logits"] for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = [outputs["logits"] for outputs in pool.map(engine.run, batches)]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_a_signal_reaches_a_process_that_has_closed_openvino(model: Model) -> None:
    # Where two runtimes were ended in the order of their beginning, the next signal ended the process by SIGSEGV.
    script = f"""
import gc, os, signal
from pathlib import Path
from busight.model.engines.openvino import OpenVinoEngine
signal.signal(signal.SIGINT, lambda number, frame: print("told"))
first, second = (OpenVinoEngine(Path({str(model.folder / CLASSIFIER)!r})) for _ in range(2))
del first; gc.collect()
del second; gc.collect()
os.kill(os.getpid(), signal.SIGINT)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "told\n"), done.stderr


@pytest.mark.parametrize("kind", [OnnxRuntimeEngine, OpenVinoEngine])
@pytest.mark.parametrize("content", [b"", b"garbage", bytes(4096), b"\x08\x07"])
def test_what_is_no_graph_is_one_line(kind: Engines, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "classifier.onnx"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=r"classifier\.onnx: [^\n]+$"):
        kind(path)


@pytest.mark.parametrize("kind", [OnnxRuntimeEngine, OpenVinoEngine])
def test_a_damaged_graph_is_one_line(model: Model, kind: Engines, tmp_path: Path) -> None:
    whole = (model.folder / CLASSIFIER).read_bytes()
    path = tmp_path / "classifier.onnx"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BundleError, match=r"classifier\.onnx: [^\n]+$"):
        kind(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused_where_they_would_be_lost(
    model: Model, tmp_path: Path, value: float
) -> None:
    graph = onnx.load(model.folder / CLASSIFIER)
    weights = next(tensor for tensor in graph.graph.initializer if len(tensor.dims) == 4)
    values = onnx.numpy_helper.to_array(weights).copy()
    values.flat[3] = value
    weights.CopyFrom(onnx.numpy_helper.from_array(values, weights.name))
    onnx.save(graph, tmp_path / CLASSIFIER)
    with pytest.raises(BundleError, match=r"classifier\.onnx: its weights hold NaN or infinity \(.*\); train it again"):
        OpenVinoEngine(tmp_path / CLASSIFIER)


def test_the_quickest_is_measured_once(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    speeds = {"onnxruntime": 3.0, "openvino": 9.0}
    measured = []

    def measure(source: GraphSource, settings: EngineSettings, names: list[str]) -> dict[str, float]:
        measured.append(settings.batch)
        return dict(speeds)

    monkeypatch.setattr(fastest, "measure", measure)
    source = GraphSource(model.folder, model.card, CLASSIFIER, ())
    auto = EngineSettings("auto", batch=4)
    assert fastest.fastest(source, auto) == replace(auto, name="openvino")
    assert fastest.fastest(source, auto).name == "openvino"
    assert measured == [4], "the second call takes what the first has measured"
    speeds["onnxruntime"] = 10.0
    assert fastest.fastest(source, replace(auto, batch=5)).name == "onnxruntime"
    assert measured == [4, 5], "other settings, another measurement"


@pytest.mark.parametrize("content", ["", "[]", '{"x": 3}', '{"x": {"onnxruntime": "fast"}}', "\x00"])
def test_a_damaged_measurement_is_made_anew(model: Model, content: str) -> None:
    folder = cache.cache_folder()
    assert folder is not None
    folder.mkdir(parents=True)
    path = folder / fastest.CHOICES
    path.write_text(content, encoding="utf-8")
    found = fastest.fastest(GraphSource(model.folder, model.card, CLASSIFIER, ()), EngineSettings("auto", batch=1))
    kept = [speeds for speeds in json.loads(path.read_text(encoding="utf-8")).values() if len(speeds) == 2]
    assert len(kept) == 1
    assert found.name == max(kept[0], key=lambda name: kept[0][name])


def test_a_cache_that_cannot_be_written_costs_nothing_else(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file" / "below"))
    assert logits(Model.load(model.folder, EngineSettings("auto")), images(1))


def test_an_engine_that_is_missing_names_its_extra(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "find_spec", lambda name: None if name == "openvino" else object())
    with pytest.raises(MissingExtraError, match=r'engine openvino: not installed.*"busight\[openvino\]"'):
        Model.load(model.folder, EngineSettings("openvino"))
    assert Model.load(model.folder, EngineSettings("auto")).engine.name == "onnxruntime"


def test_a_bundle_without_the_engines_graph_names_the_command(model: Model) -> None:
    with pytest.raises(BundleError, match=r"no graph for the engine int8.*busight export --to int8"):
        Model.load(model.folder, EngineSettings("int8"))


def test_int8_without_instructions_falls_back_and_says_so(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "has_int8_instructions", lambda: False)
    settings, change = runnable(EngineSettings("int8", threads=1))
    assert settings == EngineSettings("openvino", threads=1)
    assert "no instructions for int8" in change
    with pytest.raises(ConfigError, match="choose the engine openvino"):
        open_graph(GraphSource(model.folder, model.card, CLASSIFIER, (1, 64, 64)), EngineSettings("int8"))


@pytest.mark.parametrize("streams", [1, 2])
def test_a_stream_keeps_the_order_whatever_runs_at_the_same_time(model: Model, streams: int) -> None:
    alone = model.predict(images(23))
    given: list[InputImage | Failure] = [
        InputImage(pixels, ImageRef(str(place))) for place, pixels in enumerate(images(23))
    ]
    for place in (0, 7, 22):
        given[place] = Failure(ImageRef(str(place)), "unreadable")
    opened = Model.load(model.folder, EngineSettings(threads=streams, streams=streams))
    answers = list(predict_stream(opened, iter(given), batch=4))
    assert [answer.ref.path for answer in answers] == [str(place) for place in range(23)]
    for place, (answer, expected) in enumerate(zip(answers, alone, strict=True)):
        assert isinstance(answer, Failure) == (place in (0, 7, 22))
        if not isinstance(answer, Failure):
            np.testing.assert_allclose(prediction_of(answer).logits, prediction_of(expected).logits, atol=1e-5)


def test_a_stream_reads_ahead_a_few_batches_alone(model: Model) -> None:
    read = 0

    def endless() -> object:
        nonlocal read
        picture = images(1)[0]
        while True:
            read += 1
            yield InputImage(picture)

    opened = Model.load(model.folder, EngineSettings(threads=2, streams=2))
    answers = predict_stream(opened, endless(), batch=4)  # type: ignore[arg-type]
    for _ in range(10):
        next(answers)
    assert read <= 10 + 4 * 4
    answers.close()  # type: ignore[attr-defined]
