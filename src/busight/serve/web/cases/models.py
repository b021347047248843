"""Batches of uploads, cases and reviews. The queue is the row: an upload and a case carry their state and lease."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models

WAITING = ("received", "running")
"""States of an upload, a case or an export that is not finished."""


class Batch(models.Model):
    """What one person uploaded at once.

    Attributes:
        paused: Its cases wait; what runs already is finished.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="batches")
    name = models.CharField(max_length=120, blank=True)
    created = models.DateTimeField(auto_now_add=True, db_index=True)
    paused = models.BooleanField(default=False)

    class Meta:
        """The latest first."""

        ordering = ("-created",)

    def __str__(self) -> str:
        """Return its name, or its time."""
        return self.name or f"{self.created:%Y-%m-%d %H:%M}"


class Leased(models.Model):
    """A row that a worker takes with a lease. What is common to uploads and cases.

    Attributes:
        worker: Who runs it; empty where nobody does.
        lease_until: When another worker may take it back.
        tries: How often it was begun.
    """

    worker = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    created = models.DateTimeField(auto_now_add=True)
    changed = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        """No table of its own."""

        abstract = True


class Upload(Leased):
    """One uploaded file. Its content lies in the spool until it is read, and is removed then.

    Attributes:
        name: As the browser named it, without folders that lead out.
        reason: Why it is refused, in one line.
        inside: The archive that it came in.
        pseudonym: Given by the user, for files that name no patient.
    """

    class State(models.TextChoices):
        """What became of it."""

        RECEIVED = "received", "received"
        RUNNING = "running", "being read"
        ACCEPTED = "accepted", "accepted"
        REFUSED = "refused", "refused"

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    spool = models.CharField(max_length=64, unique=True)
    inside = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="members")
    pseudonym = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.RECEIVED)
    reason = models.CharField(max_length=500, blank=True)
    cases: models.ManyToManyField[Case, Any] = models.ManyToManyField("Case", related_name="uploads", blank=True)

    class Meta:
        """In the order of arrival."""

        ordering = ("id",)
        indexes = (models.Index(fields=("state", "id"), name="upload_queue"),)

    def __str__(self) -> str:
        """Return its name."""
        return self.name


