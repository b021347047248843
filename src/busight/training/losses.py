"""Losses: cross-entropy for the class, a choice of losses for the mask."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from segmentation_models_pytorch.losses import TverskyLoss
from torch import Tensor
from torch.nn import functional as F

from busight.training.settings import MaskObjective

_TVERSKY = TverskyLoss("binary", alpha=0.3, beta=0.7)


def class_loss(logits: Tensor, targets: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
    """Return the cross-entropy; images without a label (target -1) are left out.

    Args:
        logits: (N, K).
        targets: int64 (N,), -1 to leave a case out.
        weights: (K,) or None.
        smoothing: Label smoothing, 0–1.
    """
    return F.cross_entropy(logits, targets, weight=weights, ignore_index=-1, label_smoothing=smoothing)


def mask_loss(logits: Tensor, masks: Tensor, known: Tensor, objective: MaskObjective = "bce_dice") -> Tensor:
    """Return the loss of the masks over the images with a known mask.

    Dice and Tversky are computed over all pixels of the batch together, so that images without a lesion, whose own Dice
    is undefined, still count by their false positives. In a batch without any lesion they are constant: on sets with
    many normal images use a loss with a cross-entropy term.

    Args:
        logits: (N, 1, H, W).
        masks: float (N, 1, H, W), 0 or 1.
        known: bool (N,).
        objective: Name of the loss in `MASK_OBJECTIVES`.

    Returns:
        A scalar; 0 where no mask is known.
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
    # smp's and MONAI's DiceLoss round otherwise (smp's slopes by 3e-6), which changes the digits of every training.
    probs = torch.sigmoid(logits)
    return 1 - 2 * (probs * masks).sum() / (probs.sum() + masks.sum())


def bce_dice(logits: Tensor, masks: Tensor) -> Tensor:
    """Return the sum of `bce` and `soft_dice`."""
    return bce(logits, masks) + soft_dice(logits, masks)


def focal_tversky(logits: Tensor, masks: Tensor) -> Tensor:
    """Return the focal Tversky loss: missed lesion pixels weigh 0.7, false positive pixels 0.3.

    The exponent 0.75 keeps the gradient large where the loss is small.

    Source:
        Abraham and Khan, A novel focal Tversky loss function with improved attention U-Net for lesion segmentation,
        ISBI 2019, eq. 3 and 4; there written with the exponent 1/γ, γ = 4/3.
    """
    # The library's own `gamma` is not used: the power of a loss of exactly zero has no gradient, which gives NaN.
    loss: Tensor = _TVERSKY(logits, masks).clamp(min=1e-6) ** 0.75
    return loss


def boundary(logits: Tensor, masks: Tensor, weight: float = 1.0) -> Tensor:
    """Return `bce_dice` plus the boundary loss: predicted pixels cost their distance from the lesion's outline.

    Inside the lesion the distance is negative. It is measured in shares of the image's diagonal; images without a
    lesion have no outline and count in `bce_dice` alone.

    Args:
        logits: (N, 1, H, W).
        masks: float (N, 1, H, W), 0 or 1.
        weight: Weight of the boundary loss.

    Source:
        Kervadec et al., Boundary loss for highly unbalanced segmentation, MIDL 2019, eq. 5 and 6, with a constant
        weight.
    """
    # Not MONAI's BoundaryLoss: it counts pixels, so its weight would depend on the size, and takes 3 s to import.
    distance = torch.from_numpy(signed_distances(masks[:, 0].detach().cpu().numpy() > 0.5)).to(logits)
    return bce_dice(logits, masks) + weight * (torch.sigmoid(logits) * distance[:, None]).mean()


def signed_distances(masks: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the distance of each pixel to the outline, negative inside, in shares of the image's diagonal.

    Args:
        masks: bool (N, H, W).

    Returns:
        float32 (N, H, W); 0 everywhere where a mask is empty or full.
    """
    distances = np.zeros(masks.shape, dtype=np.float32)
    for distance, mask in zip(distances, masks, strict=True):
        if mask.any() and not mask.all():
            distance[:] = (_distance_to_zero(~mask) - _distance_to_zero(mask)) / np.hypot(*mask.shape)
    return distances


def _distance_to_zero(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    return np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


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
