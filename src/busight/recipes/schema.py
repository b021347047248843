"""A recipe: one experiment, with the settings of every room."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from busight.classify.settings import ClassifySettings
from busight.data.image_spec import ImageSpec
from busight.data.split import SplitSettings
from busight.decision.settings import AssessSettings
from busight.errors import ConfigError
from busight.preprocess.pipeline import Preprocess, parse_preprocess
from busight.recipes.tune_section import TuneSection
from busight.segment.settings import SegmentSettings
from busight.strategies.catalogue import strategy_of
from busight.strategies.segment_only import SegmentOnly
from busight.strategies.strategy import Strategy
from busight.training.settings import TrainSettings


class DataSection(BaseModel):
    """The data, unless ``--data`` names other data.

    Attributes:
        spec: ``source:argument``.
        label_conflicts: Near-duplicates that carry different labels: ``keep`` them, or ``drop`` both of each pair.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    spec: str = ""
    label_conflicts: Literal["keep", "drop"] = "keep"


class EnhanceSection(BaseModel):
    """The enhancement.

    Attributes:
        chain: Filters for all that follows; a first ``crop_region`` chooses the crop box.
        channels: None, or three chains that follow it, each a channel of the networks' input; ``raw`` adds nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    chain: str = ""
    channels: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> Self:
        parse_preprocess(self.chain, self.channels)
        return self


class Recipe(BaseModel):
    """One experiment, read from a TOML file.

    Attributes:
        name: Name of the recipe; that of the file without one.
        description: Description in one line.
        data: The data.
        split: How they are split.
        enhance: The enhancement.
        segment: The segmenter, or the mask decoder.
        classify: The classifier and the strategy.
        train: How the networks are fitted.
        assess: Which decisions are fitted, and the intervals of the metrics.
        tune: What `busight tune` searches.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str = ""
    data: DataSection = DataSection()
    split: SplitSettings = SplitSettings()
    enhance: EnhanceSection = EnhanceSection()
    segment: SegmentSettings = SegmentSettings()
    classify: ClassifySettings = ClassifySettings()
    train: TrainSettings = TrainSettings()
    assess: AssessSettings = AssessSettings()
    tune: TuneSection = TuneSection()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        try:
            strategy = self.strategy
        except ConfigError as error:
            raise ValueError(str(error)) from error
        if strategy.mask_channel and self.enhance.channels:
            raise ValueError(
                f"classify.strategy {strategy.name} fills the channels itself; leave enhance.channels away"
            )
        if isinstance(strategy, SegmentOnly) and self.classifies:
            raise ValueError(f"classify.strategy {strategy.name} has no classifier; use classify.task=segmentation")
        if self.classify.use_proposal and not strategy.local_views:
            raise ValueError("classify.use_proposal needs a strategy with local views: classify.strategy=global_local")
        if self.train.crops.drawn and strategy.segments_first:
            raise ValueError(
                "train.crops needs a strategy that begins with the whole image: joint, global_local, whole"
            )
        return self

    @property
    def classifies(self) -> bool:
        """Whether it has a classifier."""
        return self.classify.task != "segmentation"

    @property
    def strategy(self) -> Strategy:
        """How the lesion is used.

        Raises:
            ConfigError: There is no such strategy.
        """
        return strategy_of(self.classify.strategy) if self.classifies else SegmentOnly()

    def preprocess(self, image: ImageSpec) -> Preprocess:
        """Return the preprocessing of images with an image spec.

        Raises:
            ConfigError: The preprocessing cannot take such images.
        """
        if image.channels == 3 and self.strategy.mask_channel:
            raise ConfigError("classify.strategy mask_channel is for grey images; choose masked for RGB ones")
        return parse_preprocess(self.enhance.chain, self.enhance.channels, image)
