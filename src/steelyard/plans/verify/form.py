"""The form of a plan document, written down a second time: what may be calculated with.

`read` turns decimal strings and JSON numbers into `Decimal` and ISO dates into dates, and notes
every field that is missing or of another kind. What the form does not know is noted as not checked,
never refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from steelyard.plans.verify.tally import Tally

DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,60})?")
"""Amounts as they are published: no exponent, and no more digits than any calculation here
keeps.
"""
LEAST_NUMBER, LARGEST_NUMBER = 1e-300, 1e30


class Misfit(Exception):
    """A value is not of the kind that its place asks for; never leaves this module."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of single value by name."""

    name: str


@dataclass(frozen=True, slots=True)
class Maybe:
    """A value or null."""

    of: Any


@dataclass(frozen=True, slots=True)
class Sometimes:
    """A field that may be left out."""

    of: Any


@dataclass(frozen=True, slots=True)
class Many:
    """A list."""

    of: Any


@dataclass(frozen=True, slots=True)
class Named:
    """An object whose keys are names: currencies, facts."""

    of: Any


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """An object of which only these fields matter here; others are part of the form too."""

    fields: Mapping[str, Any]


AMOUNT, POSITIVE, NUMBER = (
    Kind("a decimal number as text"),
    Kind("a decimal number above 0 as text"),
    Kind("a number"),
)
COUNT, TEXT, FLAG, DAY = Kind("a whole number"), Kind("text"), Kind("true or false"), Kind("a date")
FACT, ANY = Kind("text or a number"), Kind("anything")

