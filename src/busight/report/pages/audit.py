"""Page of a data audit: problems of the data set, with the images that show them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from busight.audit.duplicates.alignment import CONFIRMED
from busight.data.dataset import DataSet
from busight.report.blocks.model import (
    KPI,
    Block,
    Document,
    FigureGrid,
    KeyValues,
    KPIs,
    Listing,
    Paragraph,
    Section,
    Table,
)
from busight.report.figures.contact_sheet import SheetImage, draw_contact_sheet
from busight.report.figures.duplicate_pairs import PairImages, draw_duplicate_pairs
from busight.report.figures.shortcuts import draw_shortcuts
from busight.report.render.figure_spec import FigureSpec
from busight.report.render.files import write_document, write_figures
from busight.report.text.audit import files_sentence
from busight.report.text.numbers import counted
from busight.results.audit_record import AuditRecord, DuplicatePair
from busight.types import Image

Number = TypeVar("Number", int, float)

_PAIRS_PER_FIGURE = 4
_CERTAIN = 0.98
"""Correlation below which BUSI's pairs turned out, on manifest, to be partly neighbouring views of one lesion."""
_N_SHOWN = 12
"""Pairs and images of each kind in the figures; the tables list all."""

_PAIRS_CAPTION = (
    "Left and middle are the two images; right is their difference after alignment and a linear fit of the grey "
    "values: the darker, the larger. A pale difference means the same image; white is where only one of them has "
    "pixels."
)


def write_audit_page(record: AuditRecord, dataset: DataSet, folder: Path, external: DataSet | None = None) -> Path:
    """Write the figures, ``report.html`` and ``report.pdf``, each whole or not at all.

    Args:
        record: Of the audit.
        dataset: The audited set, for its images.
        folder: Where to.
        external: The set that it was compared with.

    Returns:
        The path of ``report.html``.

    Raises:
        OutputError: A file cannot be written.
    """
    image_of = _image_reader(dataset)
    image_of_other = _image_reader(external) if external is not None else image_of
    pairs = record.near_duplicates
    # The least similar of the others: whoever doubts the threshold should look at these.
    doubtful = sorted((pair for pair in pairs.pairs if not pair.conflicting), key=lambda pair: pair.correlation)
    marked = [(name, f"{strokes} px") for name, strokes in _strongest(record.unusual.marked)]
    coloured = [(name, f"{share:.1%}") for name, share in _strongest(record.unusual.coloured)]
    outliers = [(name, f"{distance:.1f} × usual") for name, distance in record.unusual.outliers[:_N_SHOWN]]
    wrong = [(issue.sample, f"{issue.label} → {issue.suggested}?") for issue in record.label_issues[:_N_SHOWN]]
    specs = {
        "conflicts": _pairs(
            "conflicting-labels", "Near-duplicates with different labels", pairs.conflicting, image_of, image_of
        ),
        "pairs": _pairs(
            "lowest-correlation", "Near-duplicates with the lowest correlation", doubtful, image_of, image_of
        ),
        "external": _pairs("in-both-sets", "Images of both sets", pairs.external_pairs, image_of, image_of_other),
        "marked": _sheet("marked", "Burned-in marks", marked, dataset, image_of),
        "coloured": _sheet("coloured", "Not grey", coloured, dataset, image_of),
        "outliers": _sheet("outliers", "Outliers", outliers, dataset, image_of),
        "wrong": _sheet("likely-wrong", "Likely label errors", wrong, dataset, image_of),
        "shortcuts": _shortcut_specs(record),
    }
    figures = {name: write_figures(of_kind, folder) for name, of_kind in specs.items()}
    return write_document(_document(record, figures), folder)


def _document(record: AuditRecord, figures: dict[str, FigureGrid]) -> Document:
    sections = [_summary(record), _near_duplicates(record, figures), _labels(record, figures), _marks(record, figures)]
    sections += [_masks(record), _shortcuts(figures)]
    return Document(
        title="Data audit",
        subtitle=f"{record.data.spec}: {counted(record.data.n_images, 'image')}. Nothing was changed.",
        started=record.started,
        sections=tuple(section for section in sections if section is not None),
    )


