"""What went into two plans and is not the same."""

import copy
from datetime import date
from decimal import Decimal

from builders import demo
from builders import plan_pairs as pairs
from builders.plans import growth, two_currencies
from steelyard.plans.account import FlowShown
from steelyard.plans.diff.moved import flat, is_same_account, moved


def test_prices_holdings_cash_and_targets_of_two_days_are_told_from_old_to_new():
    inputs = moved(pairs.usual(), pairs.next_day())

    (price,) = inputs.prices
    assert (price.symbol, price.old, price.new, price.change) == ("AA", 100, 110, 0.1)
    assert [(row.name, row.old, row.new) for row in inputs.holdings] == [("BB", 20, 25)]
    assert [(row.name, row.old, row.new) for row in inputs.cash] == [("USD", 900, 1900)]
    assert [(row.name, row.old, row.new) for row in inputs.targets] == [
        ("AA", 0.5, 0.2),
        ("BB", 0.4, 0.7),
    ]
    assert (inputs.as_of, inputs.flows, inputs.rules) == (None, (), ())


def test_two_days_are_named():
    inputs = moved(demo.growth("2022-06-28").plan(), demo.growth("2022-12-28").plan())

    assert inputs.as_of == (date(2022, 6, 28), date(2022, 12, 28))
    assert {price.symbol for price in inputs.prices} >= {"AAPL", "MSFT"}
    assert inputs.rules == ()


def test_a_rule_is_told_by_its_key_in_a_file():
    (rule,) = moved(growth(), pairs.narrow()).rules

    assert (rule.key, rule.old, rule.new) == ("limits.max_turnover_weight", None, 0.1)


def with_module(plan, change):
    settings = copy.deepcopy(dict(plan.strategy.settings))
    change(settings["modules"]["opportunity_calculators"])
    strategy = plan.strategy.model_copy(update={"settings": settings})
    return plan.model_copy(update={"strategy": strategy})


def test_of_a_module_that_one_plan_alone_runs_only_that_is_told():
    gone = with_module(growth(), lambda modules: modules.pop(0))

    (rule,) = moved(growth(), gone).rules

    assert (rule.key, rule.old, rule.new) == (
        "opportunity_calculators.averaging_down.enabled",
        True,
        False,
    )


def test_another_parameter_and_other_code_of_a_plugin_are_told():
    def older(modules):
        modules[0]["params"]["dip_threshold"] = 0.3
        modules[0]["digest"] = "sha256:0"

    rules = moved(growth(), with_module(growth(), older)).rules

    assert [(rule.key, rule.old, rule.new) for rule in rules] == [
        ("opportunity_calculators.averaging_down.digest", None, "sha256:0"),
        ("opportunity_calculators.averaging_down.dip_threshold", 0.1, 0.3),
    ]


def test_a_flow_of_one_plan_is_told_with_the_plan_that_has_it():
    flow = FlowShown(
        date=date(2024, 3, 20), currency="USD", amount=Decimal(-500), fx_rate=Decimal(1)
    )
    twice = pairs.usual().model_copy(update={"flows": (flow, flow)})
    single = pairs.usual().model_copy(update={"flows": (flow,)})

    (rest,) = moved(twice, single).flows

    assert (rest.plan, rest.amount, rest.currency) == ("A", -500, "USD")
    assert moved(twice, twice).flows == ()


def test_rates_are_told_and_none_where_the_base_is_another():
    plan = two_currencies()
    rates = {**plan.cash_rates, "EUR": Decimal("1.5")}
    holdings = tuple(
        row.model_copy(update={"fx_rate": Decimal("1.5")}) if row.currency == "EUR" else row
        for row in plan.holdings
    )
    dearer = plan.model_copy(update={"cash_rates": rates, "holdings": holdings})

    (rate,) = moved(plan, dearer).rates

    assert (rate.symbol, rate.currency, rate.new) == ("EUR", "USD", Decimal("1.5"))
    assert moved(plan, dearer.model_copy(update={"base_currency": "CHF"})).rates == ()


def test_settings_of_any_shape_are_flattened_no_deeper_than_settings_are():
    deep = {"a": 1}
    for _ in range(50):
        deep = {"a": deep}

    assert flat({"x": {"y": [1, 2], "z": None}}, "") == {"x.y": [1, 2], "x.z": None}
    assert [key.count(".") for key in flat(deep, "s")] == [6]
    assert moved(growth(), odd_settings()).rules


def odd_settings():
    """Settings as no strategy has them: a document may say anything."""
    strategy = growth().strategy.model_copy(update={"settings": {"modules": [1], "costs": 3}})
    return growth().model_copy(update={"strategy": strategy})


def test_an_account_is_known_by_its_bucket_or_by_what_it_owns():
    twin = growth().model_copy(update={"bucket": "twin"})

    assert is_same_account(growth(), twin)
    assert not is_same_account(twin, pairs.usual())


def test_a_price_of_nothing_in_a_document_has_no_change_in_percent():
    free = tuple(row.model_copy(update={"price": Decimal(0)}) for row in growth().holdings)
    worthless = growth().model_copy(update={"holdings": free})

    assert {price.change for price in moved(worthless, growth()).prices} == {None}
    assert {price.change for price in moved(growth(), worthless).prices} == {-1.0}
