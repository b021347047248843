"""How well each class is told without looking at any tissue."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from busight.experiments.audit import SHORTCUTS, Shortcut
from busight.report.render.style import FULL_WIDTH, MUTED, look_of, new_figure


def draw_shortcuts(shortcuts: Sequence[Shortcut]) -> Figure:
    """Draw one row a fact and in it one mark a class, with intervals; 0.5 is chance."""
    rows = [*(name for name in ("all together", *SHORTCUTS) if any(one.feature == name for one in shortcuts))]
    classes = list(dict.fromkeys(one.label for one in shortcuts))
    figure = new_figure(FULL_WIDTH, 0.9 + 0.42 * len(rows))
    ax = figure.add_subplot()
    for k, name in enumerate(classes):
        look = look_of(name, k)
        offset = 0.22 * (k - (len(classes) - 1) / 2)
        own = [one for one in shortcuts if one.label == name]
        places = [rows.index(one.feature) + offset for one in own]
        for one, place in zip(own, places, strict=True):
            ax.plot([one.low, one.high], [place, place], color=look.colour, linewidth=3, alpha=0.35)
        ax.plot([one.auroc for one in own], places, look.marker, color=look.colour, markersize=6, label=name)
    ax.axvline(0.5, color=MUTED, linewidth=1, linestyle=(0, (1, 2)))
    ax.set_yticks(range(len(rows)), [row.replace("_", " ") for row in rows])
    ax.invert_yaxis()
    ax.set_xlabel("AUROC of the class against the others (0.5: nothing can be told)")
    ax.grid(visible=False, axis="y")
    ax.legend(loc="lower right")
    return figure
