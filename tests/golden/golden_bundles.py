"""Bundles of tiny fixed networks, one for each use of the lesion and for what else decides an answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from tiny_network import write_graph

from busight.data.labels import TASKS
from busight.data.sources.catalogue import load
from busight.decision.image_statistics import image_statistics
from busight.decision.ood import fit_image_gate
from busight.descriptors.lexicon import words_digest
from busight.descriptors.model import SecondReader
from busight.io.digests import sha256_of_file
from busight.model.bundle.card import (
    CLASSIFIER,
    MEMORY,
    SEGMENTER,
    CalibrationPart,
    Card,
    ClassifyPart,
    ConformalPart,
    GatePart,
    InputPart,
    OperatingPointPart,
    ReaderPart,
    SegmentPart,
    TrainingPart,
)
from busight.model.bundle.feature_bank import write_memory
from busight.model.bundle.load import Bundle, load_bundle
from busight.model.bundle.save import write_card
from busight.segment.postprocess import PostprocessSettings
from busight.segment.settings import RoiSettings

SIZE = 64
FEATURES = 12

CASES: dict[str, dict[str, Any]] = {
    "whole": {"lesion": "whole"},
    "whole-flipped-padded": {"lesion": "whole", "test_flip": True, "keep_aspect": True, "enhance": "clahe(2.0)"},
    "whole-cropped": {"lesion": "whole", "enhance": "crop_region | median(3)", "method": "vector"},
    "whole-channels": {"lesion": "whole", "channels": ("raw", "clahe(2)", "median(5)"), "method": "isotonic"},
    "two-stage": {"lesion": "two-stage", "enhance": "median(3) | clahe(2.0)", "segmenter": "network"},
    "two-stage-otsu": {"lesion": "two-stage", "segmenter": "otsu", "method": "beta"},
    "masked": {"lesion": "masked", "segmenter": "network"},
    "mask-channel": {"lesion": "mask-channel", "segmenter": "network"},
    "joint": {"lesion": "joint", "test_flip": True},
    "zoom": {"lesion": "zoom"},
    "default": {"lesion": "zoom", "guess": True, "reader": 0.5, "test_flip": True},
    "malignancy": {"lesion": "whole", "task": "malignancy"},
    "segmentation": {"lesion": None, "segmenter": "network", "segment_flip": True},
}
"""Every use of the lesion, every calibration, and the default's combination."""

_CALIBRATIONS: dict[str, Any] = {
    "temperature": ((1.7,),),
    "vector": ((0.8, 1.1, 0.9), (0.1, -0.2, 0.05)),
    "beta": ((0.9, 1.1, 0.1), (1.2, 0.7, -0.1), (0.8, 1.0, 0.2)),
    "isotonic": ((0.0, 0.4, 1.0), (0.05, 0.5, 0.95)) * 3,
}


def golden_bundle(name: str, folder: Path) -> Bundle:
    """Write the bundle of one of `CASES` and load it."""
    given = {
        "segmenter": None,
        "enhance": "",
        "channels": (),
        "task": "finding",
        "method": "temperature",
        **CASES[name],
    }
    n_channels = len(given["channels"]) or 1
    files: dict[str, str] = {}
    lesion = given["lesion"]
    classes = TASKS[given["task"]].classes
    if lesion is not None:
        decodes = lesion in ("joint", "zoom")
        wanted = 3 if lesion == "mask-channel" else n_channels
        write_graph(folder / CLASSIFIER, 1, classes=len(classes), mask=decodes, channels=wanted, size=SIZE)
        features = np.random.default_rng(7).random((30, FEATURES)).astype(np.float32)
        findings = [("normal", "benign", "malignant")[index % 3] for index in range(30)]
        write_memory(folder / MEMORY, features, [f"image-{index}" for index in range(30)], findings)
    if given["segmenter"] == "network":
        write_graph(folder / SEGMENTER, 2, mask=True, channels=n_channels, size=SIZE)
    files = {path.name: sha256_of_file(path) for path in folder.iterdir()}
    card = Card(
        name=name,
        created="2026-11-26T00:00:00+00:00",
        busight="0",
        enhance=given["enhance"],
        channels=given["channels"],
        segment=_segment(given),
        classify=_classify(given, classes),
        calibration=_calibration(given, lesion),
        operating_points=(_operating_point(classes[-1]),) if lesion else (),
        conformal=_conformal(len(classes)) if lesion else None,
        gate=_gate() if lesion else None,
        reader=_reader() if given.get("reader") else None,
        training=TrainingPart(
            source="phantom", images=1, seen=(), data_digest="", split_kind="", split_digest="", weights="", recipe=""
        ),
        parity=0.0,
        files=files,
    )
    write_card(folder, card)
    return load_bundle(folder)


def _segment(given: dict[str, Any]) -> SegmentPart | None:
    shared = {"postprocess": PostprocessSettings(threshold=0.45, peak=0.6), "roi": RoiSettings(margin=0.2)}
    if given["segmenter"] == "network":
        size = InputPart(size=SIZE, keep_aspect=False)
        return SegmentPart(method="unet", input=size, test_flip=given.get("segment_flip", False), **shared)
    if given["segmenter"] is not None:
        return SegmentPart(method=given["segmenter"], input=None, **shared)
    return SegmentPart(method="joint", input=None, **shared) if given["lesion"] in ("joint", "zoom") else None


def _classify(given: dict[str, Any], classes: tuple[str, ...]) -> ClassifyPart | None:
    if given["lesion"] is None:
        return None
    return ClassifyPart(
        task=given["task"],
        classes=classes,
        lesion=given["lesion"],
        input=InputPart(size=SIZE, keep_aspect=given.get("keep_aspect", False)),
        test_flip=given.get("test_flip", False),
        guess=given.get("guess", False),
        reader=given.get("reader", 0.0),
    )


def _calibration(given: dict[str, Any], lesion: str | None) -> CalibrationPart:
    if lesion is None:
        return CalibrationPart(method="none", cases=0, source="a test")
    method = given["method"]
    return CalibrationPart(method=method, numbers=_CALIBRATIONS[method], cases=90, prevalence=0.3, source="a test")


def _operating_point(of: str) -> OperatingPointPart:
    return OperatingPointPart(
        of=of, wanted_sensitivity=0.95, threshold=0.3, sensitivity=0.95, specificity=0.6, source="a test"
    )


def _conformal(n_classes: int) -> ConformalPart:
    return ConformalPart(level=0.9, least_probs=(0.2, 0.25, 0.3)[:n_classes], cases=(30,) * n_classes, source="a test")


def _gate() -> GatePart:
    data = load("phantom:48,size=96,seed=3")
    statistics = np.array([image_statistics(data.reader.image(sample)) for sample in data.samples])
    return GatePart(image=fit_image_gate(statistics), feature_limit=0.02, neighbours=5, source="a test")


def _reader() -> ReaderPart:
    document = json.loads((Path(__file__).parent / "descriptor_model.json").read_text(encoding="utf-8"))
    return ReaderPart(
        reader=SecondReader(**{k: _tuple(v) for k, v in document.items()}), words=words_digest(), source="a test"
    )


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
