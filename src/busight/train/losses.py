"""The losses of the tasks: cross-entropy for the class, cross-entropy and Dice for the mask."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def class_loss(logits: Tensor, targets: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
    """Return the cross-entropy; images without a label (target -1) do not count.

    Args:
        logits: (N, K).
        targets: int64 (N,), -1 to leave a case out.
        weights: (K,) or None.
        smoothing: Label smoothing, 0–1.
    """
    return F.cross_entropy(logits, targets, weight=weights, ignore_index=-1, label_smoothing=smoothing)


def mask_loss(logits: Tensor, masks: Tensor, known: Tensor) -> Tensor:
    """Return binary cross-entropy plus Dice loss over the images whose outline is known.

    Dice is taken over all pixels of the batch together, so that images without a lesion, for which an image's own
    Dice is undefined, still count with their false marks.

    Args:
        logits: (N, 1, H, W).
        masks: float (N, 1, H, W), 0 or 1.
        known: bool (N,).

    Returns:
        A scalar; 0 where no outline is known.

    Source:
        Milletari, Navab, Ahmadi, V-Net, 3DV 2016, section 3 (with the sums not squared).
    """
    if not bool(known.any()):
        return logits.sum() * 0.0
    logits, masks = logits[known], masks[known]
    cross_entropy = F.binary_cross_entropy_with_logits(logits, masks)
    probs = torch.sigmoid(logits)
    total = probs.sum() + masks.sum()
    dice = 2 * (probs * masks).sum() / total
    return cross_entropy + (1 - dice)


def batch_dice(logits: Tensor, masks: Tensor) -> Tensor:
    """Return Dice at probability 1/2 for each image with a lesion: (M,), M images with a non-empty mask."""
    present = masks.flatten(1).any(dim=1)
    predicted = logits[present].flatten(1) > 0
    drawn = masks[present].flatten(1) > 0.5
    overlap = (predicted & drawn).sum(dim=1)
    return 2 * overlap / (predicted.sum(dim=1) + drawn.sum(dim=1))
