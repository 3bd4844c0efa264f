"""What holds of exact rebalancing whatever is owned and wanted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from builders.worlds import NIGHTLY
from steelyard.money import ZERO
from steelyard.rebalance import Direction, RebalancePlan, Thresholds
from steelyard.rebalance.calculate import rows_of
from steelyard.rebalance.records import Position, Purse

EXAMPLES = settings(max_examples=5000 if NIGHTLY else 200)
STEPS = [Decimal("0.000001"), Decimal("0.01"), Decimal(1), Decimal(10)]
SHARES = [ZERO, ZERO, Decimal(1), Decimal(100), Decimal("2500.5"), Decimal("7.2273576")]
shares = st.one_of(st.sampled_from(SHARES), st.integers(1, 10**9).map(lambda n: Decimal(n) / 10**6))
prices = st.integers(1, 90_000).map(lambda cents: Decimal(cents) / 100)


@dataclass(frozen=True)
class Case:
    positions: tuple[Position, ...]
    targets: dict[str, Decimal]
    cash: Decimal
    rules: Thresholds

    @property
    def value(self) -> Decimal:
        return sum((row.value for row in self.positions), self.cash)

    def purse(self) -> Purse:
        return Purse(self.value, self.cash, self.rules.cash_reserve_weight * self.value)

    def rows(self) -> dict[str, RebalancePlan]:
        plans = rows_of(self.positions, self.targets, self.purse(), self.rules)
        return {row.symbol: row for row in plans}


@st.composite
def positions(draw: st.DrawFn, symbol: str) -> Position:
    quantity = draw(shares)
    free = draw(st.sampled_from([Decimal(1), Decimal(1), Decimal("0.4"), ZERO]))
    shut = draw(st.integers(0, 11))
    return Position(
        symbol, quantity, draw(prices), draw(st.sampled_from(STEPS)), quantity * free,
        shut != 0, shut != 1,
    )  # fmt: skip


@st.composite
def cases(draw: st.DrawFn) -> Case:
    symbols = "ABCDEFG"[: draw(st.integers(1, 7))]
    parts = [draw(st.integers(0, 5)) for _ in symbols]
    whole = max(1, sum(parts) + draw(st.integers(0, 4)))
    targets = {s: Decimal(part) / whole for s, part in zip(symbols, parts, strict=True)}
    rules = Thresholds(
        drift_band_weight=draw(st.sampled_from([Decimal("0.01"), ZERO, Decimal("0.05")])),
        min_order_base=draw(st.sampled_from([Decimal(5), Decimal(1), Decimal(250)])),
        cash_reserve_weight=draw(st.sampled_from([Decimal("0.02"), ZERO])),
        cash_tolerance_base=ZERO,
        allow_empty_target=True,
    )
    cash = Decimal(draw(st.integers(100, 5_000_000))) / 100
    return Case(tuple(draw(positions(symbol)) for symbol in symbols), targets, cash, rules)


@EXAMPLES
@given(cases())
def test_nothing_is_lost_oversold_overspent_or_past_its_target(case: Case):
    plans, rows = case.rows(), {row.symbol: row for row in case.positions}

    moved = sum((row.trade_amount for row in plans.values()), ZERO)
    bought = sum((row.trade_amount for row in plans.values() if row.trade_amount > 0), ZERO)
    assert plans.keys() == rows.keys()
    assert sum((p.current_value + p.trade_amount for p in plans.values()), case.cash - moved) == (
        case.value
    )
    assert not bought or case.cash - moved >= case.purse().keeps - Decimal("1e-40")
    for symbol, plan in plans.items():
        row, price = rows[symbol], rows[symbol].price or ZERO
        assert abs(plan.trade_amount) == plan.quantity * price
        sells, gap = plan.trade_amount < 0, plan.target_value - plan.current_value
        assert plan.trades == bool(plan.trade_amount)
        assert not sells or plan.quantity <= row.available
        assert plan.trade_amount * gap >= 0  # a sign of one is never against the other
        half = row.step * price / 2 if row.step >= 1 else ZERO
        assert abs(plan.trade_amount) <= abs(gap) + max(half, Decimal("1e-40"))
        assert row.can_sell if sells else row.can_buy or not plan.trades
        exits = plan.direction is Direction.LIQUIDATE
        assert exits or not plan.trades or abs(plan.trade_amount) >= case.rules.min_order_base


@EXAMPLES
@given(cases())
def test_the_plan_carried_out_leaves_nothing_to_do(case: Case):
    plans = case.rows()
    signs = {s: plan.trade_amount.compare(ZERO) for s, plan in plans.items()}

    after = replace(
        case,
        positions=tuple(_done(row, signs[row.symbol] * plans[row.symbol].quantity)
                        for row in case.positions),
        cash=case.cash - sum((plan.trade_amount for plan in plans.values()), ZERO),
    )  # fmt: skip

    again = {s: (p.direction, p.trade_amount) for s, p in after.rows().items() if p.trades}
    assert again == {}


def _done(row: Position, shares: Decimal) -> Position:
    taken_by_orders = row.quantity - row.available
    quantity = row.quantity + shares
    return replace(row, quantity=quantity, available=max(ZERO, quantity - taken_by_orders))


@EXAMPLES
@given(cases(), st.sampled_from([2, 7, 1000]), st.randoms(use_true_random=False))
def test_neither_the_unit_of_money_nor_the_order_of_the_inputs_changes_a_quantity(
    case: Case, times: int, chance: object
):
    k, shuffled = Decimal(times), list(case.positions)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    rules = replace(
        case.rules, min_order_base=k * case.rules.min_order_base, dust_base=k * case.rules.dust_base
    )
    scaled = Case(
        tuple(replace(row, price=k * (row.price or ZERO)) for row in shuffled),
        dict(sorted(case.targets.items(), reverse=True)), k * case.cash, rules,
    )  # fmt: skip

    usual, other = case.rows(), scaled.rows()

    assert [*usual] == [*other]
    for symbol, plan in usual.items():
        assert (other[symbol].quantity, other[symbol].direction) == (plan.quantity, plan.direction)
        assert other[symbol].trade_amount == k * plan.trade_amount
