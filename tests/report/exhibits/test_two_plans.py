"""Two plans side by side as rows of text."""

from builders import plan_pairs as pairs
from builders.plans import euro, growth
from steelyard.plans.diff import compare
from steelyard.report.exhibits.two_plans import two_plans


def rows(lines) -> dict[str, tuple[str, str, str]]:
    return {line.label: (line.a, line.b, line.change) for line in lines}


def test_figures_stand_in_both_and_the_change_carries_its_sign():
    money = rows(two_plans(compare(growth(), pairs.narrow())).money)

    assert money["Cost"] == ("160.14", "79.16", "−80.98")
    assert money["Turnover, %"] == ("20.0", "10.0", "−10.0")
    assert money["Cash after, USD"][2].startswith("+")
    assert "Tax, due later" not in money


def test_what_is_not_compared_has_no_change_and_says_why():
    exhibit = two_plans(compare(growth(), pairs.other_profile()))
    score = rows(exhibit.score)

    assert score["Improvement, net"][2] == ""
    assert score["diversification, 12.5 → 10.0 %"][2] == ""
    assert any("scored by other settings" in note for note in exhibit.notes)
    assert two_plans(compare(growth(), euro())).currency == "each in its base currency"


def test_a_symbol_traded_both_ways_has_its_reason_under_one_of_its_orders():
    orders = two_plans(compare(pairs.usual(), pairs.turned())).orders
    ours = [order for order in orders if order.symbol == "AA"]

    assert [(order.of, order.side.value, bool(order.reason)) for order in ours] == [
        ("B", "buy", True),
        ("A", "sell", False),
    ]


def test_of_many_orders_the_largest_are_shown_and_the_others_counted():
    exhibit = two_plans(compare(pairs.hundreds(), pairs.hundreds("60000")))

    assert len(exhibit.orders) == 20
    assert exhibit.more.startswith("and ")
    assert exhibit.more.endswith(" more orders: see --json")
    assert all(order.reason for order in exhibit.orders)


def test_settings_are_told_in_words_and_a_long_one_is_cut():
    strategy = growth().strategy
    limits = {**strategy.settings["limits"], "allow_buy": False, "funding": "x" * 99}
    settings = {**strategy.settings, "limits": limits}
    other = growth().model_copy(
        update={
            "plan_id": "0" * 64,
            "strategy": strategy.model_copy(update={"settings": settings}),
        }
    )

    (inputs,) = two_plans(compare(growth(), other)).inputs
    lines = rows(inputs.lines)

    assert lines["limits.allow_buy"] == ("on", "off", "")
    assert lines["limits.funding"][1] == "x" * 23 + "…"


def test_inputs_that_are_the_same_are_said_to_be():
    other = growth().model_copy(update={"plan_id": "0" * 64})

    assert two_plans(compare(growth(), other)).nothing_moved.startswith("Nothing: ")
