"""Gradient-vector-flow (GVF) snake."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from busight.segment.classical.window import evolve_from_proposal
from busight.segment.proposal import LesionProposal
from busight.types import FloatArray, Image, Mask

_POINTS = 100
_SIDE = 128


def gvf_snake(
    image: Image,
    steps: int = 200,
    tension: float = 0.05,
    rigidity: float = 0.1,
    smoothness: float = 0.2,
    proposal: LesionProposal | None = None,
) -> NDArray[np.float32]:
    """Segment by a GVF snake: a closed curve that moves from around a lesion proposal to edges.

    The edge map f is the gradient's length after a Gaussian. Its gradient is diffused to the flow v, the minimum of the
    integral of mu |grad v|^2 + |grad f|^2 |v - grad f|^2, which points to distant edges too. The curve x moves by x' =
    tension x'' - rigidity x'''' + v(x), the inner forces taken implicitly.

    Args:
        image: uint8 HW.
        steps: Steps of the curve.
        tension: Weight of the curve's length.
        rigidity: Weight of its bending.
        smoothness: mu, the smoothness of the flow.
        proposal: The lesion proposal to start from; None computes one.

    Returns:
        float32 HW in 0–1; see `busight.segment.proposal.LesionProposal.marked`.

    Source:
        Xu and Prince, Snakes, shapes, and gradient vector flow, IEEE Transactions on Image Processing 7 (1998) 359–369,
        eq. 12, 15 and 16; Kass, Witkin and Terzopoulos, Snakes: active contour models (1988).
    """

    def move(part: Image, start: Mask) -> Mask | None:
        """Evolve the curve within the window."""
        curve = _first_curve(start.astype(np.uint8))
        if curve is None:
            return None
        settled = _settled(curve, _flow(part, smoothness), steps, tension, rigidity)
        drawn = np.zeros(part.shape, np.uint8)
        cv2.fillPoly(drawn, [np.rint(settled).astype(np.int32)], 1)
        return drawn.astype(np.bool_)

    return evolve_from_proposal(image, move, _SIDE, proposal)


def _first_curve(mask: NDArray[np.uint8]) -> FloatArray | None:
    """Return the outline of the largest region, widened by a tenth, as equally spaced points (x, y)."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None
    outline = max(outlines, key=cv2.contourArea)[:, 0].astype(np.float64)
    if len(outline) < 8:
        return None
    closed = np.vstack([outline, outline[:1]])
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    places = np.linspace(0, along[-1], _POINTS, endpoint=False)
    curve = np.column_stack([np.interp(places, along, closed[:, axis]) for axis in (0, 1)])
    wider: FloatArray = curve.mean(axis=0) + 1.1 * (curve - curve.mean(axis=0))
    return wider


def _flow(image: Image, smoothness: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the gradient-vector flow (x, y) of the edge map, its longest vector of length 1."""
    smooth = cv2.GaussianBlur(image.astype(np.float32) / 255, (0, 0), 2, borderType=cv2.BORDER_REFLECT)
    edges = cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    edges = np.asarray(edges / max(float(edges.max()), 1e-6), dtype=np.float32)
    goal = [np.asarray(cv2.Sobel(edges, cv2.CV_32F, *axes, scale=1 / 8)) for axes in ((1, 0), (0, 1))]
    strength = goal[0] ** 2 + goal[1] ** 2
    flow = [one.copy() for one in goal]
    for _ in range(80):
        for one, wanted in zip(flow, goal, strict=True):
            spread = cv2.Laplacian(one, cv2.CV_32F, borderType=cv2.BORDER_REPLICATE)
            one[:] = one + np.float32(smoothness) * spread - strength * (one - wanted)
    longest = max(float(np.hypot(*flow).max()), 1e-6)
    across, down = (np.asarray(one / longest, dtype=np.float32) for one in flow)
    return across, down


def _settled(
    curve: FloatArray,
    flow: tuple[NDArray[np.float32], NDArray[np.float32]],
    steps: int,
    tension: float,
    rigidity: float,
) -> FloatArray:
    count = len(curve)
    second = np.roll(np.eye(count), 1, axis=0) + np.roll(np.eye(count), -1, axis=0) - 2 * np.eye(count)
    inner = np.linalg.inv(np.eye(count) - tension * second + rigidity * second @ second)
    height, width = flow[0].shape
    unit = [one / np.maximum(np.hypot(*flow), np.float32(1e-3)) for one in flow]  # a step length of 1 everywhere
    for _ in range(steps):
        places = curve.astype(np.float32)[:, None]
        across, down = places[..., 0], places[..., 1]
        push = np.column_stack(
            [cv2.remap(one, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0] for one in unit]
        )
        curve = np.asarray(inner @ (curve + 0.5 * push), dtype=np.float64)
        curve = np.clip(curve, 0, (width - 1, height - 1))
    return curve
