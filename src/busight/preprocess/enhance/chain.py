"""Enhancement chains as text, ``"median(3) | clahe(clip=2.0)"``, and the catalogue of filters."""

from __future__ import annotations

import ast
import difflib
import inspect
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from busight.errors import ConfigError
from busight.preprocess.enhance.artifact.crop_region import crop_region
from busight.preprocess.enhance.artifact.remove_overlays import remove_overlays
from busight.preprocess.enhance.contrast.clahe import clahe
from busight.preprocess.enhance.contrast.equalize import equalize
from busight.preprocess.enhance.contrast.gamma import gamma
from busight.preprocess.enhance.contrast.histogram_standardization import histogram_standardization
from busight.preprocess.enhance.contrast.stretch import stretch
from busight.preprocess.enhance.contrast.tgc import tgc
from busight.preprocess.enhance.denoise.bilateral import bilateral
from busight.preprocess.enhance.denoise.frost import frost
from busight.preprocess.enhance.denoise.gaussian import gaussian
from busight.preprocess.enhance.denoise.kuan import kuan
from busight.preprocess.enhance.denoise.lee import lee
from busight.preprocess.enhance.denoise.median import median
from busight.preprocess.enhance.denoise.nlm import nlm
from busight.preprocess.enhance.denoise.perona_malik import perona_malik
from busight.preprocess.enhance.denoise.speckle_nlm import speckle_nlm
from busight.preprocess.enhance.denoise.srad import srad
from busight.preprocess.enhance.denoise.total_variation import total_variation
from busight.preprocess.enhance.denoise.wavelet import wavelet
from busight.preprocess.enhance.edges.adaptive_threshold import adaptive_threshold
from busight.preprocess.enhance.edges.gradient import gradient
from busight.preprocess.enhance.edges.local_phase import local_phase
from busight.preprocess.enhance.edges.top_hat import top_hat
from busight.preprocess.enhance.edges.unsharp import unsharp
from busight.preprocess.enhance.parameters import Value, check_arguments, parameters_of
from busight.types import Image, Roi

Filter = Callable[..., Image]

FILTERS_BY_TYPE: dict[str, tuple[Filter, ...]] = {
    "denoise": (
        median, gaussian, bilateral, nlm, speckle_nlm, lee, kuan, frost, srad, perona_malik, wavelet, total_variation,
    ),
    "contrast": (equalize, clahe, gamma, stretch, histogram_standardization, tgc),
    "edges": (adaptive_threshold, unsharp, top_hat, gradient, local_phase),
    "artifact": (remove_overlays,),
}  # fmt: skip
"""Filters by type, each type a folder of this package."""

FILTERS: dict[str, Filter] = {
    function.__name__: function for functions in FILTERS_BY_TYPE.values() for function in functions
}

CROPS: dict[str, Callable[..., Roi]] = {"crop_region": crop_region}
"""Steps that choose a crop box; one may stand first in a chain."""

_STEPS: dict[str, Callable[..., object]] = {**FILTERS, **CROPS}

_LONGEST_STEP = 500
"""Characters: room for a hundred landmarks, but not for numbers that Python refuses to print."""


@dataclass(frozen=True, slots=True)
class Step:
    """One filter or crop with its arguments.

    Attributes:
        name: Key of `FILTERS` or `CROPS`.
        arguments: Name and value of every parameter, defaults included.
    """

    name: str
    arguments: tuple[tuple[str, Value], ...]

    @property
    def is_crop(self) -> bool:
        """Whether the step chooses the crop box instead of filtering."""
        return self.name in CROPS

    def __str__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.arguments)
        return f"{self.name}({arguments})"


def parse_chain(text: str) -> tuple[Step, ...]:
    """Return the steps of a chain, checked against the parameters of the filters; none is run.

    Args:
        text: Filters separated by ``|``; arguments by position or name. Empty text is the empty chain.

    Returns:
        The steps, with every argument named and defaults filled in.

    Raises:
        ConfigError: An unknown filter, a wrong argument or value, or text that is not a chain.

    Example:
        >>> [str(step) for step in parse_chain("median(3) | clahe(clip=3)")]
        ['median(size=3)', 'clahe(clip=3.0, tiles=8)']
    """
    if not text.strip():
        return ()
    steps = tuple(_parse_step(step.strip()) for step in text.split("|"))
    if late := [step.name for step in steps[1:] if step.is_crop]:
        raise ConfigError(f"chain: {late[0]} chooses the crop box that all filters see; put it first")
    return steps


def crop_box_of(image: Image, steps: tuple[Step, ...]) -> Roi:
    """Return the crop box that a chain works in: the whole image, unless its first step is a crop.

    Args:
        image: uint8 HW, or HW3 as RGB, of which the luma is used.
        steps: Steps of `parse_chain`.
    """
    if steps and steps[0].is_crop:
        luma = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        return CROPS[steps[0].name](luma, **dict(steps[0].arguments))
    return Roi(0, 0, image.shape[0], image.shape[1])


def apply_chain(image: Image, steps: tuple[Step, ...]) -> Image:
    """Return an image filtered by the steps, in order.

    Args:
        image: uint8 HW, or HW3 as RGB, already cut to its crop box (`crop_box_of`). Of RGB the luma is filtered and the
            chroma kept (YCrCb); a colour that leaves 0–255 with its new luma is clipped.
        steps: Steps of `parse_chain`.

    Returns:
        uint8 of the same shape; the image itself where there is no filter.
    """
    filters = [step for step in steps if not step.is_crop]
    if image.ndim == 3 and filters:
        luma, *chroma = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb))
        filtered = cv2.merge([apply_chain(luma.astype(np.uint8, copy=False), steps), *chroma])
        return cv2.cvtColor(filtered, cv2.COLOR_YCrCb2RGB).astype(np.uint8, copy=False)
    for step in filters:
        image = FILTERS[step.name](image, **dict(step.arguments))
    return image


def _parse_step(text: str) -> Step:
    if len(text) > _LONGEST_STEP:
        raise ConfigError(f"chain step {text[:20] + '…'!r}: longer than {_LONGEST_STEP} characters")
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):  # of null bytes and of endless nesting
        raise ConfigError(f"chain step {text!r}: not of the form name(argument, name=argument)") from None
    call = node if isinstance(node, ast.Call) else ast.Call(func=node, args=[], keywords=[])
    if not isinstance(call.func, ast.Name):
        raise ConfigError(f"chain step {text!r}: not of the form name(argument, name=argument)")
    name = call.func.id
    if name not in _STEPS:
        near = difflib.get_close_matches(name, _STEPS, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ConfigError(f"chain: no filter {name!r}; {hint}known: {', '.join(sorted(_STEPS))}")
    return Step(name, _bind(name, call, text))


def _bind(name: str, call: ast.Call, text: str) -> tuple[tuple[str, Value], ...]:
    parameters = parameters_of(_STEPS[name])
    try:
        args = [ast.literal_eval(node) for node in call.args]
        kwargs = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
        bound = inspect.signature(_STEPS[name]).bind(None, *args, **kwargs)  # None stands for the image
    except (TypeError, ValueError):
        known = ", ".join(f"{parameter.name}={parameter.default}" for parameter in parameters) or "none"
        raise ConfigError(f"chain step {text!r}: wrong arguments; {name} takes: {known}") from None
    bound.apply_defaults()
    check_arguments(name, parameters, bound.arguments)
    return tuple((parameter.name, parameter.type(bound.arguments[parameter.name])) for parameter in parameters)