def _summary(record: AuditRecord) -> Section:
    data, pairs = record.data, record.near_duplicates
    share, n_marked = pairs.n_images / data.n_images, len(record.unusual.marked)
    in_conflict = counted(pairs.n_in_conflict, "image")
    kpis = (
        KPI("Images with a near-duplicate", str(pairs.n_images), f"{share:.0%} of {data.n_images}", "in the same set"),
        KPI("Pairs", str(len(pairs.pairs)), "", f"correlation {CONFIRMED:.2f} or more"),
        KPI("With different labels", str(len(pairs.conflicting)), in_conflict, "at least one label is wrong"),
        KPI("Burned-in marks", str(n_marked), f"{n_marked / data.n_images:.0%}", "text, calipers"),
    )
    patients = "not named by the source"
    if data.n_patients is not None:
        patients = f"{data.n_patients}, of them {record.patients_with_several_images} with several images"
    facts = (
        ("Data", data.spec),
        ("Classes", ", ".join(f"{name} {count}" for name, count in data.class_counts)),
        ("Files", f"{data.n_images} images and {data.n_masks} masks, together {files_sentence(record.data)}"),
        ("Patients", patients),
        ("Compared with", pairs.external or "no other set"),
        ("Manifest SHA-256", data.digest),
    )
    blocks: list[Block] = [KPIs(kpis), KeyValues(facts)]
    if record.command:
        blocks.append(Listing(record.command))
    return Section("summary", "Summary", tuple(blocks))


def _near_duplicates(record: AuditRecord, figures: dict[str, FigureGrid]) -> Section:
    method = (
        "Candidates are retrieved by the lowest frequencies of the image, also mirrored, and confirmed by aligning one "
        "image to the other, whatever their brightness, noise, scale, crop and overlays. A split with near-duplicates "
        "on both sides tests on its training images."
    )
    found = record.near_duplicates
    n_uncertain = sum(pair.correlation < _CERTAIN for pair in (*found.pairs, *found.external_pairs))
    note = (
        f"Pairs count from a correlation of {CONFIRMED:.2f}. {counted(n_uncertain, 'pair')} below {_CERTAIN:.2f} may "
        "be neighbouring frames or one place imaged twice rather than one image; a split keeps them together all the "
        "same."
    )
    blocks: list[Block] = [Paragraph(method), Paragraph(note, "note"), figures["conflicts"], figures["pairs"]]
    if found.pairs:
        blocks.append(_table("All pairs", found.pairs))
    if found.external_pairs:
        blocks += [figures["external"], _table(f"Also in {found.external}", found.external_pairs)]
    elif found.external:
        blocks.append(Paragraph(f"No image is also in {found.external}."))
    return Section("near-duplicates", "Near-duplicates", tuple(blocks))


def _table(caption: str, pairs: Sequence[DuplicatePair]) -> Table:
    header = ["one image", "label", "the other", "label", "kind", "correlation"]
    of_patients = any(pair.same_patient for pair in pairs)
    if of_patients:
        header.append("same patient")
    rows = tuple(
        (
            *(p.first, p.labels[0], p.second, p.labels[1], p.kind, f"{p.correlation:.3f}"),
            *(["yes" if p.same_patient else ""] if of_patients else []),
        )
        for p in sorted(pairs, key=lambda pair: (not pair.conflicting, pair.first, pair.second))
    )
    return Table(caption, tuple(header), rows, numeric=(5,), folded=True)


def _labels(record: AuditRecord, figures: dict[str, FigureGrid]) -> Section | None:
    if not record.label_issues:
        return None
    method = (
        "A network that was trained neither on the image nor on a near-duplicate gives another class a probability "
        "that is higher by 0.3 or more (from a cross-validation). Some of these labels are wrong, others are hard "
        "cases. Only a radiologist, or the pathology, can decide."
    )
    header = ("image", "label", "p(label)", "suggested", "p(suggested)")
    rows = tuple(
        (w.sample, w.label, f"{w.prob_label:.3f}", w.suggested, f"{w.prob_suggested:.3f}") for w in record.label_issues
    )
    table = Table(f"All {len(rows)}, the most confident first", header, rows, numeric=(2, 4), folded=True)
    return Section("labels", "Likely label errors", (Paragraph(method), figures["wrong"], table))


def _marks(record: AuditRecord, figures: dict[str, FigureGrid]) -> Section:
    unusual = record.unusual
    note = (
        f"{counted(len(unusual.marked), 'image')} with text, calipers or rulers burned in, "
        f"{counted(len(unusual.coloured), 'image')} not grey, {counted(len(unusual.bordered), 'image')} with a flat "
        f"border, {counted(len(unusual.outliers), 'outlier')}: photographs, screenshots or other kinds of images, and "
        "ultrasound images of unusual appearance. Marks are detected by their thin, nearly white strokes; a bright "
        "tissue edge is sometimes mistaken for one."
    )
    blocks: list[Block] = [Paragraph(note), figures["marked"], figures["coloured"], figures["outliers"]]
    if unusual.outliers:
        rows = tuple((name, f"{distance:.2f}") for name, distance in unusual.outliers)
        blocks.append(Table("Outliers", ("image", "distance, in medians"), rows, (1,), folded=True))
    return Section("marks", "Marks, colour, borders", tuple(blocks))


