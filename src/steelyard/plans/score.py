"""The document: the score by term and part, and how far the plan is from the best."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from steelyard.canonical import Number, Record


class PartShown(Record):
    """A part of a term: share, raw and scaled value (0..1 unless off scale) before and after."""

    name: str
    share: Number
    scale: tuple[Number, Number] = Field(description="raw value that is scaled to 0, and to 1")
    raw_hold: Number
    raw_plan: Number
    hold: Number
    plan: Number


class TermShown(Record):
    """A term, unclipped; people see 100 x, clipped to 0..100 and marked `off_scale`."""

    name: str
    weight: Number
    hold: Number
    plan: Number
    off_scale: bool
    parts: tuple[PartShown, ...]


class Charges(Record):
    """What the improvement is charged, in score units."""

    cost: Number
    tax: Number
    hurdle: Number

    @property
    def total(self) -> float:
        """All three."""
        return self.cost + self.tax + self.hurdle


class ScoreShown(Record):
    """hold and plan = sum of weight x unclipped term; improvement = plan - hold - charges."""

    hold: Number
    plan: Number
    improvement: Number
    min_improvement: Number
    charges: Charges
    terms: tuple[TermShown, ...]


class Objective(Record):
    """What the score aims at."""

    mode: Literal["targets", "none"]
    profile: str


class Certificate(Record):
    """How far the plan is from the best one. `bound` is on the scale of hold + improvement.

    covers        what it is the best of
    selected_by   black-box terms that re-ranked the best sets, and how many; null when none did
    """

    scope: Literal["proposals", "candidates"]
    covers: str
    selected_by: str | None
    status: Literal["proven", "bounded", "none"]
    search_gap: Number | None
    search_gap_of_improvement: Number | None
    bound: Number | None
    structural_headroom: Number | None
    nodes: int | None
    candidates: int
    sequences: int
    seconds: float | None
