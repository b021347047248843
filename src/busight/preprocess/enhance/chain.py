"""An enhancement chain written as text: ``"median(3) | clahe(clip=2.0)"``."""

from __future__ import annotations

import ast
import difflib
import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from busight.errors import RecipeError
from busight.preprocess.enhance.artifact.crop_region import crop_region
from busight.preprocess.enhance.artifact.remove_overlays import remove_overlays
from busight.preprocess.enhance.contrast.clahe import clahe
from busight.preprocess.enhance.contrast.depth_gain import depth_gain
from busight.preprocess.enhance.contrast.equalize import equalize
from busight.preprocess.enhance.contrast.gamma import gamma
from busight.preprocess.enhance.contrast.standardise import standardise
from busight.preprocess.enhance.contrast.stretch import stretch
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
from busight.types import Image, Roi

Filter = Callable[..., Image]

KINDS: dict[str, tuple[Filter, ...]] = {
    "denoise": (
        median, gaussian, bilateral, nlm, speckle_nlm, lee, kuan, frost, srad, perona_malik, wavelet, total_variation,
    ),
    "contrast": (equalize, clahe, gamma, stretch, standardise, depth_gain),
    "emphasis": (adaptive_threshold, unsharp, top_hat, gradient, local_phase),
    "cleanup": (remove_overlays,),
}  # fmt: skip
"""The filters by what they are for."""

FILTERS: dict[str, Filter] = {one.__name__: one for of_kind in KINDS.values() for one in of_kind}

FIELDS: dict[str, Callable[..., Roi]] = {"crop_region": crop_region}
"""What may stand first in a chain and chooses the part of the picture that the filters see."""

_STEPS: dict[str, Callable[..., object]] = {**FILTERS, **FIELDS}


@dataclass(frozen=True, slots=True)
class Step:
    """One filter with its arguments."""

    name: str
    arguments: tuple[tuple[str, int | float | str | bool], ...]

    @property
    def chooses_field(self) -> bool:
        """It is no filter, but chooses what the filters see."""
        return self.name in FIELDS

    def __str__(self) -> str:
        inside = ", ".join(f"{key}={value!r}" for key, value in self.arguments)
        return f"{self.name}({inside})"


def parse_chain(text: str) -> tuple[Step, ...]:
    """Read a chain.

    Args:
        text: Filters separated by ``|``; arguments by position or name. Empty text is the empty chain.

    Returns:
        The steps, with every argument named and defaults filled in.

    Raises:
        RecipeError: An unknown filter, a wrong argument or value, or text that is not a chain.

    Example:
        >>> [str(step) for step in parse_chain("median(3) | clahe(clip=3.0)")]
        ['median(size=3)', 'clahe(clip=3.0, tiles=8)']
    """
    if not text.strip():
        return ()
    steps = tuple(_parse_step(part.strip()) for part in text.split("|"))
    if late := [step.name for step in steps[1:] if step.chooses_field]:
        raise RecipeError(f"chain: {late[0]} chooses what all filters see; put it first")
    # Each filter knows its own ranges; a value out of range is refused here, not at the first image of a long run.
    nothing = np.zeros((64, 64), dtype=np.uint8)
    field_of(nothing, steps)
    apply_chain(nothing, steps)
    return steps


def field_of(image: Image, steps: tuple[Step, ...]) -> Roi:
    """Return the part of a picture that a chain works on: all of it, unless its first step chooses a field.

    Args:
        image: uint8 HW.
        steps: What `parse_chain` returned.
    """
    if steps and steps[0].chooses_field:
        return FIELDS[steps[0].name](image, **dict(steps[0].arguments))
    return Roi(0, 0, image.shape[0], image.shape[1])


def apply_chain(image: Image, steps: tuple[Step, ...]) -> Image:
    """Run an image through the filters, in order.

    Args:
        image: uint8 HW, already cut to the field where the chain chooses one (`field_of`).
        steps: What `parse_chain` returned.

    Returns:
        uint8 HW, of the same size.
    """
    for step in steps:
        if step.chooses_field:
            continue
        image = FILTERS[step.name](image, **dict(step.arguments))
    return image


def _parse_step(part: str) -> Step:
    try:
        node = ast.parse(part, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):  # of null bytes and of endless nesting
        raise RecipeError(f"chain step {part!r}: not of the form name(argument, name=argument)") from None
    call = node if isinstance(node, ast.Call) else ast.Call(func=node, args=[], keywords=[])
    if not isinstance(call.func, ast.Name):
        raise RecipeError(f"chain step {part!r}: not of the form name(argument, name=argument)")
    name = call.func.id
    if name not in _STEPS:
        near = difflib.get_close_matches(name, _STEPS, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}? " if near else ""
        raise RecipeError(f"chain: no filter {name!r}; {hint}known: {', '.join(sorted(_STEPS))}")
    return Step(name, _bind(name, call, part))


def _bind(name: str, call: ast.Call, part: str) -> tuple[tuple[str, int | float | str | bool], ...]:
    allowed = list(inspect.signature(_STEPS[name]).parameters.values())[1:]
    signature = inspect.Signature(allowed)
    try:
        args = [ast.literal_eval(node) for node in call.args]
        kwargs = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
        bound = signature.bind(*args, **kwargs)
    except (TypeError, ValueError):
        known = ", ".join(f"{p.name}={p.default}" for p in allowed) or "none"
        raise RecipeError(f"chain step {part!r}: wrong arguments; {name} takes: {known}") from None
    bound.apply_defaults()
    for parameter in allowed:
        value = bound.arguments[parameter.name]
        wanted = (int, float) if isinstance(parameter.default, float) else (type(parameter.default),)
        if isinstance(value, bool) or not isinstance(value, wanted):
            raise RecipeError(
                f"chain step {part!r}: {parameter.name}={value!r} must be of type {type(parameter.default).__name__}"
            )
    return tuple(bound.arguments.items())
