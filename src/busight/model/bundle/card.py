"""``card.json``: the description of a bundle, and all that prediction needs besides its other files."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from busight.data.image_spec import ImageSpec
from busight.data.labels import LabelSchema, TaskName
from busight.decision.decision import Decision, Probability
from busight.io.digests import sha256_of_json
from busight.segment.postprocess import PostprocessSettings
from busight.segment.settings import ClassicalName, LearnedName, RoiSettings
from busight.strategies.views import InputSpec

FORMAT: Final = 6
CARD = "card.json"
WEIGHTS = "weights.safetensors"
CLASSIFIER = "classifier.onnx"
SEGMENTER = "segmenter.onnx"
GRAPH_EXAMPLES = "graph-examples.npz"
EXAMPLES = "examples.npz"
FEATURES = "features.npz"
DECODER = "decoder"
"""``segment.method`` where the classifier's own network decodes the mask."""

_IR = ("xml", "bin")
"""Suffixes of OpenVINO's format: the graph, and its weights."""

_KNOWN = {WEIGHTS, CLASSIFIER, SEGMENTER, GRAPH_EXAMPLES, EXAMPLES, FEATURES}


Target = Literal["openvino", "fp16", "int8"]
"""What ``busight export`` makes of the ONNX graphs: OpenVINO's own format with weights in single or half precision, or
weights and activations in int8."""

TARGETS: tuple[Target, ...] = get_args(Target)


def is_known_file(name: str) -> bool:
    """Return whether a file belongs to a bundle: those above, an ensemble's members, and what export wrote."""
    stem, dash, rest = name.partition("-member-")
    is_member = bool(dash and f"{stem}.onnx" in _KNOWN and rest.removesuffix(".onnx").isdecimal())
    graph, _, suffix = name.partition(".")
    is_exported = f"{graph}.onnx" in _KNOWN and suffix in {f"{target}.{kind}" for target in TARGETS for kind in _IR}
    return name in _KNOWN or is_member or is_exported


def member_file(graph: str, number: int) -> str:
    """Return the name of an ensemble member's graph.

    Example:
        >>> member_file(CLASSIFIER, 2)
        'classifier-member-2.onnx'
    """
    return f"{graph.removesuffix('.onnx')}-member-{number}.onnx"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PreprocessPart(_Part):
    """Image format and filter chain, every default written out.

    Attributes:
        image: The format of the images that the model takes.
        chain: The filter chain; empty for none.
        channels: None, or three chains that follow it.
    """

    image: ImageSpec = ImageSpec()
    chain: str = ""
    channels: tuple[str, ...] = ()


class SegmentPart(_Part):
    """The segmentation: the source of the mask.

    Attributes:
        method: A network with a graph of its own, a method without training, or the classifier's mask decoder.
        input: Input of the network with a graph of its own, else null.
        tta: Test-time augmentation of that network.
        postprocess: From probabilities to a mask.
        roi: The region around the mask.
    """

    method: Literal["decoder"] | LearnedName | ClassicalName
    input: InputSpec | None
    tta: bool = False
    postprocess: PostprocessSettings
    roi: RoiSettings


class ClassifyPart(_Part):
    """The classifier.

    Attributes:
        input: Input of its graph.
        tta: Test-time augmentation.
        use_proposal: A local view of the lesion proposal, where the strategy has local views.
    """

    input: InputSpec
    tta: bool = False
    use_proposal: bool = False


class SourcePart(_Part):
    """A data set that a model learned from.

    Attributes:
        name: Its name as a source.
        images: Images of it among the training and validation images.
        citation: How it is cited; empty where BUSight does not know.
        licence: Its terms of use, as far as they are known.
    """

    name: str
    images: int = Field(ge=1)
    citation: str = ""
    licence: str


class TrainingPart(_Part):
    """The training of the bundle: data, split and recipe.

    Attributes:
        source: The data source's name.
        sources: The data sets that it consists of.
        images: Number of training images.
        digests: The first 16 digits of the pixel digest of each training and validation image, by which an evaluation
            recognises them.
        data_digest: SHA-256 of the data set's manifest.
        split_kind: How the data were split.
        split_digest: SHA-256 of the split.
        weights: Where the initial weights came from.
        recipe: The resolved recipe as TOML.
    """

    source: str
    sources: tuple[SourcePart, ...] = ()
    images: int = Field(ge=0)
    digests: tuple[str, ...]
    data_digest: str
    split_kind: str
    split_digest: str
    weights: str
    recipe: str


class MetricPart(_Part):
    """A metric on the test subset with its interval; null where undefined."""

    metric: str
    of: str
    value: float | None
    low: float | None
    high: float | None
    n: int = Field(ge=0)
    n_groups: int = Field(ge=0)


