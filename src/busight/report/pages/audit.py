"""The audit as a page: what is wrong, with the pictures that show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from busight.audit.duplicates.alignment import CONFIRMED
from busight.data.dataset import DataSet
from busight.experiments.audit import AuditRecord, CopyPair
from busight.report.blocks.model import Block, Document, Facts, Gallery, Listing, Paragraph, Section, Table, Tile, Tiles
from busight.report.figures.contact_sheet import SheetPicture, draw_contact_sheet
from busight.report.figures.copy_pairs import PicturedPair, draw_copy_pairs
from busight.report.figures.shortcuts import draw_shortcuts
from busight.report.pages.run import FIGURES, picture_of, write_document, write_plate
from busight.report.render.plate import Plate
from busight.report.text.labels import counted
from busight.types import Image

Number = TypeVar("Number", int, float)

_PAIRS_A_FIGURE = 4
_SURE = 0.98
"""Correlation below which BUSI's pairs turned out, when looked at, to be partly neighbouring views of one lesion."""
_SHOWN = 12
"""Pictured pairs and images of each kind; the tables list all."""

_READ_PAIRS = (
    "Left and middle are the two images; right is what differs when the one is laid upon the other and brought to its "
    "grey values: the darker, the more. Pale all over means one picture; white is where only one of them has pixels."
)


def write_audit_page(record: AuditRecord, dataset: DataSet, folder: Path, against: DataSet | None = None) -> Path:
    """Write the figures, ``report.html`` and ``report.pdf``, each whole or not at all.

    Args:
        record: What the audit found.
        dataset: The audited set, for its pictures.
        folder: Where to.
        against: The set that it was compared with.

    Returns:
        The path of ``report.html``.

    Raises:
        OutputError: A file cannot be written.
    """
    ours = _pictures(dataset)
    theirs = _pictures(against) if against is not None else ours
    conflicting, doubtful = record.conflicting, [pair for pair in record.copies if not pair.conflicting]
    # The least alike of the others: whoever doubts the threshold should look at these.
    doubtful.sort(key=lambda pair: pair.correlation)
    marked = [(name, f"{strokes} px") for name, strokes in _strongest(record.marked)]
    coloured = [(name, f"{share:.1%}") for name, share in _strongest(record.coloured)]
    unlike = [(name, f"{distance:.1f} × usual") for name, distance in record.unlike[:_SHOWN]]
    wrong = [(one.sample, f"{one.label} → {one.suggested}?") for one in record.likely_wrong[:_SHOWN]]
    plates = {
        "conflicts": _pair_plates("conflicting-copies", "Copies with different labels", conflicting, ours, ours),
        "copies": _pair_plates("doubtful-copies", "Copies with the lowest correlation", doubtful, ours, ours),
        "between": _pair_plates("copies-between", "Images of both sets", record.copies_between, ours, theirs),
        "marked": _sheet("marked", "Burned-in marks", marked, dataset, ours),
        "coloured": _sheet("coloured", "Not grey", coloured, dataset, ours),
        "unlike": _sheet("unlike", "Unlike the others", unlike, dataset, ours),
        "wrong": _sheet("likely-wrong", "Labels that are likely wrong", wrong, dataset, ours),
        "shortcuts": _shortcut_plates(record),
    }
    galleries: dict[str, tuple[Gallery, ...]] = {}
    for name, of_kind in plates.items():
        for plate in of_kind:
            write_plate(plate, folder / FIGURES)
        galleries[name] = (Gallery(tuple(map(picture_of, of_kind))),) if of_kind else ()
    return write_document(_document(record, galleries), folder)


def audit_lines(record: AuditRecord) -> list[str]:
    """Return what a terminal shows."""
    all_together = [one for one in record.shortcuts if one.feature == "all together"]
    told = ", ".join(f"{one.label} {one.auroc:.2f} ({one.low:.2f}–{one.high:.2f})" for one in all_together)
    lines = [
        f"images: {record.n_images}, mask files: {record.n_mask_files}, together {_files(record)}",
        f"copies: {len(record.copies)} pairs, {record.images_with_copy} images; with different labels: "
        f"{len(record.conflicting)} pairs, {record.images_in_conflict} images",
        f"burned-in marks: {len(record.marked)} images; not grey: {len(record.coloured)}; flat border: "
        f"{len(record.bordered)}; unlike the others: {len(record.unlike)}",
        f"told without tissue (AUROC): {told or 'too few groups to say'}",
    ]
    if record.patients_with_several is not None:
        lines.insert(1, f"patients: {record.n_patients}, with several images: {record.patients_with_several}")
    if record.against:
        lines.append(f"also in {record.against}: {len(record.copies_between)} pairs")
    if record.likely_wrong:
        lines.append(f"labels likely wrong: {len(record.likely_wrong)}")
    return lines


