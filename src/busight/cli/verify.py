"""``busight verify``: check of a bundle's files, and replay of its examples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from busight.cli.guard import one_line_errors


def command(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the folder of a run.")],
    threads: Annotated[int, typer.Option("--threads", min=0, help="Threads of the engine; 0 lets it choose.")] = 0,
) -> None:
    """Check every file of a bundle and replay its examples: same graphs, same answers from end to end."""
    with one_line_errors():
        from busight.model.bundle.card import GRAPH_EXAMPLES
        from busight.model.bundle.examples import COUNT, replay
        from busight.model.bundle.graph_examples import replay_graphs
        from busight.model.engines.catalogue import EngineSettings
        from busight.model.model import Model

        model = Model.load(bundle, EngineSettings(threads=threads))
        # An ensemble has the examples of none of its members.
        is_alone = GRAPH_EXAMPLES in model.card.files or not model.card.inverse_temperatures
        graphs = replay_graphs(model.folder) if is_alone else None
        difference = replay(model)
        typer.echo(f"files: {len(model.card.files)} of {model.card.name}, each with its SHA-256")
        typer.echo(f"examples: {COUNT} replayed from end to end, largest difference {difference:.1g}")
        if graphs is not None:
            count, graph_difference = graphs
            typer.echo(f"graphs: {count} replayed on their own examples, largest difference {graph_difference:.1g}")
