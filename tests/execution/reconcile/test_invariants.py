"""Whatever happens in an account is explained whole, and a figure that is off is one break."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from builders.accounts import BUY, SELL, account, activity, d, fill, opening, order_id, ours, theirs
from steelyard.brokers.broker import Activity, BrokerFill
from steelyard.execution.reconcile import Ours, Theirs, compare

SHARES = st.decimals("0.000001", "1000", places=6)
MONEY = st.decimals("-500", "500", places=4)
HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from(["ours", "foreign", "dividend", "split"]),
        st.sampled_from(["A", "B", "C"]),
        st.sampled_from([BUY, SELL]),
        SHARES,
        st.decimals("0.01", "300", places=2),
        st.decimals("0", "3", places=4),
        MONEY,
    ),
    max_size=10,
)


def happened(rows: list[tuple]) -> tuple[Ours, Theirs]:
    """Both sides of an account in which all of it happened."""
    start = opening({"A": 100, "B": "3.5"}, {"USD": 1000, "EUR": 7})
    positions, cash = dict(start.positions), dict(start.cash)
    own: list[BrokerFill] = []
    foreign: list[BrokerFill] = []
    acts: list[Activity] = []
    for n, (kind, symbol, side, quantity, price, fee, money) in enumerate(rows):
        sign = 1 if side is BUY else -1
        positions.setdefault(symbol, d(0))
        if kind in {"ours", "foreign"}:
            order = order_id(n) if kind == "ours" else f"by-hand-{n}"
            deal = fill(f"e{n}", symbol, side, quantity, price, fee=fee, order=order, minutes=n)
            (own if kind == "ours" else foreign).append(deal)
            positions[symbol] += sign * quantity
            cash["USD"] -= sign * deal.value + fee
        elif kind == "dividend":
            acts.append(activity(f"a{n}", "DIVIDEND", {"USD": money}, symbol))
            cash["USD"] += money
        else:
            acts.append(activity(f"a{n}", "SPLIT", {}, symbol, sign * quantity))
            positions[symbol] += sign * quantity
    holder = account(positions, cash)
    return ours(start, *own), theirs(holder, *own, *foreign, activities=acts)


@given(rows=HAPPENINGS)
def test_all_that_happens_is_explained_and_the_next_opening_needs_no_explanation(rows):
    mine, broker = happened(rows)

    result = compare(mine, broker)
    assert result.breaks == ()
    assert result.opening is not None
    again = compare(ours(result.opening, *mine.fills, orders=sorted(mine.orders)), broker)
    assert again.breaks == ()
    assert again.explained == again.foreign == ()


@given(
    rows=HAPPENINGS,
    which=st.integers(0, 10),
    off=st.one_of(st.decimals("0.000002", "5", places=6), st.decimals("-5", "-0.000002", places=6)),
)
def test_a_position_that_is_off_is_one_break_of_that_symbol_by_that_much(rows, which, off):
    mine, broker = happened(rows)
    names = [position.symbol for position in broker.account.positions]
    name = names[which % len(names)]
    positions = {each.symbol: each.quantity for each in broker.account.positions}
    cash = {each.currency: each.amount for each in broker.account.cash}
    shifted = account(positions | {name: positions[name] + off}, cash)

    (broken,) = compare(mine, theirs_like(broker, shifted)).breaks

    assert (broken.level, broken.subject, broken.difference) == ("position", name, off)


@given(
    rows=HAPPENINGS, cents=st.integers(-500, 500).filter(bool), name=st.sampled_from(["USD", "EUR"])
)
def test_cash_that_is_off_by_a_cent_is_one_break_of_that_currency(rows, cents, name):
    mine, broker = happened(rows)
    off = Decimal(cents) / 100
    positions = {each.symbol: each.quantity for each in broker.account.positions}
    cash = {each.currency: each.amount for each in broker.account.cash}
    shifted = account(positions, cash | {name: cash[name] + off})

    (broken,) = compare(mine, theirs_like(broker, shifted)).breaks

    assert (broken.level, broken.subject, broken.difference) == ("cash", name, off)


@given(rows=HAPPENINGS, data=st.data())
def test_an_execution_that_one_side_lacks_is_never_overlooked(rows, data):
    mine, broker = happened(rows)
    if not mine.fills:
        return
    lost = data.draw(st.sampled_from(mine.fills))
    here = ours(
        mine.opening,
        *(each for each in mine.fills if each != lost),
        orders=sorted(mine.orders),
    )

    codes = {each.code for each in compare(here, broker).breaks}

    assert "not_booked" in codes


def theirs_like(broker: Theirs, holder: object) -> Theirs:
    """The same broker with another account."""
    return Theirs(
        account=holder,  # type: ignore[arg-type]
        orders=broker.orders,
        fills=broker.fills,
        activities=broker.activities,
    )