def _masks(record: AuditRecord) -> Section:
    problems = tuple((problem.path, problem.text) for problem in record.data.problems)
    several = counted(record.images_with_several_masks, "image")
    blocks: list[Block] = [
        Paragraph(f"{several} with more than one mask file; they are joined when the data are read.")
    ]
    if problems:
        blocks.append(Table("Files with a problem, and how it was handled", ("file", "problem"), problems))
    else:
        blocks.append(Paragraph("Every file could be used as it is."))
    return Section("files", "Files and masks", tuple(blocks))


def _shortcuts(figures: dict[str, FigureGrid]) -> Section | None:
    if not figures["shortcuts"].figures:
        return None
    note = (
        "Size, borders and marks hold no information about tissue; the mean brightness of an image holds little. Where "
        "they predict a class, a network can score well by them and fail on another hospital’s images. A single "
        "property is taken in the direction of the higher AUROC, which by itself lifts it a little above 0.5; “all "
        "together” is not."
    )
    return Section("shortcuts", "Shortcuts: classes predicted without tissue", (Paragraph(note), figures["shortcuts"]))


def _image_reader(dataset: DataSet) -> Callable[[str], Image]:
    by_id = {sample.sample_id: sample for sample in dataset.samples}
    return lambda sample_id: dataset.reader.image(by_id[sample_id])


def _pairs(
    name: str,
    title: str,
    pairs: Sequence[DuplicatePair],
    first_image: Callable[[str], Image],
    second_image: Callable[[str], Image],
) -> list[FigureSpec]:
    """Return figures of four pairs each, so that a printed page shows them large enough."""
    shown = pairs[:_N_SHOWN]
    batches = [shown[start : start + _PAIRS_PER_FIGURE] for start in range(0, len(shown), _PAIRS_PER_FIGURE)]
    specs = []
    for number, batch in enumerate(batches, start=1):
        images = [PairImages(pair, first_image(pair.first), second_image(pair.second)) for pair in batch]
        names = "; ".join(f"{p.first} ({p.labels[0]}) and {p.second} ({p.labels[1]})" for p in batch)
        numbered_title = title if len(batches) == 1 else f"{title} ({number} of {len(batches)})"
        draw = partial(draw_duplicate_pairs, images)
        alt = f"{title}: {names}."
        specs.append(FigureSpec(f"{name}-{number}", numbered_title, _PAIRS_CAPTION, alt, draw, photographic=True))
    return specs


def _sheet(
    name: str, title: str, reasons: Sequence[tuple[str, str]], dataset: DataSet, image_of: Callable[[str], Image]
) -> list[FigureSpec]:
    if not reasons:
        return []
    labels = {sample.sample_id: str(sample.label or "no label") for sample in dataset.samples}
    images = [
        SheetImage(sample_id, image_of(sample_id), None, reason if "→" in reason else f"{labels[sample_id]} · {reason}")
        for sample_id, reason in reasons
    ]
    caption = "Above each image: its label, the measured value, and its name."
    alt = f"{title}: " + "; ".join(f"{sample_id}, {reason}" for sample_id, reason in reasons)
    return [FigureSpec(name, title, caption, alt, partial(draw_contact_sheet, images, 4), photographic=True)]


def _shortcut_specs(record: AuditRecord) -> list[FigureSpec]:
    if not record.shortcuts:
        return []
    values = "; ".join(f"{s.label} by {s.feature.replace('_', ' ')} {s.auroc:.2f}" for s in record.shortcuts)
    return [
        FigureSpec(
            name="shortcuts",
            title="Classes predicted without tissue",
            caption="Markers are AUROCs, bars their intervals. “All together” is a random forest on grouped folds; the "
            "others are single properties, in the direction of the higher AUROC. Well above 0.5 is a warning.",
            alt=f"AUROC of each class: {values}.",
            draw=lambda: draw_shortcuts(record.shortcuts),
        )
    ]


def _strongest(named: Sequence[tuple[str, Number]]) -> list[tuple[str, Number]]:
    return sorted(named, key=lambda pair: -pair[1])[:_N_SHOWN]
