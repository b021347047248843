from __future__ import annotations

import numpy as np
import pytest
import torch
from saliency.gradients import METHODS, gradient_map, with_random_head, with_random_network

from busight.classify.network import build_classifier
from busight.classify.settings import ClassifySettings

IMAGE = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return build_classifier(ClassifySettings(backbone="small_cnn", strategy="whole"), 3)


@pytest.mark.parametrize("method", METHODS)
def test_maps_are_of_the_images_size_and_differ_by_class(network: torch.nn.Module, method: str) -> None:
    maps = [gradient_map(network, network.backbone, IMAGE, target, method) for target in (0, 2)]
    assert maps[0].shape == IMAGE.shape
    assert min(one.min() for one in maps) >= 0
    assert not np.allclose(maps[0], maps[1])


def test_grad_cam_of_a_pooled_linear_head_is_its_class_activation_without_the_bias(network: torch.nn.Module) -> None:
    """Selvaraju et al., section 3.1: for these networks Grad-CAM is CAM up to a factor, here cut off below 0."""
    batch = torch.from_numpy(IMAGE).float()[None, None] / 255
    with torch.no_grad():
        found = network(batch)
        exact = found.activation[0, 1] - network.head.linear.bias[1]
        grown = torch.nn.functional.interpolate(exact.clamp(min=0)[None, None], IMAGE.shape, mode="bilinear")[0, 0]
    made = gradient_map(network, network.backbone, IMAGE, 1, "grad-cam")
    assert np.corrcoef(made.ravel(), grown.numpy().ravel())[0, 1] > 0.999


def test_random_weights_give_another_network_and_leave_this_one_alone(network: torch.nn.Module) -> None:
    before = {key: value.clone() for key, value in network.state_dict().items()}
    for change in (with_random_head, with_random_network):
        other = change(network)
        assert not torch.equal(other.head.linear.weight, network.head.linear.weight)
        assert torch.equal(change(network).head.linear.weight, other.head.linear.weight)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