SIDE = OneOf(("buy", "sell"))
PAIR = (NUMBER, NUMBER)
LOT = {
    "acquired": Maybe(DAY),
    "quantity": AMOUNT,
    "unit_cost": Maybe(AMOUNT),
    "gain": Maybe(AMOUNT),
}
COSTS = {"total": AMOUNT, "commission": AMOUNT, "spread": AMOUNT, "fx": AMOUNT}
FACTS = Named(FACT)
NOTICE = {"code": TEXT, "message": TEXT, "module": Maybe(TEXT), "symbol": Maybe(TEXT)}
COST_RULES = {"fixed": NUMBER, "percent": NUMBER, "spread_bps": NUMBER, "fx_percent": NUMBER}
LIMITS = {
    "cash_reserve_weight": NUMBER,
    "min_trade_base": NUMBER,
    "min_trade_weight": NUMBER,
    "max_cost_share": NUMBER,
    "max_turnover_weight": Maybe(NUMBER),
    "max_position_weight": NUMBER,
    "max_group_weight": Maybe(NUMBER),
    "allow_buy": FLAG,
    "allow_sell": FLAG,
    "funding": OneOf(("proceeds", "settled")),
    "settlement_days": COUNT,
    "max_stale_sessions": COUNT,
    "pause_volatility_ratio": Maybe(NUMBER),
}
SCORE_SETTINGS = {
    "profile": TEXT,
    "anchors": Part({"tr": PAIR}),
    "holding_years": NUMBER,
    "cost_aversion": NUMBER,
    "order_hurdle": NUMBER,
    "min_improvement": NUMBER,
    "latch_share": NUMBER,
    "min_score_per_return": NUMBER,
    "tax_rate": NUMBER,
    "tax_years": NUMBER,
    "neutral": {
        "mu": NUMBER,
        "quality": NUMBER,
        "drawdown": NUMBER,
        "vol": NUMBER,
        "corr": NUMBER,
        "yield": NUMBER,
    },
}
MODULE = {"name": TEXT, "version": TEXT, "params": Named(ANY), "digest": Sometimes(TEXT)}
SETTINGS = Part(
    {
        "search": Part({"scope": TEXT, "max_depth": COUNT}),
        "rebalance": Part({"drift_band_weight": NUMBER}),
        "score": Part(SCORE_SETTINGS),
        "regime": Part({"enter": NUMBER, "leave": NUMBER, "window": COUNT}),
        "modules": Part({"filters": Many(MODULE)}),
    }
)
HOLDING = {
    "symbol": TEXT,
    "name": TEXT,
    "group": Maybe(TEXT),
    "quantity": AMOUNT,
    "sellable": AMOUNT,
    "lot_size": POSITIVE,
    "lot_value": AMOUNT,
    "is_fund": FLAG,
    "allow_buy": FLAG,
    "allow_sell": FLAG,
    "price": POSITIVE,
    "currency": TEXT,
    "fx_rate": POSITIVE,
    "value": AMOUNT,
    "weight": NUMBER,
    "target": Maybe(NUMBER),
    "band": Maybe(PAIR),
    "last_bought": Maybe(DAY),
    "last_sold": Maybe(DAY),
    "lots": Many(LOT),
}
CANDIDATE = {
    "id": TEXT,
    "symbol": TEXT,
    "side": SIDE,
    "quantity": AMOUNT,
    "price": POSITIVE,
    "currency": TEXT,
    "fx_rate": POSITIVE,
    "notional_base": AMOUNT,
    "cost": AMOUNT,
    "priority": NUMBER,
    "sources": Many(TEXT),
    "tags": Many(TEXT),
    "gain": NUMBER,
}
STEP = {
    "n": COUNT,
    "candidate": TEXT,
    "side": SIDE,
    "symbol": TEXT,
    "name": TEXT,
    "quantity": AMOUNT,
    "price": POSITIVE,
    "currency": TEXT,
    "fx_rate": POSITIVE,
    "notional": AMOUNT,
    "notional_base": AMOUNT,
    "costs": COSTS,
    "weight_before": NUMBER,
    "weight_after": NUMBER,
    "adds": NUMBER,
    "lots": Many(LOT),
    "tags": Many(TEXT),
    "proposed_by": Many(TEXT),
    "reason": TEXT,
    "narrative": TEXT,
    "facts": FACTS,
}
PART = {
    "name": TEXT,
    "share": NUMBER,
    "scale": PAIR,
    "raw_hold": NUMBER,
    "raw_plan": NUMBER,
    "hold": NUMBER,
    "plan": NUMBER,
}
SCORE = {
    "hold": NUMBER,
    "plan": NUMBER,
    "improvement": NUMBER,
    "min_improvement": NUMBER,
    "charges": {"cost": NUMBER, "tax": NUMBER, "hurdle": NUMBER},
    "terms": Many(
        {
            "name": TEXT,
            "weight": NUMBER,
            "hold": NUMBER,
            "plan": NUMBER,
            "off_scale": FLAG,
            "parts": Many(PART),
        }
    ),
}
CERTIFICATE = {
    "scope": OneOf(("proposals", "candidates")),
    "covers": TEXT,
    "selected_by": Maybe(TEXT),
    "status": OneOf(("proven", "bounded", "none")),
    "search_gap": Maybe(NUMBER),
    "search_gap_of_improvement": Maybe(NUMBER),
    "bound": Maybe(NUMBER),
    "structural_headroom": Maybe(NUMBER),
    "nodes": Maybe(COUNT),
    "candidates": COUNT,
    "sequences": COUNT,
    "seconds": Maybe(NUMBER),
}
ALTERNATIVE = {
    "name": TEXT,
    "score": NUMBER,
    "improvement": NUMBER,
    "cost": AMOUNT,
    "turnover": NUMBER,
    "drift_after": Maybe(NUMBER),
    "weights": Maybe(Named(NUMBER)),
    "proposed_by": Many(TEXT),
    "steps": Many({"side": SIDE, "symbol": TEXT, "quantity": AMOUNT}),
}
NOT_TRADED = {
    "candidate": Maybe(TEXT),
    "module": Maybe(TEXT),
    "symbol": TEXT,
    "side": Maybe(SIDE),
    "stage": TEXT,
    "rule": TEXT,
    "value": Maybe(NUMBER),
    "limit": Maybe(NUMBER),
    "margin": Maybe(NUMBER),
    "reason": TEXT,
    "facts": FACTS,
}
TOLD = {"text": TEXT, "facts": FACTS}
EXPLANATION = {
    "text": TEXT,
    "stability": {**TOLD, "resamples": COUNT, "share": NUMBER, "mean_regret": NUMBER},
    "counterfactuals": Many(
        {
            **TOLD,
            "name": TEXT,
            "setting": TEXT,
            "now": NUMBER,
            "then": NUMBER,
            "gain": NUMBER,
            "money": Maybe(AMOUNT),
        }
    ),
    "thresholds": Many(
        {
            **TOLD,
            "n": COUNT,
            "symbol": TEXT,
            "side": SIDE,
            "price_now": POSITIVE,
            "price": Maybe(POSITIVE),
            "off_target": Maybe(NUMBER),
        }
    ),
    "relaxations": Many(
        {**TOLD, "setting": TEXT, "now": NUMBER, "then": NUMBER, "improvement": NUMBER}
    ),
}
SCENARIO = {
    **TOLD,
    "name": TEXT,
    "fills": Many({"n": COUNT, "quantity": POSITIVE, "notional_base": AMOUNT}),
    "improvement": NUMBER,
    "cash_after": NUMBER,
    "keeps_reserve": FLAG,
}
LOOSENED = {
    **TOLD,
    "name": TEXT,
    "setting": TEXT,
    "now": NUMBER,
    "then": NUMBER,
    "unit": TEXT,
    "gain": NUMBER,
    "gain_per_unit": NUMBER,
    "steps": Many(
        {"side": SIDE, "symbol": TEXT, "quantity": AMOUNT, "relaxed_constraints": Many(TEXT)}
    ),
}
WHAT_IF = {
    "fills": Maybe(
        {**TOLD, "worst": NUMBER, "mean": NUMBER, "share": NUMBER, "scenarios": Many(SCENARIO)}
    ),
    "relaxations": Many(LOOSENED),
}
PLAN: Mapping[str, Any] = {
    "schema": TEXT,
    "plan_id": TEXT,
    "verdict": {
        "action": OneOf(("act", "hold")),
        "previous": Maybe(OneOf(("act", "hold"))),
        "text": TEXT,
        "detail": TEXT,
        "facts": FACTS,
    },
    "bucket": TEXT,
    "as_of": DAY,
    "prices_as_of": {"quotes": DAY, "history": DAY},
    "price_source": TEXT,
    "strategy": {"name": TEXT, "version": Maybe(COUNT), "sha256": TEXT, "settings": SETTINGS},
    "base_currency": TEXT,
    "value": AMOUNT,
    "cash": Named(AMOUNT),
    "cash_after": Named(AMOUNT),
    "cash_rates": Named(POSITIVE),
    "reserve": AMOUNT,
    "open_buys": AMOUNT,
    "open_orders": Many(
        {
            "symbol": TEXT,
            "side": SIDE,
            "quantity": AMOUNT,
            "price": Maybe(POSITIVE),
            "fx_rate": Maybe(POSITIVE),
        }
    ),
    "rules": {
        "costs": COST_RULES,
        "limits": LIMITS,
        "max_depth": COUNT,
        "min_order_base": AMOUNT,
        "drift_band_weight": NUMBER,
    },
    "excluded": Many(TEXT),
    "holdings": Many(HOLDING),
    "holdings_after": Many({"symbol": TEXT, "quantity": AMOUNT, "weight": NUMBER}),
    "candidates": Many(CANDIDATE),
    "steps": Many(STEP),
    "proposed_by": Many(TEXT),
    "conversions": Many(
        {"from": TEXT, "to": TEXT, "amount": AMOUNT, "rate": POSITIVE, "cost": AMOUNT}
    ),
    "score": SCORE,
    "objective": {"mode": OneOf(("targets", "none")), "profile": TEXT},
    "certificate": CERTIFICATE,
    "alternatives": Many(ALTERNATIVE),
    "drift": {
        "before": Maybe(NUMBER),
        "after": Maybe(NUMBER),
        "absent_target": NUMBER,
        "absent": Many({"symbol": TEXT, "target": NUMBER, "why": TEXT}),
    },
    "turnover": NUMBER,
    "costs": {**COSTS, "tax": Maybe(AMOUNT)},
    "cash_ladder": Many(
        {
            "date": DAY,
            "currency": TEXT,
            "balance": AMOUNT,
            "kind": OneOf(("traded", "settled")),
            "estimated": FLAG,
        },
    ),
    "not_traded": Many(NOT_TRADED),
    "problems": Many(NOTICE),
    "warnings": Many(NOTICE),
    "data_coverage": Many({"symbol": TEXT, "metric": TEXT, "used": Maybe(NUMBER)}),
    "reproducible": FLAG,
    "modules": Many(
        {
            "kind": TEXT,
            "name": TEXT,
            "version": TEXT,
            "count": Maybe(COUNT),
            "error": Maybe(TEXT),
            "outcome": TEXT,
        }
    ),
    "timings": Many({"name": TEXT, "seconds": NUMBER}),
    "seed": COUNT,
    "inputs_sha256": TEXT,
    "explanation": Maybe(EXPLANATION),
    "what_if": Maybe(WHAT_IF),
    "regime": {
        "name": OneOf(("bull", "bear", "sideways", "unknown")),
        "distance": Maybe(NUMBER),
        "observations": COUNT,
    },
}


