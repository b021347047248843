"""Filling of holes in masks."""

from __future__ import annotations

import cv2
import numpy as np

from busight.types import Mask


def filled(mask: Mask) -> Mask:
    """Return a mask with the holes of its regions filled, bool HW."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = cv2.drawContours(np.zeros(mask.shape, np.uint8), outlines, -1, 1, cv2.FILLED)
    return np.asarray(whole, dtype=np.bool_)
