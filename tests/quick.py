"""Settings that make a whole run small enough for a test, and calls of the command line."""

from typer.testing import CliRunner

from busight.cli.app import app

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


def call(*arguments: object) -> tuple[int, str]:
    """Call a command in this process; return its exit code and all that it said."""
    found = CliRunner().invoke(app, [str(one) for one in arguments])
    return found.exit_code, found.output
