"""Forms of studies."""

from __future__ import annotations

import csv
from typing import Any

from django import forms

from busight.errors import DataError
from busight.io.csv_text import csv_rows
from busight.serve.web.accounts.models import Role, User
from busight.serve.web.cases.models import Batch
from busight.serve.web.studies.models import Reading, Study


class StudyForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new study."""

    class Meta:
        """Its fields."""

        model = Study
        fields = ("name", "washout")
        help_texts = {  # noqa: RUF012 - as Django wants it
            "washout": "0: each case is read, then its answer is shown, and it is read again at once."
        }


class CasesForm(forms.Form):
    """The answered cases of a batch, with their truth."""

    batch = forms.ModelChoiceField(queryset=Batch.objects.none(), empty_label="choose a batch")
    truth = forms.FileField(
        required=False,
        label="Truth (CSV)",
        help_text="Columns name and label. Without it the labels of reviews count; cases without either stay open.",
    )

    def __init__(self, *arguments: Any, batches: Any) -> None:
        """Take the batches that the user sees."""
        super().__init__(*arguments)
        self.fields["batch"].queryset = batches  # type: ignore[attr-defined]

    def clean_truth(self) -> dict[str, str]:
        """Return the label of each file by its name."""
        file = self.cleaned_data["truth"]
        if not file:
            return {}
        try:
            header, *rows = csv_rows(file.read().decode("utf-8-sig"))
            name, label = header.index("name"), header.index("label")
            return {row[name]: row[label].strip() for row in rows if row}
        except (UnicodeDecodeError, ValueError, IndexError, csv.Error, DataError) as error:
            raise forms.ValidationError("The truth is a CSV file with the columns name and label.") from error


class ReaderForm(forms.Form):
    """Who reads."""

    readers = forms.ModelMultipleChoiceField(queryset=User.objects.none(), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *arguments: Any) -> None:
        """Offer the users who may review."""
        super().__init__(*arguments)
        able = [user.pk for user in User.objects.filter(is_active=True) if user.has_role(Role.READER, Role.REVIEWER)]
        self.fields["readers"].queryset = User.objects.filter(pk__in=able).order_by("username")  # type: ignore[attr-defined]


class ReadingForm(forms.ModelForm):  # type: ignore[type-arg]
    """One reading."""

    category = forms.ChoiceField(choices=Reading.CATEGORIES, widget=forms.RadioSelect, label="BI-RADS category")
    suspicion = forms.IntegerField(
        min_value=0,
        max_value=100,
        label="How likely is it malignant? (percent)",
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    seconds = forms.FloatField(min_value=0, max_value=86400, widget=forms.HiddenInput)

    class Meta:
        """Its fields."""

        model = Reading
        fields = ("category", "suspicion", "seconds")
