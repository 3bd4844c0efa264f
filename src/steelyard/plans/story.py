"""What a plan says of one symbol: a holding, candidates, an order, or why there is none."""

from __future__ import annotations

from typing import Any

from steelyard.errors import InputError, did_you_mean
from steelyard.plans.plan import Plan

PARTS = ("candidates", "not_traded", "problems", "warnings", "data_coverage")
"""Lists of the plan document whose entries name a symbol."""


def symbols_of(plan: Plan) -> list[str]:
    """Every symbol that the plan says something of, sorted."""
    rows = [*plan.holdings, *(entry for part in PARTS for entry in getattr(plan, part))]
    # a class that cannot be bought stands among what is not traded, as class:Name
    return sorted({row.symbol for row in rows if row.symbol})


def known_symbol(plan: Plan, symbol: str) -> str:
    """The symbol as the plan spells it; InputError, with the nearest, for an unknown symbol."""
    name = symbol.strip().upper()
    if name in plan.excluded:
        why_not = f"{name} was left out on your word (--exclude)"
        raise InputError(
            f"{why_not}, so nothing was calculated for it.",
            code="symbol_left_out",
            place="SYMBOL",
            value=name,
            hint="plan without --exclude of it",
        )
    symbols = {entry.upper(): entry for entry in symbols_of(plan)}
    if name in symbols:
        return symbols[name]
    near = did_you_mean(name, sorted(symbols))
    nothing = "it is not held, has no target and no candidate"
    raise InputError(
        f"The plan has nothing on {name}: {nothing}.{near}",
        code="no_such_symbol",
        place="SYMBOL",
        value=name,
        hint=near.strip(),
    )


def story(plan: Plan, symbol: str) -> dict[str, Any]:
    """Everything that the plan document says of one symbol, as plain JSON values."""
    document = plan.document()

    def entries(part: str) -> list[dict[str, Any]]:
        return [entry for entry in document[part] if entry["symbol"] == symbol]

    return {
        "symbol": symbol,
        "plan_id": plan.plan_id,
        "as_of": document["as_of"],
        "holding": next(iter(entries("holdings")), None),
        "class": _class(document, symbol),
        "holding_after": next(iter(entries("holdings_after")), None),
        "step": next(iter(entries("steps")), None),
        **{part: entries(part) for part in PARTS},
    }


def _class(document: dict[str, Any], symbol: str) -> dict[str, Any] | None:
    """The class with a target that it is in."""
    return next((row for row in document["classes"] if symbol in row["members"]), None)
