"""A recipe: one experiment, every room's settings side by side."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from busight.classify.masked import input_channels
from busight.classify.settings import ClassifySettings
from busight.data.split import SplitSettings
from busight.decision.settings import AssessSettings
from busight.preprocess.pipeline import Enhancement, parse_enhancement
from busight.segment.settings import SegmentSettings
from busight.train.settings import TrainSettings


class DataSection(BaseModel):
    """The data, unless ``--data`` names other data.

    Attributes:
        spec: ``source:argument``.
        conflicts: Near-duplicate images that carry different labels: ``keep`` them, or ``drop`` both of each pair.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    spec: str = ""
    conflicts: Literal["keep", "drop"] = "keep"


class EnhanceSection(BaseModel):
    """The enhancement chain.

    Attributes:
        chain: Filters for all that follows; a first ``crop_region`` chooses the field.
        channels: None, or three chains that follow it, each a channel of the networks' input; ``raw`` adds nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    chain: str = ""
    channels: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> Self:
        self.parsed()
        return self

    def parsed(self) -> Enhancement:
        """Return the section as what it does to a picture."""
        return parse_enhancement(self.chain, self.channels)


class Recipe(BaseModel):
    """One experiment, as a TOML file says it.

    Attributes:
        name: The file's name without its suffix, unless the file gives another.
        about: One line, which ``busight recipes`` shows.
        data: The data.
        split: The split.
        enhance: The enhancement chain.
        segment: The segmentation.
        classify: The classifier.
        train: The training.
        assess: The assessment.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    about: str = ""
    data: DataSection = DataSection()
    split: SplitSettings = SplitSettings()
    enhance: EnhanceSection = EnhanceSection()
    segment: SegmentSettings = SegmentSettings()
    classify: ClassifySettings = ClassifySettings()
    train: TrainSettings = TrainSettings()
    assess: AssessSettings = AssessSettings()

    @model_validator(mode="after")
    def _one_use_of_the_channels(self) -> Self:
        if self.classify.lesion == "mask-channel" and self.enhance.channels:
            raise ValueError("classify.lesion mask-channel fills the channels itself; leave enhance.channels away")
        return self

    @property
    def classifier_channels(self) -> int:
        """Channels of the classifier's input, 1 or 3."""
        return input_channels(self.classify.lesion, self.enhance.parsed().n_channels)

    @property
    def segments(self) -> bool:
        """A segmenter of its own comes before, or in place of, the classifier."""
        return self.classify.task == "segmentation" or self.classify.needs_mask
