"""The objective: score terms with their weights, the same as arrays, and the charges.

A part that is a black box has no array form. The search then proves the rest, and the best sets are
re-ranked by the full score; the certificate says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from steelyard.arrays import FloatArray, frozen
from steelyard.errors import ModuleError
from steelyard.modules.context import Context
from steelyard.modules.registry import Kind, ModuleParams
from steelyard.modules.terms import (
    LEAST_VARIANCE,
    BlackBox,
    Linear,
    Norm,
    Part,
    Quadratic,
    Separable,
    Term,
    end_state,
)
from steelyard.planning.guard import Guard, kept_to
from steelyard.planning.score.charges import ChargeRates, charge_rates
from steelyard.planning.score.model import ScoreModel, build_model
from steelyard.planning.score.weights import term_weights
from steelyard.strategies import ModuleChoice, Strategy

SPLIT = 1e-9
"""Most that the formula of a part and its arrays may differ; of the figure where that is over 1."""


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
        """Most that black boxes can move a score between two end states; None when one does not
        say.
        """
        deltas = [
            None if part.shape.max_delta is None else abs(factor) * part.shape.max_delta
            for _, part, factor in self.black_boxes
            if isinstance(part.shape, BlackBox)
        ]
        known = [delta for delta in deltas if delta is not None]
        return sum(known) if len(known) == len(deltas) else None


def objective_of(ctx: Context, strategy: Strategy, guard: Guard) -> Objective:
    """Run the score terms; one that fails is left out, named in `problems`, and the others take its
    weight.
    """
    terms: list[Term] = []
    for choice in strategy.enabled(Kind.TERM):

        def work(params: ModuleParams, chosen: ModuleChoice = choice) -> Term:
            term: Term = chosen.module.call(ctx, params)
            build_model([term], term_weights(ctx, [term.name]), ctx.n + 1)
            return replace(
                term, parts=tuple(_kept_part(chosen, term, part, ctx.n) for part in term.parts)
            )

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


def _kept_part(choice: ModuleChoice, term: Term, part: Part, n: int) -> Part:
    """The part, its formula held to its contract: finite, and the same as its arrays; checked once
    on two plain end states.

    Raises ModuleError where formula and arrays differ: the search would look for something else
    than what is published.
    """

    def raw(weights: FloatArray, cash: float) -> float:
        figure = float(part.raw(weights, cash))
        if not math.isfinite(figure):
            raise ModuleError(f"its part {part.name} gives {figure}")
        return figure

    for invested in (0.0, 0.5):
        weights = frozen(np.full(n, invested / max(n, 1)))
        cash = 1 - float(weights.sum())
        formula, arrays = raw(weights, cash), _by_arrays(part, end_state(weights, cash))
        if arrays is not None and not abs(formula - arrays) <= SPLIT * max(1.0, abs(formula)):
            at = f"Score term {term.name}, part {part.name}, with {invested:.0%} invested evenly"
            raise ModuleError(
                f"{at}: the formula gives {formula:.12g} and the arrays {arrays:.12g}. It was not "
                "scored."
            )
    return replace(part, raw=kept_to(choice.module, raw))


def _by_arrays(part: Part, z: FloatArray) -> float | None:
    """The raw figure by the part's array form; None for a black box, which has none."""
    match part.shape:
        case Linear(constant, slope):
            return constant + float(slope @ z)
        case Quadratic(constant, slope, curvature):
            return constant + float(slope @ z) - float(z @ curvature @ z)
        case Norm(variance):
            return -math.sqrt(max(float(z @ variance @ z), LEAST_VARIANCE))
        case Separable():
            return float(part.shape.each(z[:-1]).sum())
        case BlackBox():
            return None
