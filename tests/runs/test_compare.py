"""Two strategies on the same snapshots: who wins, and that nobody wins by default."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.demo import growth
from builders.world import AS_OF, World, world
from builders.worlds import FEWER, rules, worlds
from steelyard.errors import InputError
from steelyard.importers import Inputs, assemble, read
from steelyard.planning.planner import plan
from steelyard.runs.compare import TOLERANCE, Planned, Posed, Refused, compare, decided
from steelyard.samples import sample
from steelyard.settings import Limits, Score
from steelyard.strategies import PRESETS, default, preset

BUSY = world(
    "AA 60 @ 100", "BB 20 @ 100", "CC 0 @ 50",
    cash="2000", targets={"AA": 0.3, "BB": 0.35, "CC": 0.3},
)  # fmt: skip
MIRROR = {"A": "B", "B": "A", "tie": "tie", "none": "none"}


def idle(strategy=None):
    """A strategy for which nothing is worth trading."""
    worth, limits = Score(min_improvement=1000.0), Limits(allow_buy=False)
    return replace(strategy or default(), score=worth, limits=limits, name="idle")


def posed(of: World, label: str = "x") -> Posed:
    inputs = Inputs(
        snapshot=of.snapshot, market=of.market, targets=of.targets, warnings=(), as_of_from="given"
    )
    return Posed(label, inputs, of.state)


def compared(a, b, *cases):
    return compare(a, b, cases, np.random.default_rng(0))


def prices(count):
    """Worlds of other prices, one a snapshot."""
    return [
        posed(
            world(
                f"AA {60 + 3 * k} @ 100", f"BB 20 @ {90 + 7 * k}", "CC 0 @ 50",
                cash="2000", targets={"AA": 0.3, "BB": 0.35, "CC": 0.3},
            ),
            f"s{k}",
        )
        for k in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("name", PRESETS)
def test_a_strategy_ties_with_itself(name):
    whole = growth()
    result = compared(preset(name), preset(name), posed(whole))

    assert result.outcome == "tie"
    assert result.snapshots[0].differences == (0.0, 0.0)
    assert result.a.score == result.b.score == result.a.score_under_other


def test_each_side_is_the_plan_of_its_strategy_with_the_same_seed():
    a, b = default(), preset("conservative")
    (case,) = compared(a, b, posed(BUSY)).snapshots

    for side, strategy in ((case.a, a), (case.b, b)):
        own = plan(BUSY.snapshot, BUSY.market, strategy, targets=BUSY.targets)
        assert isinstance(side, Planned)
        assert side.plan_id == own.plan_id
        assert side.score == pytest.approx(own.score.hold + own.score.improvement, abs=1e-9)
        assert (side.steps, side.cost) == (len(own.steps), own.costs.total)
        assert (side.turnover, side.drift) == (own.turnover, own.drift.after)
        before, after = sum(own.balances.values()), sum(own.cash_after.values())
        assert side.cash_required == max(Decimal(0), before - after)


@FEWER
@given(worlds(), rules(), rules())
def test_with_a_and_b_swapped_everything_is_swapped(portfolio, a, b):
    case = posed(portfolio)
    one_way, other = compared(a, b, case), compared(b, a, case)
    (first,), (second,) = one_way.snapshots, other.snapshots

    assert other.outcome == MIRROR[one_way.outcome]
    for mine, yours in ((first.a, second.b), (first.b, second.a)):
        if isinstance(mine, Refused):
            assert mine == yours
        else:
            assert replace(mine, seconds=0.0) == replace(yours, seconds=0.0)


def test_an_interval_of_swapped_sides_is_mirrored():
    a, b, cases = default(), idle(), prices(5)
    one_way, other = compared(a, b, *cases), compared(b, a, *cases)

    assert (one_way.outcome, other.outcome) == ("A", "B")
    ends = one_way.under_a.low, one_way.under_a.high
    assert ends == pytest.approx((-other.under_b.high, -other.under_b.low), abs=1e-12)


def test_who_acts_and_ends_better_by_both_scorings_wins():
    result = compared(default(), idle(), posed(BUSY))

    assert result.outcome == "A"
    assert result.b.steps == 0
    assert min(result.snapshots[0].differences) > TOLERANCE
    assert "points by A's scoring" in result.why.text


def test_where_neither_trades_nobody_wins():
    result = compared(idle(), idle(preset("aggressive")), posed(BUSY))

    assert (result.outcome, result.why.text) == ("none", "neither trades")
    assert result.a.steps == result.b.steps == 0


def test_a_side_that_is_refused_stands_with_its_reason_and_nobody_wins():
    old = BUSY.having(as_of=AS_OF + timedelta(days=7))
    strict = replace(default(), limits=Limits(max_stale_sessions=0))
    result = compared(strict, replace(default(), limits=Limits(max_stale_sessions=20)), posed(old))
    (case,) = result.snapshots

    assert isinstance(case.a, Refused)
    assert "AA" in case.a.reason
    assert isinstance(case.b, Planned)
    assert case.b.steps > 0
    assert case.b.score_under_other is None
    assert (result.outcome, result.a, result.b) == ("none", None, None)
    assert result.why.text == "A has no plan of it, so there is nothing to compare"


def test_where_both_are_refused_nobody_wins():
    old = BUSY.having(as_of=AS_OF + timedelta(days=7))
    strict = replace(default(), limits=Limits(max_stale_sessions=0))
    result = compared(strict, strict, posed(old))

    assert (result.outcome, result.why.text) == ("none", "neither has a plan of it")


def test_a_snapshot_that_cannot_be_read_is_told_and_does_not_count():
    broken = Posed("broken", InputError("No holdings in it. Nothing was planned.", code="x"))
    result = compared(default(), idle(), broken, posed(BUSY))

    assert result.outcome == "A"
    assert [case.outcome for case in result.snapshots] == ["none", "A"]
    assert result.snapshots[0].a == Refused("No holdings in it. Nothing was planned.")
    assert len(result.both) == 1


def test_what_each_wins_by_its_own_aims_and_loses_by_the_others_is_decided_by_neither():
    whole = replace(growth(), targets=None)
    calm, keen = preset("conservative"), preset("momentum_hunter")
    result = compared(calm, keen, posed(whole))
    under_a, under_b = result.snapshots[0].differences

    assert under_a > TOLERANCE
    assert under_b < -TOLERANCE
    assert result.outcome == "none"
    assert result.why.text.endswith("the scorings disagree")


@given(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1))
def test_a_winner_is_better_by_one_scoring_and_no_worse_by_the_other(under_a, under_b):
    outcome, _ = decided(under_a, under_b, TOLERANCE)

    if outcome == "A":
        assert max(under_a, under_b) > TOLERANCE
        assert min(under_a, under_b) >= -TOLERANCE
    elif outcome == "tie":
        assert max(abs(under_a), abs(under_b)) <= TOLERANCE
    elif outcome == "none":
        assert min(under_a, under_b) < -TOLERANCE < TOLERANCE < max(under_a, under_b)
    assert decided(-under_a, -under_b, TOLERANCE)[0] == MIRROR[outcome]


def test_of_fewer_than_five_snapshots_there_is_no_interval():
    four, five = (compared(default(), idle(), *prices(count)) for count in (4, 5))

    assert four.under_a is four.under_b is None
    assert five.under_a.low <= five.under_a.mean <= five.under_a.high
    assert (four.outcome, five.outcome) == ("A", "A")


def test_means_whose_interval_has_zero_in_it_decide_nothing():
    # A never buys and B never sells: who is better turns with what has to be done
    over = ("AA 90 @ 100", "BB 20 @ 100")
    under = ("AA 30 @ 100", "BB 10 @ 100")
    goals = {"AA": 0.55, "BB": 0.25}
    cases = [
        posed(world(*lines, cash=cash, targets=goals))
        for lines, cash in [(over, "500")] * 3 + [(under, "6000")] * 3
    ]
    a = replace(default(), limits=Limits(allow_buy=False))
    b = replace(default(), limits=Limits(allow_sell=False))
    result = compared(a, b, *cases)

    assert {case.outcome for case in result.snapshots} == {"A", "B"}
    assert not result.under_a.excludes_zero
    assert result.outcome == "none"
    assert "it may be chance" in result.why.text


def test_money_of_several_currencies_has_no_mean():
    euro = sample("euro")
    tables = read(
        euro.holdings,
        prices=euro.prices,
        targets=euro.targets,
        securities=euro.securities,
        fx=euro.fx,
    )
    inputs = assemble(tables, base_currency="EUR")
    result = compared(idle(), idle(), posed(BUSY), Posed("euro", inputs))

    assert {case.currency for case in result.snapshots} == {"USD", "EUR"}
    assert (result.a.cost, result.a.cash_required) == (None, None)
    assert result.a.turnover == 0.0
