"""The losses of the tasks: cross-entropy for the class, a choice for the mask."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from busight.train.settings import MaskObjective


def class_loss(logits: Tensor, targets: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
    """Return the cross-entropy; images without a label (target -1) do not count.

    Args:
        logits: (N, K).
        targets: int64 (N,), -1 to leave a case out.
        weights: (K,) or None.
        smoothing: Label smoothing, 0–1.
    """
    return F.cross_entropy(logits, targets, weight=weights, ignore_index=-1, label_smoothing=smoothing)


def mask_loss(logits: Tensor, masks: Tensor, known: Tensor, objective: MaskObjective = "bce_dice") -> Tensor:
    """Return the loss of the masks over the images whose outline is known.

    Dice and Tversky are taken over all pixels of the batch together, so that images without a lesion, for which an
    image's own Dice is undefined, still count with their false marks. In a batch without any lesion they are constant:
    on sets with many normal images take a loss with a cross-entropy in it.

    Args:
        logits: (N, 1, H, W).
        masks: float (N, 1, H, W), 0 or 1.
        known: bool (N,).
        objective: Its name in `MASK_OBJECTIVES`.

    Returns:
        A scalar; 0 where no outline is known.
    """
    if not bool(known.any()):
        return logits.sum() * 0.0
    return MASK_OBJECTIVES[objective](logits[known], masks[known])


def bce(logits: Tensor, masks: Tensor) -> Tensor:
    """Return the binary cross-entropy, the mean over pixels.

    Args:
        logits: (N, 1, H, W).
        masks: float (N, 1, H, W), 0 or 1; the same of every loss below.
    """
    return F.binary_cross_entropy_with_logits(logits, masks)


def soft_dice(logits: Tensor, masks: Tensor) -> Tensor:
    """Return 1 minus the Dice of probabilities.

    Source:
        Milletari, Navab, Ahmadi, V-Net, 3DV 2016, section 3 (with the sums not squared).
    """
    probs = torch.sigmoid(logits)
    return 1 - 2 * (probs * masks).sum() / (probs.sum() + masks.sum())


def bce_dice(logits: Tensor, masks: Tensor) -> Tensor:
    """Return the sum of `bce` and `soft_dice`."""
    return bce(logits, masks) + soft_dice(logits, masks)


def focal_tversky(
    logits: Tensor, masks: Tensor, missed: float = 0.7, false: float = 0.3, exponent: float = 0.75
) -> Tensor:
    """Return the focal Tversky loss: what is missed weighs more than what is marked falsely.

    Args:
        logits: (N, 1, H, W).
        masks: float (N, 1, H, W), 0 or 1.
        missed: Weight of lesion pixels that were not marked.
        false: Weight of marked pixels that are no lesion.
        exponent: Below 1 it keeps the slope steep where little is left to gain.

    Source:
        Abraham and Khan, A novel focal Tversky loss function with improved attention U-Net for lesion segmentation,
        ISBI 2019, eq. 3 and 4; there written with the exponent 1/γ, γ = 4/3.
    """
    probs = torch.sigmoid(logits)
    both = (probs * masks).sum()
    wrong = missed * ((1 - probs) * masks).sum() + false * (probs * (1 - masks)).sum()
    # The power of zero has no slope; the smallest step above it has.
    return torch.clamp(wrong / (both + wrong), min=1e-6) ** exponent


def boundary(logits: Tensor, masks: Tensor, weight: float = 1.0) -> Tensor:
    """Return `bce_dice` plus the boundary loss: marked pixels cost their distance from the lesion's outline.

    Inside the lesion the distance is negative. It is measured in shares of the picture's diagonal; images without a
    lesion have no outline and count in `bce_dice` alone.

    Args:
        logits: (N, 1, H, W).
        masks: float (N, 1, H, W), 0 or 1.
        weight: Of the boundary loss.

    Source:
        Kervadec et al., Boundary loss for highly unbalanced segmentation, MIDL 2019, eq. 5 and 6, with a constant
        weight.
    """
    distance = torch.from_numpy(signed_distances(masks[:, 0].detach().cpu().numpy() > 0.5)).to(logits)
    return bce_dice(logits, masks) + weight * (torch.sigmoid(logits) * distance[:, None]).mean()


def signed_distances(masks: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the distance of each pixel to the outline, negative inside, in shares of the picture's diagonal.

    Args:
        masks: bool (N, H, W).

    Returns:
        float32 (N, H, W); 0 everywhere where a mask is empty or full.
    """
    from scipy.ndimage import distance_transform_edt

    found = np.zeros(masks.shape, dtype=np.float32)
    for place, mask in zip(found, masks, strict=True):
        if mask.any() and not mask.all():
            place[:] = (distance_transform_edt(~mask) - distance_transform_edt(mask)) / np.hypot(*mask.shape)
    return found


MASK_OBJECTIVES: dict[MaskObjective, Callable[[Tensor, Tensor], Tensor]] = {
    "bce_dice": bce_dice,
    "bce": bce,
    "dice": soft_dice,
    "focal_tversky": focal_tversky,
    "boundary": boundary,
}
"""The losses of masks, by name."""


def batch_dice(logits: Tensor, masks: Tensor) -> Tensor:
    """Return Dice at probability 1/2 for each image with a lesion: (M,), M images with a non-empty mask."""
    present = masks.flatten(1).any(dim=1)
    predicted = logits[present].flatten(1) > 0
    drawn = masks[present].flatten(1) > 0.5
    overlap = (predicted & drawn).sum(dim=1)
    return 2 * overlap / (predicted.sum(dim=1) + drawn.sum(dim=1))
