"""Bar chart of the images of each class, in the whole data set and in each subset of the split."""

from __future__ import annotations

from matplotlib.figure import Figure

from busight.report.render.figure_spec import FigureSpec
from busight.report.render.style import FULL_WIDTH, class_style, new_figure
from busight.report.text.sanitise import short_label
from busight.results.records import ResultRecord, TrainingRunRecord


def draw_class_counts(bars: list[tuple[str, dict[str, int]]], classes: tuple[str, ...]) -> Figure:
    """Draw one group of bars for each subset.

    Args:
        bars: (subset, images by class), from left to right.
        classes: Class names in the order of the bars within a group.
    """
    figure = new_figure(FULL_WIDTH, 2.9)
    ax = figure.add_subplot()
    width = 0.8 / len(classes)
    for k, name in enumerate(classes):
        style = class_style(name, k)
        places = [i + (k - (len(classes) - 1) / 2) * width for i in range(len(bars))]
        heights = [counts.get(name, 0) for _, counts in bars]
        drawn = ax.bar(
            places,
            heights,
            width * 0.92,
            color=style.colour,
            hatch=style.hatch,
            edgecolor="white",
            label=short_label(name, 24),
        )
        ax.bar_label(drawn, fontsize=8, padding=1)
    ax.set_xticks(range(len(bars)), [subset for subset, _ in bars])
    ax.set_ylabel("images")
    ax.grid(visible=False, axis="x")
    ax.margins(y=0.12)
    figure.legend(loc="outside upper center", ncols=len(classes))
    return figure


def figure_specs(record: ResultRecord) -> list[FigureSpec]:
    """Return the one figure spec; the subsets follow the whole where a split is known."""
    whole = dict(record.data.class_counts)
    bars = [("all", whole)]
    classes = tuple(whole)
    if isinstance(record, TrainingRunRecord):
        for subset in dict.fromkeys(subset for subset, _, _ in record.split.counts):
            counts = {name: images for p, name, images in record.split.counts if p == subset}
            bars.append((subset, counts))
            classes += tuple(name for name in counts if name not in classes)
    if not classes:
        return []
    counts_text = "; ".join(
        f"{subset}: " + ", ".join(f"{n} {name}" for name, n in counts.items()) for subset, counts in bars
    )
    return [
        FigureSpec(
            name="class-counts",
            title="Images by class",
            caption="Each group of bars is one subset. Subsets of a stratified split have the proportions of "
            "the whole; where one class is much rarer than the others, accuracy alone is misleading.",
            alt=f"Bar chart of image counts. {counts_text}.",
            draw=lambda: draw_class_counts(bars, classes),
        )
    ]
