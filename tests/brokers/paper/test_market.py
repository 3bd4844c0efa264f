"""The market of a paper account: limits, days, money, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.paper import DAY, EARLY, EXACT, PRICES, opening, paper, ticket
from steelyard.brokers.broker import Accepted, Rejected
from steelyard.brokers.paper import Fees, PaperPrice, Script, open_paper
from steelyard.brokers.paper.desk import Desk, pay
from steelyard.brokers.paper.quotes import tick_of, touch
from steelyard.errors import BrokerError, InputError
from steelyard.orders import OrderStatus

PATIENT = replace(EXACT, instant=False)
RATES = {"USD": Decimal("0.9")}


@given(
    seed=st.integers(0, 99), seconds=st.integers(0, 10**6),
    price=st.decimals("0.0001", "100000", places=4).map(Decimal),
    spread=st.sampled_from([0.0, 4.0, 100.0]),
)  # fmt: skip
def test_quotes_stand_about_the_price_on_their_ticks(
    seed: int, seconds: int, price: Decimal, spread: float
) -> None:
    script = Script(seed=seed, spread_bps=spread)
    now = datetime.fromtimestamp(1_773_000_000 + seconds, UTC)

    best = touch(script, "AA", price, now)

    assert 0 < best.bid <= best.ask
    assert best == touch(script, "AA", price, now)
    assert best.bid % tick_of(best.bid) == 0
    reach = price * Decimal("0.006") + 2 * tick_of(price + 1)
    assert abs(best.middle - price) <= reach


@given(seed=st.integers(0, 200), side=st.sampled_from(["buy", "sell"]), cents=st.integers(-30, 30))
def test_no_fill_is_worse_than_its_limit(seed: int, side: str, cents: int) -> None:
    script = Script(seed=seed, instant=True, wobble_bps=20.0)
    limit = Decimal(100) + Decimal(cents) / 100
    with TemporaryDirectory() as folder:
        account = opening(cash={"USD": Decimal(5000)})
        broker = open_paper(Path(folder) / "paper.db", "tests", account, script)
        broker.submit(ticket("o1", side, "AA", "5", str(limit)))
        broker.wait(30.0)

        for fill in broker.fills(EARLY):
            assert fill.price <= limit if side == "buy" else fill.price >= limit
        broker.close()


def test_an_order_waits_until_the_market_comes_to_it(tmp_path: Path) -> None:
    broker = paper(tmp_path, replace(PATIENT, wobble_bps=50.0))
    broker.submit(ticket("o1", "sell", "AA", "5", "100.45"))
    broker.wait(20.0)
    waiting = broker.fills(EARLY)

    broker.wait(3600.0)

    assert not waiting
    assert {fill.price >= Decimal("100.45") for fill in broker.fills(EARLY)} == {True}


def test_an_order_at_the_midpoint_is_filled_by_chance(tmp_path: Path) -> None:
    script = Script(instant=True, wobble_bps=0.0, spread_bps=40.0)
    filled = 0
    broker = paper(tmp_path, script, positions={"AA": Decimal(100)})
    for n in range(20):
        broker.submit(ticket(f"o{n}", "sell", "AA", "1", "100"))
        filled += bool(broker.find(f"o{n}").filled_quantity)  # type: ignore[union-attr]

    assert 4 < filled < 16


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (ticket("o1", "sell", "AA", "10.5", "100"), "QUANTITY"),
        (ticket("o1", "sell", "BB", "1", "50"), "QUANTITY"),
        (ticket("o1", "buy", "BB", "30", "50"), "FUNDS"),
        (ticket("o1", "buy", "WW", "1.5", "7.5"), "NOT_FRACTIONAL"),
        (ticket("o1", "buy", "BB", "1", "50.005"), "PRICE"),
        (ticket("o1", "buy", "TT", "1", "0.47125"), "PRICE"),
        (ticket("o1", "buy", "TT", "0.01", "0.47"), "BELOW_MINIMUM"),
        (replace(ticket("o1", "buy", "BB", "1", "50"), symbol="NOPE"), "NOT_TRADABLE"),
        (replace(ticket("o1", "buy", "BB", "1", "50"), currency="USD"), "NOT_TRADABLE"),
        (replace(ticket("o1", "buy", "BB", "1", "50"), quantity=Decimal("NaN")), "QUANTITY"),
        (replace(ticket("o1", "buy", "BB", "1", "50"), limit_price=Decimal(-1)), "QUANTITY"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_is_refused_with_its_code(order, code: str, tmp_path: Path) -> None:
    broker = paper(tmp_path)

    reply = broker.submit(order)

    assert isinstance(reply, Rejected)
    assert reply.code == code
    assert not broker.orders(EARLY)


def test_open_orders_bind_shares_and_money_of_those_after(tmp_path: Path) -> None:
    broker = paper(tmp_path)
    broker.submit(ticket("o1", "sell", "AA", "6", "200"))
    broker.submit(ticket("o2", "buy", "BB", "40", "25"))

    shares = broker.submit(ticket("o3", "sell", "AA", "5", "200"))
    money = broker.submit(ticket("o4", "buy", "BB", "5", "25"))

    assert isinstance(shares, Rejected)
    assert isinstance(money, Rejected)
    assert (shares.code, money.code) == ("QUANTITY", "FUNDS")
    broker.cancel("o1")
    broker.cancel("o2")
    assert isinstance(broker.submit(ticket("o5", "sell", "AA", "10", "200")), Accepted)
    assert isinstance(broker.submit(ticket("o6", "buy", "BB", "40", "25")), Accepted)


def test_a_balance_pays_first_for_what_is_quoted_in_it_and_the_rest_is_converted(
    tmp_path: Path,
) -> None:
    broker = paper(tmp_path, fees=Fees(Decimal(2), Decimal("0.002"), Decimal("0.01")))
    broker.submit(ticket("o1", "buy", "AA", "3", "100"))
    (fill,) = broker.fills(EARLY)
    (conversion,) = broker.activities(EARLY)

    # 300 + 0.60 + 2 euros that are 2.22 dollars, less the 100 that were there, at 0.9 and 1 %
    assert (fill.value, fill.fee) == (Decimal(300), Decimal("2.82"))
    assert conversion.kind == "CONVERSION"
    assert conversion.cash == {"EUR": Decimal("-184.37"), "USD": Decimal("202.82")}
    account = broker.account()
    assert account.balance("USD").amount == 0
    assert account.balance("EUR").amount == Decimal("815.63")


def test_proceeds_stay_in_their_currency_until_another_lacks_them(tmp_path: Path) -> None:
    broker = paper(tmp_path, fees=Fees(), cash={})
    broker.submit(ticket("o1", "sell", "AA", "5", "100"))
    before = broker.account().balance("USD").amount

    broker.submit(ticket("o2", "buy", "BB", "4", "50"))

    assert before == 500
    assert broker.account().balance("USD").amount == Decimal("277.77")
    assert broker.account().balance("EUR").amount == 0


@given(
    amount=st.decimals("0.01", "2000", places=2),
    cash=st.fixed_dictionaries(
        {c: st.decimals("-50", "1000", places=2) for c in ("CHF", "EUR", "USD")}
    ),
    currency=st.sampled_from(["CHF", "EUR", "USD"]), margin=st.sampled_from(["0", "0.01"]),
)  # fmt: skip
def test_paying_takes_exactly_what_is_due_or_nothing(
    amount: Decimal, cash: dict[str, Decimal], currency: str, margin: str
) -> None:
    rates = {"EUR": Decimal(1), "USD": Decimal("0.9"), "CHF": Decimal("1.07")}
    balances = dict(cash)

    legs = pay(Desk("EUR", rates, Decimal(margin)), balances, currency, amount)

    if legs is None:
        assert balances == cash
        return
    again = dict(cash)
    for leg in legs:
        again[leg.source] -= leg.cost
        again[leg.currency] += leg.amount
    again[currency] -= amount
    assert again == balances
    assert all(balances[c] >= min(cash[c], 0) for c in balances)
    lost = sum((leg.cost * rates[leg.source] - leg.amount * rates[leg.currency]) for leg in legs)
    paid = sum(leg.amount * rates[leg.currency] for leg in legs)
    assert -Decimal("0.03") <= lost <= paid * Decimal(margin) * Decimal("2.1") + Decimal("0.05")


def test_a_day_order_ends_with_its_day_and_the_market_is_closed(tmp_path: Path) -> None:
    broker = paper(tmp_path)
    broker.submit(ticket("o1", "sell", "AA", "5", "200"))
    broker.wait(5.5 * 3600 - 1)
    assert broker.clock().is_open
    assert broker.find("o1").status is OrderStatus.WORKING  # type: ignore[union-attr]

    broker.wait(1.0)

    assert not broker.clock().is_open
    assert broker.find("o1").status is OrderStatus.EXPIRED  # type: ignore[union-attr]
    late = broker.submit(ticket("o2", "sell", "AA", "5", "100"))
    assert isinstance(late, Rejected)
    assert late.code == "SESSION"


def test_a_later_plan_moves_the_account_to_its_day(tmp_path: Path) -> None:
    broker = paper(tmp_path)
    broker.submit(ticket("o1", "sell", "AA", "5", "200"))
    friday = date(2026, 3, 13)

    broker.reprice(friday, {**PRICES, "AA": PaperPrice(Decimal(120), "USD")}, RATES)

    assert broker.clock().now == datetime(2026, 3, 13, 14, 30, tzinfo=UTC)
    assert broker.clock().is_open
    assert broker.quotes(["AA"])["AA"].reference == 120
    assert broker.find("o1").status is OrderStatus.EXPIRED  # type: ignore[union-attr]
    with pytest.raises(BrokerError, match="cannot go back to 2026-03-12"):
        broker.reprice(date(2026, 3, 12), PRICES, RATES)


def test_the_same_day_again_goes_on_or_after_its_close_with_the_next(tmp_path: Path) -> None:
    broker = paper(tmp_path)
    broker.wait(600.0)
    before = broker.clock().now
    broker.reprice(DAY, PRICES, RATES)
    assert broker.clock().now == before

    broker.wait(6 * 3600.0)
    broker.reprice(DAY, PRICES, RATES)

    assert broker.clock().now == datetime(2026, 3, 11, 14, 30, tzinfo=UTC)


def test_days_are_weekdays_and_summer_time_moves_them(tmp_path: Path) -> None:
    broker = paper(tmp_path, as_of=date(2026, 3, 7))

    sessions = broker.calendar(date(2026, 3, 6), date(2026, 3, 9))

    assert [(s.day.day, s.opens.hour) for s in sessions] == [(6, 14), (9, 13)]
    assert broker.clock().now == datetime(2026, 3, 9, 14, 30, tzinfo=UTC)


def test_accounts_of_one_file_know_nothing_of_each_other(tmp_path: Path) -> None:
    one, two = (
        open_paper(tmp_path / "paper.db", name, opening(), EXACT) for name in ("one", "two")
    )
    one.submit(ticket("o1", "sell", "AA", "5", "100"))
    two.submit(ticket("o1", "sell", "AA", "2", "100"))

    assert one.account().position("AA").quantity == 5
    assert two.account().position("AA").quantity == 8
    assert len(two.fills(EARLY)) == 1
    with pytest.raises(BrokerError, match="no account 'three'"):
        open_paper(tmp_path / "paper.db", "three")


@pytest.mark.parametrize(
    "change",
    [
        {"positions": {"AA": Decimal(-1)}}, {"positions": {"AA": Decimal("NaN")}},
        {"prices": {"AA": PaperPrice(Decimal(0), "USD")}}, {"rates": {"USD": Decimal("Infinity")}},
        {"prices": {"AA": PaperPrice(Decimal(5), "GBP")}}, {"cash": {"GBP": Decimal(1)}},
        {"fees": Fees(Decimal(-1))}, {"cash": {"EUR": Decimal("NaN")}},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_an_account_that_cannot_be_is_not_opened(change, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Nothing was opened"):
        paper(tmp_path, **change)

    with pytest.raises(BrokerError):
        open_paper(tmp_path / "paper.db", "tests")


def test_a_file_that_cannot_be_used_is_an_error_and_an_order_unknown(tmp_path: Path) -> None:
    (tmp_path / "paper.db").write_bytes(b"no database" * 1000)

    with pytest.raises(BrokerError, match="cannot be used"):
        paper(tmp_path)


def test_what_waits_really_waits_at_its_pace(tmp_path: Path) -> None:
    paper(tmp_path).close()
    broker = open_paper(tmp_path / "paper.db", "tests", pace=0.001)
    before = datetime.now(UTC)
    broker.wait(50.0)

    assert (datetime.now(UTC) - before).total_seconds() >= 0.05
