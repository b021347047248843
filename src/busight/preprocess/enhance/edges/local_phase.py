"""Local phase of the monogenic signal: ridges and dark bands, independent of their contrast."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from busight.preprocess.enhance.parameters import Within, validate_params
from busight.preprocess.enhance.rounding import as_grey
from busight.types import Image


@validate_params
def local_phase(
    image: Image,
    wavelength: Annotated[float, Within(3, 200)] = 24.0,
    bandwidth: Annotated[float, Within(0.2, 0.9)] = 0.55,
) -> Image:
    """Return the local phase: 255 on bright ridges, 0 in dark bands, about 128 on edges.

    A log-Gabor filter chooses the scale; the Riesz transform adds the odd parts; the phase is the angle between the
    even part and the length of the odd ones. It does not depend on brightness or contrast, hence not on gain.

    Args:
        image: uint8 HW.
        wavelength: Scale of the structures, in pixels.
        bandwidth: Sigma of the log-Gabor filter over its centre frequency; the smaller, the wider the band.

    Returns:
        uint8 HW; 128 where there is no signal.

    Raises:
        ConfigError: A value out of range.

    Source:
        Felsberg and Sommer, The monogenic signal, IEEE Transactions on Signal Processing 49 (2001) 3136–3144; on
        ultrasound: Belaid, Boukerroui, Maingourd and Lerallut, Phase-based level set segmentation of ultrasound images,
        IEEE Transactions on Information Technology in Biomedicine 15 (2011) 138–147.
    """
    from scipy.fft import irfft2, rfft2

    # Mirrored at the borders: the transform joins opposite sides, which would be an edge.
    reach = min(int(wavelength), max(0, min(image.shape) - 1))
    padded = np.pad(image.astype(np.float32), reach, mode="reflect") if reach else image.astype(np.float32)
    shape = (padded.shape[0], padded.shape[1])
    rows, columns, radius = _frequencies(shape)
    spectrum = rfft2(padded, overwrite_x=True)
    del padded
    band = np.log(radius * np.float32(wavelength))
    band *= band
    band *= np.float32(-0.5 / np.log(bandwidth) ** 2)
    spectrum *= np.exp(band, out=band)
    spectrum[0, 0] = 0
    del band
    even = irfft2(spectrum, s=shape)
    spectrum *= np.complex64(1j)
    spectrum /= radius
    del radius
    # The length of the odd parts, one direction after the other.
    odd = irfft2(spectrum * rows, s=shape)
    odd *= odd
    spectrum *= columns
    across = irfft2(spectrum, s=shape, overwrite_x=True)
    across *= across
    odd += across
    del across, spectrum
    np.sqrt(odd, out=odd)
    silent = np.maximum(np.abs(even), odd) < 1e-3
    phase = np.arctan2(odd, even, out=even)  # 0 on a bright ridge, pi in a dark band
    phase[silent] = np.pi / 2
    inner = phase[reach : reach + image.shape[0], reach : reach + image.shape[1]]
    return as_grey(255 * (1 - inner / np.float32(np.pi)))


def _frequencies(
    shape: tuple[int, int],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return the frequencies down and across, in cycles a pixel, and their length, 1 at zero frequency."""
    rows = np.fft.fftfreq(shape[0])[:, None].astype(np.float32)
    columns = np.fft.rfftfreq(shape[1])[None, :].astype(np.float32)
    radius = np.hypot(rows, columns)
    radius[0, 0] = 1
    return rows, columns, radius
