"""The filter of the worklist."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet

from busight.serve.web.accounts.models import User
from busight.serve.web.cases.models import Case
from busight.serve.web.cases.shared import found_by

ORDERS = {
    "flagged": ("-flagged", "-created", "pk"),
    "newest": ("-created", "pk"),
    "oldest": ("created", "pk"),
    "probability": ("-positive_prob", "-created", "pk"),
}


class Worklist(django_filters.FilterSet):
    """State, review, class, free words, order."""

    search = django_filters.CharFilter(
        method="by_words",
        label="Search",
        widget=forms.SearchInput(attrs={"placeholder": "Pseudonym, class, note, model"}),
    )
    state = django_filters.ChoiceFilter(choices=Case.State.choices, label="State", empty_label="any state")
    reviewed = django_filters.ChoiceFilter(
        choices=[("no", "not reviewed"), *Case.Reviewed.choices[1:]],
        method="by_review",
        label="Review",
        empty_label="any review",
    )
    flagged = django_filters.ChoiceFilter(
        choices=[("1", "flagged"), ("0", "not flagged")], method="by_flag", label="Flag", empty_label="any flag"
    )
    order = django_filters.ChoiceFilter(
        choices=[
            ("flagged", "flagged first"),
            ("newest", "newest first"),
            ("oldest", "oldest first"),
            ("probability", "highest probability first"),
        ],
        method="in_order",
        label="Order",
        empty_label=None,
    )

    class Meta:
        """Fields are those above."""

        model = Case
        fields = ("search", "state", "reviewed", "flagged", "order")

    def by_words(self, cases: QuerySet[Case], _: str, words: str) -> QuerySet[Case]:
        """Return the cases with all words."""
        return found_by(cases, words, self.user)

    def by_review(self, cases: QuerySet[Case], _: str, value: str) -> QuerySet[Case]:
        """Return the cases of one review state."""
        return cases.filter(reviewed="" if value == "no" else value)

    def by_flag(self, cases: QuerySet[Case], _: str, value: str) -> QuerySet[Case]:
        """Return the cases at or above the threshold, or those below."""
        return cases.filter(flagged=value == "1")

    def in_order(self, cases: QuerySet[Case], _: str, value: str) -> QuerySet[Case]:
        """Return the cases in an order."""
        return cases.order_by(*ORDERS[value])

    def __init__(self, user: User, data: Any, queryset: QuerySet[Case]) -> None:
        """Order flagged cases first where nothing else is asked for."""
        self.user = user
        data = data.copy()
        data.setdefault("order", "flagged")
        super().__init__(data, queryset)
