"""Orders of two plans: only in one, in both at another size, and turned round; and why."""

from builders import plan_pairs as pairs
from builders.plans import growth, hold
from builders.world import world
from steelyard.orders import Side
from steelyard.plans.diff import compare
from steelyard.plans.diff.trades import indexed, why_not
from steelyard.sentences import again


def why(plan, symbol, side=Side.BUY) -> str:
    sentence = why_not(indexed(plan, "B"), symbol, side)
    return again(sentence.template, sentence.facts)


def test_an_order_of_one_plan_says_why_the_other_has_it_not():
    (trade, *_) = compare(growth(), pairs.narrow()).trades_removed

    assert (trade.symbol, trade.side, trade.opposite) == ("HD", Side.BUY, None)
    assert trade.reason == growth().step("HD").reason
    assert "turnover would be 10.9 %; at most 10.0 % is allowed" in trade.why.text.replace(
        "\u00a0", " "
    )


def test_of_a_plan_that_holds_the_threshold_is_told():
    assert "a plan must gain 90.00" in why(hold(), "AAPL", Side.SELL)


def test_a_symbol_that_the_plans_trade_both_ways_is_told_as_such_and_once():
    diff = compare(pairs.usual(), pairs.turned())
    (bought,) = diff.trades_added
    sold = next(trade for trade in diff.trades_removed if trade.symbol == "AA")

    assert (bought.side, bought.opposite) == (Side.BUY, sold.quantity)
    assert (sold.side, sold.opposite) == (Side.SELL, bought.quantity)
    assert [r.text.partition(":")[0] for r in diff.reasons if r.symbol == "AA"] == [
        f"B buys {bought.quantity} AA, of which A sells {sold.quantity}"
    ]


def test_where_no_entry_says_it_the_plan_itself_does():
    plan = world("AA 400 @ 100", cash="900", targets={"AA": 0.5}).plan()
    out = plan.model_copy(update={"excluded": ("ZZ",)})

    assert why(plan, "ZZ") == "it is not owned there and has no target"
    assert why(out, "ZZ") == "it is left out there on your word"
    bare = plan.model_copy(update={"not_traded": ()})
    assert why(bare, "AA") == "it sells 194 of it"
    assert why(bare.model_copy(update={"steps": ()}), "AA").startswith("no list of orders there")
    assert why(growth().model_copy(update={"not_traded": ()}), "AMD") == (
        "the best list of orders there is without it"
    )


def test_an_order_at_another_price_alone_is_a_change_without_a_reason():
    step = growth().steps[0]
    dearer = growth().model_copy(
        update={"steps": (step.model_copy(update={"price": step.price + 1}), *growth().steps[1:])}
    )

    (trade,) = compare(growth(), dearer).trades_changed

    assert (trade.quantity.change, trade.price.change) == (0, 1)
    assert trade.symbol == step.symbol
