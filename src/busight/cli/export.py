"""``busight export``: a bundle's graphs for other engines, with their agreement measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from busight.cli.engine import ModelArgument
from busight.cli.extras import require_extra
from busight.cli.guard import one_line_errors

if TYPE_CHECKING:
    from busight.model.bundle.card import Target
    from busight.model.model import Model


def command(
    named_model: ModelArgument,
    to: Annotated[str, typer.Option("--to", help="openvino, fp16 or int8; several, separated by commas.")],
    data: Annotated[
        str | None, typer.Option("--data", help="Data spec of its training [that of the run's recipe].")
    ] = None,
    split: Annotated[
        Path | None, typer.Option("--split", help="The split.json of its training [the run's own].")
    ] = None,
) -> None:
    """Write a bundle's graphs in OpenVINO's format or in int8, where their answers agree on the validation images."""
    with one_line_errors():
        targets = _targets(to)
        require_extra("int8" if "int8" in targets else "openvino", "busight export")
        from busight.cli.console import ConsoleProgress
        from busight.experiments.export import export, read_validation
        from busight.model.installed import find_model
        from busight.model.model import Model

        model = Model.load(find_model(named_model))
        spec, split_file = _training_data(model, data, split)
        with ConsoleProgress() as progress:
            progress.stage("validation images")
            export(model, targets, read_validation(model, spec, split_file), progress)
        typer.echo(f"{model.card.name}: {model.folder}; run it with busight predict --engine {targets[-1]}")


def _targets(text: str) -> list[Target]:
    from busight.errors import ConfigError
    from busight.model.bundle.card import TARGETS

    chosen = {name.strip() for name in text.split(",")}
    if not chosen or (unknown := sorted(chosen - set(TARGETS))):
        raise ConfigError(f"--to {text!r}: {unknown[0]!r} is no target; known: {', '.join(TARGETS)}")
    return [target for target in TARGETS if target in chosen]


def _training_data(model: Model, data: str | None, split: Path | None) -> tuple[str, Path]:
    """Return spec and split file of the training: as given, else what the run's folder and recipe say."""
    import tomllib

    from busight.errors import ConfigError
    from busight.results.store import SPLIT_FILE

    split = split or model.folder.parent / SPLIT_FILE
    if not split.is_file():
        raise ConfigError(f"{model.folder}: lies in no folder of a run; name the split of its training by --split")
    spec = data or tomllib.loads(model.card.training.recipe).get("data", {}).get("spec", "")
    if not spec:
        raise ConfigError(f"{model.folder}: its recipe names no data; name them by --data")
    return spec, split
