"""Automatic active contours, started from a lesion proposal: Chan–Vese, and morphological geodesic contours."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.segment.classical.window import evolve_from_proposal
from busight.segment.proposal import LesionProposal
from busight.types import Image, Mask

_SIDE = 192
"""Longest side, in pixels, at which the contours evolve: they need no more, and time grows with the area."""


def chan_vese(
    image: Image, steps: int = 60, smoothing: int = 2, proposal: LesionProposal | None = None
) -> NDArray[np.float32]:
    """Segment by Chan–Vese active contours, which make inside and outside uniform, from a lesion proposal.

    Args:
        image: uint8 HW.
        steps: Time steps.
        smoothing: Curvature steps in each.
        proposal: The lesion proposal to start from; None computes one.

    Returns:
        float32 HW in 0–1; see `busight.segment.proposal.LesionProposal.marked`.

    Source:
        Chan and Vese, Active contours without edges, IEEE Transactions on Image Processing 10 (2001) 266–277, in the
        morphological form of Márquez-Neila, Baumela and Alvarez (2014), as in scikit-image. It is restricted to a
        window twice as wide as the proposal: in the whole image the two sides would be tissue and shadow.
    """
    from skimage.segmentation import morphological_chan_vese

    def move(part: Image, start: Mask) -> Mask:
        """Evolve the contour within the window."""
        smooth = cv2.GaussianBlur(part.astype(np.float32) / 255, (0, 0), 2, borderType=cv2.BORDER_REFLECT)
        moved = morphological_chan_vese(smooth, steps, init_level_set=start.astype(np.int8), smoothing=smoothing)
        return np.asarray(moved, dtype=np.bool_)

    return evolve_from_proposal(image, move, _SIDE, proposal)


def geodesic(
    image: Image, steps: int = 30, smoothing: int = 2, balloon: float = 1.0, proposal: LesionProposal | None = None
) -> NDArray[np.float32]:
    """Segment by geodesic active contours, which grow from the core of a lesion proposal until edges stop them.

    Args:
        image: uint8 HW.
        steps: Time steps.
        smoothing: Curvature steps in each.
        balloon: Balloon force outwards.
        proposal: The lesion proposal to start from; None computes one.

    Returns:
        float32 HW in 0–1; see `busight.segment.proposal.LesionProposal.marked`.

    Source:
        Caselles, Kimmel and Sapiro, Geodesic active contours, International Journal of Computer Vision 22 (1997) 61–79,
        in the morphological form of Márquez-Neila, Baumela and Alvarez (2014), as in scikit-image.
    """
    from skimage.segmentation import inverse_gaussian_gradient, morphological_geodesic_active_contour

    def move(part: Image, start: Mask) -> Mask:
        """Evolve the contour within the window."""
        stops = inverse_gaussian_gradient(part.astype(np.float64) / 255, alpha=200, sigma=3)
        depth = cv2.distanceTransform(start.astype(np.uint8), cv2.DIST_L2, 5)
        core = depth >= 0.5 * depth.max()
        moved = morphological_geodesic_active_contour(
            stops, steps, core.astype(np.int8), smoothing=smoothing, balloon=balloon, threshold=0.4
        )
        return np.asarray(moved, dtype=np.bool_)

    return evolve_from_proposal(image, move, _SIDE, proposal)
