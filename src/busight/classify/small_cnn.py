"""The paper's small CNN (its section 3.2.1): convolution, ReLU and pooling blocks, trained from scratch."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn


class SmallCNN(nn.Module):
    """Four blocks of convolution, ReLU and max pooling.

    The paper names the layers (convolution, ReLU, pooling, flatten, dense, softmax) and neither their number nor their
    widths; 16–32–64–128 are chosen here, with batch normalisation so that it trains from scratch in a few epochs.
    Flatten and dense are replaced by mean pooling and one dense layer, as for every other backbone here, so that the
    class-activation map is exact.
    """

    feature_channels = 128

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 16, 32, 64, self.feature_channels)
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(inplace=True), nn.MaxPool2d(2))
                for a, b in pairwise(widths)
            )
        )

    def forward(self, batch: Tensor) -> Tensor:
        """Map float32 (N, 3, H, W) to features (N, 128, H/16, W/16)."""
        features: Tensor = self.blocks(batch)
        return features
