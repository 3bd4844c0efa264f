"""DEGIRO: languages, base currencies, pence, and amounts behind a currency."""

from decimal import Decimal

from builders import exports
from steelyard.importers.statement import Statement

FILES = exports.FILES / "degiro"


def read(name: str, *changes: tuple[str, str]) -> Statement:
    """A fixture, with changes of its text."""
    text = exports.source(FILES / name).text
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return exports.form("degiro").read(exports.source(FILES / name, text))


def test_all_languages_say_the_same():
    english = read("en.csv")
    others = {name: read(f"{name}.csv") for name in ("nl", "de", "fr", "es", "it")}

    assert {name for name, s in others.items() if s.positions != english.positions} == set()
    assert {name for name, s in others.items() if s.balances != english.balances} == set()
    assert {s.base for s in others.values()} == {english.base} == {"EUR"}


def test_pence_are_pounds_a_bond_is_quoted_per_100_and_cash_is_in_its_currency():
    statement = read("en.csv")

    rows = [(p.symbol, p.quantity, p.currency, p.price, p.unit, p.value, p.product_type)
            for p in statement.positions]  # fmt: skip
    assert rows == [
        ("IE00B3RBWM25", 1037, "EUR", Decimal("128.40"), "", Decimal("133150.80"), ""),
        ("JE00B5TT1872", 677, "GBP", Decimal("1.0985"), "GBX", Decimal("743.6845"), ""),
        ("US0378331005", 3, "USD", Decimal("260.25"), "", Decimal("780.75"), ""),
        ("DE000BU2Z007", 5000, "EUR", Decimal("98.42"), "", 4921, "BOND"),
    ]
    assert [(b.currency, b.amount) for b in statement.balances] == [
        ("EUR", Decimal("1079.92")), ("USD", Decimal("12.40")),
    ]  # fmt: skip
    assert {p.isin for p in statement.positions} == {p.symbol for p in statement.positions}


def test_amounts_behind_their_currency_and_decimal_points_are_read():
    one_cell, points = read("one_cell.csv"), read("points.csv")

    assert (one_cell.positions[0].value, one_cell.balances[0].amount) == (
        Decimal("133150.80"), Decimal("1079.92"),
    )  # fmt: skip
    assert (points.positions[0].quantity, points.positions[0].price, points.base) == (
        1037, Decimal("111.10"), "GBP",
    )  # fmt: skip


def test_a_mixed_case_currency_two_notations_and_two_currencies_are_refused():
    mixed = read("en.csv", (",GBX,", ",Gbp,"))
    two = read("en.csv", (",,,,USD,", ",,,,CHF,"))

    assert [(row.line, row.code) for row in mixed.rejected] == [(5, "mixed_case")]
    assert [(row.line, row.code) for row in two.rejected] == [(3, "two_currencies")]
    answer = str(exports.read("degiro", exports.source(FILES / "en.csv", _with_a_point())))
    assert "'128.40' has a decimal point" in answer


def _with_a_point() -> str:
    return exports.source(FILES / "en.csv").text.replace('"128,40"', "128.40")
