"""Market regime: what it proposes in a bull, a bear and a sideways market, alone and in a plan."""

import numpy as np

from builders.changes import exact
from builders.context import candidates, context, orders
from builders.regimes import WORLDS, YEAR, history, under
from builders.world import world
from steelyard.estimates.regime import UNKNOWN, Regime
from steelyard.modules.patterns.market_regime import Params, market_regime
from steelyard.settings import Limits
from steelyard.settings import Regime as Rules

ORDERS = (
    "sell A .10 .9 profit_taking", "sell B .10 .8 profit_taking rebalance_sells",
    "sell C .05 .7 rebalance_sells", "buy D .05 .5 opportunity_buys", "buy E .05 .9 rebalance_buys",
    "buy F .05 .6 averaging_down",
)  # fmt: skip
HELD = {"symbols": "A B C D E F", "weights": [0.3, 0.2, 0.2, 0.1, 0.05, 0.05]}


def proposed(regime, *lines, params=None, cost=0.0, **options):
    """What the pattern proposes in a regime, like `-A +D`, in the order of the row."""
    ctx = context(**{**HELD, **options}, regime=Regime(regime))
    table = candidates(ctx, *(lines or ORDERS), cost=cost)
    answer = market_regime(ctx, table, params or Params())
    assert list(answer) == [regime]
    assert len(answer[regime]) <= 1
    return [order for row in orders(ctx, table, answer[regime]) for order in row]


def test_a_bull_market_takes_profits_then_buys_opportunities_before_gaps():
    assert proposed("bull") == ["-A", "-B", "+D", "+E"]


def test_a_sideways_market_sells_what_is_over_then_buys_gaps_before_opportunities():
    assert proposed("sideways") == ["-B", "-C", "+E", "+D"]


def test_a_bear_market_sells_and_buys_nothing():
    assert proposed("bear") == ["-A", "-B"]


def test_an_unknown_market_proposes_nothing():
    ctx = context(**HELD, regime=UNKNOWN)

    assert market_regime(ctx, candidates(ctx, *ORDERS), Params()) == {}


def test_a_bear_market_sells_first_what_adds_most_to_risk():
    calm_first = {
        "weights": [0.3, 0.1, 0.2, 0.1, 0.05, 0.05],
        "volatility": [0.05, 0.2, 0.6, 0.2, 0.2, 0.2],
    }

    assert proposed("bear", **calm_first)[0] == "-C"


def test_a_bear_market_sells_on_until_its_cash_is_raised():
    poor = {"weights": [0.4, 0.3, 0.2, 0.05, 0.03, 0.02], "params": Params(bear_sell_share=0.2)}
    little = (
        "sell A .02 .9 profit_taking",
        "sell B .02 .8 rebalance_sells",
        "sell C .02 .7 rebalance_sells",
    )

    assert proposed("bear", *little, **poor) == ["-A", "-B", "-C"]
    assert proposed("bear", *little, **poor, regimes=Rules(bear_cash=0.02)) == ["-A"]


def test_buys_leave_the_cash_that_the_regime_wants():
    buy = "buy D .06 .5 opportunity_buys averaging_down"
    for regime in ("bull", "sideways"):
        cash = f"{regime}_cash"

        assert proposed(regime, buy, regimes=Rules(**{cash: 0.03})) == ["+D"]
        assert proposed(regime, buy, regimes=Rules(**{cash: 0.05})) == []


def test_a_buy_that_is_too_dear_does_not_stop_the_ones_after_it():
    dear = ("buy D .50 .9 opportunity_buys", "buy E .05 .1 opportunity_buys")

    assert proposed("bull", *dear) == ["+E"]


def test_costs_count_in_the_cash_that_is_left():
    buy = "buy D .05 .9 opportunity_buys"

    assert proposed("bull", buy, regimes=Rules(bull_cash=0.05)) == ["+D"]
    assert proposed("bull", buy, regimes=Rules(bull_cash=0.05), cost=0.001) == []


def test_sales_never_take_the_place_of_every_buy():
    assert proposed("bull", max_depth=2) == ["-A", "+D"]
    assert proposed("sideways", max_depth=1) == ["+E"]


def test_sales_that_settle_later_pay_for_nothing():
    settled = Limits(funding="settled", cash_reserve_weight=0.1)

    assert proposed("bull", limits=settled) == ["-A", "-B"]


def test_every_regime_sells_as_many_as_it_is_told():
    assert proposed("bull", params=Params(max_sells=0)) == ["+D"]
    assert proposed("sideways", params=Params(max_sells=1)) == ["-B", "+E", "+D"]
    assert proposed("bear", params=Params(bear_sell_share=1.0)) == ["-A", "-B", "-C"]


# through plan()


def test_in_each_regime_the_pattern_makes_the_plan():
    for regime, of in WORLDS.items():
        plan = of.planned
        assert plan.verdict.action == "act"
        assert plan.proposed_by == (f"market_regime.{regime}",)
        assert plan.regime.name == regime
        assert plan.regime.observations == YEAR
        assert not [warning for warning in plan.warnings if warning.code == "regime_unknown"]


def test_one_strategy_on_four_histories_gives_four_answers():
    worlds = [*WORLDS.values(), under(history(1.0, 100))]
    plans = [of.planned for of in worlds]

    assert len({of.strategy.sha256 for of in worlds}) == 1
    assert len({frozenset(exact(plan)) for plan in plans}) == len(plans)
    assert len({plan.inputs_sha256 for plan in plans}) == len(plans)


def test_an_unknown_regime_is_a_warning_and_no_sequence():
    for index, why in ((history(1.0, 100), "200 are needed"), (None, "--index")):
        plan = under(index).plan()

        assert plan.verdict.action == "hold"
        assert [warning.code for warning in plan.warnings if not warning.head] == ["regime_unknown"]
        assert why in next(w for w in plan.warnings if not w.head).message
        runs = [(run.outcome, run.count) for run in plan.modules if run.name == "market_regime"]
        assert runs == [("no_input", None)]


def test_where_no_module_asks_for_the_regime_nobody_is_warned():
    plan = world("AA 40 @ 100", cash="1000", targets={"AA": 0.5}).plan()

    assert plan.regime.name == "unknown"
    assert not [warning for warning in plan.warnings if warning.code == "regime_unknown"]


def test_no_setting_says_what_the_regime_is():
    assert not {"market_regime", "regime", "name"} & set(Params.model_fields)
    assert np.isfinite([getattr(Rules(), name) for name in Rules.model_fields]).all()
