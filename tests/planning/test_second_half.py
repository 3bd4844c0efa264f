"""Where settled money alone pays, a plan that only sells says what it sells for."""

from decimal import Decimal

from builders.each import each
from builders.world import AS_OF, world
from steelyard.orders import Side
from steelyard.plans import verify
from steelyard.settings import Limits

SETTLED = Limits(funding="settled")


def unbalanced(cash="1600", **sections):
    """80 % in AA where 50 % is asked for, and no cash to spare."""
    lines, goals = ("AA 120 @ 500", "BB 200 @ 75"), {"AA": 0.5, "BB": 0.48}
    return world(*lines, cash=cash, targets=goals, funds=("AA", "BB"), **sections)


def test_it_names_the_buys_their_amount_and_the_day_on_which_their_money_has_settled():
    of = unbalanced(limits=SETTLED)
    plan = of.plan()
    half = plan.second_half

    assert {step.side for step in plan.steps} == {Side.SELL}
    assert [(s.side, s.symbol) for s in half.steps] == [(Side.SELL, "AA"), (Side.BUY, "BB")]
    assert (half.on - AS_OF).days == 3  # a Friday
    assert "2024, sells 11 AA, buys 146 BB for about USD 10,950.00" in plan.verdict.detail
    assert half.drift_after < plan.drift.after
    assert half.steps[1].notional_base <= plan.cash_after["USD"]
    assert verify.check(plan.document()).failed == ()


def test_it_is_what_the_next_plan_does_at_the_same_prices():
    of = unbalanced(limits=SETTLED)
    first = of.plan()
    then = of.having(**{
        name: getattr(of.snapshot.after(first), name) for name in ("holdings", "cash")
    }).plan()  # fmt: skip

    assert [(s.symbol, s.quantity) for s in first.second_half.steps] == [
        (s.symbol, s.quantity) for s in then.steps
    ]


def test_a_plan_that_pays_for_its_buys_or_lowers_drift_is_no_half():
    def whole(of):
        plan = of.plan()
        assert plan.second_half is None
        assert verify.check(plan.document()).failed == ()

    each(
        {
            "proceeds": unbalanced(),
            "no buys allowed": unbalanced(limits=Limits(funding="settled", allow_buy=False)),
            "hold": unbalanced(limits=Limits(funding="settled", allow_sell=False)),
        },
        whole,
    )


def test_a_second_half_that_was_changed_is_noticed():
    document = unbalanced(limits=SETTLED).plan().document()
    document["second_half"]["steps"][0]["quantity"] = "1"
    document["second_half"]["drift_after"] = 0.0

    names = {check.where for check in verify.check(document).failed}
    assert {"second_half.steps[0].notional_base", "second_half.drift_after"} <= names
    assert Decimal(document["second_half"]["cost"]) > 0