class EvidenceRow(MetricPart):
    """A metric on images of a data set that the tested networks had not seen.

    Attributes:
        source: The data set.
        attribute: What the images have in common, e.g. ``"device"``; empty for all of the data set.
        shared: Its value.
    """

    source: str
    attribute: str = ""
    shared: str = ""


class EvidencePart(_Part):
    """How far a recipe holds on data sets that its networks never saw.

    Attributes:
        how: How it was measured, in words.
        level: Coverage of the intervals.
        rows: The metrics.
    """

    how: str
    level: Probability
    rows: tuple[EvidenceRow, ...]


class ExportPart(_Part):
    """Agreement of an exported graph's predictions with the ONNX graph's, on the validation images of the training.

    Attributes:
        images: Number of these images.
        max_prob_diff: Largest difference of a calibrated probability.
        same_label: Share of the images with the same label.
        auroc_diff: AUROC of the positive class, the exported graph's less the ONNX graph's; null where undefined.
        max_example_diff: Largest difference on the bundle's examples, of a probability or of a mask's share of pixels.
        float_share: Share of the layers, the first ones, that stayed in single precision in int8; null for others.
        toolkit: The libraries that made it, with their versions.
    """

    images: int = Field(ge=1)
    max_prob_diff: float = Field(ge=0, le=1)
    same_label: float = Field(ge=0, le=1)
    auroc_diff: float | None = Field(ge=-1, le=1)
    max_example_diff: float = Field(ge=0, le=1)
    float_share: float | None = Field(default=None, ge=0, lt=1)
    toolkit: str


class Card(_Part):
    """The card. Unknown keys are refused: none may be ignored.

    Attributes:
        format: Format version of the bundle.
        name: Name of the model, that of its recipe.
        created: UTC, ISO 8601.
        busight: BUSight version that wrote it.
        notice: What it is for.
        not_for: The uses that it is not fit for.
        preprocess: Image format and filter chain.
        task: The task, by which the classes were made from the source's labels.
        labels: The classes.
        strategy: Which views the networks get, and how their outputs are combined.
        segment: Null without segmentation.
        classify: Null for a model that only segments.
        inverse_temperatures: Inverse temperature of each member of an ensemble, in the order of their graphs; empty for
            a single network.
        decision: Calibration, threshold, prediction sets, out-of-distribution detector, descriptor model.
        algorithms: Versions of the algorithms outside the graphs that determine a prediction.
        training: The data, split and recipe of its training.
        metrics: Metrics on its test subset.
        evidence: Metrics of its recipe on data sets left out; null where they were not measured.
        exports: Agreement of what ``busight export`` made of the graphs, by target.
        onnx_max_abs_diff: Largest difference between the trained networks and their graphs, relative to values above 1.
        files: SHA-256 of each other file of the bundle.
        digest: SHA-256 of the card without this field.
    """

    format: Literal[6] = FORMAT
    name: str
    created: str
    busight: str
    notice: str = "Research use only. Not a medical device."
    not_for: str = (
        "Not for diagnosis, screening, triage or any decision about a patient. Not for other organs, other imaging, "
        "men, children, or images during procedures: none of these was measured."
    )
    preprocess: PreprocessPart
    task: TaskName
    labels: LabelSchema
    strategy: str
    segment: SegmentPart | None
    classify: ClassifyPart | None
    inverse_temperatures: tuple[Annotated[float, Field(gt=0)], ...] = ()
    decision: Decision
    algorithms: dict[str, str] = Field(default_factory=dict)
    training: TrainingPart
    metrics: tuple[MetricPart, ...] = ()
    evidence: EvidencePart | None = None
    exports: dict[Target, ExportPart] = Field(default_factory=dict)
    onnx_max_abs_diff: float = Field(ge=0)
    files: dict[str, str]
    digest: str = ""

    @model_validator(mode="after")
    def _decision_of_the_classes(self) -> Self:
        self.decision.require_classes(len(self.labels.names))
        if self.decision.threshold is not None and self.labels.positive is None:
            raise ValueError("a threshold is of the positive class, and these labels have none")
        return self

    def changed(self, **fields: Any) -> Card:
        """Return the card with other fields, validated.

        Raises:
            pydantic.ValidationError: A value does not fit.
        """
        return Card.model_validate(self.model_copy(update=fields).model_dump())

    def with_postprocess(self, postprocess: PostprocessSettings) -> Card:
        """Return the card with another post-processing; a card without segmentation unchanged."""
        if self.segment is None:
            return self
        return self.changed(segment=self.segment.model_copy(update={"postprocess": postprocess}))

    def sealed(self) -> Card:
        """Return the card with its digest filled in."""
        return self.changed(digest=card_digest(self.model_dump(mode="json")))


def card_digest(document: dict[str, Any]) -> str:
    """Return the SHA-256 of a card's document without its ``digest``."""
    return sha256_of_json({name: value for name, value in document.items() if name != "digest"})
