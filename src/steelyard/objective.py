"""The objective: score terms with their weights, the same as arrays, and the charges.

A part that is a black box has no array form. The search then proves the rest, and the best sets are re-ranked by
the full score; the certificate says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from steelyard.context import Context
from steelyard.findings import Findings
from steelyard.registry import Kind, ModuleParams
from steelyard.scoring import BlackBox, Part, Term
from steelyard.scoring.charges import ChargeRates, charge_rates
from steelyard.scoring.model import ScoreModel, build_model
from steelyard.scoring.weights import term_weights
from steelyard.strategies import ModuleChoice, Strategy


@dataclass(frozen=True, slots=True)
class Objective:
    """What is maximised: terms with their weights, the same in array form, and the charges."""

    terms: tuple[Term, ...]
    weights: Mapping[str, float]
    model: ScoreModel
    rates: ChargeRates

    @property
    def black_boxes(self) -> tuple[tuple[Term, Part, float], ...]:
        """Parts without an array form, each with its factor: weight x share / (hi - lo)."""
        return tuple(
            (term, part, self.weights[term.name] * part.share / (part.hi - part.lo))
            for term in self.terms
            for part in term.parts
            if isinstance(part.shape, BlackBox)
        )

    @property
    def black_box_reach(self) -> float | None:
        """Most that black boxes can move a score between two end states; None when one does not say."""
        deltas = [
            None if part.shape.max_delta is None else abs(factor) * part.shape.max_delta
            for _, part, factor in self.black_boxes
            if isinstance(part.shape, BlackBox)
        ]
        known = [delta for delta in deltas if delta is not None]
        return sum(known) if len(known) == len(deltas) else None


def objective_of(ctx: Context, strategy: Strategy, findings: Findings) -> Objective:
    """Run the score terms; one that fails is left out, named in `problems`, and the others take its weight."""
    terms: list[Term] = []
    for choice in strategy.enabled(Kind.TERM):

        def work(params: ModuleParams, chosen: ModuleChoice = choice) -> Term:
            term: Term = chosen.module.call(ctx, params)
            build_model([term], term_weights(ctx, [term.name]), ctx.n + 1)
            return term

        made = findings.guarded(choice.module, ctx, choice.params, work, lambda term: len(term.parts))
        if made is not None:
            terms.append(made)
    weights = term_weights(ctx, [term.name for term in terms])
    return Objective(tuple(terms), MappingProxyType(weights), build_model(terms, weights, ctx.n + 1), charge_rates(ctx, weights))
