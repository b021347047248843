"""Every filter at 512×512 on one core, beside the nearest equivalent of other libraries in the same run.

    python benchmarks/filter_speed.py [FILTER ...]

Beside: scikit-image, SimpleITK and MedPy, where they are installed and have the filter; for filters that no library
has, a plain NumPy loop over windows. The last column is how many times slower the fastest of them is. Memory is the
peak of what NumPy allocates, in float32 images (what OpenCV allocates inside is not seen).
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import cv2
import numpy as np

from busight.data.sources.catalogue import load_data
from busight.preprocess.enhance.chain import FILTERS
from busight.types import Image

Rivals = dict[str, Callable[[Image], Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("filters", nargs="*", metavar="FILTER", help="only these")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    data = load_data("phantom:1,size=512,overlays=1")
    image = data.reader.image(data.samples[0])
    rivals = {name: _of_scikit_image(name) | _of_simple_itk(name) | _of_medpy(name) | _plain(name) for name in FILTERS}
    print("| filter | ms | float images | fastest other | ms | times |\n|---|---|---|---|---|---|")
    for name, ours in FILTERS.items():
        if options.filters and name not in options.filters:
            continue
        own, copies = _milliseconds(lambda of=ours: of(image)), _copies(lambda of=ours: of(image))
        times = {rival: _milliseconds(lambda of=run: of(image)) for rival, run in rivals[name].items()}
        if not times:
            print(f"| {name} | {own:.1f} | {copies:.1f} | none | | |")
            continue
        fastest = min(times, key=times.__getitem__)
        print(f"| {name} | {own:.1f} | {copies:.1f} | {fastest} | {times[fastest]:.1f} | {times[fastest] / own:.1f} |")


def _milliseconds(run: Callable[[], Any]) -> float:
    """Return the least time of a call: other work on the machine only ever adds."""
    run()
    found = []
    begun = time.perf_counter()
    while len(found) < 3 or (time.perf_counter() - begun < 1 and len(found) < 50):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return 1000 * min(found)


def _copies(run: Callable[[], Any]) -> float:
    tracemalloc.start()
    run()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / (4 * 512 * 512)


def _of_scikit_image(name: str) -> Rivals:
    from skimage import exposure, filters, morphology, restoration

    disc = morphology.disk(15)
    known: Rivals = {
        "median": lambda image: filters.median(image, np.ones((3, 3))),
        "gaussian": lambda image: filters.gaussian(image, 1.0, preserve_range=True),
        "bilateral": lambda image: restoration.denoise_bilateral(image, win_size=7, sigma_color=0.12, sigma_spatial=2),
        "nlm": lambda image: restoration.denoise_nl_means(image, 5, 7, h=12, fast_mode=True, preserve_range=True),
        "speckle_nlm": lambda image: restoration.denoise_nl_means(image, 5, 5, h=12, preserve_range=True),
        "wavelet": lambda image: restoration.denoise_wavelet(image, wavelet="db2", wavelet_levels=3),
        "total_variation": lambda image: restoration.denoise_tv_chambolle(
            image.astype(np.float32), weight=20, max_num_iter=50
        ),
        "equalize": lambda image: exposure.equalize_hist(image),
        "clahe": lambda image: exposure.equalize_adapthist(image, kernel_size=64),
        "gamma": lambda image: exposure.adjust_gamma(image, 0.8),
        "stretch": lambda image: exposure.rescale_intensity(image, tuple(np.percentile(image, (1, 99)))),
        "histogram_standardization": lambda image: exposure.match_histograms(image, image[::-1]),
        "adaptive_threshold": lambda image: image > filters.threshold_local(image, 51, offset=5),
        "unsharp": lambda image: filters.unsharp_mask(image, 2.0, 1.0),
        "top_hat": lambda image: morphology.black_tophat(image, disc),
        "gradient": lambda image: filters.scharr(filters.gaussian(image, 1.5)),
        "remove_overlays": lambda image: restoration.inpaint_biharmonic(image, image > 250),
    }
    return {"scikit-image": known[name]} if name in known else {}


def _of_simple_itk(name: str) -> Rivals:
    if find_spec("SimpleITK") is None:
        return {}
    import SimpleITK as sitk  # noqa: N813 - its usual name

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)

    def on(run: Callable[[Any], Any], as_float: bool = False) -> Callable[[Image], Any]:
        def call(image: Image) -> Any:
            return sitk.GetArrayFromImage(run(sitk.GetImageFromArray(image.astype(np.float32) if as_float else image)))

        return call

    known: Rivals = {
        "median": on(lambda image: sitk.Median(image, (1, 1))),
        "gaussian": on(lambda image: sitk.SmoothingRecursiveGaussian(image, 1.0)),
        "bilateral": on(lambda image: sitk.Bilateral(image, 2.0, 30.0)),
        "perona_malik": on(lambda image: sitk.GradientAnisotropicDiffusion(image, 0.125, 15.0, 1, 20), as_float=True),
        "srad": on(lambda image: sitk.CurvatureAnisotropicDiffusion(image, 0.06, 3.0, 1, 40), as_float=True),
        "clahe": on(lambda image: sitk.AdaptiveHistogramEqualization(image, (8, 8))),
        "top_hat": on(lambda image: sitk.BlackTopHat(image, (15, 15))),
        "gradient": on(lambda image: sitk.GradientMagnitudeRecursiveGaussian(image, 1.5)),
    }
    return {"SimpleITK": known[name]} if name in known else {}


def _of_medpy(name: str) -> Rivals:
    if find_spec("medpy") is None or name != "perona_malik":
        return {}
    from medpy.filter.smoothing import anisotropic_diffusion

    return {"MedPy": lambda image: anisotropic_diffusion(image, niter=20, kappa=15, gamma=0.2)}


def _plain(name: str) -> Rivals:
    known: Rivals = {"lee": _plain_lee, "kuan": _plain_lee, "frost": _plain_frost}
    return {"NumPy loop over windows": known[name]} if name in known else {}


def _plain_lee(image: Image) -> Any:
    """Lee's filter as it is usually written down: a window at a time."""
    padded, found = np.pad(image.astype(float), 3, mode="symmetric"), np.empty(image.shape)
    for row, column in np.ndindex(image.shape):
        window = padded[row : row + 7, column : column + 7]
        mean, variance = window.mean(), window.var()
        share = max(0.0, 1 - 0.04 * mean**2 / variance) if variance > 0 else 0.0
        found[row, column] = mean + share * (image[row, column] - mean)
    return found


def _plain_frost(image: Image) -> Any:
    padded, found = np.pad(image.astype(float), 2, mode="symmetric"), np.empty(image.shape)
    distance = np.hypot(*(np.indices((5, 5)) - 2))
    for row, column in np.ndindex(image.shape):
        window = padded[row : row + 5, column : column + 5]
        weights = np.exp(-2.0 * window.var() / max(window.mean(), 1e-6) ** 2 * distance)
        found[row, column] = (weights * window).sum() / weights.sum()
    return found


if __name__ == "__main__":
    main()
