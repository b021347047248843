"""The engines by name, and how a model's graphs are run."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from busight.errors import BundleError, ConfigError, MissingExtraError
from busight.io.cores import usable_cores
from busight.model.bundle.card import Card
from busight.model.engines.instructions import has_int8_instructions
from busight.strategies.engine import Engine

AUTO = "auto"
"""The name that stands for the quickest engine on this machine; see `busight.model.engines.fastest`."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How a model's graphs are run.

    Attributes:
        name: Name in `ENGINES`, or ``auto`` for the quickest of those that give the same answers.
        threads: Cores to use; 0 for all that this process may use.
        streams: Batches that run at the same time and share the cores: 1 for the quickest answer to one image, as many
            as cores for the most images a second.
        batch: Largest number of views in one run.
    """

    name: str = "onnxruntime"
    threads: int = 0
    streams: int = 1
    batch: int = 8

    def __post_init__(self) -> None:
        """Raise for an unknown engine or numbers out of range."""
        if self.name not in (AUTO, *ENGINES):
            raise ConfigError(f"engine {self.name!r}: known: {', '.join((AUTO, *ENGINES))}")
        if self.threads < 0 or self.batch < 1:
            raise ConfigError(f"threads {self.threads}, batch {self.batch}: 0 or more threads, 1 or more in a batch")
        if self.threads > (cores := os.cpu_count() or 1):
            raise ConfigError(f"threads {self.threads}: this machine has {cores} cores; give at most that many")
        if not 1 <= self.streams <= cores:
            raise ConfigError(f"streams {self.streams}: 1 or more, at most one for each of the {cores} cores")

    def for_images(self, n_images: int) -> EngineSettings:
        """Return the settings for so many images: of many, each core takes a batch of its own."""
        return replace(self, streams=max(1, min(self.cores, n_images // self.batch)))

    @property
    def cores(self) -> int:
        """Cores to use, 1 or more."""
        return self.threads or len(usable_cores())


class GraphSource(NamedTuple):
    """A graph of a bundle.

    Attributes:
        folder: The bundle.
        card: Its card.
        graph: Name of its ONNX graph.
        input_shape: Channels, height and width of an input; empty where only engines that run the ONNX graph are
            opened.
    """

    folder: Path
    card: Card
    graph: str
    input_shape: tuple[int, ...]

    def file(self, name: str) -> Path:
        """Return a file of the bundle.

        Raises:
            BundleError: The bundle has no such file.
        """
        path = self.folder / name
        if name not in self.card.files or not path.is_file():
            raise BundleError(f"{self.folder}: the card needs {name}, but has no such file; get the bundle again")
        return path


@dataclass(frozen=True, slots=True)
class EngineKind:
    """An engine that can be chosen by name.

    Attributes:
        module: The module of its library.
        extra: The extra that installs it; empty for the base install.
        exact: Whether its answers are those of the ONNX graph, but for rounding.
        target: The target of ``busight export`` that it needs; empty where it runs the ONNX graph.
        open: Opens a graph.
    """

    module: str
    extra: str
    exact: bool
    target: str
    open: Callable[[GraphSource, EngineSettings], Engine]

    @property
    def is_installed(self) -> bool:
        """Whether its library can be imported."""
        return find_spec(self.module) is not None


def open_graph(source: GraphSource, settings: EngineSettings) -> Engine:
    """Open a graph of a bundle in the engine that the settings name, which is not ``auto``.

    Raises:
        BundleError: The engine cannot run it, or the bundle has no graph for it.
        ConfigError: This processor cannot run it.
        MissingExtraError: The engine is not installed.
    """
    kind = ENGINES[settings.name]
    if not kind.is_installed:
        raise MissingExtraError(
            f'engine {settings.name}: not installed; install it with: pip install "busight[{kind.extra}]"'
        )
    if settings.name == "int8" and not has_int8_instructions():
        # Without them sums of products saturate: the answers would be others than those that were measured.
        raise ConfigError("engine int8: this processor has no instructions for int8; choose the engine openvino")
    if kind.target and exported_file(source.graph, kind.target) not in source.card.files:
        raise BundleError(
            f"{source.folder}: has no graph for the engine {settings.name}; make one with busight export --to "
            f"{kind.target}"
        )
    return kind.open(source, settings)


def runnable(settings: EngineSettings) -> tuple[EngineSettings, str]:
    """Return settings that this processor can run, and in a few words what was changed; empty for nothing."""
    if settings.name != "int8" or has_int8_instructions():
        return settings, ""
    return replace(settings, name="openvino"), "this processor has no instructions for int8; openvino runs instead"


def exported_file(graph: str, target: str) -> str:
    """Return the name of a graph that ``busight export`` writes; its weights lie in a ``.bin`` beside it.

    Example:
        >>> exported_file("classifier.onnx", "int8")
        'classifier.int8.xml'
    """
    return f"{graph.removesuffix('.onnx')}.{target}.xml"


def _onnxruntime(source: GraphSource, settings: EngineSettings) -> Engine:
    from busight.model.engines.onnxruntime import OnnxRuntimeEngine

    return OnnxRuntimeEngine(source.file(source.graph), settings.threads, settings.streams, settings.batch)


def _openvino(target: str) -> Callable[[GraphSource, EngineSettings], Engine]:
    def opened(source: GraphSource, settings: EngineSettings) -> Engine:
        from busight.model.engines.openvino import OpenVinoEngine

        exported = exported_file(source.graph, target)
        path = source.file(source.graph)
        if exported in source.card.files:
            path = source.file(exported)
            source.file(Path(exported).with_suffix(".bin").name)  # its weights, which OpenVINO opens by itself
        return OpenVinoEngine(path, settings.threads, settings.streams, settings.batch)

    return opened


def _pytorch(source: GraphSource, settings: EngineSettings) -> Engine:
    from busight.model.engines.pytorch import open_pytorch

    folder, card, graph, input_shape = source
    return open_pytorch(folder, card, graph, input_shape, settings.threads, settings.batch)


ENGINES = {
    "onnxruntime": EngineKind("onnxruntime", "", True, "", _onnxruntime),
    "openvino": EngineKind("openvino", "openvino", True, "", _openvino("openvino")),
    "fp16": EngineKind("openvino", "openvino", False, "fp16", _openvino("fp16")),
    "int8": EngineKind("openvino", "openvino", False, "int8", _openvino("int8")),
    "pytorch": EngineKind("torch", "train", True, "", _pytorch),
}
