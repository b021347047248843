"""Maps that need gradients, by Captum: for networks whose class activation is not exact, and to compare with."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Final

import numpy as np
import torch
from kornia.filters import gaussian_blur2d
from numpy.typing import NDArray
from torch import Tensor, nn

from busight.errors import DataError, MissingExtraError
from busight.types import Image

GradientMap = Callable[[nn.Module, nn.Module, Tensor, int], Tensor]


class _Logits(nn.Module):
    """A network of `busight.classify.network` as a function to its logits, which is what Captum expects."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Tensor) -> Tensor:
        logits: Tensor = self.network(batch).logits
        return logits


def _grad_cam(model: nn.Module, layer: nn.Module, batch: Tensor, target: int) -> Tensor:
    from captum.attr import LayerAttribution, LayerGradCam

    found = LayerGradCam(model, layer).attribute(batch, target=target, relu_attributions=True)
    grown: Tensor = LayerAttribution.interpolate(found, batch.shape[2:], interpolate_mode="bilinear")
    return grown


def _integrated_gradients(model: nn.Module, layer: nn.Module, batch: Tensor, target: int) -> Tensor:
    from captum.attr import IntegratedGradients

    # From a blurred copy of the image: from black, nothing dark could ever count, and lesions are dark.
    side = batch.shape[-1]
    start = gaussian_blur2d(batch, (side // 2 * 2 - 1,) * 2, (side / 10, side / 10))
    explained = IntegratedGradients(model)
    found: Tensor = explained.attribute(batch, start, target=target, n_steps=24, internal_batch_size=8)
    # Of single pixels it is a scatter of dots; over an area it can be read.
    smooth = nn.functional.avg_pool2d(found.sum(dim=1, keepdim=True), 9, stride=1, padding=4)
    return smooth.clamp(min=0)


METHODS: Final[dict[str, GradientMap]] = {"grad-cam": _grad_cam, "integrated gradients": _integrated_gradients}
"""Selvaraju et al., "Grad-CAM", ICCV 2017; Sundararajan et al., "Axiomatic attribution for deep networks", ICML
2017."""


def gradient_map(network: nn.Module, layer: nn.Module, image: Image, target: int, method: str) -> NDArray[np.float32]:
    """Return a map of what speaks for a class.

    Args:
        network: Of `busight.classify.network`, with a class head.
        layer: Its last layer with places, for Grad-CAM.
        image: uint8 (S, S), at the network's input size.
        target: Index of the class.
        method: Of `METHODS`.

    Returns:
        float32 (S, S), 0 or more.

    Raises:
        MissingExtraError: Captum is not installed.
        DataError: No such method.
    """
    if method not in METHODS:
        raise DataError(f"method {method!r}: it is one of {', '.join(METHODS)}")
    try:
        import captum  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError("gradient maps need Captum; install it with: pip install 'busight[explain]'") from error
    network.eval()
    batch = torch.from_numpy(image).float()[None, None] / 255
    found = METHODS[method](_Logits(network), layer, batch, target)
    return np.asarray(found.detach()[0, 0].numpy(), dtype=np.float32)


def with_random_head(network: nn.Module, seed: int = 0) -> nn.Module:
    """Return a copy whose last linear layer is random: a map that stays the same does not explain the answer.

    Source: Adebayo et al., "Sanity checks for saliency maps", NeurIPS 2018, section 3 (model-parameter randomisation).
    """
    changed = deepcopy(network)
    head = changed.get_submodule("head.linear")
    assert isinstance(head, nn.Linear)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        head.weight.copy_(torch.randn(head.weight.shape, generator=generator) * head.weight.std())
        head.bias.zero_()
    return changed


def with_random_network(network: nn.Module, seed: int = 0) -> nn.Module:
    """Return a copy in which every weight is drawn anew from a normal distribution of its own spread; see above."""
    changed = with_random_head(network, seed)
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for parameter in changed.parameters():
            if parameter.dim() > 1:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * parameter.std())
    return changed