def read(document: Mapping[str, Any], tally: Tally) -> dict[str, Any] | None:
    """The document ready to calculate with; None, and why, when it has not the form of a plan."""
    found = _read(PLAN, document, "", tally)
    misfits = [check for check in tally.checks if not check.ok]
    return None if misfits else found


def _read(form: Any, value: Any, where: str, tally: Tally) -> Any:
    match form:
        case Maybe(of):
            return None if value is None else _read(of, value, where, tally)
        case Many(of) if isinstance(value, list | tuple):
            return [_read(of, one, f"{where}[{n}]", tally) for n, one in enumerate(value)]
        case Named(of) if isinstance(value, Mapping):
            return {str(key): _read(of, one, f"{where}.{key}", tally) for key, one in value.items()}
        case Part(fields) if isinstance(value, Mapping):
            return {key: _field(kind, value, key, where, tally) for key, kind in fields.items()}
        case dict() if isinstance(value, Mapping):
            return _record(form, value, where, tally)
        case tuple() if isinstance(value, list | tuple) and len(value) == len(form):
            return tuple(
                _read(kind, one, f"{where}[{n}]", tally)
                for n, (kind, one) in enumerate(zip(form, value, strict=True))
            )
    try:
        return _single(form, value)
    except Misfit as misfit:
        tally.rule(
            "has the form of a plan", where or "the document", False, str(misfit), _short(value)
        )
        return None


