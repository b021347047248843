"""What the answers and reviews of a site say about its model: over time, and by device."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import QuerySet

from busight.serve.web.cases.models import Case
from busight.serve.web.share import Share

LEAST = 20
"""Answers from which a device is compared with the rest."""
_WEEKS = 26


@dataclass(slots=True)
class Tally:
    """Counts of cases.

    Attributes:
        answered: Answered.
        refused: Not answered.
        flagged: Answered, and at or above the threshold.
        agreed: Reviewed, and the reader agrees.
        differed: Reviewed, and the reader disagrees or overrides.
    """

    answered: int = 0
    refused: int = 0
    flagged: int = 0
    agreed: int = 0
    differed: int = 0

    def add(self, case: tuple[str, bool, str]) -> None:
        """Count a case by its state, its flag and its review."""
        state, flagged, reviewed = case
        self.answered += state == Case.State.DONE
        self.refused += state == Case.State.REFUSED
        self.flagged += state == Case.State.DONE and flagged
        self.agreed += reviewed == Case.Reviewed.AGREED
        self.differed += reviewed in (Case.Reviewed.DISAGREED, Case.Reviewed.OVERRIDDEN)

    @property
    def total(self) -> int:
        """Cases."""
        return self.answered + self.refused

    @property
    def reviewed(self) -> int:
        """Reviewed cases."""
        return self.agreed + self.differed


@dataclass(frozen=True, slots=True)
class Week:
    """One week.

    Attributes:
        begins: Its Monday.
        tally: Its counts.
        agreed: Height of the bar of agreement, 0–100.
        differed: Height of the bar of disagreement.
    """

    begins: date
    tally: Tally
    agreed: float
    differed: float


@dataclass(frozen=True, slots=True)
class Device:
    """One device.

    Attributes:
        name: Its model, as DICOM names it; ``"unknown"`` without.
        tally: Its counts.
        refused: Share that is not answered.
        flagged: Share of the answered that is flagged.
        note: In what it is unlike all other devices; empty where it is not, or where it has too few cases.
    """

    name: str
    tally: Tally
    refused: Share
    flagged: Share
    note: str


@dataclass(slots=True)
class Statistics:
    """All of a model's cases.

    Attributes:
        tally: Their counts.
        weeks: The last half year.
        devices: By the number of cases.
    """

    tally: Tally = field(default_factory=Tally)
    weeks: list[Week] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)


def statistics(cases: QuerySet[Case], today: date) -> Statistics:
    """Return what the cases say."""
    found = Statistics()
    by_week: dict[date, Tally] = defaultdict(Tally)
    by_device: dict[str, Tally] = defaultdict(Tally)
    rows = cases.filter(parent=None, state__in=(Case.State.DONE, Case.State.REFUSED))
    columns = ("created", "device", "state", "flagged", "reviewed")
    for created, device, *case in rows.values_list(*columns).iterator(5000):
        for tally in (found.tally, by_week[_monday(created.date())], by_device[device or "unknown"]):
            tally.add((case[0], case[1], case[2]))
    highest = max((tally.reviewed for tally in by_week.values()), default=0) or 1
    for begins in _last_weeks(today):
        tally = by_week.get(begins, Tally())
        found.weeks.append(Week(begins, tally, 100 * tally.agreed / highest, 100 * tally.differed / highest))
    for name, tally in sorted(by_device.items(), key=lambda item: -item[1].total):
        refused, flagged = Share(tally.refused, tally.total), Share(tally.flagged, tally.answered)
        rest = [other for device, other in by_device.items() if device != name]
        found.devices.append(Device(name, tally, refused, flagged, _note(tally, rest)))
    return found


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _last_weeks(today: date) -> Iterator[date]:
    for back in reversed(range(_WEEKS)):
        yield _monday(today) - timedelta(weeks=back)


def _note(tally: Tally, rest: Iterable[Tally]) -> str:
    """Return in what a device is unlike the others, where the exact intervals are apart."""
    others = list(rest)
    parts = []
    for name, hits, of in (("not answered", "refused", "total"), ("flagged", "flagged", "answered")):
        mine = Share(getattr(tally, hits), getattr(tally, of))
        theirs = Share(sum(getattr(one, hits) for one in others), sum(getattr(one, of) for one in others))
        if mine.total < LEAST or theirs.total < LEAST or mine.interval is None or theirs.interval is None:
            continue
        if mine.interval[0] > theirs.interval[1]:
            parts.append(f"more often {name} than on other devices")
        elif mine.interval[1] < theirs.interval[0]:
            parts.append(f"less often {name} than on other devices")
    return "; ".join(parts)
