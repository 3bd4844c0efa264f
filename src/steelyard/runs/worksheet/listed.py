"""A worksheet as plain JSON values: decimals as text, fractions with 12 digits."""

from __future__ import annotations

from typing import Any

from steelyard.canonical import plain, published
from steelyard.runs.worksheet.records import Broken, Figures, Row, Standing
from steelyard.sentences import cased, facts_of

SCHEMA = "steelyard.worksheet/1"


def document(figures: Figures) -> dict[str, Any]:
    """The figures as JSON values."""
    against = figures.against
    return {
        "schema": SCHEMA,
        "plan_id": figures.plan_id,
        "base_currency": figures.base_currency,
        "headline": figures.headline.text,
        "sentences": [sentence.text for sentence in figures.sentences],
        "may_be_traded": figures.may_be_traded,
        "changed": list(figures.changed),
        "locked": sorted(figures.edits.locked),
        "against": {
            "score": published(against.score),
            "base_per_year": plain(against.base_per_year),
            "drift": _number(against.drift),
            "cost": plain(against.cost),
        },
        "before": _standing(figures.before),
        "calculated": _standing(figures.calculated),
        "edited": _standing(figures.edited),
        "broken": [_broken(limit) for limit in figures.broken],
        "rows": [_row(row) for row in figures.rows],
    }


def _standing(standing: Standing) -> dict[str, Any]:
    return {
        "orders": standing.orders,
        "score": published(standing.score),
        "net": published(standing.net),
        "drift": _number(standing.drift),
        "costs": standing.costs.model_dump(mode="json"),
        "turnover": published(standing.turnover),
        "cash": {currency: plain(amount) for currency, amount in standing.cash.items()},
        "lowest": {
            currency: {"amount": plain(low.amount), "on": low.on.isoformat()}
            for currency, low in standing.lowest.items()
        },
        "cash_weight": published(standing.cash_weight),
        "outside": list(standing.outside),
    }


def _broken(limit: Broken) -> dict[str, Any]:
    return {
        "code": limit.code,
        "text": cased(limit.why.text),
        "template": limit.why.template,
        "facts": facts_of(limit.why),
        "value": _number(limit.value),
        "limit": _number(limit.limit),
        "symbol": limit.symbol,
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "symbol": row.symbol,
        "name": row.name,
        "currency": row.currency,
        "lot": plain(row.lot),
        "owned": plain(row.owned),
        "price": plain(row.price),
        "fx_rate": plain(row.fx_rate),
        "calculated": plain(row.calculated),
        "edited": plain(row.edited),
        "locked": row.locked,
        "notional_base": plain(row.notional_base),
        "cost": plain(row.cost),
        "weight": published(row.weight),
        "weight_calculated": published(row.weight_calculated),
        "weight_after": published(row.weight_after),
        "target": _number(row.target),
        "band": None if row.band is None else [published(edge) for edge in row.band],
        "adds": _number(row.adds),
        "broken": [limit.code for limit in row.broken],
    }


def _number(figure: float | None) -> float | None:
    return None if figure is None else published(figure)