def _record(
    form: Mapping[str, Any], value: Mapping[str, Any], where: str, tally: Tally
) -> dict[str, Any]:
    for key in value:
        if key not in form:
            path = re.sub(r"\[[0-9]+\]", "[]", f"{where}.{key}".lstrip("."))
            tally.skip(path, "this version of verify does not know the field")
    return {key: _field(kind, value, key, where, tally) for key, kind in form.items()}


def _field(kind: Any, value: Mapping[str, Any], key: str, where: str, tally: Tally) -> Any:
    path = f"{where}.{key}".lstrip(".")
    if isinstance(kind, Sometimes):
        return _read(kind.of, value[key], path, tally) if key in value else None
    if key not in value:
        tally.rule(
            "has the form of a plan", path, False, _name(kind), "nothing: the field is missing"
        )
        return None
    return _read(kind, value[key], path, tally)


def _single(form: Any, value: Any) -> Any:
    """One value of its kind; raises Misfit naming the kind."""
    if isinstance(value, str):
        if form is TEXT or form is FACT or (isinstance(form, OneOf) and value in form.words):
            return value
        if (form is AMOUNT or form is POSITIVE) and DECIMAL.fullmatch(value):
            amount = Decimal(value)
            if form is AMOUNT or amount > 0:
                return amount
        if form is DAY:
            return _day(value)
    elif _is_number(value):
        if form is NUMBER or form is FACT:
            return Decimal(repr(value))
        if form is COUNT and isinstance(value, int):
            return value
    if form is ANY or (form is FLAG and isinstance(value, bool)):
        return value
    raise Misfit(_name(form))


def _is_number(value: Any) -> bool:
    # no comparison with NaN holds, so neither NaN nor infinity passes
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and (value == 0 or LEAST_NUMBER <= abs(value) <= LARGEST_NUMBER)
    )


def _day(value: str) -> date:
    try:
        day = date.fromisoformat(value)
    except ValueError as error:
        raise Misfit(DAY.name) from error
    if day.isoformat() != value:
        raise Misfit(DAY.name)
    return day


def _name(form: Any) -> str:
    match form:
        case Kind(name):
            return name
        case Maybe(of):
            return f"{_name(of)} or null"
        case OneOf(words):
            return " or ".join(words)
        case Many() | tuple():
            return "a list"
    return "an object"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHORT else f"{text[:SHORT]}..."


SHORT = 60