def _document(record: AuditRecord, galleries: dict[str, tuple[Gallery, ...]]) -> Document:
    sections = [_summary(record), _copies(record, galleries), _labels(record, galleries), _marks(record, galleries)]
    sections += [_masks(record), _shortcuts(galleries)]
    return Document(
        title="Audit of a data set",
        subtitle=f"{record.spec}: {counted(record.n_images, 'image')}. Nothing was changed.",
        started=record.started,
        sections=tuple(section for section in sections if section is not None),
    )


def _summary(record: AuditRecord) -> Section:
    share = record.images_with_copy / record.n_images
    tiles = (
        Tile(
            "Images with a copy", str(record.images_with_copy), f"{share:.0%} of {record.n_images}", "in the same set"
        ),
        Tile("Pairs of copies", str(len(record.copies)), "", f"correlation {CONFIRMED:.2f} or more"),
        Tile(
            "With different labels",
            str(len(record.conflicting)),
            counted(record.images_in_conflict, "image"),
            "at least one label is wrong",
        ),
        Tile(
            "Burned-in marks", str(len(record.marked)), f"{len(record.marked) / record.n_images:.0%}", "text, calipers"
        ),
    )
    patients = "not named by the source"
    if record.n_patients is not None:
        patients = f"{record.n_patients}, of them {record.patients_with_several} with several images"
    facts = (
        ("Data", record.spec),
        ("Classes", ", ".join(f"{name} {count}" for name, count in record.class_counts)),
        ("Files", f"{record.n_images} images and {record.n_mask_files} masks, together {_files(record)}"),
        ("Patients", patients),
        ("Compared with", record.against or "no other set"),
        ("Manifest SHA-256", record.digest),
    )
    blocks: list[Block] = [Tiles(tiles), Facts(facts)]
    if record.command:
        blocks.append(Listing(record.command))
    return Section("summary", "In short", tuple(blocks))


def _files(record: AuditRecord) -> str:
    together = record.n_images + record.n_mask_files
    # The paper counted BUSI's masks among its images.
    is_busi = record.spec.startswith("busi:")
    return f"{together} (a count of {together} images counts the masks)" if is_busi else str(together)


def _copies(record: AuditRecord, galleries: dict[str, tuple[Gallery, ...]]) -> Section:
    told = (
        "Candidates are found by the lowest frequencies of the image, also mirrored, and confirmed by laying one image "
        "upon the other: brightness, noise, scale, crops and overlays do not hide a copy. A split that puts copies on "
        "both sides tests on what it has trained."
    )
    near = sum(pair.correlation < _SURE for pair in (*record.copies, *record.copies_between))
    doubt = (
        f"Pairs count from a correlation of {CONFIRMED:.2f}. {counted(near, 'pair')} below {_SURE:.2f} may be "
        "neighbouring frames or one place seen twice rather than one picture; a split keeps them together all the same."
    )
    blocks: list[Block] = [Paragraph(told), Paragraph(doubt, "note"), *galleries["conflicts"], *galleries["copies"]]
    if record.copies:
        blocks.append(_table("All pairs of copies", record.copies))
    if record.copies_between:
        blocks += [*galleries["between"], _table(f"Also in {record.against}", record.copies_between)]
    elif record.against:
        blocks.append(Paragraph(f"No image was found that is also in {record.against}."))
    return Section("copies", "Copies", tuple(blocks))


def _table(caption: str, pairs: Sequence[CopyPair]) -> Table:
    header = ("one image", "label", "the other", "label", "kind", "correlation", "same patient")
    rows = tuple(
        (p.first, p.labels[0], p.second, p.labels[1], p.kind, f"{p.correlation:.3f}", "yes" if p.same_patient else "")
        for p in sorted(pairs, key=lambda pair: (not pair.conflicting, pair.first, pair.second))
    )
    return Table(caption, header, rows, numeric=(5,), folded=True)


def _labels(record: AuditRecord, galleries: dict[str, tuple[Gallery, ...]]) -> Section | None:
    if not record.likely_wrong:
        return None
    told = (
        "A network that saw neither the image nor a copy of it holds another class likelier by 0.3 or more (by the "
        "probabilities of a cross-validation). Some of these labels are wrong, others are hard to tell. Only a "
        "radiologist, or the pathology, can say which."
    )
    header = ("image", "label", "p(label)", "suggested", "p(suggested)")
    rows = tuple(
        (w.sample, w.label, f"{w.probability_of_label:.3f}", w.suggested, f"{w.probability_of_suggested:.3f}")
        for w in record.likely_wrong
    )
    table = Table(f"All {len(rows)}, the surest first", header, rows, numeric=(2, 4), folded=True)
    return Section("labels", "Labels that are likely wrong", (Paragraph(told), *galleries["wrong"], table))


