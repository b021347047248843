"""Samples of a data set for a contact sheet: a stratified, seeded choice."""

from __future__ import annotations

import numpy as np

from busight.audit.checked_dataset import CheckedDataset
from busight.report.figures.contact_sheet import SheetImage


def sheet_images(checked: CheckedDataset, number: int, seed: int) -> list[SheetImage]:
    """Choose samples, every class in turn, and read their pixels.

    Args:
        checked: The data set.
        number: Number of samples; fewer where there are fewer.
        seed: Seed of the choice.
    """
    samples = checked.samples
    order = np.random.default_rng(seed).permutation(len(samples))
    by_class: dict[str, list[int]] = {}
    for index in order.tolist():
        by_class.setdefault(str(samples[index].label), []).append(index)
    # The k-th of every class before the (k+1)-th of any.
    ranked = sorted((rank, name, index) for name, indices in by_class.items() for rank, index in enumerate(indices))
    chosen = sorted((name, index) for _, name, index in ranked[:number])
    reader = checked.reader
    return [
        SheetImage(
            title=samples[index].sample_id.rpartition("/")[2],
            image=reader.image(samples[index]),
            mask=reader.mask(samples[index]),
            label=samples[index].label,
        )
        for _, index in chosen
    ]
