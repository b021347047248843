from __future__ import annotations

import warnings

import pytest
import torch

from busight.classify.backbones import IMAGENET, INCEPTION, normalisation_of
from busight.classify.network import build_classifier, build_segmenter
from busight.classify.settings import ClassifySettings
from busight.errors import ConfigError
from busight.segment.learned.attention_unet import AttentionGate
from busight.segment.settings import LEARNED, LearnedName, SegmentSettings

BACKBONES = ["small_cnn", "mobilenetv3_small_050", "vit_tiny_patch16_224", "regnetx_002"]


@pytest.mark.parametrize("backbone", BACKBONES)
def test_contract_of_every_classifier(backbone: str) -> None:
    network = build_classifier(ClassifySettings(backbone=backbone, strategy="whole"), 3).eval()
    with torch.no_grad():
        found = network(torch.rand(2, 1, 224, 224))
    assert found.logits is not None
    assert found.activation is not None
    assert found.mask_logits is None
    assert found.logits.shape == (2, 3)
    assert found.activation.shape[:2] == (2, 3)
    # The class-activation map is exact: its mean is the logit.
    torch.testing.assert_close(found.activation.mean(dim=(2, 3)), found.logits, rtol=1e-3, atol=1e-4)


def test_joint_gives_class_and_mask() -> None:
    settings = ClassifySettings(backbone="mobilenetv3_small_050", strategy="joint")
    with torch.no_grad():
        found = build_classifier(settings, 2, SegmentSettings()).eval()(torch.rand(2, 1, 64, 64))
    assert found.logits is not None
    assert found.mask_logits is not None
    assert found.logits.shape == (2, 2)
    assert found.mask_logits.shape == (2, 1, 64, 64)


@pytest.mark.parametrize("method", LEARNED)
def test_segmenter_gives_a_mask_alone(method: LearnedName) -> None:
    settings = SegmentSettings(method, encoder="mobilenetv2_050", decoder_channels=(32, 12, 8, 8, 4))
    with torch.no_grad():
        found = build_segmenter(settings).eval()(torch.rand(1, 1, 64, 96))
    assert found.logits is None
    assert found.mask_logits is not None
    assert found.mask_logits.shape == (1, 1, 64, 96)


@pytest.mark.parametrize("method", LEARNED)
def test_joint_takes_any_decoder(method: LearnedName) -> None:
    settings = ClassifySettings(backbone="mobilenetv2_050", strategy="joint")
    with torch.no_grad():
        found = build_classifier(settings, 3, SegmentSettings(method)).eval()(torch.rand(2, 1, 64, 64))
    assert found.logits is not None
    assert found.mask_logits is not None
    assert (found.logits.shape, found.mask_logits.shape) == ((2, 3), (2, 1, 64, 64))


