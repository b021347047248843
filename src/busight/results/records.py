"""Records of finished experiments, from which reports are written: plain data, no network, no open file."""

from __future__ import annotations

from dataclasses import dataclass

from busight.audit.checked_dataset import DataSummary
from busight.metrics.subgroups import Subgroup
from busight.metrics.table import MetricTable
from busight.model.explain.explained import Explained
from busight.results.case import Case, StageImages
from busight.results.history import History


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentRecord:
    """The record of any experiment.

    Attributes:
        title: Name of the recipe or of the bundle.
        command: The command line as typed.
        started: UTC, ISO 8601.
        recipe_toml: The fully resolved recipe.
        data: The data set.
        weights: A sentence: where the initial weights came from, and which of them fitted.
        versions: (library, version).
    """

    title: str
    command: str
    started: str
    recipe_toml: str
    data: DataSummary
    weights: str
    versions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRecord(ExperimentRecord):
    """An experiment with one set of evaluated cases.

    Attributes:
        stage_seconds: (stage, seconds), in order.
        classes: Class names of the task.
        network: A sentence: the network, its parameters, how the lesion is used.
        calibration: A sentence: what was fitted on which cases.
        digests: (name, SHA-256) of data, split, bundle.
        metrics: On the test cases; over repeats of an experiment, their means.
        cases: The test cases, of all repeats.
        limitations: Sentences on the limitations of the metrics.
        warnings: Limitations to be shown beside the headline metrics, because these are biased.
        subgroups: Metrics by attribute of the cases.
    """

    stage_seconds: tuple[tuple[str, float], ...]
    classes: tuple[str, ...]
    network: str
    calibration: str
    digests: tuple[tuple[str, str], ...]
    metrics: MetricTable
    cases: tuple[Case, ...]
    limitations: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    subgroups: tuple[Subgroup, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRecord(ResultRecord):
    """The evaluation of one model, with some of its cases shown.

    Attributes:
        example_cases: One case for each class (a right prediction where there is one), after every stage.
        explanations: Explanations of the example cases, in their order; may be empty.
        more_cases: Up to 16 more test cases, right and wrong.
    """

    example_cases: tuple[StageImages, ...]
    explanations: tuple[Explained, ...]
    more_cases: tuple[StageImages, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRunRecord(ModelRecord):
    """A model that was trained and then evaluated on the test subset of its split.

    Attributes:
        split: Training, validation and test subset.
        histories: One for each trained network.
        comparable_with_paper: Whether the metrics are comparable with the paper's (three classes on BUSI).
    """

    split: SplitSummary
    histories: tuple[History, ...]
    comparable_with_paper: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRecord(ModelRecord):
    """A finished bundle, evaluated on a data set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossValidationRecord(ResultRecord):
    """Networks of a cross-validation: in each repeat every image is tested once.

    Attributes:
        folds: Metrics of every fold of every repeat.
        ensemble: Metrics of the mean of the predictions of all repeats, each image predicted by the networks that its
            group was held out from; None with one repeat.
        comparable_with_paper: Whether the metrics are comparable with the paper's (three classes on BUSI).
    """

    folds: tuple[FoldMetrics, ...]
    ensemble: MetricTable | None
    comparable_with_paper: bool


@dataclass(frozen=True, slots=True)
class SplitSummary:
    """A split in numbers.

    Attributes:
        kind: Kind of split, e.g. ``"grouped"``.
        seed: Seed of the split.
        digest: SHA-256 of the split.
        counts: (subset, class, images).
        leaking_pairs: Near-duplicate pairs across two subsets.
    """

    kind: str
    seed: int
    digest: str
    counts: tuple[tuple[str, str, int], ...]
    leaking_pairs: int


@dataclass(frozen=True, slots=True)
class FoldMetrics:
    """Metrics of one fold of one repeat of a cross-validation, both counted from 1."""

    repeat: int
    fold: int
    metrics: MetricTable
