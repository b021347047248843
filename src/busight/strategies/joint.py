"""Joint: one encoder with a mask decoder and a class head; one view gives mask and class."""

from __future__ import annotations

from busight.strategies.strategy import Strategy


class Joint(Strategy):
    """Classify and segment the whole image with one network."""

    name = "joint"
    decodes_mask = True

    def sentence(self, network: str, segmenter: str) -> str:
        """Return a sentence for the report."""
        return f"Joint: one {network} with a mask decoder and a class head."
