"""Deposits and withdrawals as arguments: what is read, and every other form refused."""

from datetime import date
from decimal import Decimal

import pytest

from builders.each import each
from steelyard.errors import InputError
from steelyard.importers import amount_of, deposits, withdrawals
from steelyard.portfolio import Flow

FRIDAY = date(2026, 1, 9)


def test_a_deposit_is_there_on_the_day_of_the_plan():
    first, second = deposits(["USD=1200", "GBX=5000"])

    assert first.at(FRIDAY) == Flow("USD", Decimal(1200), FRIDAY)
    assert second.at(FRIDAY) == Flow("GBP", Decimal(50), FRIDAY)


def test_a_withdrawal_leaves_on_its_day_or_once_the_sales_have_settled():
    named, soon = withdrawals(["USD=12000@2026-01-15", "USD=5.50"], weekdays=1)

    assert named.at(FRIDAY) == Flow("USD", Decimal(-12_000), date(2026, 1, 15))
    assert soon.at(FRIDAY) == Flow("USD", Decimal("-5.50"), date(2026, 1, 12))


def test_the_same_argument_twice_is_two_flows():
    assert len(deposits(["USD=10", "USD=10"])) == 2


def test_gains_of_the_year_may_be_a_loss():
    assert amount_of("USD=-450.5", "--realised", "USD=1200") == ("USD", Decimal("-450.5"))


def test_every_other_form_is_refused_with_place_value_and_hint():
    def refused(read, text, place):
        with pytest.raises(InputError) as raised:
            read([text])
        (fault,) = raised.value.faults
        assert (fault.code, fault.place, fault.value) == ("bad_flow", place, text)
        assert fault.hint.startswith("Write USD=1200")
        assert "Nothing was planned" in str(raised.value)

    def out(texts):
        return withdrawals(texts, weekdays=1)

    bad = ["USD", "USD=", "=5", "US=5", "USD=0", "USD=-5", "USD=x", "USD=NaN", "USD=1e99"]
    days = ["USD=5@", "USD=5@soon", "USD=5@2026-13-01", "USD=5@2026-01-15@2026-01-16"]
    each(
        {f"--deposit {text}": (deposits, text, "--deposit") for text in [*bad, *days]}
        | {f"--withdraw {text}": (out, text, "--withdraw") for text in [*bad, *days]},
        refused,
    )
