"""``busight verify``: check of a bundle's files, and replay of its examples on every engine that is present."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from busight.cli.engine import ModelArgument, ThreadsOption
from busight.cli.guard import one_line_errors

if TYPE_CHECKING:
    from busight.model.bundle.card import Card


def command(
    named_model: ModelArgument,
    threads: ThreadsOption = 0,
) -> None:
    """Check every file of a bundle and replay its examples on each engine: same graphs, same answers end to end."""
    with one_line_errors():
        from busight.model.bundle.card import GRAPH_EXAMPLES
        from busight.model.bundle.examples import COUNT, TOLERANCE, replay
        from busight.model.bundle.graph_examples import replay_graphs
        from busight.model.bundle.load import load_bundle
        from busight.model.engines.catalogue import EngineSettings
        from busight.model.installed import find_model
        from busight.model.model import Model

        folder, card = load_bundle(find_model(named_model)).parts
        # An ensemble has the examples of none of its members.
        is_alone = GRAPH_EXAMPLES in card.files or not card.inverse_temperatures
        graphs = replay_graphs(folder) if is_alone else None
        lines = [f"files: {len(card.files)} of {card.name}, each with its SHA-256"]
        if graphs is not None:
            count, graph_difference = graphs
            lines.append(f"graphs: {count} replayed on their own examples, largest difference {graph_difference:.1g}")
        for name in _engines(card):
            part = card.exports.get(name)  # type: ignore[call-overload]
            # Other processors round otherwise: in lower precision twice as far as where it was made is no fault.
            tolerance = TOLERANCE if part is None else max(TOLERANCE, 2 * part.max_example_diff)
            opened = Model.of_card(folder, card, EngineSettings(name, threads))
            difference = replay(opened, tolerance)
            lines.append(f"{name}: {COUNT} examples replayed from end to end, largest difference {difference:.1g}")
        lines.append(f"verified: {card.name} is unchanged and answers as it did where it was made")
        typer.echo("\n".join(lines))


def _engines(card: Card) -> list[str]:
    """Return the engines that are installed, that this processor can run and that the bundle has graphs for."""
    from busight.model.bundle.card import WEIGHTS
    from busight.model.engines.catalogue import ENGINES, EngineSettings, runnable

    return [
        name
        for name, kind in ENGINES.items()
        if kind.is_installed
        and (not kind.target or kind.target in card.exports)
        and not runnable(EngineSettings(name))[1]
        and (name != "pytorch" or WEIGHTS in card.files)
    ]