class Case(Leased):
    """One frame of an image and the model's answer. The same pixels asked of the same model are the same row.

    Attributes:
        batch: The batch that brought it first.
        pixels: SHA-256 of the pixels and their size.
        frame: Index within its file.
        region: What a reader pointed at, in pixels: a box ``"top,left,bottom,right"`` or a click ``"row,column"``;
            empty for the model's own region.
        parent: The case whose region was moved.
        spacing_row: Millimetres from row to row, where the frame says so.
        pseudonym: Keyed hash of the patient's id, or what the user typed.
        record: The prediction record, as ``busight predict`` writes it.
        details: Descriptors and similar training images; with the activation computed when someone looks, or when
            nothing else waits.
        lesion: What the views of one lesion have in common; None where a reader has joined nothing.
        wanted: When someone asked for the details.
        flagged: The positive class reaches the threshold.
        search: Everything that is searched, in lower case.
    """

    class State(models.TextChoices):
        """Where it stands."""

        RECEIVED = "received", "waiting"
        RUNNING = "running", "running"
        DONE = "done", "answered"
        REFUSED = "refused", "not answered"
        FAILED = "failed", "failed"

    class Reviewed(models.TextChoices):
        """What the last review says."""

        NO = "", "not reviewed"
        AGREED = "agreed", "agreed"
        DISAGREED = "disagreed", "disagreed"
        OVERRIDDEN = "overridden", "overridden"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="cases")
    name = models.CharField(max_length=255)
    pixels = models.CharField(max_length=64)
    frame = models.PositiveIntegerField(default=0)
    n_frames = models.PositiveIntegerField(default=1)
    model = models.CharField(max_length=120)
    model_digest = models.CharField(max_length=64)
    region = models.CharField(max_length=48, blank=True)
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="reruns")
    state = models.CharField(max_length=8, choices=State.choices, default=State.RECEIVED)
    finished = models.DateTimeField(null=True, blank=True)

    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    image_file = models.CharField(max_length=80)
    spacing_row = models.FloatField(null=True, blank=True)
    spacing_column = models.FloatField(null=True, blank=True)
    coloured = models.FloatField(default=0.0)
    origin: models.JSONField[Any, Any] = models.JSONField(default=list)
    scale: models.JSONField[Any, Any] = models.JSONField(default=list)
    input_warnings: models.JSONField[Any, Any] = models.JSONField(default=list)
    pseudonym = models.CharField(max_length=64, blank=True, db_index=True)
    laterality = models.CharField(max_length=8, blank=True)
    lesion = models.UUIDField(null=True, blank=True, db_index=True)
    device = models.CharField(max_length=120, blank=True)

    record: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    label = models.CharField(max_length=64, blank=True)
    positive_prob = models.FloatField(null=True, blank=True)
    above_threshold = models.BooleanField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    mask_file = models.CharField(max_length=80, blank=True)
    outline = models.TextField(blank=True)
    activation_file = models.CharField(max_length=80, blank=True)
    details: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    wanted = models.DateTimeField(null=True, blank=True)
    flagged = models.BooleanField(default=False)
    reviewed = models.CharField(max_length=10, choices=Reviewed.choices, default=Reviewed.NO, blank=True)
    note = models.CharField(max_length=500, blank=True)
    search = models.TextField(blank=True)

    class Meta:
        """The same question is the same row."""

        constraints = (
            models.UniqueConstraint(
                fields=("pixels", "frame", "model_digest", "region"), name="same_question_same_row"
            ),
        )
        indexes = (
            models.Index(fields=("state", "created"), name="case_queue"),
            models.Index(fields=("-flagged", "-created"), name="case_worklist"),
        )

    def __str__(self) -> str:
        """Return its name, with the frame where there are several."""
        return f"{self.name}, frame {self.frame + 1}" if self.n_frames > 1 else self.name

    @property
    def last_review(self) -> Review | None:
        """The review that counts: the latest one."""
        return next(iter(self.reviews.all()), None)

    @property
    def spacing_mm(self) -> tuple[float, float] | None:
        """Millimetres between rows and between columns, where known."""
        if self.spacing_row is None or self.spacing_column is None:
            return None
        return self.spacing_row, self.spacing_column


class Review(models.Model):
    """A reader's word on a case. Reviews are added, never changed; the last one counts.

    Attributes:
        label: The class that the reader says; that of the model where the reader agrees.
        reason: Why it differs.
    """

    class Verdict(models.TextChoices):
        """What the reader says of the model's answer."""

        AGREE = "agreed", "agree"
        DISAGREE = "disagreed", "disagree"
        OVERRIDE = "overridden", "override"

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="reviews")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviews")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    label = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        """The latest first."""

        ordering = ("-created",)

    def __str__(self) -> str:
        """Return it in a few words."""
        return f"{self.reader}: {self.verdict}"


class Export(Leased):
    """What the worker makes: the page of a case as PDF, the pages of a batch as a zip archive, a recalibrated model."""

    class State(models.TextChoices):
        """Where it stands."""

        RECEIVED = "received", "waiting"
        RUNNING = "running", "being made"
        DONE = "done", "ready"
        FAILED = "failed", "failed"

    class Kind(models.TextChoices):
        """The ending of the file."""

        PDF = "pdf", "page"
        ZIP = "zip", "pages"
        MODEL = "model", "recalibrated model"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=5, choices=Kind.choices)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, null=True, blank=True, related_name="exports")
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, null=True, blank=True, related_name="exports")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="exports")
    state = models.CharField(max_length=8, choices=State.choices, default=State.RECEIVED)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        """In the order of arrival."""

        ordering = ("-created",)

    def __str__(self) -> str:
        """Return what it is of."""
        return self.get_kind_display() + (f" of {self.case or self.batch}" if self.case or self.batch else "")

    @property
    def name(self) -> str:
        """The same, for messages."""
        return str(self)
