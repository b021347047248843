"""Recall and precision of the audit on sets with planted faults.

    python benchmarks/audit_planted.py [COUNT] [SPEC ...]

Planted are copies (brightness, small crop, overlay, noise), mirrored copies, and burned-in text and calipers; besides,
crops of 5 to 12 % of each side, larger than the phantoms plant themselves. Two phantoms of one patient are two pictures
and no copies. Then pictures that are no ultrasound (what scikit-image and scikit-learn ship, and noise) are planted
into the phantoms and into each SPEC (``busi:PATH``), to see whether they are called unlike the rest.
"""

from __future__ import annotations

import hashlib
import sys
from collections import defaultdict

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from busight.audit.duplicates.near_duplicates import find_near_duplicates
from busight.audit.outliers import FAR, outlier_scores
from busight.audit.overlays import image_properties
from busight.data.sources.catalogue import load_data
from busight.data.thumbnail import make_thumbnail
from busight.metrics.image_statistics import image_statistics
from busight.types import Image


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    data = load_data(f"phantom:{count},seed=3,duplicates=0.1,flips=0.05,overlays=0.2")
    images = [data.reader.image(sample) for sample in data.samples]
    names = [sample.sample_id for sample in data.samples]
    planted: dict[tuple[int, int], str] = {}
    copies_of = defaultdict(list)
    for index, sample in enumerate(data.samples):
        facts = dict(tag.split(":", 1) for tag in sample.tags if ":" in tag)
        if "duplicate-of" in facts:
            source = names.index(facts["duplicate-of"])
            planted[min(source, index), max(source, index)] = facts["duplicate-kind"]
            copies_of[source].append(index)
    rng = np.random.default_rng(0)
    for source in rng.choice(count, count // 20, replace=False).tolist():
        planted[source, len(images)] = "crop of 5 to 12 %"
        copies_of[source].append(len(images))
        images.append(_cropped(images[source], rng))
    # Copies of copies, and two copies of one picture, are neither counted nor held against.
    family = _families(len(images), list(planted))
    found = find_near_duplicates([make_thumbnail(image) for image in images], [_digest(image) for image in images])
    pairs = {(copy.first, copy.second) for copy in found}
    pairs = {(a, b) for a, b in pairs if (a, b) in planted or family[a] != family[b]}
    print("| planted | number | found | recall |\n|---|---|---|---|")
    for kind in sorted(set(planted.values())):
        own = [pair for pair, planted_kind in planted.items() if planted_kind == kind]
        hits = sum(pair in pairs for pair in own)
        print(f"| {kind} | {len(own)} | {hits} | {hits / len(own):.3f} |")
    hits = len(pairs & planted.keys())
    print(f"copies: recall {hits / len(planted):.3f}, precision {hits / max(1, len(pairs)):.3f}")
    marked = np.array([image_properties(image).overlay for image in images[:count]])
    # An overlay that was planted as the kind of a copy is one too, and so is the copy of a marked picture.
    truth = np.array(["overlay" in sample.tags or "duplicate-kind:overlay" in sample.tags for sample in data.samples])
    for source, group in copies_of.items():
        truth[[index for index in group if index < count]] |= truth[source]
    both = (marked & truth).sum()
    print(f"burned-in marks: recall {both / truth.sum():.3f}, precision {both / marked.sum():.3f}")
    for spec in (f"phantom:{count},seed=3", *sys.argv[2:]):
        _foreign(spec)


def _foreign(spec: str) -> None:
    """Plant what is no ultrasound, and say how much of it, and how many of the set's own, lie far from the rest."""
    data, foreign = load_data(spec), _foreign_pictures()
    own = [image_statistics(data.reader.image(sample)) for sample in data.samples]
    far = outlier_scores([*own, *map(image_statistics, foreign.values())]) > FAR
    missed = [name for name, seen in zip(foreign, far[len(own) :], strict=True) if not seen]
    print(
        f"{spec.partition(':')[0]}: {len(foreign) - len(missed)} of {len(foreign)} foreign pictures among {len(own)} "
        f"are called unlike the rest (missed: {', '.join(missed) or 'none'}), and {far[: len(own)].sum()} of its own"
    )


def _foreign_pictures() -> dict[str, Image]:
    from skimage import data as shipped
    from sklearn.datasets import load_sample_images

    names = (
        "camera", "brick", "grass", "gravel", "coins", "page", "text", "moon", "clock", "astronaut", "coffee",
        "chelsea", "cell", "rocket", "hubble_deep_field", "immunohistochemistry", "retina", "horse", "checkerboard",
        "colorwheel", "logo", "microaneurysms", "shepp_logan_phantom",
    )  # fmt: skip
    found = {name: np.asarray(getattr(shipped, name)()) for name in names}
    found |= {f"photograph {k}": image for k, image in enumerate(load_sample_images().images, start=1)}
    rng = np.random.default_rng(0)
    found |= {f"noise {k}": rng.integers(0, 256, (300, 400), dtype=np.uint8) for k in (1, 2, 3)}
    return {name: _grey(picture) for name, picture in found.items()}


def _grey(picture: np.ndarray) -> Image:
    scaled = picture if picture.dtype == np.uint8 else (picture / picture.max() * 255).astype(np.uint8)
    return scaled if scaled.ndim == 2 else cv2.cvtColor(np.ascontiguousarray(scaled[..., :3]), cv2.COLOR_RGB2GRAY)


def _families(count: int, pairs: list[tuple[int, int]]) -> list[int]:
    ends = np.array(pairs)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
    return connected_components(graph, directed=False)[1].tolist()


def _cropped(image: Image, rng: np.random.Generator) -> Image:
    height, width = image.shape
    top, bottom = (round(height * rng.uniform(0.025, 0.06)) for _ in range(2))
    left, right = (round(width * rng.uniform(0.025, 0.06)) for _ in range(2))
    return np.ascontiguousarray(image[top : height - bottom, left : width - right])


def _digest(image: Image) -> str:
    return hashlib.sha256(image.tobytes()).hexdigest()


if __name__ == "__main__":
    main()
