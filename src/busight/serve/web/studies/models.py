"""Reader studies."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from busight.serve.web.cases.models import Case


class Study(models.Model):
    """A study in which readers read the same cases without and with the model's answer.

    Attributes:
        washout: Days between a reader's readings without and with the answer; with 0 the answer is shown right after
            each reading.
        positive: The class that is looked for.
        opened: When reading began: cases and readers are fixed from then on.
        closed: When it ended: results are shown from then on, and no reading is taken.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="studies")
    positive = models.CharField(max_length=64)
    washout = models.PositiveSmallIntegerField("washout in days", default=0, validators=[MaxValueValidator(365)])
    created = models.DateTimeField(auto_now_add=True)
    opened = models.DateTimeField(null=True, blank=True)
    closed = models.DateTimeField(null=True, blank=True)

    class Meta:
        """The latest first."""

        ordering = ("-created",)

    def __str__(self) -> str:
        """Return its name."""
        return self.name

    @property
    def state(self) -> str:
        """``"being prepared"``, ``"open"`` or ``"closed"``."""
        return "closed" if self.closed else "open" if self.opened else "being prepared"


class StudyCase(models.Model):
    """A case of a study.

    Attributes:
        is_positive: The truth; None where it is not known yet.
    """

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="cases")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="in_studies")
    is_positive = models.BooleanField(null=True, blank=True)

    class Meta:
        """Each case once."""

        constraints = (models.UniqueConstraint(fields=("study", "case"), name="case_once_in_a_study"),)
        ordering = ("id",)

    def __str__(self) -> str:
        """Return the case."""
        return str(self.case)


class StudyReader(models.Model):
    """A reader of a study.

    Attributes:
        seed: Of the order in which this reader sees the cases.
    """

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="readers")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reads_in")
    seed = models.PositiveBigIntegerField()

    class Meta:
        """Each reader once."""

        constraints = (models.UniqueConstraint(fields=("study", "reader"), name="reader_once_in_a_study"),)
        ordering = ("id",)

    def __str__(self) -> str:
        """Return the reader."""
        return str(self.reader)


class Reading(models.Model):
    """What a reader says of a case, without or with the model's answer; it is never changed.

    Attributes:
        aided: Whether the reader saw the model's answer.
        category: BI-RADS assessment category.
        suspicion: Percent that the case is positive.
        seconds: From the image's appearance to the answer.
    """

    CATEGORIES = (
        ("1", "1 – negative"),
        ("2", "2 – benign"),
        ("3", "3 – probably benign"),
        ("4A", "4A – low suspicion"),
        ("4B", "4B – moderate suspicion"),
        ("4C", "4C – high suspicion"),
        ("5", "5 – highly suggestive of malignancy"),
    )

    case = models.ForeignKey(StudyCase, on_delete=models.CASCADE, related_name="readings")
    reader = models.ForeignKey(StudyReader, on_delete=models.CASCADE, related_name="readings")
    aided = models.BooleanField()
    category = models.CharField(max_length=2, choices=CATEGORIES)
    suspicion = models.PositiveSmallIntegerField(validators=[MinValueValidator(0), MaxValueValidator(100)])
    seconds = models.FloatField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        """One of each kind."""

        constraints = (models.UniqueConstraint(fields=("case", "reader", "aided"), name="one_reading_of_each_kind"),)

    def __str__(self) -> str:
        """Return it in a few words."""
        return f"{self.reader}: {self.category}, {self.suspicion} %"
