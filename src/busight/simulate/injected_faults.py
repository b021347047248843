"""Which images of a phantom set get a planted fault, so that an audit can be tested against the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from busight.simulate.case import PhantomCase, generate_case, patient_of
from busight.simulate.copies import SIMPLE_KINDS, CopyKind, make_copy
from busight.simulate.labels import BENIGN, MALIGNANT, NORMAL
from busight.simulate.overlay import burn_overlay
from busight.simulate.spec import PhantomSpec


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """What is wrong with one image on purpose.

    Attributes:
        overlay: Text and calipers are burned in.
        copy_of: Index of the image that this one is a near-duplicate of.
        copy_kind: How the copy differs.
        label: The label it is said to show, where that is wrong.
    """

    overlay: bool = False
    copy_of: int | None = None
    copy_kind: CopyKind | None = None
    label: str | None = None


NO_FAULT = InjectedFault()
"""Nothing planted."""

_WRONG = {
    NORMAL: BENIGN,
    BENIGN: MALIGNANT,
    MALIGNANT: BENIGN,
}


def plan_plants(spec: PhantomSpec) -> dict[int, InjectedFault]:
    """Choose the images with planted faults.

    Wrong labels and copies go to patients with one image only, so that a patient keeps one label; a copy takes a source
    of its own label, so that the class counts stay; copies and their sources keep their right labels.

    Args:
        spec: The shares; each is rounded to a whole number of images.

    Returns:
        The plants by index of the image; sound images are not listed.
    """
    rng = _generator(spec.seed, 0)
    labels = [patient_of(spec.seed, index).label for index in range(spec.count)]
    singles = [int(index) for index in rng.permutation(spec.count) if index % 5 < 3]
    # The first image of each class is never touched: every class stays present however small the set.
    kept = {labels.index(label) for label in set(labels)}
    singles = [index for index in singles if index not in kept]
    n_wrong, n_copies, n_flips = (
        round(share * spec.count) for share in (spec.wrong_labels, spec.duplicates, spec.flips)
    )
    wrong = singles[:n_wrong]
    copies = singles[n_wrong : n_wrong + n_copies + n_flips]
    plants = {index: InjectedFault(label=_WRONG[labels[index]]) for index in wrong}
    sources = sorted(set(range(spec.count)) - set(wrong) - set(copies))
    sources_of = {label: [index for index in sources if labels[index] is label] for label in set(labels)}
    for place, index in enumerate(copies):
        alike = sources_of[labels[index]]
        kind = SIMPLE_KINDS[place % len(SIMPLE_KINDS)] if place < n_copies else "flip"
        plants[index] = InjectedFault(copy_of=alike[int(rng.integers(len(alike)))], copy_kind=kind)
    originals = sorted(set(range(spec.count)) - set(copies))
    for index in rng.choice(originals, min(len(originals), round(spec.overlays * spec.count)), replace=False):
        plants[int(index)] = InjectedFault(overlay=True, label=plants.get(int(index), NO_FAULT).label)
    return plants


def render(spec: PhantomSpec, plants: dict[int, InjectedFault], index: int) -> PhantomCase:
    """Make one image of a set, planted faults and all.

    Args:
        spec: The set.
        plants: What ``plan_plants`` chose for it.
        index: The image.

    Returns:
        The case. Overlays and copies change the image, not its clean twin; a copy's mask moves with its pixels.
    """
    plant = plants.get(index, NO_FAULT)
    rng = _generator(spec.seed, 1 + index)
    if plant.copy_of is not None and plant.copy_kind is not None:
        source = render(spec, plants, plant.copy_of)
        image, mask = make_copy(rng, plant.copy_kind, source.image, source.mask)
        return PhantomCase(image, source.clean, mask, source.descriptors)
    case = generate_case(spec.seed, index, spec.size, spec.typical)
    if not plant.overlay:
        return case
    return PhantomCase(burn_overlay(rng, case.image, case.mask), case.clean, case.mask, case.descriptors)


def _generator(seed: int, purpose: int) -> np.random.Generator:
    """Generators for planting: two-number keys belong to the cases, three-number keys to the plants."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(purpose, 0, 0))))
