"""The documents' records: prices, currencies and dates, and what is not usable is refused."""

from __future__ import annotations

import asyncio
import math
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from builders.compat import Rates, plan, refusal, sides, trades
from steelyard.compat import (
    HolisticPlanner,
    PlannerContext,
    PortfolioContext,
    Position,
    Security,
    process_planner_batch_job,
)
from steelyard.errors import InputError, PlanRefused
from steelyard.market import Market
from steelyard.money import FxRate, FxTable


def test_prices_come_from_the_caller_then_the_position_then_its_cost(small: PlannerContext):
    acme, bolt = small.positions
    context = replace(
        small, positions=(acme, replace(bolt, current_price=None)), current_prices={"ACME": 90.0}
    )

    made = plan(context)

    assert {held.symbol: float(held.price) for held in made.document.holdings} == {
        "ACME": 90,
        "BOLT": 60,
    }
    assert "BOLT costs now: the average cost was used" in made.warnings[0]


def test_a_position_s_own_price_is_used_and_said(small: PlannerContext):
    assert "ACME, BOLT: the current_price of the position" in plan(small).warnings[0]


def test_a_history_gives_prices_and_statistics(bundled: PlannerContext):
    silent = replace(
        bundled,
        portfolio_context=replace(bundled.portfolio_context, history=None),
        base_currency=None,
    )

    with_history, without = plan(bundled), plan(silent)

    assert len(without.document.data_coverage) > len(with_history.document.data_coverage)
    assert any("current_price of the position" in said for said in without.warnings)
    assert not any("current_price of the position" in said for said in with_history.warnings)


def test_a_position_without_any_price_refuses_the_plan(small: PlannerContext):
    with pytest.raises(PlanRefused, match="CORE"):
        plan(replace(small, positions=(*small.positions, Position(symbol="CORE", quantity=3))))


def test_a_foreign_position_without_a_rate_refuses_the_plan(foreign: PlannerContext):
    with pytest.raises(PlanRefused, match="USD"):
        plan(foreign)


def test_a_rate_is_base_for_one_of_currency_from_position_or_service(foreign: PlannerContext):
    acme, bolt = foreign.positions
    stated = replace(foreign, positions=(acme, replace(bolt, currency_rate=0.5)))

    own, served = plan(stated), plan(foreign, services={"exchange_rate_service": Rates()})

    assert (
        float(own.document.value) == float(served.document.value) == 10_000 + 40 * 50 * 0.5 + 1000
    )


def test_several_currencies_need_a_base(foreign: PlannerContext):
    with pytest.raises(InputError, match="base_currency"):
        plan(replace(foreign, base_currency=None))


def test_values_that_say_otherwise_are_told_and_not_used(small: PlannerContext):
    context = replace(
        small,
        portfolio_context=PortfolioContext(positions={"ACME": 5000, "GONE": 7}, total_value=99.0),
    )

    made = plan(context)

    told = " ".join(made.warnings)
    assert float(made.document.value) == 13_000
    assert all(
        part in told
        for part in ("ACME is worth 10,000.00", "values GONE at 7.00", "total_value is 99.00")
    )


def test_positions_of_two_buckets_are_not_one_plan(small: PlannerContext):
    acme, bolt = small.positions
    with pytest.raises(InputError, match="core, other"):
        plan(replace(small, positions=(acme, replace(bolt, bucket_id="other"))))


def position(symbol: str = "ACME", quantity: Any = 1.0, **fields: Any) -> Position:
    return Position(symbol=symbol, quantity=quantity, **fields)


def acme(**fields: Any) -> dict[str, Any]:
    """Records with this position alone."""
    return {"positions": (position(**fields),)}


def listed(**fields: Any) -> dict[str, Any]:
    """Records with this security alone."""
    return {"securities": (Security(symbol="ACME", **fields),)}


def facts(**fields: Any) -> dict[str, Any]:
    return {"portfolio_context": PortfolioContext(**fields)}


