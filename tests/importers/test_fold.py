"""A fold of transactions against shares counted one by one, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from builders.each import each
from steelyard.importers.fold import Entry, Folded, Kind, fold
from steelyard.importers.statement import Position

FIRST = datetime.fromisoformat("2024-01-01")


@dataclass
class Drawer:
    """The oracle: every single share of a symbol lies in a drawer, the oldest in front."""

    shares: list[tuple[Fraction | None, date | None]] = field(default_factory=list)
    bought: date | None = None
    sold: date | None = None
    loss: bool = False

    def move(self, entry: Entry) -> None:
        on, count = entry.at.date(), int(entry.quantity)
        if entry.kind in {Kind.BUY, Kind.IN}:
            cost = None if entry.price is None else Fraction(entry.price)
            buys = entry.kind is Kind.BUY
            self.shares += [(cost, on if buys else entry.acquired)] * count
            self.bought = on if buys else self.bought
        elif entry.kind is Kind.SPLIT:
            ratio = int(entry.ratio)
            self.shares = [
                (cost if cost is None else cost / ratio, day)
                for cost, day in self.shares
                for _ in range(ratio)
            ]
        else:
            gone, self.shares = self.shares[:count], self.shares[count:]
            if entry.kind is Kind.SELL:
                assert entry.price is not None
                self.sold = on
                self.loss = any(cost is not None and entry.price < cost for cost, _ in gone)


@st.composite
def histories(draw: st.DrawFn) -> list[Entry]:
    """Entries that can be, at times that differ, in any order in the file."""
    counts, entries = {"AAA": 0, "BBB": 0}, list[Entry]()
    money = st.decimals(-50, 50, places=2)
    for number in range(draw(st.integers(0, 25))):
        symbol = draw(st.sampled_from(sorted(counts)))
        kind = draw(st.sampled_from(list(Kind)))
        entry = Entry(
            line=0,
            at=FIRST + timedelta(hours=7 * number),
            kind=kind,
            symbol=symbol,
            currency="USD",
            quantity=Decimal(draw(st.integers(1, 9))),
            price=draw(st.decimals(1, 99, places=2)),
            cash=((draw(st.sampled_from(["USD", "EUR"])), draw(money)),),
        )
        if kind is Kind.SPLIT:
            entry = replace(entry, ratio=Fraction(draw(st.integers(2, 3))))
            counts[symbol] *= int(entry.ratio)
            if counts[symbol] > 2000:
                break
        elif kind in {Kind.SELL, Kind.OUT}:
            if not counts[symbol]:
                continue
            entry = replace(entry, quantity=Decimal(draw(st.integers(1, counts[symbol]))))
            counts[symbol] -= int(entry.quantity)
        elif kind is Kind.IN:
            price = entry.price if draw(st.booleans()) else None
            entry = replace(entry, price=price, acquired=date(2020, 1, 1))
            counts[symbol] += int(entry.quantity)
        elif kind is Kind.BUY:
            counts[symbol] += int(entry.quantity)
        entries.append(entry)
    shuffled = draw(st.permutations(entries))
    return [replace(entry, line=line) for line, entry in enumerate(shuffled, 2)]


def by_share(rows: list[Position]) -> list[tuple[Decimal | None, date | None]]:
    """Cost and day of every share."""
    return [
        (row.average_cost and round(row.average_cost, 20), row.acquired)
        for row in rows
        for _ in range(int(row.quantity))
    ]


def in_order(shares: list[tuple[Decimal | None, date | None]]) -> list[tuple[date, Decimal]]:
    """Shares by day and cost, what is not known first."""
    return sorted((day or date.min, cost or Decimal(0)) for cost, day in shares)


@given(histories())
def test_a_fold_leaves_what_counting_every_share_leaves(entries: list[Entry]):
    drawers, cash = dict[str, Drawer](), dict[str, Decimal]()
    for entry in sorted(entries, key=lambda entry: entry.at):
        if entry.kind is not Kind.CASH:
            drawers.setdefault(entry.symbol, Drawer()).move(entry)
        for currency, amount in entry.cash:
            cash[currency] = cash.get(currency, Decimal(0)) + amount

    folded = fold(entries, "t.csv")

    assert folded.rejected == ()
    assert {row.currency: row.amount for row in folded.balances} == cash
    assert {row.symbol for row in folded.positions} == {*drawers}
    for symbol, drawer in drawers.items():
        rows = [row for row in folded.positions if row.symbol == symbol]
        costs = [
            (None if cost is None else round(Decimal(cost.numerator) / cost.denominator, 20), day)
            for cost, day in drawer.shares
        ]
        assert in_order(by_share(rows)) == in_order(costs)
        assert len({(row.average_cost, row.acquired) for row in rows}) == len(rows)
        dates = {(row.last_bought, row.last_sold, row.sold_at_loss) for row in rows}
        assert dates == {(drawer.bought, drawer.sold, drawer.loss)}


@given(
    st.lists(st.tuples(st.decimals("0.0001", 1000, places=4), st.decimals(1, 500, places=2)),
             min_size=1, max_size=8),
    st.fractions(Fraction(1, 50), 50, max_denominator=50),
)  # fmt: skip
def test_a_split_changes_no_cost_and_a_sale_of_all_leaves_nothing(
    lots: list[tuple[Decimal, Decimal]], ratio: Fraction
):
    def entry(number: int, kind: Kind, quantity: Decimal = Decimal(0), price: Decimal | None = None,
              by: Fraction = Fraction(1)) -> Entry:  # fmt: skip
        return Entry(line=number, at=FIRST + timedelta(days=number), kind=kind, symbol="AAA",
                     quantity=quantity, price=price, currency="USD", ratio=by)  # fmt: skip

    buys = [entry(n, Kind.BUY, *lot) for n, lot in enumerate(lots)]
    total = sum((quantity for quantity, _ in lots), Decimal(0))
    split = fold([*buys, entry(20, Kind.SPLIT, by=ratio)], "t.csv").positions
    back = [entry(20, Kind.SPLIT, by=ratio), entry(21, Kind.SPLIT, by=1 / ratio)]
    sold = fold([*buys, *back, entry(22, Kind.SELL, total, Decimal(1))], "t.csv")

    spent = sum((quantity * price for quantity, price in lots), Decimal(0))
    cost = sum((row.quantity * (row.average_cost or 0) for row in split), Decimal(0))
    assert abs(cost - spent) < Decimal("1e-15")
    assert (sold.rejected, [row.quantity for row in sold.positions]) == ((), [Decimal(0)])


def folded(*rows: tuple[str, Kind, str, str | None]) -> Folded:
    """(day, kind, quantity, price) of AAA, a line each from line 2."""
    entries = [
        Entry(
            line=line,
            at=datetime.fromisoformat(day),
            kind=kind,
            symbol="AAA",
            currency="USD",
            quantity=Decimal(quantity),
            price=None if price is None else Decimal(price),
        )
        for line, (day, kind, quantity, price) in enumerate(rows, 2)
    ]
    return fold(entries, "t.csv")


def test_more_shares_than_there_are_cannot_go_and_the_line_is_named():
    bought = ("2024-01-02", Kind.BUY, "4", "10")
    cases = {
        "sold": (("2024-01-03", Kind.SELL, "10", "9"), "sells 10 AAA where the rows before"),
        "moved out": (("2024-01-03", Kind.OUT, "4.001", None), "moves out 4.001 AAA"),
        "sold before they are bought": (("2024-01-01", Kind.SELL, "4", "9"), "leave 0;"),
    }

    def check(row: tuple[str, Kind, str, str | None], words: str) -> None:
        (rejected,) = folded(bought, row).rejected
        assert (rejected.line, rejected.code) == (3, "negative_position")
        assert words in rejected.reason
        assert "must begin with the first trade" in rejected.hint

    each(cases, check)


def test_on_one_day_without_times_shares_come_before_they_go_and_a_split_before_both():
    rows = [("2024-01-02", Kind.SELL, "3", "9"), ("2024-01-02", Kind.BUY, "3", "10")]
    first = folded(("2024-01-01", Kind.BUY, "2", "30"), *rows)

    assert (first.rejected, [row.quantity for row in first.positions]) == ((), [2])
    assert first.positions[0].average_cost == 10


def test_a_transfer_is_no_trade():
    moved = folded(("2024-01-02", Kind.IN, "3", None), ("2024-01-03", Kind.OUT, "1", None))

    (lot,) = moved.positions
    assert (lot.quantity, lot.acquired, lot.average_cost) == (2, None, None)
    assert (lot.last_bought, lot.last_sold, lot.sold_at_loss) == (None, None, False)


def test_one_symbol_in_two_currencies_or_of_two_isins_is_refused_with_both():
    first = Entry(line=2, at=FIRST, kind=Kind.BUY, symbol="SAN", quantity=Decimal(1),
                  price=Decimal(5), currency="EUR", isin="ES0113900J37")  # fmt: skip
    later = FIRST + timedelta(days=1)
    cases = {
        "currency": (replace(first, line=3, at=later, currency="USD"), "EUR", "USD"),
        "ISIN": (replace(first, line=3, at=later, isin="FR0000120578"), "ES01", "FR00"),
    }

    def check(second: Entry, old: str, new: str) -> None:
        (rejected,) = fold([first, second], "t.csv").rejected
        assert (rejected.line, rejected.code) == (3, "two_securities")
        assert old in rejected.reason
        assert new in rejected.reason

    each(cases, check)
    changed = replace(first, line=3, at=later, kind=Kind.SPLIT, isin="FR0000120578")
    assert fold([first, changed], "t.csv").rejected == ()


def test_a_split_of_other_shares_than_there_are_is_refused():
    (rejected,) = fold(
        [
            Entry(line=2, at=FIRST, kind=Kind.BUY, symbol="AAA", quantity=Decimal(4)),
            Entry(line=3, at=FIRST + timedelta(days=1), kind=Kind.SPLIT, symbol="AAA",
                  ratio=Fraction(2), before=Decimal(5)),
        ],
        "t.csv",
    ).rejected  # fmt: skip

    assert "splits 5 AAA where the rows before it leave 4" in rejected.reason


def test_cash_is_whole_from_a_deposit_on_and_never_below_nothing():
    def cash(day: str, amount: str, *, opens: bool = False) -> Entry:
        at = datetime.fromisoformat(day)
        move = (("EUR", Decimal(amount)),)
        return Entry(line=2, at=at, kind=Kind.CASH, cash=move, opens=opens)

    deposit = cash("2024-01-02", "10", opens=True)
    cases = {
        "from a deposit": ([deposit, cash("2024-01-03", "-10")], True),
        "spent on the day of the deposit": ([deposit, cash("2024-01-02", "-9")], True),
        "bought on that day": (
            [replace(deposit, kind=Kind.BUY, cash=(), opens=False), deposit],
            True,
        ),
        "begins with a dividend": ([cash("2024-01-01", "1"), deposit], False),
        "overdrawn": ([deposit, cash("2024-01-03", "-11"), cash("2024-01-04", "5")], False),
        "nothing": ([], False),
    }

    def check(entries: list[Entry], whole: bool) -> None:
        assert fold(entries, "t.csv").whole is whole

    each(cases, check)


def test_accounts_are_folded_apart():
    buy = Entry(line=2, at=FIRST, kind=Kind.BUY, symbol="AAA", quantity=Decimal(1), account="A")
    sale = replace(buy, line=3, at=FIRST + timedelta(days=1), kind=Kind.SELL, account="B")

    assert [row.line for row in fold([buy, sale], "t.csv").rejected] == [3]
