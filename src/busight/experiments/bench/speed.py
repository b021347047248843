"""Benchmark of prediction: end to end beside the bare engines, PyTorch and MONAI, all in one run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from busight.experiments.bench.bare import bare_engine, end_to_end, with_classifier
from busight.experiments.bench.peak_memory import peak_mib
from busight.experiments.bench.pytorch_ways import Logits, compiled, eager, monai_inference, torch_threads
from busight.experiments.bench.turns import Way, seconds_in_turns, speed_ratio
from busight.experiments.bench.untrained import (
    untrained_model,
    untrained_recipe,
    without_segmentation,
    write_phantoms,
)
from busight.experiments.facts import versions
from busight.io.cores import usable_cores
from busight.io.progress import Progress, Silent
from busight.model.bundle.card import CLASSIFIER
from busight.model.bundle.openvino_graphs import write_int8_graph
from busight.model.engines.catalogue import AUTO, ENGINES, EngineSettings
from busight.model.engines.instructions import has_int8_instructions, processor_name
from busight.model.model import Model
from busight.preprocess.resize import as_network_input, resize_or_pad
from busight.types import FloatArray

EAGER, COMPILED, MONAI = "PyTorch eager", "torch.compile", "MONAI"
_LABELS = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "int8": "OpenVINO int8"}
_END_TO_END, _BARE, _SEGMENTED, _BOTH = "end to end, {}", "bare {}", "end to end with segmentation, {}", "bare {}, both"

END_TO_END_AIM, FLOAT_AIM, INT8_AIM = 0.95, 1.4, 2.5
"""Least ratios wanted: end to end over the bare engine in batches, OpenVINO and int8 over PyTorch eager."""


@dataclass(frozen=True, slots=True)
class SpeedSettings:
    """Size of the benchmark.

    Attributes:
        backbone: The classifier.
        size: Side of its input in pixels.
        images: Image files of one run in batches.
        single_images: Image files of one run of one image at a time.
        rounds: Rounds that count.
        batch: Images of a batch.
        compiles: Whether ``torch.compile`` is measured, which takes a minute or more.
        phantoms: Phantoms that the models' decisions are fitted on; the out-of-distribution detector needs some 50.
    """

    backbone: str = "torchvision/resnet101"
    size: int = 224
    images: int = 64
    single_images: int = 16
    rounds: int = 5
    batch: int = 8
    compiles: bool = True
    phantoms: int = 50


QUICK = SpeedSettings(images=32, single_images=8, rounds=2, compiles=False)


@dataclass(frozen=True, slots=True)
class SpeedRow:
    """One comparison on this machine, in one run.

    Attributes:
        name: What is compared.
        against: What it is compared with.
        batch: Images of a batch.
        ratio: Above 1 is better for `name`: its images a second over those of `against`, or the milliseconds or memory
            of `against` over its own. None where it was not measured.
        low: The lowest ratio of a round; None where there are no rounds.
        high: The highest.
        unit: Unit of the two values: ``images/s``, ``ms`` or ``MiB``.
        value: Of `name`, the median over the rounds.
        value_against: Of `against`.
        aim: Least ratio wanted; None without.
        note: Why it was not measured; empty where it was.
    """

    name: str
    against: str
    batch: int
    ratio: float | None
    low: float | None = None
    high: float | None = None
    unit: str = "images/s"
    value: float | None = None
    value_against: float | None = None
    aim: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class SpeedTable:
    """The rows, with what they were measured on.

    Attributes:
        rows: The comparisons.
        machine: Processor and cores.
        versions: Versions of Python and libraries.
        date: UTC, ISO 8601.
        settings: Size of the benchmark.
    """

    rows: tuple[SpeedRow, ...]
    machine: str
    versions: dict[str, str]
    date: str
    settings: SpeedSettings


@dataclass(slots=True)
class _Measurement:
    """The ways of one batch size, the reasons of those that are left out, and the seconds of each
    single image by way and its bare engine."""

    ways: list[Way] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    latencies: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def add(self, name: str, images: int, run: Callable[[], object] | str) -> None:
        """Add a way, or the reason why it is left out."""
        if isinstance(run, str):
            self.left_out[name] = run
        else:
            self.ways.append(Way(name, images, run))


def measure_speed(
    settings: SpeedSettings, bundles: Sequence[Path] = (), progress: Progress | None = None
) -> SpeedTable:
    """Measure prediction end to end against bare engines, PyTorch and MONAI, on phantoms as image files.

    The classifier has random weights. In batches each core takes a batch of its own; of single images all cores work on
    each.

    Args:
        settings: Size of the benchmark.
        bundles: Further models, each measured in batches against its own bare engine.
        progress: Receives stages and ticks.

    Raises:
        BundleError: A bundle cannot be read or run.
    """
    progress = progress or Silent()
    cores = len(usable_cores())
    given = [Model.load(folder, EngineSettings(AUTO, cores, cores, settings.batch)) for folder in bundles]
    with tempfile.TemporaryDirectory(prefix="busight-bench-") as name, torch_threads(cores):
        lab = _Lab.prepare(Path(name), settings, cores, progress)
        rows: list[SpeedRow] = []
        for batch in (1, settings.batch):
            progress.stage(f"batch {batch}, in turns")
            rows += lab.rows(batch, progress)
        for folder, model in zip(bundles, given, strict=True):
            progress.stage(f"{folder}, in turns")
            rows.append(lab.row_of_bundle(folder, model, progress))
        progress.stage("peak memory, a process each")
        rows += lab.memory_rows()
    return SpeedTable(
        rows=tuple(rows),
        machine=f"{cores} cores of {processor_name()}",
        versions=dict(versions("openvino", "nncf", "monai")),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        settings=settings,
    )


def comparisons(engines: Sequence[str], batch: int) -> list[tuple[str, str, float | None]]:
    """Return name, against and aim of each row of a batch size.

    Args:
        engines: The engines, float ones before int8.
        batch: Images of a batch; the aim of end to end is for batches.
    """
    quickest = "openvino" if "openvino" in engines else "onnxruntime"
    aim = END_TO_END_AIM if batch > 1 else None
    label = _LABELS[quickest]
    found: list[tuple[str, str, float | None]] = [
        (_END_TO_END.format(_LABELS[engine]), _BARE.format(_LABELS[engine]), aim) for engine in engines
    ]
    found.append((_SEGMENTED.format(label), _BOTH.format(label), aim))
    aims = {"openvino": FLOAT_AIM, "int8": INT8_AIM}
    found += [(_BARE.format(_LABELS[engine]), EAGER, aims.get(engine)) for engine in engines]
    found += [(COMPILED, EAGER, None), (_SEGMENTED.format(label), EAGER, None)]
    for engine in dict.fromkeys((quickest, *(name for name in engines if name == "int8"))):
        found += [(_END_TO_END.format(_LABELS[engine]), against, None) for against in (EAGER, COMPILED, MONAI)]
    return found


def rows_of(
    compared: Sequence[tuple[str, str, float | None]],
    batch: int,
    seconds: dict[str, FloatArray],
    left_out: dict[str, str],
) -> list[SpeedRow]:
    """Return a row for each comparison; without ratio, with the reason, where one of both is left out.

    Args:
        compared: As `comparisons` returns them.
        batch: Images of a batch.
        seconds: Seconds an image in each round, by way.
        left_out: Reason by way.
    """
    rows = []
    for name, against, aim in compared:
        reasons = [left_out[way] for way in (name, against) if way in left_out]
        if reasons:
            rows.append(SpeedRow(name, against, batch, None, aim=aim, note=reasons[0]))
            continue
        ratio = speed_ratio(seconds, name, against)
        rate, other = (float(1 / np.median(seconds[way])) for way in (name, against))
        rows.append(
            SpeedRow(name, against, batch, ratio.value, ratio.low, ratio.high, value=rate, value_against=other, aim=aim)
        )
    return rows


@dataclass(frozen=True, slots=True, eq=False)
class _Lab:
    """Everything that is measured: files, bundles and the network.

    Attributes:
        settings: Size of the benchmark.
        cores: Cores.
        whole: Bundle of the model of whole images.
        two_stage: Bundle of the model with segmentation.
        network: The classifier in PyTorch.
        paths: The image files.
        int8: The classifier in int8, or why there is none.
    """

    settings: SpeedSettings
    cores: int
    whole: Path
    two_stage: Path
    network: Logits
    paths: list[Path]
    int8: Path | str

    @classmethod
    def prepare(cls, folder: Path, settings: SpeedSettings, cores: int, progress: Progress) -> _Lab:
        """Write images and bundles to a folder."""
        progress.stage(f"{settings.images} phantoms as files")
        (folder / "images").mkdir()
        paths = write_phantoms(folder / "images", settings.images, progress)
        progress.stage(f"{settings.backbone} with random weights")
        recipe = untrained_recipe(settings.backbone, settings.size)
        model, network = untrained_model(recipe, folder / "two-stage", settings.phantoms)
        whole = without_segmentation(model, folder / "whole")
        progress.stage("int8 graph")
        int8 = _int8_graph(whole, folder / "classifier.int8.xml", paths)
        return cls(settings, cores, whole.folder, model.folder, Logits(network), paths, int8)

    @property
    def engines(self) -> list[str]:
        """The engines that are measured; int8 is left out by its reason where it cannot be."""
        return [name for name in ("onnxruntime", "openvino") if ENGINES[name].is_installed] + ["int8"]

    def rows(self, batch: int, progress: Progress) -> list[SpeedRow]:
        """Return the rows of a batch size."""
        measured = _Measurement()
        self._add_ours(measured, batch)
        self._add_pytorch(measured, batch)
        seconds = seconds_in_turns(measured.ways, self.settings.rounds, progress)
        rows = rows_of(comparisons(self.engines, batch), batch, seconds, measured.left_out)
        for (name, against), found in measured.latencies.items():
            first = self.settings.single_images  # the run before the first round does not count
            rows += latency_rows(name, against, found[first:], seconds[against])
        return rows

    def row_of_bundle(self, folder: Path, model: Model, progress: Progress) -> SpeedRow:
        """Return the row of a further model."""
        name, against, batch = f"end to end, {folder} ({model.engine.name})", "its bare engine", self.settings.batch
        runs = {name: end_to_end, against: bare_engine}
        ways = [Way(way, len(self.paths), run(model, self.paths, batch)) for way, run in runs.items()]
        seconds = seconds_in_turns(ways, self.settings.rounds, progress)
        return rows_of([(name, against, END_TO_END_AIM)], batch, seconds, {})[0]

    def memory_rows(self) -> list[SpeedRow]:
        """Return peak memory end to end in batches against the bare engine and PyTorch eager."""
        batch, images = self.settings.batch, self.paths[0].parent
        name = "openvino" if "openvino" in self.engines else "onnxruntime"
        peaks = {
            _END_TO_END.format(_LABELS[name]): ("end-to-end", name),
            _BARE.format(_LABELS[name]): ("bare", name),
            EAGER: ("bare", "pytorch"),
        }
        mib = {way: peak_mib(*call, self.whole, images, batch) for way, call in peaks.items()}
        ours, *others = mib
        return [
            SpeedRow(f"peak memory {ours}", way, batch, mib[way] / mib[ours], None, None, "MiB", mib[ours], mib[way])
            for way in others
        ]

    def _add_ours(self, measured: _Measurement, batch: int) -> None:
        for engine in self.engines:
            ours, bare = (form.format(_LABELS[engine]) for form in (_END_TO_END, _BARE))
            model = self._model(engine, batch)
            if isinstance(model, str):
                measured.left_out |= {ours: model, bare: model}
            else:
                self._add_pair(measured, model, ours, bare, batch)
        name = "openvino" if "openvino" in self.engines else "onnxruntime"
        model = Model.load(self.two_stage, self._engine(name, batch))
        ours, bare = (form.format(_LABELS[name]) for form in (_SEGMENTED, _BOTH))
        self._add_pair(measured, model, ours, bare, batch)

    def _add_pair(self, measured: _Measurement, model: Model, ours: str, bare: str, batch: int) -> None:
        paths = self._paths(batch)
        run = end_to_end(model, paths, batch)
        if batch == 1:
            run = _one_at_a_time(model, paths, measured.latencies.setdefault((ours, bare), []))
        measured.add(ours, len(paths), run)
        measured.add(bare, len(paths), bare_engine(model, paths, batch))

    def _add_pytorch(self, measured: _Measurement, batch: int) -> None:
        size, runs = self.settings.size, max(1, len(self._paths(batch)) // (2 * batch))
        measured.add(EAGER, runs * batch, eager(self.network, batch, size, runs))
        reason = "left out by --quick: compiling takes a minute or more"
        faster = compiled(self.network, batch, size, runs) if self.settings.compiles else reason
        measured.add(COMPILED, runs * batch, faster)
        paths = self._paths(batch)[: runs * batch]
        measured.add(MONAI, len(paths), monai_inference(self.network, paths, batch, size))

    def _model(self, engine: str, batch: int) -> Model | str:
        """Return the model of whole images in an engine, or why it is left out."""
        if engine != "int8":
            return Model.load(self.whole, self._engine(engine, batch))
        if isinstance(self.int8, str):
            return self.int8
        from busight.model.engines.openvino import OpenVinoEngine

        model = Model.load(self.whole, self._engine("onnxruntime", batch))
        settings = model.engine
        return with_classifier(model, OpenVinoEngine(self.int8, settings.threads, settings.streams, settings.batch))

    def _engine(self, name: str, batch: int) -> EngineSettings:
        return EngineSettings(name, self.cores, 1 if batch == 1 else self.cores, batch)

    def _paths(self, batch: int) -> list[Path]:
        return self.paths[: self.settings.single_images] if batch == 1 else self.paths


def latency_rows(name: str, against: str, found: Sequence[float], bare: FloatArray) -> list[SpeedRow]:
    """Return rows of the percentiles of single images' latencies against the bare engine's median.

    Args:
        name: The way.
        against: The bare engine.
        found: Seconds of each image.
        bare: Seconds an image of the bare engine, one value a round.
    """
    median = 1000 * float(np.median(bare))
    rows = []
    for percent in (50, 95, 99):
        latency_ms = 1000 * float(np.percentile(found, percent))
        title = f"latency p{percent}, {name}"
        rows.append(SpeedRow(title, against, 1, median / latency_ms, None, None, "ms", latency_ms, median))
    return rows


def _one_at_a_time(model: Model, paths: Sequence[Path], latencies: list[float]) -> Callable[[], object]:
    def run() -> None:
        for path in paths:
            began = time.perf_counter()
            end_to_end(model, [path], 1)()
            latencies.append(time.perf_counter() - began)

    return run


def _int8_graph(model: Model, path: Path, images: Sequence[Path]) -> Path | str:
    """Write the classifier in int8, calibrated on image files, or return why not."""
    from importlib.util import find_spec

    from busight.data.readers.image import read_grey

    if find_spec("nncf") is None or find_spec("openvino") is None:
        return 'OpenVINO and NNCF are not installed; install them with: pip install "busight[int8]"'
    if not has_int8_instructions():
        return "this processor has no instructions for int8"
    spec = model.stages.input
    assert spec is not None  # the model classifies
    views = np.stack([resize_or_pad(read_grey(image), spec.size, spec.keep_aspect) for image in images])
    write_int8_graph(model.folder / CLASSIFIER, path, list(as_network_input(views)), 0.0)
    return path
