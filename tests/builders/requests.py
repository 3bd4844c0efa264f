"""The documents' self-contained requests: small ones, and the recorded inputs in a chain."""

from __future__ import annotations

import gzip
import json
from functools import cache
from typing import Any

from benchmarks.seed_baseline import DATA

from steelyard.services.documents.asked import evaluate, generate, identify
from steelyard.services.wire import (
    CreatePlanRequest,
    EvaluateSequencesRequest,
    EvaluateSequencesResponse,
    GenerateSequencesRequest,
    IdentifyOpportunitiesRequest,
    IdentifyOpportunitiesResponse,
)

LISTS = (
    "profit_taking",
    "averaging_down",
    "rebalance_sells",
    "rebalance_buys",
    "opportunity_buys",
)
RULES: dict[str, Any] = {"max_depth": 5, "priority_threshold": 0.1, "min_trade_value": 0.0}
"""Rules of the whole plan that each service of the chain is told."""


ACCOUNT = {
    "total_value_eur": 20_000.0,
    "available_cash": 3_000.0,
    "invested_value": 17_000.0,
    "num_positions": 2,
}
POSITIONS = [
    {"symbol": "AAA", "quantity": 100, "average_cost": 80.0, "current_price": 100.0},
    {"symbol": "BBB", "quantity": 70, "average_cost": 90.0, "current_price": 100.0},
]
SECURITIES = [
    {"symbol": symbol, "name": symbol, "current_price": 100.0} for symbol in ("AAA", "BBB", "CCC")
]
TARGETS = {"AAA": 0.3, "BBB": 0.35, "CCC": 0.25}
DAY = "2026-11-20"


def order(side: str, symbol: str, quantity: float, **more: Any) -> dict[str, Any]:
    """A possible trade at a price of 100."""
    price = more.pop("price", 100.0)
    value = {"quantity": quantity, "price": price, "value_eur": price * quantity}
    return {"side": side, "symbol": symbol, **value, **more}


def planning(**changes: Any) -> CreatePlanRequest:
    """A small request of a plan."""
    return CreatePlanRequest.model_validate(
        {
            "portfolio_context": ACCOUNT,
            "positions": POSITIONS,
            "securities": SECURITIES,
            "available_cash": 3_000.0,
            "target_weights": TARGETS,
            "as_of": DAY,
            **changes,
        }
    )


def evaluating(*sequences: Any, **changes: Any) -> EvaluateSequencesRequest:
    """Sequences in the same account."""
    return EvaluateSequencesRequest.model_validate(
        {
            "sequences": sequences,
            "portfolio_context": ACCOUNT,
            "positions": POSITIONS,
            "securities": SECURITIES,
            "target_weights": TARGETS,
            "as_of": DAY,
            **changes,
        }
    )


def generating(opportunities: Any, **changes: Any) -> GenerateSequencesRequest:
    """Possible trades in the same account."""
    return GenerateSequencesRequest.model_validate(
        {
            "opportunities": opportunities,
            "feasibility": {"available_cash": 3_000.0},
            "portfolio_context": ACCOUNT,
            "positions": POSITIONS,
            "securities": SECURITIES,
            "target_weights": TARGETS,
            "as_of": DAY,
            **changes,
        }
    )


OPPORTUNITIES = {
    "rebalance_sells": [
        order("SELL", "AAA", quantity, priority=0.8, reason="over target") for quantity in (20, 40)
    ],
    "rebalance_buys": [
        order("BUY", "CCC", quantity, priority=0.9, reason="under target")
        for quantity in (20, 25, 50)
    ],
}


