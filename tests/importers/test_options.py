"""Options by their symbols: every spelling of a contract is one symbol, and no share is one."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from steelyard.importers import values
from steelyard.importers.options import is_isin, option_symbol

SPELLINGS = {
    "AAPL260116C00250000": (
        "AAPL260116C00250000",
        "AAPL  260116C00250000",
        "AAPL 01/16/2026 250.00 C",
        "AAPL 1/16/26 $250 Call",
        "AAPL 2026-01-16 250 C",
        "AAPL 16JAN26 250 C",
        "AAPL 16Jan2026 C250",
        "AAPL Jan 16 '26 $250 Call",
        "-AAPL260116C250",
        " -AAPL260116C250",
        ".AAPL260116C250",
        "aapl260116c250.00",
    ),
    "BRKB261218P00412500": ("BRK/B 12/18/2026 412.50 P", "BRK.B 18DEC26 412.5 P"),
    "SPX261218P04000000": ("SPX 12/18/2026 4,000.00 P", "-SPX261218P4000"),
    "F260116C00000500": ("F260116C.5", "-F260116C0.5")[1:],
    "TSLA1260116C00250000": ("TSLA1260116C00250000",),
}
OTHERS = (
    *("", "AAPL", "BRK/B", "BRK.B", "VMFXX", "SPAXX**", "AAPL C", "AAPL 250 C", "C", "P260116"),
    *("AAPL 13/16/2026 250 C", "AAPL 02/30/2026 250 C", "AAPL260230C250", "AAPL 16JAX26 250 C"),
    *("AAPL 01/16/2026 0.00 C", "AAPL260116C00000000", "AAPL260116C0.0005", "AAPL260116C999999999"),
    *("US0378331005", "IE00B3RBWM25", "912828XY1", "AAPL 01/16/2026 , C", "ÀAPL260116C250"),
)


def test_every_spelling_of_a_contract_is_one_symbol():
    read = {text: option_symbol(text) for texts in SPELLINGS.values() for text in texts}

    assert read == {text: symbol for symbol, texts in SPELLINGS.items() for text in texts}


def test_what_is_no_option_is_none():
    assert {text: option_symbol(text) for text in OTHERS} == dict.fromkeys(OTHERS)


def test_an_isin_that_looks_like_a_contract_is_none():
    texts = [f"XS260116C{strike:03}" for strike in range(100)]

    isins = [text for text in texts if is_isin(text)]
    assert len(isins) == 10
    assert [option_symbol(text) for text in isins] == [None] * 10
    assert option_symbol(f"-{isins[0]}") == f"XS260116C{isins[0][9:]:0>5}000"


@given(
    st.from_regex(r"[A-Z]{1,5}", fullmatch=True),
    st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    st.sampled_from("CP"),
    st.decimals("0.001", "99999.999", places=3),
)
def test_what_a_broker_writes_comes_back(root: str, on: date, right: str, strike: Decimal):
    symbol = f"{root}{on:%y%m%d}{right}{int(strike * 1000):08d}"

    read = {
        option_symbol(f"{root} {on:%m/%d/%Y} {strike:,.3f} {right}"),
        option_symbol(f"-{root}{on:%y%m%d}{right}{strike:f}"),
        option_symbol(f"{root:<6}{symbol[len(root) :]}"),
    }

    assert read == {symbol}
    assert values.symbol(symbol) == symbol


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str):
    assert option_symbol(text) is None or values.SYMBOL.fullmatch(option_symbol(text) or "")
