"""The labels of phantoms."""

from __future__ import annotations

NORMAL, BENIGN, MALIGNANT = LABELS = ("normal", "benign", "malignant")
