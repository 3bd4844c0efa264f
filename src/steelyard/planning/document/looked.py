"""What the plan was chosen by, and how sure that is: what the document shows, and its words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from steelyard.planning.document.certificate import certificate_shown
from steelyard.planning.document.outlook import frontier_shown, outlook_shown
from steelyard.planning.mode_words import chosen_by
from steelyard.planning.solve import Solution
from steelyard.plans.outlook import FrontierPoint, Outlook
from steelyard.plans.score import Certificate
from steelyard.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Looked:
    """Each as the document shows it; no outlook where the score of today alone decides."""

    certificate: Certificate
    outlook: Outlook | None
    frontier: tuple[FrontierPoint, ...]

    @classmethod
    def of(cls, m: Solution) -> Looked:
        """Of a solution."""
        return cls(certificate_shown(m), outlook_shown(m), tuple(frontier_shown(m)))

    def words(self, currency: str) -> Iterator[Sentence]:
        """Sentences of the verdict on it."""
        if self.outlook is not None:
            count = len(self.frontier)
            yield from chosen_by(self.outlook, self.certificate, count, currency)
