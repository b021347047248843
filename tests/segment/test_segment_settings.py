import pytest
from pydantic import TypeAdapter, ValidationError

from busight.segment.settings import SegmentSettings

ADAPTER = TypeAdapter(SegmentSettings)


def test_defaults_are_within_their_own_ranges() -> None:
    assert ADAPTER.validate_json(ADAPTER.dump_json(SegmentSettings())) == SegmentSettings()


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"size": 100}, "multiple of 32"),
        ({"size": 0}, "greater than or equal to 32"),
        ({"epochs": 0}, "greater than or equal to 1"),
        ({"learning_rate": 0}, "greater than 0"),
        ({"learning_rate": float("inf")}, "finite"),
        ({"method": "cany"}, "'unet'"),
        ({"decoder_channels": (1, 2, 3)}, "decoder_channels"),
        ({"decoder_channels": (64, 32, 16, 8, 0)}, "decoder_channels.4"),
        ({"postprocess": {"threshold": 1.1}}, "postprocess.threshold"),
        ({"postprocess": {"components": 0}}, "postprocess.components"),
        ({"postprocess": {"minimum_share": 1}}, "postprocess.minimum_share"),
        ({"roi": {"margin": -0.1}}, "roi.margin"),
        ({"roi": {"margin": float("nan")}}, "roi.margin"),
        ({"roi": {"margins": 1}}, "roi.margins"),
        ({"encoders": "resnet18"}, "encoders"),
    ],
)
def test_values_that_cannot_be(wrong: dict[str, object], rule: str) -> None:
    with pytest.raises(ValidationError, match=rule):
        ADAPTER.validate_python(wrong)
