"""Diversification: how the invested part is spread over names, sectors, countries and things that
move together.

Intent: no single name, sector, country or common movement should decide the outcome.
Cash is looked through into the neutral mix m, u = w + c m, so it is neither punished nor rewarded
here; counted as perfectly spread it made plans sell into cash. With B = [I | m], u = B z.
Formula, each with its own anchors:
    conc     -sum of (u_i - rho_i)^2 / nu_i            nu = 1 for a share, `fund_names` for a fund
    ind      -sum over sectors of (A_g' u - T_g)^2     A (n, g), rows sum to 1
    country  the same over countries
    rao      -(u - rho)' R (u - rho)                   R = shrunk correlation
    slope of each -2 B' M (B z - aim), M = diag(1 / nu), A A', R, all positive semidefinite
Aims: without targets rho = 0 and T = 0 (Herfindahl index; Rao's quadratic entropy less one). With
targets rho = m and T = A' m, so that the owner's own composition scores 1 with slope 0. Sector or
country targets of the strategy replace T in their part, with or without security targets; groups
without a target then have T = 0, and a target of a group that nobody in the planning set has is
left out, since no trade can change it.
A part that measures from an aim has anchors (lo - hi, 0): the same width as the plain one.
A grouping with fewer than two groups drops out and the shares of the others are rescaled.
Unit: squared weight.
Source: Herfindahl (1950); Rao, Diversity and dissimilarity coefficients (1982).
"""

from __future__ import annotations

import math

import numpy as np

from steelyard.arrays import (
    Factored,
    FloatArray,
    Matrix,
    diagonal_matrix,
    dot,
    frozen,
    gram,
    product,
    written_out,
)
from steelyard.modules.context import Context, Grouping
from steelyard.modules.registry import ModuleParams, score_term
from steelyard.modules.terms import Part, Quadratic, Term, end_state
from steelyard.settings import Anchor


class Params(ModuleParams):
    """None of its own: anchors, shares, `fund_names` are of the score, targets of `groups`."""


@score_term("diversification", version="1.0.0", params=Params, tags=("risk",))
def diversification(ctx: Context, _: Params) -> Term:
    """Spread over names, sectors, countries and common movement, cash looked through."""
    shares = _shares(ctx)
    parts = {
        "conc": lambda share: _concentration(ctx, share),
        "ind": lambda share: _groups(
            ctx, "ind", share, ctx.sectors, ctx.groups.sector, ctx.score.anchors.ind
        ),
        "country": lambda share: _groups(
            ctx, "country", share, ctx.countries, ctx.groups.country, ctx.score.anchors.country
        ),
        "rao": lambda share: _common_movement(ctx, share),
    }
    return Term("diversification", tuple(parts[name](share) for name, share in shares.items()))


def _shares(ctx: Context) -> dict[str, float]:
    """Shares of the parts that can vary; they sum to 1.

    If only parts that cannot vary have a share, all stay: the term is then constant and decides
    nothing.
    """
    asked = ctx.score.diversification_parts.normalised()
    silent = {
        name
        for name, grouping in (("ind", ctx.sectors), ("country", ctx.countries))
        if not grouping.counts
    }
    shares = {name: share for name, share in asked.items() if name not in silent}
    total = math.fsum(shares.values())
    return {name: share / total for name, share in shares.items()} if total > 0 else asked


def _concentration(ctx: Context, share: float) -> Part:
    names = np.where(ctx.single_name, 1.0, ctx.score.fund_names)
    aim = _aim(ctx)

    def raw(weights: FloatArray, cash: float) -> float:
        return -math.fsum(((_seen(ctx, weights, cash) - aim) ** 2 / names).tolist())

    anchor = _anchor(ctx.score.anchors.conc, from_aim=ctx.target_weights is not None)
    shape = _quadratic(ctx, diagonal_matrix(1 / names, ctx.n), aim / names, dot(aim, aim / names))
    return Part("conc", share, *anchor, raw, shape)


