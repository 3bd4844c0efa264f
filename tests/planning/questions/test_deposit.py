"""The smallest deposit that needs no sale: to the cent, and confirmed by planning with it."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from builders.each import each
from builders.world import AS_OF, world
from builders.worlds import SOME
from steelyard.planning.questions.deposit import deposit
from steelyard.planning.questions.explain import explain
from steelyard.plans import verify
from steelyard.portfolio import Flow

CENT = Decimal("0.01")


def two(targets, cash="1000"):
    lines = ("AA 300 @ 100", "BB 100 @ 100")
    return world(*lines, cash=cash, targets=targets, funds=("AA", "BB"))


def test_it_is_what_makes_the_heaviest_holding_as_light_as_its_target():
    def asked(targets, amount, symbol, cash="1000"):
        of = two(targets, cash)
        plan = of.plan()
        explained = explain(of.case, plan)
        answer = explained.explanation.deposit
        assert (answer.amount, answer.symbol) == (amount, symbol)
        assert verify.check(explained.document()).failed == ()

    each(
        {
            "over": ({"AA": 0.6, "BB": 0.4}, Decimal("8916.67"), "AA"),  # 29,950 / 0.6 - 41,000
            "under": ({"AA": 0.74, "BB": 0.25}, Decimal(0), None),
            "half a lot over": ({"AA": 0.599, "BB": 0.25}, Decimal(0), None, "10000"),
            "no target": ({"AA": 0.6}, None, "BB"),
        },
        asked,
    )


def test_without_targets_nothing_is_told():
    of = two(None)

    assert deposit(of.prepared.ctx) is None


@st.composite
def held(draw):
    """Two to four holdings over and under their targets."""
    names = ("AA", "BB", "CC", "DD")[: draw(st.integers(2, 4))]
    lines = [f"{n} {draw(st.integers(5, 400))} @ {draw(st.integers(2, 300))}.25" for n in names]
    parts = [draw(st.integers(1, 9)) for _ in names]
    share = 0.95 / sum(parts)
    goals = {name: round(share * part, 4) for name, part in zip(names, parts, strict=True)}
    return world(*lines, cash=str(draw(st.integers(0, 20_000))), targets=goals, funds=names)


@SOME
@given(held())
def test_with_it_nothing_is_to_be_sold_and_with_a_cent_less_something_is(of):
    def sales(amount):
        ctx = of.having(flows=(Flow("USD", amount, AS_OF),) if amount else ()).prepared.ctx
        over = (ctx.weights - ctx.target_weights) / ctx.lot_weight
        return bool((over > 0.5 + 1e-9).any())

    answer = deposit(of.prepared.ctx)

    assert not sales(answer.amount + CENT)
    if answer.amount > 1:
        assert sales(answer.amount - 1)
