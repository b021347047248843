"""Checklists CLAIM 2024 and TRIPOD+AI: the items that are answered from a bundle, and those that only its authors can.

Sources:
    Tejani et al., "Checklist for Artificial Intelligence in Medical Imaging (CLAIM): 2024 update", Radiology:
    Artificial Intelligence 6 (2024) e240300. Collins et al., "TRIPOD+AI statement", BMJ 385 (2024) e078378. Titles
    are shortened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from busight.metrics.table import MetricRows
from busight.model.bundle.card import Card

OPEN = "OPEN"
"""Marks what the authors of a study have to write."""


@dataclass(frozen=True, slots=True)
class CardContent:
    """The content of a card, from which items are answered.

    Attributes:
        card: Card of the bundle.
        recipe: Its recipe, parsed: section → key → value.
    """

    card: Card
    recipe: dict[str, Any]

    def of(self, section: str, key: str, default: object = "") -> Any:
        """Return a value of the recipe."""
        return self.recipe.get(section, {}).get(key, default)


Answer = Callable[[CardContent], str]
Item = tuple[str, str, Answer | None]
"""Number, title, and the function that answers it; None for an item that only the authors can answer."""


def _data(content: CardContent) -> str:
    training = content.card.training
    return f"{training.images} training images of {training.source} (manifest SHA-256 {training.data_digest[:16]}…)"


def _data_without_dates(content: CardContent) -> str:
    return f"{_data(content)}; {OPEN}: where and when they were taken"


def _numbers(content: CardContent) -> str:
    accuracy = MetricRows(content.card.metrics).find("accuracy")
    evaluation = f"{accuracy.n} test images" if accuracy is not None else f"{OPEN}: in evaluation"
    return f"{content.card.training.images} training images; {evaluation}"


def _split(content: CardContent) -> str:
    kinds = {
        "grouped": "by patient where known and by near-duplicate; no group is in two subsets",
        "by_image": "by image, as the paper does: near-duplicates may be in two subsets",
        "official": "as the data's authors split it",
    }
    kind = content.card.training.split_kind
    return f"{kinds.get(kind, kind)} (split SHA-256 {content.card.training.split_digest[:16]}…)"


def _preparation(content: CardContent) -> str:
    chain = content.card.preprocess.chain or "no filter"
    parts = (("classified", content.card.classify), ("segmented", content.card.segment))
    sizes = {f"{what} at {part.input.size}×{part.input.size} pixels" for what, part in parts if part and part.input}
    scaled = "; ".join(sorted(sizes)) or "at its own size"
    return f"enhancement: {chain}; {scaled}; grey values in 0–1, normalised inside the network"


def _training(content: CardContent) -> str:
    train = content.recipe.get("train", {})
    augment = ", ".join(f"{name} {value}" for name, value in train.get("augment", {}).items() if value) or "none"
    return (
        f"{train.get('epochs')} epochs of batches of {train.get('batch')}, {train.get('optimizer')} with a learning "
        f"rate of {train.get('learning_rate')}, {train.get('schedule')} schedule, seed {train.get('seed')}; "
        f"augmentation: {augment}"
    )


def _chosen(content: CardContent) -> str:
    kept = content.of("train", "checkpoint")
    return "the last epoch's weights" if kept == "last" else "the epoch that was best on the validation part"


def _model(content: CardContent) -> str:
    classify = content.card.classify
    if classify is None:
        return f"segmentation by {content.card.segment.method if content.card.segment else 'nothing'}; no classifier"
    classes = ", ".join(content.card.labels.names)
    return f"{content.of('classify', 'backbone')}, strategy {content.card.strategy}, classes {classes}"


def _performance(content: CardContent) -> str:
    metrics = content.card.metrics
    return f"{len(metrics)} metrics with intervals on the test subset, see Metrics" if metrics else OPEN


def _uncertainty(content: CardContent) -> str:
    if not content.card.metrics:
        return OPEN
    level = content.of("assess", "level", 0.95)
    sets = "; prediction sets by split conformal" if content.card.decision.conformal is not None else ""
    return f"{level:.0%} intervals by bootstrap over groups, see Metrics{sets}"


def _ensemble(content: CardContent) -> str:
    training = content.card.training
    return training.weights.split(".")[0] if training.split_kind.endswith("members") else "none: one network"


def _imbalance(content: CardContent) -> str:
    weights, balance = content.of("train", "class_weights", False), content.of("train", "balance", "none")
    return f"class weights in the loss: {'yes' if weights else 'no'}; balanced sampling: {balance}"


def _output(content: CardContent) -> str:
    card = content.card
    how = f"calibrated probabilities ({card.decision.calibration.calibrator.method})"
    parts = [how if card.decision.calibration.calibrated else "uncalibrated probabilities"]
    parts += ["prediction set"] if card.decision.conformal is not None else []
    point = card.decision.threshold
    parts += [f"threshold {point.threshold:.3f}"] if point is not None and point.threshold is not None else []
    parts += ["lesion mask"] if card.segment is not None else []
    parts += ["rejection of out-of-distribution images"] if card.decision.ood is not None else []
    return "; ".join(parts)


def _explain(content: CardContent) -> str:
    parts = ["exact class-activation map"] if content.card.classify is not None else []
    parts += ["BI-RADS descriptors of the outlined lesion"] if content.card.segment is not None else []
    parts += ["descriptor model"] if content.card.decision.fusion is not None else []
    return "; ".join(parts) or OPEN


def _specification(content: CardContent) -> str:
    return f"the bundle itself: graphs, weights, this recipe; SHA-256 {content.card.digest[:16]}…"


def _software(content: CardContent) -> str:
    return f"busight {content.card.busight}, which trains with PyTorch and predicts with ONNX Runtime"


def _weights(content: CardContent) -> str:
    return content.card.training.weights


def _task(content: CardContent) -> str:
    return f"to classify {', '.join(content.card.labels.names)}" if content.card.classify else "to segment lesions"


CLAIM: tuple[Item, ...] = (
    ("1", "Title names the AI method", None),
    ("2", "Abstract", None),
    ("3", "Scientific and clinical background", None),
    ("4", "Aims and hypotheses", None),
    ("5", "Prospective or retrospective", None),
    ("6", "Study goal", _task),
    ("7", "Data sources", _data),
    ("8", "Inclusion and exclusion criteria", None),
    ("9", "Data preprocessing", _preparation),
    ("10", "Selection of data subsets", None),
    ("11", "De-identification", None),
    ("12", "Missing data", None),
    ("13", "Image acquisition protocol", None),
    ("14", "Definition of the reference standard", None),
    ("15", "Why this reference standard", None),
    ("16", "Source of the annotations", None),
    ("17", "Annotation of the test set", None),
    ("18", "Variability between and within raters", None),
    ("19", "How data were assigned to partitions", _split),
    ("20", "Level at which partitions are disjoint", _split),
    ("21", "Intended sample size", None),
    ("22", "Model", _model),
    ("23", "Software", _software),
    ("24", "Initialisation of parameters", _weights),
    ("25", "Training", _training),
    ("26", "How the final model was chosen", _chosen),
    ("27", "Ensembling", _ensemble),
    ("28", "Metrics", _performance),
    ("29", "Significance and uncertainty", _uncertainty),
    ("30", "Robustness and sensitivity", None),
    ("31", "Explainability", _explain),
    ("32", "Evaluation on internal data", _performance),
    ("33", "Testing on external data", None),
    ("34", "Trial registration", None),
    ("35", "Numbers included and excluded", None),
    ("36", "Demographic and clinical characteristics", None),
    ("37", "Performance on all partitions", None),
    ("38", "Estimates of performance and their precision", _performance),
    ("39", "Failure analysis", None),
    ("40", "Limitations", None),
    ("41", "Implications for practice", None),
    ("42", "Study protocol", None),
    ("43", "Availability of software, model and data", _specification),
    ("44", "Funding", None),
)

TRIPOD_AI: tuple[Item, ...] = (
    ("1", "Title", None),
    ("2", "Abstract", None),
    ("3", "Background: context, target population, known inequalities", None),
    ("4", "Objectives", None),
    ("5", "Data: sources and dates", _data_without_dates),
    ("6", "Participants: setting, eligibility, treatments", None),
    ("7", "Data preparation", _preparation),
    ("8", "Outcome: definition, assessors, blinding", None),
    ("9", "Predictors", _preparation),
    ("10", "Sample size", None),
    ("11", "Missing data", None),
    ("12", "Analytical methods", _training),
    ("13", "Class imbalance", _imbalance),
    ("14", "Fairness", None),
    ("15", "Model output", _output),
    ("16", "Differences between training and evaluation data", None),
    ("17", "Ethical approval", None),
    ("18", "Open science: funding, interests, protocol, registration, data, code", None),
    ("19", "Patient and public involvement", None),
    ("20", "Participants: flow and characteristics", None),
    ("21", "Numbers in development and evaluation", _numbers),
    ("22", "Model specification", _specification),
    ("23", "Model performance", _performance),
    ("24", "Model updating", None),
    ("25", "Interpretation", None),
    ("26", "Limitations", None),
    ("27", "Usability in current care", None),
)


def answered(items: tuple[Item, ...], content: CardContent) -> tuple[tuple[str, str, str], ...]:
    """Return number, title and answer of each item; `OPEN` for an item that only the authors can answer."""
    return tuple((number, title, OPEN if answer is None else answer(content)) for number, title, answer in items)