@cache
def recorded(n: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Portfolio and closes of one of the recorded inputs."""
    portfolio = json.loads((DATA / f"portfolio_n{n:03d}.json").read_text(encoding="ascii"))
    closes = json.loads(gzip.decompress((DATA / f"closes_n{n:03d}.json.gz").read_bytes()))
    return portfolio, closes


def _account(portfolio: dict[str, Any]) -> dict[str, Any]:
    invested = sum(p["market_value_eur"] for p in portfolio["positions"])
    return {
        "total_value_eur": portfolio["total_value_eur"],
        "available_cash": portfolio["cash_eur"],
        "invested_value": invested,
        "num_positions": len(portfolio["positions"]),
    }


def _positions(portfolio: dict[str, Any]) -> list[dict[str, Any]]:
    of = {s["symbol"]: s for s in portfolio["securities"]}
    return [
        {
            "symbol": p["symbol"],
            "quantity": p["quantity"],
            "average_cost": p["avg_price"],
            "current_price": of[p["symbol"]]["price"],
            "value_eur": p["market_value_eur"],
            "currency": of[p["symbol"]]["currency"],
            "first_bought_at": p["first_bought_at"],
        }
        for p in portfolio["positions"]
    ]


def _securities(portfolio: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "symbol": s["symbol"],
            "name": s["name"],
            "current_price": s["price"],
            "currency": s["currency"],
            "industry": portfolio["industry_to_group"][s["industry"]],
            "country": portfolio["country_to_group"][s["country"]],
            "min_lot": float(s["min_lot"]),
            "dividend_yield": s["dividend_yield"],
            "quality": s["quality_score"],
            "priority_multiplier": float(s["priority_multiplier"]),
            "allow_buy": s["allow_buy"],
            "allow_sell": s["allow_sell"],
        }
        for s in portfolio["securities"]
    ]


def _ours(n: int) -> dict[str, Any]:
    """What every request of an input says beside the documents' fields."""
    portfolio, closes = recorded(n)
    rates = {c: r for c, r in portfolio["fx_eur_per_unit"].items() if c != "EUR"}
    return {
        "as_of": portfolio["meta"]["as_of"],
        "exchange_rates": rates,
        "closes": {"dates": closes["dates"], "prices": closes["closes"], "adjusted": False},
        "target_weights": portfolio["target_weights"],
        "current_prices": {s["symbol"]: s["price"] for s in portfolio["securities"]},
    }


def plan_request(n: int, **parameters: Any) -> CreatePlanRequest:
    """The request of a plan of a recorded input."""
    portfolio, _ = recorded(n)
    return CreatePlanRequest.model_validate(
        {
            **_ours(n),
            "portfolio_context": _account(portfolio),
            "positions": _positions(portfolio),
            "securities": _securities(portfolio),
            "available_cash": portfolio["cash_eur"],
            "parameters": {**RULES, **parameters},
        }
    )


def in_a_chain(
    n: int, beam_width: int
) -> tuple[IdentifyOpportunitiesResponse, int, EvaluateSequencesResponse]:
    """Opportunities, how many sequences were made of them, and the best of these."""
    portfolio, _ = recorded(n)
    ours, account = _ours(n), _account(portfolio)
    positions, securities = _positions(portfolio), _securities(portfolio)
    found_lists = identify(identify_request(n))
    made = GenerateSequencesRequest.model_validate(
        {
            **ours,
            "opportunities": json.loads(found_lists.model_dump_json()),  # as it came
            "feasibility": {
                "available_cash": portfolio["cash_eur"],
                "min_trade_value": RULES["min_trade_value"],
            },
            "combinatorial": {
                "max_depth": RULES["max_depth"],
                "priority_threshold": RULES["priority_threshold"],
            },
            "portfolio_context": account,
            "positions": positions,
            "securities": securities,
        }
    )
    sequences = [sequence for batch in generate(made) for sequence in batch.sequences]
    request = EvaluateSequencesRequest.model_validate(
        {
            **ours,
            "sequences": [[a.model_dump() for a in sequence] for sequence in sequences],
            "portfolio_context": account,
            "positions": positions,
            "securities": securities,
            "settings": {"beam_width": beam_width},
        }
    )
    return found_lists, len(sequences), evaluate(request)


def identify_request(n: int) -> IdentifyOpportunitiesRequest:
    """The same input in the opportunity service's shapes."""
    portfolio, _ = recorded(n)
    securities = []
    for security in _securities(portfolio):
        security.pop("current_price")
        securities.append({**security, "isin": ""})
    positions = [
        {
            "symbol": p["symbol"],
            "quantity": p["quantity"],
            "avg_price": p["average_cost"],
            "market_value_eur": p["value_eur"],
            "currency": p["currency"],
            "first_bought_at": p["first_bought_at"],
        }
        for p in _positions(portfolio)
    ]
    return IdentifyOpportunitiesRequest.model_validate(
        {
            **_ours(n),
            "portfolio_context": {"total_value": portfolio["total_value_eur"]},
            "positions": positions,
            "securities": securities,
            "available_cash": portfolio["cash_eur"],
        }
    )
