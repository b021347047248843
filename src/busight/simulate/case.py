"""One phantom from (seed, index): patient, breast, mass, scanner, image."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from busight.simulate.anatomy import Anatomy, draw_anatomy, grow_tissue
from busight.simulate.descriptors import Descriptors, draw_descriptors, draw_typical_descriptors
from busight.simulate.labels import BENIGN, MALIGNANT, NORMAL
from busight.simulate.lesion import draw_lesion, insert_lesion
from busight.simulate.scanner import DEVICES, draw_gain, scan
from busight.types import Image, Mask

# The scanner's own grid. Smaller images are made by shrinking, as an archive would, not by a coarser scanner.
_SCAN_ROWS = 256
_DEPTHS_MM = (30.0, 35.0, 40.0, 45.0, 50.0)


@dataclass(frozen=True, slots=True, eq=False)
class PhantomCase:
    """One phantom image with its ground truth.

    Attributes:
        image: uint8 HW, as a scanner displays it.
        clean: uint8 HW, the same image without speckle and noise: the log-compressed expected echo.
        mask: bool HW, True inside the mass; all False in a normal case.
        descriptors: The mass in BI-RADS words; None in a normal case.
    """

    image: Image
    clean: Image
    mask: Mask
    descriptors: Descriptors | None


@dataclass(frozen=True, slots=True)
class Patient:
    """The patient of an image and her scan. Drawn apart from the image, so that listing needs no rendering.

    Attributes:
        number: Counts from 0.
        view: 0 for the patient's first image, 1 for a second one.
        label: Label of her breast.
        laterality: ``"left"`` or ``"right"``.
        device: Index in ``DEVICES``.
        anatomy: Anatomy of her breast.
        depth_mm: Height of the image.
        descriptors: The mass in BI-RADS words; None for normal.
    """

    number: int
    view: int
    label: str
    laterality: str
    device: int
    anatomy: Anatomy
    depth_mm: float
    descriptors: Descriptors | None


def patient_of(seed: int, index: int, typical: float = 0.0) -> Patient:
    """Return the patient of an image. Of each five images the last two are of the same patient.

    Labels follow the shares of BUSI (17 % normal, 56 % benign, 27 % malignant) in an order with every class within the
    first twelve images. ``typical`` is the share of patients with a textbook's mass.

    Example:
        >>> [patient_of(0, index).number for index in range(7)]
        [0, 1, 2, 3, 3, 4, 5]
    """
    fifth, place = divmod(index, 5)
    number, view = 4 * fifth + min(place, 3), int(place == 4)
    rng = _generator(seed, number, 0)
    label = label_of(number)
    anatomy = draw_anatomy(rng)
    # The operator sets the depth so that the chest wall comes into view or nearly so.
    wanted_mm = anatomy.chest_wall_mm * rng.uniform(0.95, 1.35)
    return Patient(
        number=number,
        view=view,
        label=label,
        laterality=("left", "right")[int(rng.integers(2))],
        device=int(rng.integers(len(DEVICES))),
        anatomy=anatomy,
        depth_mm=min(_DEPTHS_MM, key=lambda depth: abs(depth - wanted_mm)),
        descriptors=None if label == NORMAL else _descriptors(rng, seed, number, label, typical),
    )


def _descriptors(rng: np.random.Generator, seed: int, number: int, label: str, typical: float) -> Descriptors:
    descriptors = draw_descriptors(rng, label)
    # A random stream of its own: patients that are not typical do not depend on ``typical``.
    own = _generator(seed, number, 9)
    return draw_typical_descriptors(own, label) if own.random() < typical else descriptors


def label_of(number: int) -> str:
    """Return the label of patient ``number``: 17 normal and 27 malignant in each hundred, spread evenly.

    Example:
        >>> "".join(label_of(number)[0] for number in range(12))
        'bbmnbbmbbnmb'
    """
    place = number % 100
    if _falls_on(place, 17):
        return NORMAL
    # The malignant share is spread over the 83 places that are not normal.
    earlier_normals = sum(_falls_on(earlier, 17) for earlier in range(place))
    return MALIGNANT if _falls_on(place - earlier_normals, 27, of=83) else BENIGN


def _falls_on(place: int, share: int, of: int = 100) -> bool:
    """Return whether one of ``share`` marks spread evenly over ``of`` places falls on ``place``."""
    return (share * (place + 1) + of // 3) // of > (share * place + of // 3) // of


def generate_case(seed: int, index: int, size: int = 256, typical: float = 0.0) -> PhantomCase:
    """Generate one phantom. The same arguments give the same bytes with the same library versions.

    Args:
        seed: Seed of the data set.
        index: Index of the image, from 0.
        size: Rows and columns of the image.
        typical: Share of patients with a textbook's mass, 0–1.

    Returns:
        The case.
    """
    patient = patient_of(seed, index, typical)
    of_patient = _generator(seed, patient.number, 1)
    of_view = _generator(seed, patient.number, 2 + patient.view)
    grid = max(size, _SCAN_ROWS)
    device = DEVICES[patient.device]
    anatomy = patient.anatomy
    tissue = grow_tissue(of_view, anatomy, grid, patient.depth_mm)
    mask = np.zeros((grid, grid), dtype=bool)
    if patient.descriptors is not None:
        lesion = draw_lesion(of_patient, patient.label, patient.descriptors)
        reachable = (anatomy.skin_mm + 0.5, anatomy.skin_mm + anatomy.fat_mm + anatomy.gland_mm)
        tissue, mask = insert_lesion(of_view, tissue, lesion, reachable)
    image, clean = scan(of_view, tissue, device, draw_gain(of_view, device, grid, patient.depth_mm))
    if size != grid:
        image, clean = _shrunk(image, size), _shrunk(clean, size)
        mask = _shrunk(mask.astype(np.uint8) * 255, size) >= 128
    return PhantomCase(image, clean, mask, patient.descriptors)


def _shrunk(picture: Image, size: int) -> Image:
    return np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _generator(seed: int, patient: int, stream: int) -> np.random.Generator:
    """Return the generator of a patient and purpose: no case depends on how many others were generated."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(patient, stream))))