def test_attention_gates_skip_an_empty_first_feature_map() -> None:
    settings = SegmentSettings("attention_unet", encoder="convnext_atto", decoder_channels=(16, 12, 8, 8, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, about the library's own empty tensors
        network = build_segmenter(settings).eval()
    with torch.no_grad():
        found = network(torch.rand(1, 1, 64, 64))
    assert found.mask_logits is not None
    assert found.mask_logits.shape == (1, 1, 64, 64)


def test_a_size_that_a_decoder_cannot_bring_back_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"classify\.size 100: joint needs a multiple of 32, e\.g\. 96"):
        build_classifier(ClassifySettings(backbone="mobilenetv2_050", strategy="joint", size=100), 3, SegmentSettings())


def test_a_method_without_training_has_no_decoder() -> None:
    with pytest.raises(ConfigError, match=r"segment\.method otsu: has no decoder to train; choose unet, "):
        build_classifier(ClassifySettings(backbone="mobilenetv2_050", strategy="joint"), 3, SegmentSettings("otsu"))


def test_a_width_that_fpn_cannot_have_is_refused() -> None:
    with pytest.raises(ConfigError, match="fpn needs a first width that is a multiple of 32, not 16"):
        build_segmenter(SegmentSettings("fpn", encoder="mobilenetv2_050", decoder_channels=(16, 8, 8, 8, 8)))


def test_an_attention_gate_by_hand() -> None:
    gate = AttentionGate(1, 2)
    for weights in gate.parameters():
        torch.nn.init.zeros_(weights)
    skip = torch.rand(1, 2, 4, 6)
    coarse = torch.tensor([[[[3.0]]]])
    torch.testing.assert_close(gate(coarse, skip), skip / 2)  # nothing learned: a weight of 1/2 everywhere
    with torch.no_grad():
        gate.of_coarse.weight[0, 0] = 1.0
        gate.of_skip.weight[0, 0] = -1.0
        gate.to_weight.weight[0, 0] = 2.0
    expected = torch.sigmoid(2 * torch.relu(3 - skip[:, :1]))
    torch.testing.assert_close(gate(coarse, skip), skip * expected)


def test_resnet101_is_torchvisions_with_a_new_last_layer_and_all_trainable() -> None:
    import torchvision

    network = build_classifier(ClassifySettings(strategy="whole"), 3)
    published = torchvision.models.resnet101(weights=None)
    own = {key.removeprefix("backbone.net."): value.shape for key, value in network.named_parameters()}
    wanted = {key: value.shape for key, value in published.named_parameters() if not key.startswith("fc.")}
    assert {key: shape for key, shape in own.items() if not key.startswith("head.")} == wanted
    assert own["head.linear.weight"] == (3, 2048)
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_resnet101_computes_what_torchvisions_does() -> None:
    import torchvision

    torch.manual_seed(0)
    network = build_classifier(ClassifySettings(strategy="whole"), 3).eval()
    published = torchvision.models.resnet101(weights=None).eval()
    published.fc = torch.nn.Linear(2048, 3)
    state = dict(network.pretrained_part.state_dict())
    published.load_state_dict(state | {f"fc.{k}": v for k, v in network.head.linear.state_dict().items()})  # type: ignore[union-attr]
    batch = torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        mean, std = (torch.tensor(values)[:, None, None] for values in (IMAGENET.mean, IMAGENET.std))
        expected = published((batch.expand(-1, 3, -1, -1) - mean) / std)
        torch.testing.assert_close(network(batch).logits, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            ClassifySettings(backbone="resnet1o1", strategy="whole"),
            "classify.backbone 'resnet1o1'.*near names: .*resnet",
        ),
        (ClassifySettings(backbone="torchvision/resnet101", strategy="joint"), "joint needs a timm name"),
        (ClassifySettings(backbone="small_cnn", strategy="whole", options={"a": 1}), "small_cnn takes none"),
    ],
)
def test_a_backbone_that_cannot_be_is_refused_in_one_line(settings: ClassifySettings, message: str) -> None:
    decoder = SegmentSettings() if settings.strategy == "joint" else None
    with pytest.raises(ConfigError, match=message) as caught:
        build_classifier(settings, 3, decoder)
    assert "\n" not in str(caught.value)


def test_a_backbone_brings_its_own_normalisation() -> None:
    import timm

    for name in ("mobilenetv2_100", "tf_efficientnet_lite0", "vit_tiny_patch16_224"):
        published = timm.get_pretrained_cfg(name)
        assert (normalisation_of(name).mean, normalisation_of(name).std) == (published.mean, published.std)
    assert normalisation_of("torchvision/resnet101") == IMAGENET
    assert normalisation_of("tf_mobilenetv2_100") == normalisation_of("small_cnn") == INCEPTION
    # It is inside the network: a grey of 1/2 is 0 for one backbone and not for another.
    half = torch.full((1, 1, 32, 32), 0.5)
    for name, wanted in (("tf_mobilenetv2_100", 0.0), ("mobilenetv2_100", (0.5 - 0.485) / 0.229)):
        network = build_classifier(ClassifySettings(backbone=name, strategy="whole"), 2)
        assert float(network.normalise(half)[0, 0, 0, 0]) == pytest.approx(wanted, abs=1e-6)
