"""``card.json``: everything a bundle says about itself, and all that prediction needs besides the graphs."""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from busight.classify.settings import LesionUse
from busight.data.labels import TASKS
from busight.decision.calibration.calibrators import CalibrationMethod, Calibrator
from busight.decision.conformal import ConformalSets
from busight.decision.ood import ImageGate
from busight.descriptors.model import SecondReader
from busight.io.digests import sha256_of_json
from busight.segment.postprocess import PostprocessSettings
from busight.segment.settings import ClassicalName, LearnedName, RoiSettings

FORMAT: Final = 2
CARD = "card.json"
WEIGHTS = "weights.safetensors"
CLASSIFIER = "classifier.onnx"
SEGMENTER = "segmenter.onnx"
EXAMPLES = "examples.npz"
MEMORY = "memory.npz"
KNOWN_FILES = (WEIGHTS, CLASSIFIER, SEGMENTER, EXAMPLES, MEMORY)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class InputPart(_Part):
    """The square input of a graph."""

    size: int = Field(ge=16, le=4096)
    keep_aspect: bool


class SegmentPart(_Part):
    """How a mask comes about: a graph of its own, a method without training, or the classifier's mask decoder."""

    method: Literal["joint"] | LearnedName | ClassicalName
    input: InputPart | None
    test_flip: bool = False
    postprocess: PostprocessSettings
    roi: RoiSettings


class ClassifyPart(_Part):
    """How the classes come about."""

    task: str
    classes: tuple[str, ...]
    lesion: LesionUse
    input: InputPart
    test_flip: bool
    guess: bool = False
    reader: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _classes_of_the_task(self) -> Self:
        """Refuse classes that are not the task's: a class that is read as another one is the worst mistake of all."""
        if self.task not in TASKS or self.classes != TASKS[self.task].classes:
            raise ValueError(f"task {self.task!r} with the classes {', '.join(self.classes)} is not known")
        return self


class CalibrationPart(_Part):
    """What turns raw into calibrated probabilities, and where it comes from; `Calibrator` says what the numbers are.

    ``prevalence`` is the share of the last class among the cases that it was fitted on. ``calibrated`` is false where
    nothing could be fitted or was to be; without a method it is true where that was the best way, or where the graph
    calibrates each of several networks itself.
    """

    method: CalibrationMethod
    numbers: tuple[tuple[float, ...], ...] = ()
    cases: int
    prevalence: float | None = Field(default=None, gt=0, lt=1)
    calibrated: bool = True
    source: str

    @model_validator(mode="before")
    @classmethod
    def _as_format_1_said_it(cls, given: object) -> object:
        """Read a card of format 1, which knew one number only."""
        if isinstance(given, dict) and "temperature" in given:
            given = dict(given)
            temperature = given.pop("temperature")
            if given.get("method") == "temperature":
                given["numbers"] = ((temperature,),)
        return given

    @model_validator(mode="after")
    def _a_temperature_is_above_0(self) -> Self:
        """Refuse a temperature that nothing can be divided by."""
        one = len(self.numbers) == 1 and len(self.numbers[0]) == 1
        if self.method == "temperature" and not (one and self.numbers[0][0] > 0):
            raise ValueError("a temperature is one number above 0")
        return self

    @property
    def calibrator(self) -> Calibrator:
        """The calibration, ready to apply."""
        return Calibrator(self.method, self.numbers)


class ConformalPart(_Part):
    """Prediction sets that hold each class as often as ``level`` says; see `busight.decision.conformal`."""

    level: float = Field(gt=0, lt=1)
    least_probs: tuple[float, ...]
    cases: tuple[int, ...]
    source: str

    @property
    def fitted(self) -> ConformalSets:
        """The sets, ready to apply."""
        return ConformalSets(self.level, self.least_probs, self.cases)


class GatePart(_Part):
    """What an image must look like to be answered at all, and how far its features may lie from known ones.

    ``image`` is null where there were too few images to tell, ``feature_limit`` where the graph gives no features.
    """

    image: ImageGate | None
    feature_limit: float | None
    neighbours: int = Field(ge=1)
    source: str


class OperatingPointPart(_Part):
    """A threshold on a class's calibrated probability, chosen on validation cases; null where undefined."""

    of: str
    wanted_sensitivity: float
    threshold: float | None
    sensitivity: float | None
    specificity: float | None
    source: str


class ReaderPart(_Part):
    """The second reader, which knows BI-RADS words only; null where there were too few lesions.

    ``words`` is the SHA-256 of the words that taught it; a reader asked in other words would say something else.
    """

    reader: SecondReader | None
    words: str = ""
    source: str


class TrainingPart(_Part):
    """What the bundle was trained on and how.

    ``seen`` holds the first 16 digits of the pixel digest of each training and validation image, so that an evaluation
    notices them wherever they turn up again.
    """

    source: str
    images: int
    seen: tuple[str, ...]
    data_digest: str
    split_kind: str
    split_digest: str
    weights: str
    recipe: str


class ScorePart(_Part):
    """A figure on the test part with its interval; null where undefined."""

    metric: str
    of: str
    value: float | None
    low: float | None
    high: float | None
    n: int


class Card(_Part):
    """The card. Unknown keys are refused: a reader must not overlook what it does not understand."""

    format: Literal[1, 2] = FORMAT
    name: str
    created: str
    busight: str
    notice: str = "Research use only. Not a medical device."
    enhance: str
    channels: tuple[str, ...] = ()
    segment: SegmentPart | None
    classify: ClassifyPart | None
    calibration: CalibrationPart
    operating_points: tuple[OperatingPointPart, ...] = ()
    conformal: ConformalPart | None = None
    gate: GatePart | None = None
    reader: ReaderPart | None = None
    training: TrainingPart
    scores: tuple[ScorePart, ...] = ()
    parity: float = Field(
        ge=0, description="largest difference between the trained network and its graph on the examples"
    )
    files: dict[str, str] = Field(description="SHA-256 of each file of the bundle")
    digest: str = ""

    @model_validator(mode="after")
    def _numbers_of_every_class(self) -> Self:
        """Refuse a calibration or prediction sets of another number of classes: they would fail, or say nonsense."""
        classes = len(self.classify.classes) if self.classify is not None else len(TASKS["lesion"].classes)
        if not self.calibration.calibrator.fits(classes):
            raise ValueError(f"its {self.calibration.method} calibration is not of {classes} classes")
        if self.conformal is not None and len(self.conformal.least_probs) != classes:
            raise ValueError(f"its prediction sets are not of {classes} classes")
        return self

    def with_postprocess(self, postprocess: PostprocessSettings) -> Card:
        """Return the card with another way from probabilities to a mask; a card without a mask is returned as it is."""
        if self.segment is None:
            return self
        return self.model_copy(update={"segment": self.segment.model_copy(update={"postprocess": postprocess})})

    def own_digest(self) -> str:
        """Return the SHA-256 of the card without its ``digest`` field."""
        return card_digest(self.model_dump(mode="json"))

    def sealed(self) -> Card:
        """Return the card with its digest filled in."""
        return self.model_copy(update={"digest": self.own_digest()})


def card_digest(document: dict[str, object]) -> str:
    """Return the SHA-256 of a card as it was written, without its ``digest``.

    Of the document and not of what is read from it: a later version fills in fields that this one does not know yet.
    """
    return sha256_of_json({name: value for name, value in document.items() if name != "digest"})
