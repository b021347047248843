"""The engine that a command runs a bundle's graphs with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from busight.cli.guard import one_line

if TYPE_CHECKING:
    from busight.model.engines.catalogue import EngineSettings
    from busight.model.model import Model

EngineOption = Annotated[
    str,
    typer.Option(
        "--engine", help="onnxruntime, openvino, fp16, int8, pytorch, or auto: the quickest with the same answers."
    ),
]
BATCH = 8
"""Images that go through the networks together, unless told otherwise."""

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
    from busight.model.model import Model

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
