"""Faults injected into images of a phantom set, the ground truth for tests of the audit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from busight.simulate.case import PhantomCase, generate_case, patient_of
from busight.simulate.labels import BENIGN, MALIGNANT, NORMAL
from busight.simulate.near_duplicates import SIMPLE_KINDS, NearDuplicateKind, make_near_duplicate
from busight.simulate.overlay import burn_overlay
from busight.simulate.spec import PhantomSpec


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """The injected fault of one image.

    Attributes:
        overlay: Whether text and calipers are burned in.
        duplicate_of: Index of the image that this one is a near-duplicate of.
        duplicate_kind: Kind of the near-duplicate.
        label: The wrong label; None where the label is right.
    """

    overlay: bool = False
    duplicate_of: int | None = None
    duplicate_kind: NearDuplicateKind | None = None
    label: str | None = None


NO_FAULT = InjectedFault()
"""No injected fault."""

_WRONG = {
    NORMAL: BENIGN,
    BENIGN: MALIGNANT,
    MALIGNANT: BENIGN,
}


def plan_faults(spec: PhantomSpec) -> dict[int, InjectedFault]:
    """Choose the images with injected faults.

    Wrong labels and near-duplicates go to patients with one image only, so that a patient has one label; a
    near-duplicate has a source of its own label, so that the class counts stay; near-duplicates and their sources keep
    their right labels.

    Args:
        spec: The shares; each is rounded to a whole number of images.

    Returns:
        The faults by index of the image; images without a fault are not listed.
    """
    rng = _generator(spec.seed, 0)
    labels = [patient_of(spec.seed, index).label for index in range(spec.count)]
    singles = [int(index) for index in rng.permutation(spec.count) if index % 5 < 3]
    # The first image of each class is never chosen: every class stays present however small the set.
    kept = {labels.index(label) for label in set(labels)}
    singles = [index for index in singles if index not in kept]
    n_wrong, n_copies, n_flips = (
        round(share * spec.count) for share in (spec.wrong_labels, spec.duplicates, spec.flips)
    )
    wrong = singles[:n_wrong]
    copies = singles[n_wrong : n_wrong + n_copies + n_flips]
    faults = {index: InjectedFault(label=_WRONG[labels[index]]) for index in wrong}
    sources = sorted(set(range(spec.count)) - set(wrong) - set(copies))
    sources_of = {label: [index for index in sources if labels[index] is label] for label in set(labels)}
    for place, index in enumerate(copies):
        alike = sources_of[labels[index]]
        kind = SIMPLE_KINDS[place % len(SIMPLE_KINDS)] if place < n_copies else "flip"
        faults[index] = InjectedFault(duplicate_of=alike[int(rng.integers(len(alike)))], duplicate_kind=kind)
    originals = sorted(set(range(spec.count)) - set(copies))
    for index in rng.choice(originals, min(len(originals), round(spec.overlays * spec.count)), replace=False):
        faults[int(index)] = InjectedFault(overlay=True, label=faults.get(int(index), NO_FAULT).label)
    return faults


def render(spec: PhantomSpec, faults: dict[int, InjectedFault], index: int) -> PhantomCase:
    """Render one image of a set with its injected fault.

    Args:
        spec: The set.
        faults: The faults that ``plan_faults`` chose for the set.
        index: Index of the image.

    Returns:
        The case. Overlays and near-duplicates change the image, not its clean version; a near-duplicate's mask moves
        with its pixels.
    """
    fault = faults.get(index, NO_FAULT)
    rng = _generator(spec.seed, 1 + index)
    if fault.duplicate_of is not None and fault.duplicate_kind is not None:
        source = render(spec, faults, fault.duplicate_of)
        image, mask = make_near_duplicate(rng, fault.duplicate_kind, source.image, source.mask)
        return PhantomCase(image, source.clean, mask, source.descriptors)
    case = generate_case(spec.seed, index, spec.size, spec.typical)
    if not fault.overlay:
        return case
    return PhantomCase(burn_overlay(rng, case.image, case.mask), case.clean, case.mask, case.descriptors)


def _generator(seed: int, purpose: int) -> np.random.Generator:
    """Return a generator for the faults: two-number keys belong to the cases, three-number keys to the faults."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(purpose, 0, 0))))
