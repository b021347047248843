from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from busight.classify.network import build_classifier
from busight.classify.settings import ClassifySettings
from busight.classify.weights import load_weights
from busight.errors import WeightsError
from busight.segment.settings import SegmentSettings

SHAPE = ClassifySettings(backbone="mobilenetv3_small_050", strategy="whole")


def test_none_changes_nothing() -> None:
    network = build_classifier(SHAPE, 3)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    assert load_weights(network, "none", SHAPE.backbone).source == "none"
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_a_part_of_a_network_is_loaded_and_the_rest_is_listed(tmp_path: Path) -> None:
    donor = build_classifier(SHAPE, 3).pretrained_part.state_dict()
    kept = {key: value for key, value in donor.items() if not key.startswith("blocks.5")}
    save_file({**kept, "foreign.weight": torch.zeros(3)}, tmp_path / "part.safetensors")
    network = build_classifier(SHAPE, 3)
    found = load_weights(network, str(tmp_path / "part.safetensors"), SHAPE.backbone)
    own = network.pretrained_part.state_dict()
    assert all(torch.equal(own[key], value) for key, value in kept.items())
    assert found.missing
    assert all(key.startswith("blocks.5") for key in found.missing)
    assert found.unused == ("foreign.weight",)
    assert "started at random" in found.sentence()


def test_joint_takes_the_same_file(tmp_path: Path) -> None:
    donor = build_classifier(SHAPE, 3).pretrained_part.state_dict()
    save_file(donor, tmp_path / "whole.safetensors")
    joint = build_classifier(ClassifySettings(backbone=SHAPE.backbone, strategy="joint"), 3, SegmentSettings())
    found = load_weights(joint, str(tmp_path / "whole.safetensors"), SHAPE.backbone)
    assert not found.missing


def test_a_bundles_weights_give_decoder_and_head_where_the_network_has_the_like(tmp_path: Path) -> None:
    decoding = ClassifySettings(backbone=SHAPE.backbone, strategy="global_local")
    donor = build_classifier(decoding, 3, SegmentSettings())
    path = tmp_path / "weights.safetensors"
    save_file({f"classifier.{key}": value for key, value in donor.state_dict().items()}, path)
    same = build_classifier(decoding, 3, SegmentSettings())
    assert not load_weights(same, str(path), SHAPE.backbone).missing
    assert all(torch.equal(value, donor.state_dict()[key]) for key, value in same.state_dict().items())
    other = build_classifier(decoding, 2, SegmentSettings())
    assert load_weights(other, str(path), SHAPE.backbone).missing == ("head.linear.bias", "head.linear.weight")
    whole = build_classifier(SHAPE, 3)
    own = whole.pretrained_part.state_dict()
    found = load_weights(whole, str(path), SHAPE.backbone)
    encoder = donor.pretrained_part.state_dict()
    shared = encoder.keys() & own.keys()
    assert found.loaded == len([key for key in shared if not key.endswith("num_batches_tracked")])
    assert all(torch.equal(own[key], encoder[key]) for key in shared)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.safetensors", None, "no such safetensors file"),
        ("weights.pth", b"x", "no such safetensors file"),
        ("damaged.safetensors", b"not safetensors", "not a readable safetensors file"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=message):
        load_weights(build_classifier(SHAPE, 3), str(tmp_path / name), SHAPE.backbone)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    save_file({"layer.weight": torch.zeros(3, 3)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match=r"none of its tensors \(such as layer.weight\) fits"):
        load_weights(build_classifier(SHAPE, 3), str(tmp_path / "other.safetensors"), SHAPE.backbone)


@pytest.mark.parametrize("backbone", ["torchvision/resnet101", "mobilenetv2_100"])
def test_without_network_imagenet_is_one_line_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, backbone: str
) -> None:
    # A real refused connection, not a patched library: both hubs are sent to a closed port of this machine.
    import huggingface_hub.constants as hub
    import torchvision

    monkeypatch.setattr(hub, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    weights = torchvision.models.ResNet101_Weights.IMAGENET1K_V1
    closed = type(weights.value)(
        "http://127.0.0.1:9/resnet101-63fe2227.pth", *list(weights.value.__dict__.values())[1:]
    )
    monkeypatch.setattr(weights, "_value_", closed)
    with pytest.raises(WeightsError, match=r"cannot be had .*--set classify.weights=none") as caught:
        load_weights(build_classifier(SHAPE, 3), "imagenet", backbone)
    assert "\n" not in str(caught.value)


def test_real_mobilenet_weights_fit_completely(data_root: Path) -> None:
    file = data_root.parent / "weights" / "mobilenetv2_100.tf_same.in1k.safetensors"
    if not file.is_file():
        pytest.skip(f"no weights at {file}")
    settings = ClassifySettings(backbone="tf_mobilenetv2_100", strategy="whole")
    found = load_weights(build_classifier(settings, 3), str(file), settings.backbone)
    assert found.missing == ()
    assert found.unused == ()
    assert "for inputs as of tf_mobilenetv2_100" in found.source