def _marks(record: AuditRecord, galleries: dict[str, tuple[Gallery, ...]]) -> Section:
    told = (
        f"{counted(len(record.marked), 'image')} with text, calipers or rulers burned in, "
        f"{counted(len(record.coloured), 'image')} not grey, {counted(len(record.bordered), 'image')} with a flat "
        f"border, {len(record.unlike)} unlike the others as a whole: photographs, screenshots or another kind of "
        "picture would stand here, and so do usual ones of unusual look. Marks are found by their thin, nearly white "
        "strokes; a bright tissue edge is sometimes taken for one."
    )
    blocks: list[Block] = [Paragraph(told), *galleries["marked"], *galleries["coloured"], *galleries["unlike"]]
    if record.unlike:
        rows = tuple((name, f"{distance:.2f}") for name, distance in record.unlike)
        blocks.append(Table("Unlike the others", ("image", "distance, in medians"), rows, (1,), folded=True))
    return Section("marks", "Marks, colour, borders", tuple(blocks))


def _masks(record: AuditRecord) -> Section:
    several = counted(record.images_with_several_masks, "image")
    blocks: list[Block] = [
        Paragraph(f"{several} with more than one mask file; they are joined when the data are read.")
    ]
    if record.problems:
        blocks.append(Table("Files with something to know, and what was done", ("file", "what"), record.problems))
    else:
        blocks.append(Paragraph("Every file could be used as it is."))
    return Section("files", "Files and masks", tuple(blocks))


def _shortcuts(galleries: dict[str, tuple[Gallery, ...]]) -> Section | None:
    if not galleries["shortcuts"]:
        return None
    told = (
        "Size, borders and marks say nothing about tissue; how dark a picture is as a whole says little. Where they "
        "tell a class, a network can score well by them and fail on another hospital's images. A single fact is taken "
        "in the direction that tells more, which by itself lifts it a little above 0.5; “all together” is not."
    )
    return Section("shortcuts", "What can be told without tissue", (Paragraph(told), *galleries["shortcuts"]))


def _pictures(dataset: DataSet) -> Callable[[str], Image]:
    by_id = {sample.sample_id: sample for sample in dataset.samples}
    return lambda name: dataset.reader.image(by_id[name])


def _pair_plates(
    name: str,
    title: str,
    pairs: Sequence[CopyPair],
    first: Callable[[str], Image],
    second: Callable[[str], Image],
) -> list[Plate]:
    """Return figures of four pairs each, so that a printed page shows them large enough."""
    shown = pairs[:_SHOWN]
    parts = [shown[start : start + _PAIRS_A_FIGURE] for start in range(0, len(shown), _PAIRS_A_FIGURE)]
    plates = []
    for number, part in enumerate(parts, start=1):
        pictured = [PicturedPair(pair, first(pair.first), second(pair.second)) for pair in part]
        told = "; ".join(f"{p.first} ({p.labels[0]}) and {p.second} ({p.labels[1]})" for p in part)
        counted_title = title if len(parts) == 1 else f"{title} ({number} of {len(parts)})"
        draw = partial(draw_copy_pairs, pictured)
        plates.append(
            Plate(f"{name}-{number}", counted_title, _READ_PAIRS, f"{title}: {told}.", draw, photographic=True)
        )
    return plates


def _sheet(
    name: str, title: str, named: Sequence[tuple[str, str]], dataset: DataSet, image: Callable[[str], Image]
) -> list[Plate]:
    if not named:
        return []
    labels = {sample.sample_id: str(sample.label or "no label") for sample in dataset.samples}
    sheet = [
        SheetPicture(sample, image(sample), None, why if "→" in why else f"{labels[sample]} · {why}")
        for sample, why in named
    ]
    reading = "Each picture stands under its label, what was noticed about it, and its name."
    alt = f"{title}: " + "; ".join(f"{sample}, {why}" for sample, why in named)
    return [Plate(name, title, reading, alt, partial(draw_contact_sheet, sheet, 4), photographic=True)]


def _shortcut_plates(record: AuditRecord) -> list[Plate]:
    if not record.shortcuts:
        return []
    told = "; ".join(f"{s.label} by {s.feature.replace('_', ' ')} {s.auroc:.2f}" for s in record.shortcuts)
    return [
        Plate(
            name="shortcuts",
            title="What can be told without tissue",
            reading="Marks are AUROCs, bars their intervals. “All together” is a random forest on grouped folds; the "
            "others are single facts, in the direction that tells more. Well above 0.5 is a warning.",
            alt=f"AUROC of each class: {told}.",
            draw=lambda: draw_shortcuts(record.shortcuts),
        )
    ]


def _strongest(named: Sequence[tuple[str, Number]]) -> list[tuple[str, Number]]:
    return sorted(named, key=lambda one: -one[1])[:_SHOWN]
