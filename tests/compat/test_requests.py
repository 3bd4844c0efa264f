"""What a request says as a case: account, prices, rules."""

import pytest

from builders.requests import SECURITIES, TARGETS, planning
from steelyard.compat.asked import Asked, Closes
from steelyard.compat.requests import order_of
from steelyard.errors import InputError
from steelyard.modules.registry import Kind
from steelyard.services.wire import GenerateSequencesRequest


def case_of(**changes):
    return order_of(planning(**changes).record())[0]


@pytest.mark.parametrize(
    ("switch", "kind", "module"),
    [
        ("enable_adaptive_patterns", Kind.PATTERN, "adaptive"),
        ("enable_market_regime", Kind.PATTERN, "market_regime"),
        ("enable_partial_execution", Kind.SEQUENCE, "partial_execution"),
        ("enable_constraint_relaxation", Kind.SEQUENCE, "constraint_relaxation"),
        ("enable_weighted_combinations", Kind.SEQUENCE, "enhanced_combinatorial"),
        ("enable_correlation_aware", Kind.FILTER, "correlation_aware"),
    ],
)
@pytest.mark.parametrize("on", [True, False])
def test_each_switch_of_a_request_switches_its_module(switch, kind, module, on):
    strategy = case_of(parameters={switch: on}).strategy

    assert strategy.choice(kind, module).enabled == on


RULES = {
    "max_depth": (3, lambda s: s.search.max_depth),
    "max_opportunities_per_category": (7, lambda s: s.planner.max_opportunities_per_category),
    "priority_threshold": (0.2, lambda s: s.planner.priority_threshold),
    "diversity_weight": (0.6, lambda s: s.planner.diversity_weight),
    "enable_diverse_selection": (False, lambda s: s.planner.diverse_selection),
    "transaction_cost_fixed": (3.5, lambda s: s.costs.fixed),
    "transaction_cost_percent": (0.004, lambda s: s.costs.percent),
    "min_trade_value": (400.0, lambda s: s.limits.min_trade_base),
    "scope": ("quantities", lambda s: s.search.scope),
    "max_combinations": (
        77,
        lambda s: s.choice(Kind.SEQUENCE, "enhanced_combinatorial").params.max_combinations,
    ),
    "combinatorial_max_combinations_per_depth": (
        88,
        lambda s: s.choice(Kind.SEQUENCE, "combinatorial").params.max_combinations,
    ),
    "combinatorial_max_sells": (
        2,
        lambda s: s.choice(Kind.SEQUENCE, "enhanced_combinatorial").params.max_sells,
    ),
    "correlation_threshold": (
        0.55,
        lambda s: s.choice(Kind.FILTER, "correlation_aware").params.correlation_threshold,
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_each_parameter_of_a_request_is_a_rule_of_the_strategy(name):
    value, read = RULES[name]

    assert read(case_of(parameters={name: value}).strategy) == value


def test_the_penalty_of_the_documents_is_an_aversion_to_costs():
    assert case_of(parameters={"cost_penalty_factor": 0.2}).strategy.score.cost_aversion == 10


def test_the_beam_of_a_request_acts_where_a_search_has_one():
    wide = {"beam_width": 33}

    assert case_of(parameters=wide).strategy.search.beam_width == 20
    whole = case_of(parameters={**wide, "scope": "candidates"}).strategy
    assert whole.search.beam_width == 33


def test_what_ours_adds_to_a_security_and_a_position_arrives():
    security = {
        **SECURITIES[0],
        "isin": "NL0010273215",
        "min_lot": 5.0,
        "country": "Netherlands",
        "sector": "Technology",
        "dividend_yield": 0.01,
        "quality": 0.8,
        "allow_sell": False,
    }
    position = {"symbol": "AAA", "quantity": 100, "first_bought_at": "2024-01-02"}

    snapshot = case_of(securities=[security], positions=[position], target_weights={}).snapshot

    (of,) = snapshot.securities
    assert (of.isin, of.lot_size, of.countries, of.sectors) == (
        "NL0010273215", 5, ("Netherlands",), ("Technology",),
    )  # fmt: skip
    assert (of.dividend_yield, of.quality, of.allow_sell) == (0.01, 0.8, False)
    assert str(snapshot.holdings[0].lots[0].acquired) == "2024-01-02"


def test_closes_are_the_history_and_a_rate_is_that_of_every_day():
    days = ["2026-11-18", "2026-11-19", "2026-11-20"]
    case = case_of(
        closes={"dates": days, "prices": {"AAA": [98.0, None, 100.0]}, "adjusted": False},
        exchange_rates={"USD": 0.9},
        as_of=None,
    )

    assert str(case.snapshot.as_of) == days[-1]
    assert [str(rate.on) for rate in case.market.fx.rates["USD"]] == days
    assert case.market.symbols[0] == "AAA"
    assert not case.market.adjusted


def test_closes_that_are_not_as_many_as_their_days_are_refused():
    closes = Closes(dates=("2026-11-20",), prices={"AAA": ()})

    with pytest.raises(InputError, match="1 dates and 0 prices of AAA"):
        order_of(Asked(closes=closes, target_weights=TARGETS))


def test_trades_alone_make_an_account_that_holds_what_they_sell():
    sell = {"side": "SELL", "symbol": "AAA", "quantity": 7, "price": 10.0, "value_eur": 70.0}
    request = GenerateSequencesRequest.model_validate(
        {"opportunities": {"profit_taking": [sell]}, "feasibility": {"available_cash": 50.0}}
    )

    case, assumed = order_of(request.record())

    assert [(h.symbol, h.quantity) for h in case.snapshot.holdings] == [("AAA", 7)]
    assert case.snapshot.cash == {"EUR": 50}
    assert len(assumed) == 3
