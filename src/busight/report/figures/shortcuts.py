"""AUROC of each class from image properties that hold no tissue."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from busight.experiments.audit import SHORTCUTS
from busight.report.render.style import FULL_WIDTH, MUTED, class_style, new_figure
from busight.results.audit_record import Shortcut


def draw_shortcuts(shortcuts: Sequence[Shortcut]) -> Figure:
    """Draw one row per property with one marker per class, with intervals; 0.5 is chance."""
    rows = [*(name for name in ("all together", *SHORTCUTS) if any(shortcut.feature == name for shortcut in shortcuts))]
    classes = list(dict.fromkeys(shortcut.label for shortcut in shortcuts))
    figure = new_figure(FULL_WIDTH, 0.9 + 0.42 * len(rows))
    ax = figure.add_subplot()
    for k, name in enumerate(classes):
        style = class_style(name, k)
        offset = 0.22 * (k - (len(classes) - 1) / 2)
        of_class = [shortcut for shortcut in shortcuts if shortcut.label == name]
        places = [rows.index(shortcut.feature) + offset for shortcut in of_class]
        for shortcut, place in zip(of_class, places, strict=True):
            ax.plot([shortcut.low, shortcut.high], [place, place], color=style.colour, linewidth=3, alpha=0.35)
        ax.plot(
            [shortcut.auroc for shortcut in of_class],
            places,
            style.marker,
            color=style.colour,
            markersize=6,
            label=name,
        )
    ax.axvline(0.5, color=MUTED, linewidth=1, linestyle=(0, (1, 2)))
    ax.set_yticks(range(len(rows)), [row.replace("_", " ") for row in rows])
    ax.invert_yaxis()
    ax.set_xlabel("AUROC of the class against the others (0.5: chance)")
    ax.grid(visible=False, axis="y")
    ax.legend(loc="lower right")
    return figure
