"""Bundles of tiny fixed networks, one for each use of the lesion and for what else decides an answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from tiny_network import write_graph

from busight.data.labels import BREAST
from busight.data.sources.catalogue import load_data
from busight.decision.appearance import fit_appearance_detector
from busight.decision.calibration.beta import Beta
from busight.decision.calibration.isotonic import Isotonic
from busight.decision.calibration.temperature import Temperature
from busight.decision.calibration.vector import VectorScaling
from busight.decision.conformal import ConformalSets
from busight.decision.decision import Calibration, Decision, Threshold
from busight.decision.fusion import DescriptorFusion
from busight.decision.ood import OodDetector
from busight.descriptors.lexicon import lexicon_digest
from busight.descriptors.model import DescriptorModel
from busight.io.digests import sha256_of_file
from busight.metrics.image_statistics import image_statistics
from busight.model.bundle.card import (
    CLASSIFIER,
    DECODER,
    FEATURES,
    SEGMENTER,
    Card,
    ClassifyPart,
    PreprocessPart,
    SegmentPart,
    TrainingPart,
)
from busight.model.bundle.feature_bank import write_features
from busight.model.bundle.save import write_card
from busight.model.model import Model
from busight.segment.postprocess import PostprocessSettings
from busight.segment.settings import RoiSettings
from busight.strategies.catalogue import strategy_of
from busight.strategies.views import InputSpec

SIZE = 64
N_FEATURES = 12

CASES: dict[str, dict[str, Any]] = {
    "whole": {"strategy": "whole"},
    "whole-flipped-padded": {"strategy": "whole", "tta": True, "keep_aspect": True, "enhance": "clahe(2.0)"},
    "whole-cropped": {"strategy": "whole", "enhance": "crop_region | median(3)", "method": "vector"},
    "whole-channels": {"strategy": "whole", "channels": ("raw", "clahe(2)", "median(5)"), "method": "isotonic"},
    "two-stage": {"strategy": "two_stage", "enhance": "median(3) | clahe(2.0)", "segmenter": "network"},
    "two-stage-otsu": {"strategy": "two_stage", "segmenter": "otsu", "method": "beta"},
    "masked": {"strategy": "masked", "segmenter": "network"},
    "mask-channel": {"strategy": "mask_channel", "segmenter": "network"},
    "joint": {"strategy": "joint", "tta": True},
    "global-local": {"strategy": "global_local"},
    "global-local-fused": {"strategy": "global_local", "use_proposal": True, "descriptor_weight": 0.5, "tta": True},
    "malignancy": {"strategy": "whole", "task": "binary"},
    "segmentation": {"strategy": "segment_only", "task": "segmentation", "segmenter": "network", "segment_tta": True},
}
"""Every use of the lesion, every calibration, and global and local views with all that may be joined to them."""

_CALIBRATORS: dict[str, Any] = {
    "temperature": Temperature(1.7),
    "vector": VectorScaling((0.8, 1.1, 0.9), (0.1, -0.2, 0.05)),
    "beta": Beta(((0.9, 1.1, 0.1), (1.2, 0.7, -0.1), (0.8, 1.0, 0.2))),
    "isotonic": Isotonic(((0.0, 0.4, 1.0),) * 3, ((0.05, 0.5, 0.95),) * 3),
}


def golden_model(name: str, folder: Path) -> Model:
    """Write the bundle of one of `CASES` and load it."""
    given = {"segmenter": None, "enhance": "", "channels": (), "task": "multiclass", "method": "temperature"}
    given |= CASES[name]
    strategy = strategy_of(given["strategy"])
    labels = BREAST.for_task(given["task"])
    n_channels = len(given["channels"]) or 1
    classifies = given["task"] != "segmentation"
    if classifies:
        wanted = 3 if strategy.mask_channel else n_channels
        mask = strategy.decodes_mask
        write_graph(folder / CLASSIFIER, 1, classes=len(labels.names), mask=mask, channels=wanted, size=SIZE)
        features = np.random.default_rng(7).random((30, N_FEATURES)).astype(np.float32)
        known = [("normal", "benign", "malignant")[index % 3] for index in range(30)]
        write_features(folder / FEATURES, features, [f"image-{index}" for index in range(30)], known)
    if given["segmenter"] == "network":
        write_graph(folder / SEGMENTER, 2, mask=True, channels=n_channels, size=SIZE)
    card = Card(
        name=name,
        created="2026-11-26T00:00:00+00:00",
        busight="0",
        preprocess=PreprocessPart(chain=given["enhance"], channels=given["channels"]),
        task=given["task"],
        labels=labels,
        strategy=given["strategy"],
        segment=_segment(given, strategy.decodes_mask),
        classify=_classify(given) if classifies else None,
        decision=_decision(given, len(labels.names)) if classifies else _no_decision(),
        training=TrainingPart(
            source="phantom",
            images=1,
            digests=(),
            data_digest="",
            split_kind="",
            split_digest="",
            weights="",
            recipe="",
        ),
        onnx_max_abs_diff=0.0,
        files={path.name: sha256_of_file(path) for path in folder.iterdir()},
    )
    write_card(folder, card)
    return Model.load(folder)


def _segment(given: dict[str, Any], decodes_mask: bool) -> SegmentPart | None:
    shared = {"postprocess": PostprocessSettings(threshold=0.45, peak=0.6), "roi": RoiSettings(margin=0.2)}
    if given["segmenter"] == "network":
        return SegmentPart(method="unet", input=InputSpec(SIZE, False), tta=given.get("segment_tta", False), **shared)
    if given["segmenter"] is not None:
        return SegmentPart(method=given["segmenter"], input=None, **shared)
    return SegmentPart(method=DECODER, input=None, **shared) if decodes_mask else None


def _classify(given: dict[str, Any]) -> ClassifyPart:
    return ClassifyPart(
        input=InputSpec(SIZE, given.get("keep_aspect", False)),
        tta=given.get("tta", False),
        use_proposal=given.get("use_proposal", False),
    )


def _no_decision() -> Decision:
    return Decision(calibration=Calibration(cases=0, source="a test"))


def _decision(given: dict[str, Any], n_classes: int) -> Decision:
    return Decision(
        calibration=Calibration(calibrator=_CALIBRATORS[given["method"]], cases=90, prevalence=0.3, source="a test"),
        threshold=Threshold(wanted_sensitivity=0.95, threshold=0.3, sensitivity=0.95, specificity=0.6, source="a test"),
        conformal=ConformalSets(0.9, (0.2, 0.25, 0.3)[:n_classes], (30,) * n_classes, "a test"),
        ood=_ood(),
        fusion=_fusion(given["descriptor_weight"]) if "descriptor_weight" in given else None,
    )


def _ood() -> OodDetector:
    data = load_data("phantom:48,size=96,seed=3")
    statistics = np.array([image_statistics(data.reader.image(sample)) for sample in data.samples])
    return OodDetector(fit_appearance_detector(statistics), 0.02, 5, "a test")


def _fusion(weight: float) -> DescriptorFusion:
    document = json.loads((Path(__file__).parent / "descriptor_model.json").read_text(encoding="utf-8"))
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in document.items()}
    return DescriptorFusion(model=DescriptorModel(**fields), weight=weight, lexicon=lexicon_digest(), source="a test")
