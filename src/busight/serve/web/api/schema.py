"""What the interface for programs takes and gives."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Field, Schema


class Problem(Schema):
    """Why a request was refused, in one line."""

    detail: str


class CaseOut(Schema):
    """A case: one frame and the model's answer."""

    id: UUID
    name: str
    frame: int
    n_frames: int
    state: Literal["received", "running", "done", "refused", "failed"]
    reason: str = Field(description="Why it is not answered; empty where it is.")
    label: str
    positive_prob: float | None
    above_threshold: bool | None
    flagged: bool
    reviewed: str
    pseudonym: str
    laterality: str
    device: str
    region: str
    model: str
    model_digest: str
    created: datetime
    finished: datetime | None


class CaseDetail(CaseOut):
    """A case with its prediction record, as ``busight predict`` writes it, and descriptors where they are known."""

    record: dict[str, Any] | None
    details: dict[str, Any] | None
    outline: str = Field(description="The outlines as an SVG path in pixels of the image.")
    width: int
    height: int
    spacing_row: float | None
    spacing_column: float | None


class CasePage(Schema):
    """Some of the cases."""

    total: int
    cases: list[CaseOut]


class UploadOut(Schema):
    """An uploaded file and its fate."""

    id: int
    name: str
    state: Literal["received", "running", "accepted", "refused"]
    reason: str
    cases: list[UUID]


class BatchOut(Schema):
    """A batch and how far it is."""

    id: UUID
    name: str
    paused: bool
    created: datetime
    is_done: bool
    states: dict[str, int]
    uploads: list[UploadOut]


class Refused(Schema):
    """A file that was refused at the door."""

    name: str
    reason: str


class Uploaded(Schema):
    """What became of uploaded files."""

    batch: UUID
    uploads: list[int]
    refused: list[Refused]


class ReviewIn(Schema):
    """A reader's word on an answer."""

    verdict: Literal["agreed", "disagreed", "overridden"]
    label: str = Field("", max_length=64)
    reason: str = Field("", max_length=500)