DOLLARS = tuple(
    position(s, currency="USD", currency_rate=rate) for s, rate in (("ACME", 0.9), ("BOLT", 0.5))
)
UNUSABLE: list[tuple[dict[str, Any], str]] = [
    (acme(quantity=-1.0), "quantity of ACME is -1.0"),
    (acme(quantity=None), "quantity of ACME is None"),
    (acme(quantity=False), "quantity of ACME is False"),
    (acme(current_price=math.nan), "current_price of ACME is nan"),
    (acme(first_bought_at="soon"), "first_bought_at of ACME is 'soon'"),
    (acme(currency_rate=3.0), "currency_rate of ACME is 3 EUR.*account's currency"),
    ({"positions": (position(), position())}, "more than one position"),
    (
        {"positions": DOLLARS, "securities": ()},
        "currency_rate of BOLT is 0.5 EUR for one USD; another position has 0.9",
    ),
    (
        {"positions": tuple(position(s, bucket_id="x") for s in "AB"), "securities": ()},
        "belong to x.*plan is of core",
    ),
    (listed(currency="USD"), "ACME is a position in EUR and a security in USD"),
    (listed(min_lot=0), "min_lot of ACME is 0"),
    (listed(priority_multiplier=0), "priority_multiplier of ACME is 0"),
    ({"available_cash": math.inf}, "available_cash is inf"),
    ({"available_cash": None}, "available_cash is None"),
    ({"available_cash": "1000"}, "available_cash is '1000'"),
    ({"target_weights": {"ACME": 1.2}}, "sum to 1.2"),
    ({"target_weights": {"ACME": "half"}}, "target weight of ACME is 'half'"),
    (facts(security_scores={"ACME": 70}), "score of ACME is 70; it must be a fraction"),
    (facts(security_dividends={"ACME": math.nan}), "dividend yield of ACME is nan"),
    ({"as_of": "soon"}, "as_of is 'soon'"),
]


def test_a_record_that_is_not_usable_is_refused_with_its_field(small: PlannerContext):
    def is_refused(change: dict[str, Any], why: str) -> bool:
        said = refusal(replace(small, base_currency="EUR", **change))
        return re.search(why, said) is not None

    assert [why for change, why in UNUSABLE if not is_refused(change, why)] == []


OF_ANOTHER_KIND: dict[str, dict[str, Any]] = {
    "portfolio_context is None": {"portfolio_context": None},
    "positions is None": {"positions": None},
    "one of positions is {'symbol': 'ACME'}.*must be a Position": {
        "positions": ({"symbol": "ACME"},)
    },
    "one of securities is 'ACME'.*must be a Security": {"securities": ("ACME",)},
}


def test_a_record_of_another_kind_is_refused_by_name(small: PlannerContext):
    for why, change in OF_ANOTHER_KIND.items():
        with pytest.raises(InputError, match=why):
            replace(small, **change)


def test_numbers_may_be_of_any_type(small: PlannerContext):
    acme, bolt = small.positions
    exact = replace(
        small,
        positions=(replace(acme, quantity=np.int64(100)), replace(bolt, quantity=Decimal(40))),
        available_cash=Decimal(1000),
    )

    assert trades(plan(exact)) == trades(plan(small))


def test_what_is_not_held_has_no_weight_and_needs_no_price(small: PlannerContext):
    acme, bolt = small.positions
    none = replace(bolt, quantity=0, current_price=None, avg_price=None)

    made = plan(replace(small, positions=(acme, none), target_weights={"ACME": 0.5}))

    assert float(made.document.value) == 11_000
    assert sides(made) == {"SELL"}


def test_a_position_without_an_average_price_is_planned_and_has_no_gain(small: PlannerContext):
    acme, bolt = small.positions

    made = plan(replace(small, positions=(replace(acme, avg_price=None), bolt)))

    assert ("SELL", "ACME") in {(step.side, step.symbol) for step in made.steps}
    assert "profit_taking" not in {
        source for row in made.document.candidates if row.symbol == "ACME" for source in row.sources
    }


