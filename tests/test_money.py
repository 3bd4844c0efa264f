"""Money: lots, plain text, dated rates with a direction."""

from datetime import date
from decimal import Decimal
from types import MappingProxyType

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from steelyard.canonical import plain
from steelyard.money import FxRate, FxTable

RATES = FxTable(
    "USD",
    MappingProxyType(
        {
            "EUR": (
                FxRate("EUR", Decimal("1.10"), date(2024, 1, 3)),
                FxRate("EUR", Decimal("1.25"), date(2024, 1, 5)),
            )
        }
    ),
)


def days(*texts):
    return np.array(texts, dtype="datetime64[D]")


def test_plain_text_has_no_exponent_and_no_trailing_zeros():
    texts = {
        "1E+3": "1000", "2.50": "2.5", "0.000001": "0.000001", "-0.00": "0", "0E-14": "0",
        "-7.10": "-7.1", "120": "120",
    }  # fmt: skip

    assert {amount: plain(Decimal(amount)) for amount in texts} == texts


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=8
    )
)
def test_plain_text_loses_nothing(amount):
    assert Decimal(plain(amount)) == amount


def test_the_latest_rate_is_never_of_a_later_day():
    days = date(2024, 1, 3), date(2024, 1, 4), date(2030, 1, 1)
    rates = [RATES.latest("EUR", day) for day in days]

    assert [str(rate.rate) for rate in rates if rate] == ["1.10", "1.10", "1.25"]
    assert RATES.latest("EUR", date(2024, 1, 2)) is None


@given(
    st.lists(st.dates(date(2024, 1, 1), date(2024, 3, 1)), unique=True),
    st.dates(date(2023, 12, 20), date(2024, 3, 10)),
)
def test_the_latest_rate_is_the_last_of_those_that_are_not_later(days_of_rates, on):
    rates = tuple(FxRate("EUR", Decimal(n + 1), day) for n, day in enumerate(sorted(days_of_rates)))

    newest = FxTable("USD", {"EUR": rates}).latest("EUR", on)

    assert newest == next((rate for rate in reversed(rates) if rate.on <= on), None)


def test_the_base_is_one_of_itself_on_every_day():
    assert RATES.latest("USD", date(1990, 1, 1)) == FxRate("USD", Decimal(1), date(1990, 1, 1))
    assert RATES.series("USD", days("2024-01-02", "2024-01-03"), 0).tolist() == [1.0, 1.0]


def test_a_currency_without_rates_is_unknown_and_has_no_series():
    assert RATES.known("USD")
    assert RATES.known("EUR")
    assert not RATES.known("GBP")
    assert RATES.latest("GBP", date(2024, 1, 5)) is None
    assert np.isnan(RATES.series("GBP", days("2024-01-05"), 5)).all()


def test_a_series_carries_a_rate_forward_until_it_is_too_old():
    sessions = days(
        "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"
    )

    assert np.array_equal(
        RATES.series("EUR", sessions, 1), [np.nan, 1.1, 1.1, 1.25, 1.25, np.nan], equal_nan=True
    )
    assert np.array_equal(
        RATES.series("EUR", sessions, 0),
        [np.nan, 1.1, np.nan, 1.25, np.nan, np.nan],
        equal_nan=True,
    )


def test_the_age_of_a_rate_is_counted_in_sessions_so_a_weekend_does_not_age_it():
    assert RATES.series("EUR", days("2024-01-05", "2024-01-08"), 1).tolist() == [1.25, 1.25]


def test_a_series_over_no_days_is_empty():
    assert RATES.series("EUR", days(), 5).shape == (0,)


def test_a_table_cut_at_a_day_knows_nothing_of_what_came_after():
    cut = RATES.until(date(2024, 1, 4))

    assert cut.base == "USD"
    assert [rate.on for rate in cut.rates["EUR"]] == [date(2024, 1, 3)]
    assert not RATES.until(date(2024, 1, 1)).known("EUR")
