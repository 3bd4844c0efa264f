"""Portfolio Performance: columns of the user's choice, languages, currencies, accounts."""

from decimal import Decimal

from builders import exports
from steelyard.importers.statement import Statement

FILES = exports.FILES / "portfolio_performance"


def read(name: str, *changes: tuple[str, str]) -> Statement:
    """A fixture, with changes of its text."""
    text = exports.source(FILES / name).text
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return exports.form("portfolio-performance").read(exports.source(FILES / name, text))


def test_a_symbol_else_an_isin_else_a_wkn_names_a_row_and_quotes_name_their_currency():
    statement = read("de.csv")

    rows = [(p.symbol, p.quantity, p.currency, p.price, p.average_cost, p.value)
            for p in statement.positions]  # fmt: skip
    assert rows == [
        ("VWRL.AS", 40, "", Decimal("128.40"), Decimal("101.25"), 5136),
        ("IE00B4WXJJ64", Decimal("1210.5"), "", Decimal("12.34"), 12, Decimal("14937.57")),
        ("865985", 10, "USD", Decimal("260.25"), Decimal("149.30"), None),
        ("CEY.L", 100, "GBP", Decimal("1.0985"), Decimal("1.05"), None),
    ]
    assert [(b.label, b.currency, b.amount) for b in statement.balances] == [
        ("Tagesgeld", "", 2253)
    ]
    assert [(n.code, n.head) for n in statement.guessed] == [("no_currency", True)]


def test_english_columns_have_decimal_points():
    statement = read("en.csv")

    assert [(p.symbol, p.price, p.value) for p in statement.positions] == [
        ("VWRL.AS", Decimal("128.40"), 5136), ("AAPL", Decimal("260.25"), None),
    ]  # fmt: skip
    assert [(b.label, b.amount) for b in statement.balances] == [
        ("Reference Account", Decimal("22.24"))
    ]


def test_few_columns_and_an_empty_file_are_read():
    few, empty = read("few_columns.csv"), read("empty.csv")

    assert [(p.symbol, p.quantity, p.price) for p in few.positions] == [
        ("IE00B3RBWM25", 40, Decimal("128.40"))
    ]
    assert (empty.positions, empty.balances, empty.rejected) == ((), (), ())


def test_a_row_without_a_count_is_cash_only_where_the_total_says_so():
    subtotal = read("de.csv", ("2.253,00", "22.437,00"))
    no_total = read("de.csv", ('"";Summe;;;;;;24.690,00;100,00;\n', ""))

    assert [(row.line, row.code) for row in subtotal.rejected] == [
        (2, "total_differs"),
        (7, "no_count"),
    ]
    assert [(row.line, row.code) for row in no_total.rejected] == [(6, "no_count")]


def test_a_row_that_nothing_names_and_a_lone_1234_are_refused_with_both_readings():
    nameless = read("de.csv", ("VWRL.AS;IE00B3RBWM25;A1JX52", ";;"))
    either = read("few_columns.csv", ('"128,40"', '"1,234"'))

    assert [(row.line, row.code, row.value) for row in nameless.rejected] == [
        (3, "missing", "Weltfonds \u2013 aussch\u00fcttend")
    ]
    assert [(row.line, row.code) for row in either.rejected] == [(2, "two_readings")]
    assert "'1,234' is 1234 or 1.234" in either.rejected[0].reason
