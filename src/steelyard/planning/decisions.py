"""What the inputs leave open, decided once and said first: caps, types, targets without a price."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from steelyard.errors import PlanRefused
from steelyard.modules.context import AbsentTarget, Context
from steelyard.notices import Notice
from steelyard.planning.case import Case
from steelyard.planning.findings import Findings
from steelyard.planning.kept_out import WHAT, WHY_ABSENT
from steelyard.portfolio import Security
from steelyard.sentences import percent
from steelyard.strategies import Strategy
from steelyard.targets import is_class

CAP = "limits.max_position_weight"
NAMED = 5
"""Symbols that a notice names; the others it counts."""
TYPES = "EQUITY, ETF, ETC, MUTUALFUND, BOND, CRYPTO"
WHAT_HELPS = {
    WHY_ABSENT["no_rate"]: "give its exchange rate",
    WHY_ABSENT["stale_rate"]: "give a newer exchange rate",
    WHY_ABSENT["stale_price"]: "give a newer price",
    WHY_ABSENT["price_jump"]: "correct its price or accept it",
}
"""Why a target cannot be bought -> what to do; what is not listed lacks a price."""
SAY_TYPE = "say product_type in the securities file (--securities)"


def refuse_cap_against_target(case: Case) -> None:
    """Raise PlanRefused for a cap in a file of the user's that a target of theirs is over."""
    targets, strategy = case.target_weights, case.strategy
    cap = strategy.limits.max_position_weight
    if targets is None or not strategy.is_written(CAP):
        return
    snapshot = case.snapshot
    over = [
        (symbol, weight)
        for symbol, weight in sorted(targets.weights.items())
        if weight > cap and symbol not in snapshot.excluded
        if not (snapshot.security(symbol) or Security(symbol, "")).is_spread
    ]
    if not over:
        return
    named, place = _with_weights(over), f'strategy "{strategy.name}", {CAP}'
    unknown = [s for s, _ in over if (listed := snapshot.security(s)) and listed.is_unknown]
    hint = "Raise the cap, lower the target, or leave the cap out: a default gives way to a target."
    if unknown:
        hint += f" Funds are exempt: {SAY_TYPE} for {_listed(unknown)}, which no file says."
    raise PlanRefused(
        f"The cap of {percent(cap)} % on a single name, which the strategy file says "
        f"({place}), is under the targets of the targets file: {named}. Nothing was planned. "
        f"{hint}",
        code="cap_against_target",
        place=f"{place}; targets: {_listed([symbol for symbol, _ in over])}",
        value=max(weight for _, weight in over),
        limit=cap,
        hint=hint,
    )


def note_decisions(ctx: Context, strategy: Strategy, findings: Findings) -> None:
    """Say first what was decided about the inputs."""
    findings.warnings.extend(_unpriced(ctx))
    findings.warnings.extend(_cap_gave_way(ctx, strategy))
    findings.warnings.extend(_unknown_types(ctx))


def _cap_gave_way(ctx: Context, strategy: Strategy) -> Iterable[Notice]:
    """The default cap is under targets: they win."""
    cap = ctx.limits.max_position_weight
    if ctx.target_weights is None:
        return
    over = np.flatnonzero(np.isfinite(ctx.caps) & (ctx.target_weights > cap))
    if not len(over):
        return
    named = _with_weights([(ctx.symbols[i], float(ctx.target_weights[i])) for i in over])
    message = (
        f"The cap of {percent(cap)} % on a single name ({CAP}, {strategy.source(CAP)}) gave way "
        f"to your targets over it: {named}. A cap that your own strategy file says is kept."
    )
    yield _first("cap_gave_way", message, [ctx.symbols[i] for i in over])


def _unknown_types(ctx: Context) -> Iterable[Notice]:
    """Without targets only the type says whether a large holding is too large: ask for it."""
    if ctx.target_weights is not None:
        return
    unknown = [ctx.symbols[i] for i in np.flatnonzero(ctx.held) if ctx.securities[i].is_unknown]
    if unknown:
        its = "it is" if len(unknown) == 1 else "each is"
        message = (
            f"{_listed(unknown)}: one name, or a fund? No file says, so nothing is sold for being "
            f"too much in one name, and no buy goes over the cap. If you know what {its}, "
            f"{SAY_TYPE}: {TYPES}."
        )
        yield _first("unknown_type", message, unknown)


def _unpriced(ctx: Context) -> Iterable[Notice]:
    """Targets that cannot be bought, and what is not sold for want of a target meanwhile."""
    absent = ctx.unpriced
    if not absent:
        return
    named = ", ".join(
        f"{target.symbol} {percent(target.target)} % ({target.why})" for target in absent[:NAMED]
    )
    total = math.fsum(target.target for target in absent)
    more = f" and {len(absent) - NAMED} more" if len(absent) > NAMED else ""
    what = "A target" if len(absent) == 1 else f"{len(absent)} targets"
    message = (
        f"{what} cannot be bought: {named}{more}. For {percent(total)} % of value no order is made"
    )
    waiting = [ctx.symbols[i] for i in np.flatnonzero(ctx.sales_wait)]
    if waiting:
        message += f", and nothing was sold for having no target: {_listed(waiting)}"
    advice = [*dict.fromkeys(map(_advice, absent))]
    message += f". {', '.join(advice).capitalize()}, and plan again."
    priced = all(target.why in WHAT.values() for target in absent)
    code = "target_not_traded" if priced else "target_without_price"
    yield _first(code, message, [target.symbol for target in absent])


def _advice(target: AbsentTarget) -> str:
    """What would have it bought."""
    if is_class(target.symbol):
        return "correct the class or what is in it"
    if target.why == WHAT["short"]:
        return "close the short position or leave its target out"
    if target.why in WHAT.values():
        return f"leave the target of the {target.why} out"
    return WHAT_HELPS.get(target.why, "correct the symbol or give its price")


def _first(code: str, message: str, symbols: Sequence[str]) -> Notice:
    only = symbols[0] if len(symbols) == 1 else None
    return Notice(code=code, message=message, symbol=only, head=True)


def _with_weights(targets: Sequence[tuple[str, float]]) -> str:
    named = ", ".join(f"{symbol} {percent(weight)} %" for symbol, weight in targets[:NAMED])
    more = len(targets) - NAMED
    return named + (f" and {more} more" if more > 0 else "")


def _listed(symbols: Sequence[str]) -> str:
    more = len(symbols) - NAMED
    return ", ".join(symbols[:NAMED]) + (f" and {more} more" if more > 0 else "")
