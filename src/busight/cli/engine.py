"""The engine that a command runs a bundle's graphs with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from busight.io.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from busight.model.engines.catalogue import EngineSettings
    from busight.model.model import Model

ModelArgument = Annotated[
    str, typer.Argument(metavar="MODEL", help="An installed model's name, a bundle, or the folder of a run.")
]

ModelOption = Annotated[
    str | None,
    typer.Option("--model", help="An installed model's name, a bundle, or the folder of a run [busight-base]."),
]


def chosen_model(model: str | None, inputs: Sequence[Path] = ()) -> Path:
    """Return the folder of the model that an option names; without one, the ready model's, told on stderr.

    Args:
        model: What the option names; None where it is not given.
        inputs: What the call is to read.

    Raises:
        BundleError: The model is not there.
        ConfigError: Without the option: the first input is a bundle.
    """
    from busight.errors import ConfigError
    from busight.model.bundle.card import CARD
    from busight.model.installed import READY, find_model, installed_models

    if model is not None:
        return find_model(model)
    for path in inputs[:1]:
        is_name = not path.exists() and str(path) in installed_models()
        if is_name or (path / CARD).is_file() or (path / "bundle" / CARD).is_file():
            raise ConfigError(f"{path}: is a model, not an image; name it with --model {one_line(str(path))}")
    folder = find_model(READY)
    typer.echo(f"busight: model {READY}, for research use only; --model names another", err=True)
    return folder


EngineOption = Annotated[
    str,
    typer.Option(
        "--engine", help="onnxruntime, openvino, fp16, int8, pytorch, or auto: the quickest with the same answers."
    ),
]
BATCH = 8
"""Images that go through the networks together, unless told otherwise."""

FEW_IMAGES = 8
"""Fewer images than this are answered by the engine that opens first; another's speed would not make up for it."""

ThreadsOption = Annotated[int, typer.Option("--threads", min=0, help="Cores of the engine; 0: all there are.")]


def load_model(bundle: Path, engine: str, threads: int, batch: int = BATCH, n_images: int = 1) -> Model:
    """Load a bundle, and report on stderr where it runs on another engine than the one asked for.

    Args:
        bundle: The bundle or the folder of a run.
        engine: Name of the engine.
        threads: Cores; 0 for all.
        batch: Images that go through the networks together.
        n_images: Number of images: of many, each core takes a batch of its own; of few, all cores work on each.

    Raises:
        BusightError: The bundle is none, or the engine is not there; see `Model.load`.
    """
    from busight.model.engines.catalogue import AUTO, EngineSettings
    from busight.model.model import Model

    if engine == AUTO and n_images < FEW_IMAGES:
        engine = EngineSettings().name
    return Model.load(bundle, engine_settings(engine, threads, batch).for_images(n_images))


def engine_settings(engine: str, threads: int, batch: int) -> EngineSettings:
    """Return how graphs are run, and report on stderr where this processor cannot run the engine asked for.

    Raises:
        ConfigError: The engine is not known, or a number is out of range.
    """
    from busight.model.engines.catalogue import EngineSettings, runnable

    settings, change = runnable(EngineSettings(engine, threads, batch=batch))
    if change:
        typer.echo(f"busight: --engine {engine}: {one_line(change)}", err=True)
    return settings
