"""Recall and precision of the audit on phantoms with planted faults.

    python benchmarks/audit_planted.py [COUNT]

Planted are copies (brightness, small crop, overlay, noise), mirrored copies, and burned-in text and calipers; besides,
crops of 5 to 12 % of each side, larger than the phantoms plant themselves. Two phantoms of one patient are two pictures
and no copies.
"""

from __future__ import annotations

import hashlib
import sys
from collections import defaultdict

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from busight.data.audit.copies import find_copies
from busight.data.audit.fingerprint import small_picture
from busight.data.audit.marks import marks_of
from busight.data.sources import load
from busight.types import Image


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    data = load(f"phantom:{count},seed=3,duplicates=0.1,flips=0.05,overlays=0.2")
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
    found = find_copies([small_picture(image) for image in images], [_digest(image) for image in images])
    pairs = {(copy.first, copy.second) for copy in found}
    pairs = {(a, b) for a, b in pairs if (a, b) in planted or family[a] != family[b]}
    print("| planted | number | found | recall |\n|---|---|---|---|")
    for kind in sorted(set(planted.values())):
        own = [pair for pair, planted_kind in planted.items() if planted_kind == kind]
        hits = sum(pair in pairs for pair in own)
        print(f"| {kind} | {len(own)} | {hits} | {hits / len(own):.3f} |")
    hits = len(pairs & planted.keys())
    print(f"copies: recall {hits / len(planted):.3f}, precision {hits / max(1, len(pairs)):.3f}")
    marked = np.array([marks_of(image).overlay for image in images[:count]])
    # An overlay that was planted as the kind of a copy is one too, and so is the copy of a marked picture.
    truth = np.array(["overlay" in sample.tags or "duplicate-kind:overlay" in sample.tags for sample in data.samples])
    for source, group in copies_of.items():
        truth[[index for index in group if index < count]] |= truth[source]
    both = (marked & truth).sum()
    print(f"burned-in marks: recall {both / truth.sum():.3f}, precision {both / marked.sum():.3f}")


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
