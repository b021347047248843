"""A case asked again, about another region."""

from __future__ import annotations

from busight.serve.web.cases.models import Case

_OF_THE_IMAGE = (
    *("batch", "name", "n_frames", "model", "width", "height", "image_file", "spacing_row", "spacing_column"),
    *("coloured", "origin", "scale", "input_warnings", "pseudonym", "laterality", "device"),
)


def rerun_of(origin: Case, region: str) -> tuple[Case, bool]:
    """Return the case of the same image with another region, and whether it is new.

    Args:
        origin: The case with the model's own region.
        region: As `Case.region`.
    """
    return Case.objects.get_or_create(
        pixels=origin.pixels,
        frame=origin.frame,
        model_digest=origin.model_digest,
        region=region,
        defaults={name: getattr(origin, name) for name in _OF_THE_IMAGE} | {"parent": origin, "search": origin.search},
    )
