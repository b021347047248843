"""The source ``phantom:N``: ultrasound phantoms, rendered on first use."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from busight.data.dataset import DataSet
from busight.data.labels import BREAST
from busight.simulate.case import PhantomCase, patient_of
from busight.simulate.descriptors import birads_category
from busight.simulate.injected_faults import NO_FAULT, InjectedFault, plan_faults, render
from busight.simulate.parallel import render_many
from busight.simulate.scanner import DEVICES
from busight.simulate.spec import PhantomSpec, parse_phantom_spec
from busight.types import Image, Mask, Sample

_BLOCK = 32
"""Images rendered at once: enough to keep every core busy, few enough that a progress bar moves."""


class PhantomReader:
    """Reader that renders the images of a set, each with its neighbours, on first use.

    Images and packed masks stay in memory (74 kB each at 256 x 256); clean images are rendered anew each time.
    """

    def __init__(self, spec: PhantomSpec, faults: dict[int, InjectedFault]) -> None:
        self._spec = spec
        self._faults = faults
        self._pictures: dict[int, tuple[Image, NDArray[np.uint8]]] = {}
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        # For another process: the images rendered so far are pickled, the lock is not.
        return {**self.__dict__, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def image(self, sample: Sample) -> Image:
        """Return the image, uint8 HW."""
        return self._picture(sample)[0].copy()

    def mask(self, sample: Sample) -> Mask:
        """Return the mask of the mass, bool HW; all False in a normal case."""
        size = self._spec.size
        bits = np.unpackbits(self._picture(sample)[1], count=size * size)
        return bits.astype(bool).reshape(size, size)

    def case(self, sample: Sample) -> PhantomCase:
        """Return the case with clean image, mask and descriptors, rendered anew: some 30 ms."""
        return render(self._spec, self._faults, _index_of(sample))

    def _picture(self, sample: Sample) -> tuple[Image, NDArray[np.uint8]]:
        index = _index_of(sample)
        with self._lock:
            if index not in self._pictures:
                start = index - index % _BLOCK
                block = range(start, min(start + _BLOCK, self._spec.count))
                self._pictures.update(zip(block, render_many(self._spec, self._faults, block), strict=True))
        return self._pictures[index]


def load_phantoms(argument: str) -> DataSet:
    """Return a set of phantoms. Listing is quick; pixels are rendered when they are first read.

    Args:
        argument: ``N`` or ``N,key=value,...`` with the keys ``seed``, ``size``, ``duplicates``, ``flips``,
            ``overlays``, ``wrong_labels`` and ``typical``.

    Returns:
        The set. Injected faults are listed in the samples' tags.

    Raises:
        ConfigError: The argument has a value that is not allowed.

    Example:
        >>> [sample.label for sample in load_phantoms("4").samples]
        ['benign', 'benign', 'malignant', 'normal']
    """
    spec = parse_phantom_spec(argument)
    faults = plan_faults(spec)
    samples = tuple(_sample(spec, faults.get(index, NO_FAULT), index) for index in range(spec.count))
    return DataSet(f"phantom:{argument}", "phantom", samples, PhantomReader(spec, faults), BREAST)


def _sample(spec: PhantomSpec, fault: InjectedFault, index: int) -> Sample:
    """Return the sample of one image. A near-duplicate has a patient of its own, as in public archives."""
    own = patient_of(spec.seed, index, spec.typical)
    shown = own if fault.duplicate_of is None else patient_of(spec.seed, fault.duplicate_of, spec.typical)
    tags = []
    if fault.duplicate_of is not None:
        tags += [f"duplicate-of:{_name(fault.duplicate_of)}", f"duplicate-kind:{fault.duplicate_kind}"]
    if fault.overlay:
        tags.append("overlay")
    if fault.label is not None:
        tags.append(f"wrong-label:true={shown.label}")
    spacing = shown.depth_mm / spec.size
    return Sample(
        sample_id=_name(index),
        source="phantom",
        label=fault.label or shown.label,
        patient_id=f"phantom-patient-{own.number:05d}",
        laterality=shown.laterality,
        view=("first", "second")[own.view],
        birads=birads_category(shown.descriptors),
        device=DEVICES[shown.device].name,
        pixel_spacing_mm=(spacing, spacing),
        tags=tuple(tags),
    )


def _name(index: int) -> str:
    return f"phantom-{index:05d}"


def _index_of(sample: Sample) -> int:
    return int(sample.sample_id.removeprefix("phantom-"))
