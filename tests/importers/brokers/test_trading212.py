"""Trading 212: a history of transactions, its cash, and what a file of one year cannot say."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D

from builders.each import each
from builders.statements import answer, cash, changed, codes, fixture, of_text, owned, statement
from steelyard.errors import InputError
from steelyard.importers.statement import Statement

FORM = "trading212"


def test_a_history_from_the_first_deposit_is_folded_into_lots_and_cash():
    read = statement(FORM, "plain.csv")

    assert owned(read) == [
        ("VOD", D(1000), "GBP", None, D("0.712")),
        # 4 at 200 and 6 at 210, split 3:1, 15 sold: the first lot and 3 of the second
        ("AAPL", D(15), "USD", None, D(70)),
        ("VUSA", D(0), "GBP", None, None),
    ]
    vodafone, apple, sold_out = read.positions
    assert (vodafone.acquired, vodafone.isin) == (date(2025, 1, 6), "GB00BH4HKS39")
    assert (apple.acquired, apple.last_sold, apple.sold_at_loss) == (
        date(2025, 3, 3), date(2025, 6, 2), True,
    )  # fmt: skip
    assert (sold_out.last_bought, sold_out.last_sold, sold_out.sold_at_loss) == (
        date(2025, 7, 1), date(2025, 7, 8), False,
    )  # fmt: skip
    # 5000 - 714.56 - 641 - 1001.5 + 1.66 + 749 + 1.4 - 400 + 410 - 500 - 4.95 + 0.02
    assert cash(read) == [("", "GBP", D("2900.07"), None)]
    assert (read.as_of, read.base, read.complete) == (date(2025, 8, 3), "GBP", True)
    assert codes(read) == ["folded"]


def test_the_order_of_the_rows_does_not_matter():
    plain = fixture(FORM, "plain.csv")
    header, *rows = plain.text.splitlines(keepends=True)
    turned = answer(FORM, of_text(plain, "".join([header, *reversed(rows)])))

    assert isinstance(turned, Statement)
    assert (owned(turned), cash(turned)) == (
        owned(statement(FORM, "plain.csv")),
        cash(statement(FORM, "plain.csv")),
    )


def test_an_older_header_has_the_currency_of_the_account_in_the_name_of_the_total():
    read = statement(FORM, "older.csv")

    assert (owned(read), cash(read), read.base) == (
        [("IWDA", D(10), "EUR", None, D(60))],
        [("", "EUR", D(400), None)],
        "EUR",
    )


def test_conversions_move_two_currencies_and_a_transfer_has_no_cost():
    read = statement(FORM, "several_currencies.csv")

    assert cash(read) == [("", "EUR", D(500), None), ("", "USD", D(410), None)]
    assert owned(read) == [
        ("KO", D(2), "USD", None, D(65)),
        ("MSFT", D(3), "USD", None, None),
    ]
    assert read.positions[1].acquired is None


def test_a_file_that_begins_later_is_refused_by_line_and_knows_no_cash():
    read = statement(FORM, "second_year.csv")

    assert [(row.line, row.code) for row in read.rejected] == [(2, "negative_position")]
    assert "the export must begin with the first trade" in read.rejected[0].reason
    assert (read.balances, read.complete, codes(read)) == ((), False, ["folded", "cash_unknown"])


def test_a_header_alone_says_nothing_of_cash():
    read = statement(FORM, "empty.csv")

    assert (read.positions, read.balances, read.complete) == ((), (), False)


def test_an_unknown_action_is_refused_where_it_moves_shares_and_else_makes_cash_unknown():
    plain = fixture(FORM, "plain.csv")
    moves = answer(FORM, changed(plain, "Limit buy,", "Spin-off,"))
    other = answer(FORM, changed(plain, "Result adjustment,", "Mystery,"))

    assert isinstance(moves, Statement)
    assert isinstance(other, Statement)
    reasons = {row.line: row.reason for row in moves.rejected}
    assert reasons[4] == "action 'Spin-off' is not known and moves 4 shares"
    assert [row.what for row in other.passed] == ["row of the unknown action 'Mystery'"]
    assert (other.balances, other.complete, codes(other)) == ((), False, ["folded", "cash_unknown"])


def test_what_cannot_be_so_is_refused_by_line():
    plain = fixture(FORM, "plain.csv").text
    row = next(line for line in plain.splitlines(keepends=True) if "e-5" in line)
    cases = {
        "half a split": ("Stock split open", "Stock split opened", 8, "not known and moves 30"),
        "a split of other shares": ("AAPL,Apple,10,220", "AAPL,Apple,11,220", 8, "splits 11 AAPL"),
        "a row twice": (row, row + row, 12, "stands on line 11 already"),
        "no unit": ("71.20,GBX", "71.20,", 3, "price_/_share) is missing"),
        "a unit of mixed case": ("71.20,GBX", "71.20,Gbp", 3, "mixes capitals"),
        "no total": ("714.56", "Not available", 3, "total is missing"),
        "a date of two readings": ("2025-01-06 09:30:02.125", "01/06/2025 09:30", 3, "is not like"),
        "no such time": ("09:30:02.125", "25:30:02.125", 3, "not a time of the day"),
        "shares below nothing": (
            "VUSA,Vanguard S&P 500,5,82", "VUSA,Vanguard S&P 500,-5,82", 12,
            "the action says the direction",
        ),
        "a comma": ("Vodafone Group,1000,", 'Vodafone Group,"1.000,5",', 3, "decimal point"),
    }  # fmt: skip

    def check(old: str, new: str, line: int, words: str) -> None:
        read = answer(FORM, changed(fixture(FORM, "plain.csv"), old, new))
        assert isinstance(read, Statement), read
        reasons = {row.line: row.reason for row in read.rejected}
        assert words in reasons.get(line, ""), reasons

    each(cases, check)


def test_two_columns_of_totals_refuse_the_file():
    older = fixture(FORM, "older.csv")
    error = answer(FORM, changed(older, "Charge amount (EUR)", "Total (USD)"))

    assert isinstance(error, InputError)
    assert "totals in EUR and USD" in str(error)