def _common_movement(ctx: Context, share: float) -> Part:
    correlation = ctx.estimates.correlation
    aim = _aim(ctx)

    def raw(weights: FloatArray, cash: float) -> float:
        off = _seen(ctx, weights, cash) - aim
        return -math.fsum((off * product(correlation, off)).tolist())

    anchor = _anchor(ctx.score.anchors.rao, from_aim=ctx.target_weights is not None)
    pull = product(correlation, aim)
    return Part("rao", share, *anchor, raw, _quadratic(ctx, correlation, pull, dot(aim, pull)))


def _groups(
    ctx: Context,
    name: str,
    share: float,
    grouping: Grouping,
    targets: dict[str, float],
    anchor: Anchor,
) -> Part:
    columns = np.ascontiguousarray(grouping.shares.T)
    aim = (
        np.array([targets.get(label, 0.0) for label in grouping.labels])
        if targets
        else product(columns, _aim(ctx))
    )

    def raw(weights: FloatArray, cash: float) -> float:
        sizes = product(columns, _seen(ctx, weights, cash))
        return -math.fsum(((sizes - aim) ** 2).tolist())

    scale = _anchor(anchor, from_aim=bool(targets) or ctx.target_weights is not None)
    together, pull = _in_one_group(grouping.shares), product(grouping.shares, aim)
    return Part(name, share, *scale, raw, _quadratic(ctx, together, pull, dot(aim, aim)))


def _in_one_group(shares: FloatArray) -> Matrix:
    """A A' (n, n) of shares A (n, g)."""
    n, groups = shares.shape
    return gram(shares) if written_out(n) else Factored(np.zeros(n), shares, np.ones(groups))


def _aim(ctx: Context) -> FloatArray:
    """rho (n,): the composition to measure from; nothing at all without targets."""
    return np.zeros(ctx.n) if ctx.target_weights is None else ctx.neutral_mix


def _anchor(plain: Anchor, *, from_aim: bool) -> Anchor:
    """A distance from an aim is 0 at best; the width stays, so the curvature does too."""
    lo, hi = plain
    return (lo - hi, 0.0) if from_aim else plain


def _seen(ctx: Context, weights: FloatArray, cash: float) -> FloatArray:
    """u (n,) = w + c m, cash looked through into the neutral mix."""
    return np.asarray(weights + cash * ctx.neutral_mix)


def _quadratic(ctx: Context, M: Matrix, pull: FloatArray, offset: float) -> Quadratic:
    """-(u' M u - 2 pull . u + offset) in terms of z = (w, c), where u = B z.

    M     (n, n)  positive semidefinite
    pull  (n,)
    """
    mix = ctx.neutral_mix
    slope = frozen(2 * end_state(pull, dot(mix, pull)))
    if isinstance(M, Factored):
        return Quadratic(-offset, slope, _seen_through(M, mix))
    seen = product(M, mix)
    curvature = np.empty((ctx.n + 1, ctx.n + 1))
    curvature[:-1, :-1] = M
    curvature[:-1, -1] = curvature[-1, :-1] = seen
    curvature[-1, -1] = dot(mix, seen)
    return Quadratic(-offset, slope, frozen(curvature))


def _seen_through(M: Factored, mix: FloatArray) -> Factored:
    """B' M B (n + 1, n + 1) as factors.

    B' diag(d) B is diag(d) and a row and a column for cash, b e' + e b' with b = (d m, m'd m / 2),
    e = (0, 1): half of (b + e)(b + e)' less half of (b - e)(b - e)', both of one size.
    """
    cash = np.einsum("nk,n->k", M.factors, mix)
    factors, diagonal = np.vstack([M.factors, cash]), np.append(M.diagonal, 0.0)
    pull = M.diagonal * mix
    if not pull.any():
        return Factored(diagonal, factors, M.weights)
    border, size = end_state(pull, dot(mix, pull) / 2), math.sqrt(float(np.abs(pull).max()))
    sides = np.repeat(border[:, None] / size, 2, axis=1)
    sides[-1] += [size, -size]
    return Factored(diagonal, np.hstack([factors, sides]), np.append(M.weights, [0.5, -0.5]))
