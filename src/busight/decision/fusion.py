"""Late fusion: a descriptor model's log-odds are added to the network's between the two lesion classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from busight.descriptors.lexicon import lesion_features
from busight.descriptors.model import DescriptorModel, descriptor_inputs
from busight.errors import BundleError, DataError
from busight.metrics.activations import logit
from busight.segment.fallback import fallback_to_proposal
from busight.types import DescriptorEvidence, FloatArray, Image, Mask

MAX_LOG_ODDS = 4.0
"""Clipping limit of the descriptor model's log-odds, at weight 1: fifty to one."""


@dataclass(frozen=True, slots=True, eq=False)
class DescribedRegion:
    """A region with the descriptor model's inputs.

    Attributes:
        inputs: The descriptor model's inputs by name.
        region: bool HW: the described region.
        from_proposal: Whether it is the lesion proposal, not the network's mask.
    """

    inputs: dict[str, float]
    region: Mask
    from_proposal: bool


class DescriptorFusion(BaseModel):
    """The fusion with a descriptor model: the model and the weight of its log-odds.

    Attributes:
        model: None where there were too few lesions to fit one.
        weight: Weight of the model's log-odds; 0 leaves the network's logits unchanged.
        lexicon: SHA-256 of the lexicon model that its inputs come from.
        source: What it was fitted on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    model: DescriptorModel | None
    weight: float = Field(default=0.0, ge=0, le=10)
    lexicon: str
    source: str

    def evidence(
        self, image: Image, mask: Mask | None, probs: NDArray[np.float32] | None, propose: Callable[[], Mask]
    ) -> DescriptorEvidence | None:
        """Return the descriptor evidence of an image; None without a model or a region large enough to describe.

        Args:
            image: uint8 HW, grey.
            mask: bool HW, the network's; None without segmentation.
            probs: float32 HW behind it.
            propose: Returns the lesion proposal, bool HW; called only where the mask is empty or uncertain.

        Raises:
            BundleError: The model was fitted on other descriptors than those of this version.
        """
        if self.model is None or (described := described_region(image, mask, probs, propose)) is None:
            return None
        if not set(self.model.names) <= set(described.inputs):
            raise BundleError("the descriptor model has other inputs than this version; update busight, or train anew")
        values = np.array([[described.inputs[name] for name in self.model.names]])
        return DescriptorEvidence(
            float(self.model.probs(values)[0]),
            self.model.contributions(described.inputs),
            described.region,
            described.from_proposal,
        )

    def fuse(self, logits: FloatArray, pair: tuple[int, int] | None, evidence: DescriptorEvidence | None) -> FloatArray:
        """Return logits, float64 (K,), after fusion with the evidence; all other odds are unchanged.

        Args:
            logits: float64 (K,).
            pair: Indices of the negative and the positive lesion class; None where the classes do not grade lesions.
            evidence: Evidence of the descriptors; None leaves the logits unchanged.
        """
        if not self.weight or pair is None or evidence is None:
            return logits
        change = self.weight * float(np.clip(logit(evidence.prob_positive), -MAX_LOG_ODDS, MAX_LOG_ODDS))
        fused = logits.copy()
        negative, positive = pair
        fused[positive] += change / 2
        fused[negative] -= change / 2
        return fused


def described_region(
    image: Image, mask: Mask | None, probs: NDArray[np.float32] | None, propose: Callable[[], Mask]
) -> DescribedRegion | None:
    """Return the descriptor model's inputs: of the network's mask or, where that is uncertain, of the lesion proposal.

    Returns:
        None where there is no region large enough to describe.
    """
    if mask is None or probs is None:
        return None
    region = fallback_to_proposal(mask, probs, propose)
    for candidate in (region, mask):
        try:
            inputs = descriptor_inputs(lesion_features(image, candidate))
        except DataError:
            continue  # too small, or at the border
        return DescribedRegion(inputs, candidate, candidate is not mask)
    return None
