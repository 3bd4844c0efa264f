"""The objective: score terms with their weights, the same as arrays, and the charges.

A part that is a black box has no array form. The search then proves the rest, and the best sets are
re-ranked by the full score; the certificate says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

from steelyard.modules import contract_terms
from steelyard.modules.context import Context
from steelyard.modules.registry import Kind, Module, ModuleParams
from steelyard.modules.terms import BlackBox, Part, Term
from steelyard.planning.answered import answered
from steelyard.planning.guard import Guard, kept_to
from steelyard.planning.score.charges import ChargeRates, charge_rates
from steelyard.planning.score.model import ScoreModel, build_model
from steelyard.planning.score.weights import term_weights
from steelyard.strategies import Strategy


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
        """Most that black boxes can move a score between two end states; None if one is silent."""
        deltas = [
            None if part.shape.max_delta is None else abs(factor) * part.shape.max_delta
            for _, part, factor in self.black_boxes
            if isinstance(part.shape, BlackBox)
        ]
        finite = [delta for delta in deltas if delta is not None]
        return sum(finite) if len(finite) == len(deltas) else None


def objective_of(ctx: Context, strategy: Strategy, guard: Guard) -> Objective:
    """Run the score terms; one that fails is named, and the others take its weight."""
    terms: list[Term] = []
    for choice in strategy.enabled(Kind.TERM):

        def work(params: ModuleParams, module: Module = choice.module) -> Term:
            checked = partial(contract_terms.term, ctx, module.name)
            term = answered(guard, module, ctx, params, checked)
            term_weights(ctx, [term.name])
            parts = (replace(part, raw=kept_to(module, part.raw)) for part in term.parts)
            return replace(term, parts=tuple(parts))

        run = guard.run(choice.module, ctx, choice.params, work, lambda term: len(term.parts))
        if run.value is not None:
            terms.append(run.value)
    weights = term_weights(ctx, [term.name for term in terms])
    return Objective(
        tuple(terms),
        MappingProxyType(weights),
        build_model(terms, weights, ctx.n + 1),
        charge_rates(ctx, weights),
    )
