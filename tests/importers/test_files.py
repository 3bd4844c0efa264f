"""What was read: an account of cash alone, and the cash of the arguments."""

from pathlib import Path

import pytest

from builders.files import inputs
from steelyard.errors import InputError, RowsRejected
from steelyard.importers import parse_cash


@pytest.mark.parametrize(
    "text", ["USD", "USD=", "=5", "USD=five", "USD=1_000", "US=5", "USD=1e16", "USD=1=2"]
)
def test_a_cash_argument_is_a_currency_and_an_amount(text: str):
    with pytest.raises(InputError, match="Write USD=1200"):
        parse_cash([text])


def test_a_currency_given_twice_is_refused():
    with pytest.raises(InputError, match="USD is given twice"):
        parse_cash(["USD=1", "usd=1"])


def test_a_percentage_is_answered_with_its_own_number(tmp_path: Path):
    with pytest.raises(RowsRejected, match=r"at most 1 \(20% is 0.2\)"):
        inputs(tmp_path, targets="symbol,weight\nAAA,20\n")
    with pytest.raises(RowsRejected, match=r"from 0 to 1; 3.5% is 0.035"):
        inputs(tmp_path, securities="symbol,dividend_yield\nAAA,3.5\n")
