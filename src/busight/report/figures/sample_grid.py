"""Some images of the test part with the lesion outlines that came with them."""

from __future__ import annotations

from busight.report.figures.contact_sheet import SheetPicture, draw_contact_sheet
from busight.report.figures.panels import distinct_pictures
from busight.report.render.plate import Plate
from busight.results.run_record import RunRecord


def plates(record: RunRecord) -> list[Plate]:
    """Return one grid of up to twelve images, or none where the record holds no picture."""
    pictures = [
        SheetPicture(picture.case.sample_id, picture.image, picture.true_mask, picture.case.actual)
        for picture in distinct_pictures(record, 12)
    ]
    if not pictures:
        return []
    outlined = sum(picture.mask is not None for picture in pictures)
    return [
        Plate(
            name="sample-grid",
            title="Sample images",
            reading="Each picture is as it came, under its class; the outline is the lesion as it "
            "drew it. A picture without an outline has no drawn lesion.",
            alt=f"Grid of {len(pictures)} ultrasound images, {outlined} of them with a drawn lesion outline.",
            draw=lambda: draw_contact_sheet(pictures, columns=4),
            photographic=True,
        )
    ]
