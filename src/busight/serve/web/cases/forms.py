"""Forms of cases."""

from __future__ import annotations

from typing import Any

from django import forms

from busight.results.prediction_record import calibrated_probs_of
from busight.serve.web.cases.models import Case, Review

SMALLEST = 8
"""Pixels of the shortest side of a region."""


def reasons_of(form: forms.BaseForm) -> str:
    """Return what is wrong with a form, in one line."""
    return " ".join(str(reason) for reasons in form.errors.values() for reason in reasons)


class _Files(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files."""

    widget = _Files

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        """Return the files; the door checks them one by one."""
        given = data if isinstance(data, list | tuple) else [data] if data else []
        if not given:
            raise forms.ValidationError("Choose at least one file.")
        return list(given)


class _ManyTexts(forms.Field):
    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[str]:
        return [str(text) for text in value or []]


class UploadForm(forms.Form):
    """Files for a batch."""

    uploads = FilesField(label="Files", widget=_Files(attrs={"multiple": True}))
    paths = _ManyTexts(required=False)
    name = forms.CharField(label="Name of the batch", max_length=120, required=False)
    pseudonym = forms.CharField(
        label="Pseudonym",
        max_length=64,
        required=False,
        help_text="For files that name no patient. Never a name: DICOM files get one by themselves.",
    )
    batch = forms.UUIDField(required=False, widget=forms.HiddenInput)


class ReviewForm(forms.Form):
    """A reader's word on an answer."""

    verdict = forms.ChoiceField(choices=Review.Verdict.choices)
    label = forms.CharField(required=False, max_length=64)
    reason = forms.CharField(required=False, max_length=500)

    def __init__(self, *arguments: Any, case: Case) -> None:
        """Keep the case."""
        super().__init__(*arguments)
        self.case = case

    def clean(self) -> dict[str, Any]:
        """Ask for a reason where the reader differs, and for another class where the answer is overridden."""
        given = super().clean() or {}
        verdict = given.get("verdict")
        if verdict == Review.Verdict.AGREE:
            return given | {"label": self.case.label, "reason": given.get("reason", "")}
        if not given.get("reason", "").strip():
            raise forms.ValidationError("Give a reason where you disagree or override.")
        if verdict == Review.Verdict.OVERRIDE:
            known = calibrated_probs_of(self.case.record)
            if given.get("label") not in known:
                raise forms.ValidationError(f"Choose a class to override with: {', '.join(known)}.")
        else:
            given["label"] = ""
        return given


class RegionForm(forms.Form):
    """A box around the lesion, or a click on it, in pixels of the image."""

    region = forms.RegexField(r"^\d{1,5},\d{1,5}(,\d{1,5},\d{1,5})?\Z")

    def __init__(self, *arguments: Any, case: Case) -> None:
        """Keep the case."""
        super().__init__(*arguments)
        self.case = case

    def clean_region(self) -> str:
        """Return the region, cut to the image; refuse one that is outside or too small to hold anything."""
        height, width = self.case.height, self.case.width
        numbers = [int(part) for part in self.cleaned_data["region"].split(",")]
        if len(numbers) == 2:
            if numbers[0] >= height or numbers[1] >= width:
                raise forms.ValidationError("The click is outside the image.")
            return "{},{}".format(*numbers)
        top, left, bottom, right = numbers[0], numbers[1], min(numbers[2], height), min(numbers[3], width)
        if bottom - top < SMALLEST or right - left < SMALLEST:
            raise forms.ValidationError(f"The box is smaller than {SMALLEST} pixels; draw a larger one.")
        return f"{top},{left},{bottom},{right}"


class JoinForm(forms.Form):
    """Further views of the same lesion."""

    views = forms.ModelMultipleChoiceField(queryset=Case.objects.none(), required=False)

    def __init__(self, *arguments: Any, cases: Any) -> None:
        """Take the cases to choose from."""
        super().__init__(*arguments)
        self.fields["views"].queryset = cases  # type: ignore[attr-defined]


class NoteForm(forms.ModelForm):  # type: ignore[type-arg]
    """The note of a case."""

    class Meta:
        """Its field."""

        model = Case
        fields = ("note",)
