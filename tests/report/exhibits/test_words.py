"""Words: numbers in the unit of their rule, prices as quoted."""

from decimal import Decimal

from steelyard.report.exhibits import words


def test_numbers_of_the_ledger_stand_in_the_unit_of_their_rule():
    assert words.by_rule("no_crossing", -0.185, margin=True) == "\u221218.5\u00a0pp"
    assert words.by_rule("min_order", 0.005) == "0.5\u00a0%"
    assert words.by_rule("max_depth", 5.0) == "5\u00a0orders"
    assert words.by_rule("opposite_days", 1.0) == "1\u00a0day"
    assert words.by_rule("net_gain", -0.0062) == "\u22120.62"
    assert words.by_rule("rule_of_a_plugin", 0.123456) == "0.1235"
    assert words.by_rule("cash", None) == ""


def test_prices_stand_as_quoted_and_rates_with_six_digits():
    assert [words.price(Decimal(text)) for text in ("125.674", "12", "1234.5", "0.0001")] == [
        "125.674", "12.00", "1,234.50", "0.0001",
    ]  # fmt: skip
    assert [words.rate(Decimal(text)) for text in ("0.9398496241", "1.0639999", "156.25")] == [
        "0.939850", "1.06400", "156.250",
    ]  # fmt: skip
    assert [words.signed_money(Decimal(text)) for text in ("23456.79", "-0.2", "0", "-5365")] == [
        "+23,457", "0", "0", "\u22125,365",
    ]  # fmt: skip