def test_orders_are_whole_lots(small: PlannerContext):
    acme, bolt = small.securities

    made = plan(replace(small, securities=(replace(acme, min_lot=7), bolt)))

    assert next(step.quantity for step in made.steps if step.symbol == "ACME") % 7 == 0


def test_records_that_name_no_bucket_are_planned_for_a_satellite_and_it_is_said(
    small: PlannerContext,
):
    made = plan(small, bucket_id="momentum_1")

    assert made.document.bucket == "momentum_1"
    assert any(
        "name no bucket beside core, and were planned as those of momentum_1" in said
        for said in made.warnings
    )


def test_a_bucket_needs_a_name():
    for bucket in (None, "", 5):
        with pytest.raises(InputError, match="bucket_id is"):
            HolisticPlanner(bucket_id=bucket)
        with pytest.raises(InputError, match="bucket_id is"):
            asyncio.run(process_planner_batch_job(bucket_id=bucket))


def test_of_a_history_nothing_after_the_date_is_looked_at(bundled: PlannerContext):
    history = bundled.portfolio_context.history
    assert history is not None
    day, other = (
        date(2021, 1, 4),
        replace(
            history,
            closes=np.where(
                history.dates[:, None] > np.datetime64("2021-01-04"),
                1.1 * history.closes,
                history.closes,
            ),
        ),
    )
    changed = replace(bundled, portfolio_context=replace(bundled.portfolio_context, history=other))

    then, again = (plan(replace(context, as_of=day)).document for context in (bundled, changed))

    assert then.plan_id == again.plan_id
    assert then.value != plan(bundled).document.value
    assert then.prices_as_of.quotes == then.prices_as_of.history == day


def test_a_date_before_the_history_is_refused_and_one_after_it_is_told(bundled: PlannerContext):
    with pytest.raises(
        InputError, match="as_of is 1980-01-01 and the price history begins on 2004-01-02"
    ):
        plan(replace(bundled, as_of="1980-01-01"))

    assert any(
        "ends on 2022-12-28 and the plan is of 2023-01-03: old prices" in said
        for said in plan(replace(bundled, as_of="2023-01-03")).warnings
    )
    assert not any("old prices" in said for said in plan(bundled).warnings)


def test_a_rate_that_the_history_has_otherwise_is_told(foreign: PlannerContext):
    acme, bolt = foreign.positions
    rates = FxTable("EUR", {"USD": (FxRate("USD", Decimal("0.5"), date(2026, 1, 8)),)})
    days = np.array(["2026-01-08", "2026-01-09"], dtype="datetime64[D]")
    history = Market(
        symbols=("ACME",), dates=days, closes=np.full((2, 1), 100.0), quotes={}, fx=rates
    )
    context = replace(
        foreign,
        positions=(acme, replace(bolt, currency_rate=0.9)),
        portfolio_context=PortfolioContext(history=history),
    )

    made = plan(context)

    assert any(
        "One USD is 0.5 EUR in the history and 0.9 in the positions: the former was used" in said
        for said in made.warnings
    )


def test_groups_of_the_context_are_targets_of_the_score(small: PlannerContext):
    facts = PortfolioContext(
        country_weights={"Europe": 0.6, "Asia": 0.4},
        country_to_group={"France": "Europe", "Japan": "Asia"},
        security_countries={"ACME": "France", "BOLT": "Japan"},
    )

    made = plan(replace(small, portfolio_context=facts, target_weights=None))

    assert made.document.strategy.settings["groups"]["country"] == {"Asia": 0.4, "Europe": 0.6}
    assert "rebalance_sells" in {run.name for run in made.document.modules if run.outcome == "ok"}


def test_a_sale_must_be_opted_in(small: PlannerContext):
    made = plan(replace(small, securities=(Security(symbol="ACME"), Security(symbol="BOLT"))))

    assert sides(made) <= {"BUY"}
