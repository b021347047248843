"""Image quality metrics of a filtered image: against the clean image, and between a lesion and its surroundings.

Images are uint8 HW; masks are bool HW. Every metric is NaN where it is undefined.
"""

from __future__ import annotations

import cv2
import numpy as np

from busight.types import Image, Mask

_NAN = float("nan")


def psnr(image: Image, clean: Image) -> float:
    """Return the peak signal-to-noise ratio, 10 log10(255^2 / mean squared error) dB; infinite for equal images."""
    from skimage.metrics import peak_signal_noise_ratio

    with np.errstate(divide="ignore"):
        return float(peak_signal_noise_ratio(clean, image, data_range=255))


def ssim(image: Image, clean: Image) -> float:
    """Return the structural similarity, -1–1, with Gaussian windows; NaN for images below 11 × 11 pixels.

    Source: Wang et al., Image quality assessment: from error visibility to structural similarity, IEEE Transactions on
        Image Processing 13 (2004) 600–612, as in scikit-image with the paper's settings.
    """
    from skimage.metrics import structural_similarity

    if min(image.shape) < 11:
        return _NAN
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    return float(structural_similarity(image, clean, **settings))


def edge_preservation(image: Image, clean: Image) -> float:
    """Return the correlation of the Laplacians of an image and the clean one, -1–1; NaN where one has no edge.

    Source: Sattar, Floreby, Salomonsson and Lövström, Image enhancement based on a nonlinear multiscale method, IEEE
        Transactions on Image Processing 6 (1997) 888–895, eq. 25.
    """
    edges = [cv2.Laplacian(pixels.astype(np.float64), cv2.CV_64F).ravel() for pixels in (image, clean)]
    first, second = (edge - edge.mean() for edge in edges)
    scale = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / scale if scale > 0 else _NAN


def contrast_to_noise(image: Image, lesion: Mask, around: Mask) -> float:
    """Return |m1 - m2| / sqrt(s1^2 + s2^2) of the greys of two regions; NaN where one is empty or both are flat."""
    if not (lesion.any() and around.any()):
        return _NAN
    inside, outside = image[lesion].astype(np.float64), image[around].astype(np.float64)
    noise = float(np.sqrt(inside.var() + outside.var()))
    return abs(float(inside.mean() - outside.mean())) / noise if noise > 0 else _NAN


def generalised_cnr(image: Image, lesion: Mask, around: Mask) -> float:
    """Return one minus the overlap of the two regions' histograms, 0–1: the separability by the best threshold.

    Unlike the contrast-to-noise ratio it cannot be raised by stretching grey values. NaN where a region is empty.

    Source: Rodriguez-Molares et al., The generalized contrast-to-noise ratio: a formal definition for lesion
        detectability, IEEE Transactions on Ultrasonics, Ferroelectrics and Frequency Control 67 (2020) 745–759, eq. 8.
    """
    if not (lesion.any() and around.any()):
        return _NAN
    shares = [np.bincount(image[mask], minlength=256) / mask.sum() for mask in (lesion, around)]
    return 1 - float(np.minimum(*shares).sum())


def speckle_snr(image: Image, tissue: Mask) -> float:
    """Return mean over standard deviation of the grey values of a region; NaN where it is empty or flat."""
    if not tissue.any():
        return _NAN
    values = image[tissue].astype(np.float64)
    spread = float(values.std())
    return float(values.mean()) / spread if spread > 0 else _NAN


def surroundings(lesion: Mask) -> Mask:
    """Return a ring around a lesion about as large as the lesion, with a gap of a tenth of its diameter.

    The ring ends at the image's border; it is empty where there is no lesion.
    """
    if not lesion.any():
        return np.zeros_like(lesion)
    diameter = 2 * float(np.sqrt(lesion.sum() / np.pi))
    distance = cv2.distanceTransform((~lesion).astype(np.uint8), cv2.DIST_L2, 5)
    ring: Mask = (distance > 0.1 * diameter) & (distance <= 0.35 * diameter)
    return ring
