"""Whole image: no segmentation, one view of everything."""

from __future__ import annotations

from busight.strategies.strategy import Strategy


class Whole(Strategy):
    """Classify the whole image."""

    name = "whole"

    def sentence(self, network: str, segmenter: str) -> str:
        """Return a sentence for the report."""
        return f"Whole image: {network}, no segmentation."
