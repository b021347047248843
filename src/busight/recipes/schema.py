"""A recipe: one experiment, every room's settings side by side."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator

from busight.assess.settings import AssessSettings
from busight.classify.settings import ClassifySettings
from busight.data.split import SplitSettings
from busight.enhance.chain import parse_chain
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
    """The enhancement chain."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    chain: str = ""

    @field_validator("chain")
    @classmethod
    def _known(cls, chain: str) -> str:
        parse_chain(chain)
        return chain


class Recipe(BaseModel):
    """One experiment, as a TOML file says it."""

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
