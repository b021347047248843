"""Settings that make a whole run small enough for a test."""

QUICK = (
    "segment.size=64",
    "segment.epochs=1",
    "segment.encoder=mobilenetv3_small_050",
    "classify.size=64",
    "train.epochs=2",
    "train.accelerator=cpu",
    "assess.resamples=100",
)
"""Overrides that make a run a matter of seconds."""
