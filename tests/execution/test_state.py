"""What an account is worth, its weights and its drift; what is not known is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from builders.accounts import Script, account, d, quote, theirs
from steelyard.errors import BrokerError
from steelyard.execution.state import PortfolioState, portfolio_state

PRICES = {"A": quote("A", 99, 101), "B": quote("B", 49, 51, "EUR")}
RATES = {"EUR": Decimal("1.1")}


def state(positions: dict[str, object], cash: dict[str, object], **more: object) -> PortfolioState:
    script = Script([theirs(account(positions, cash))], prices=PRICES)
    return portfolio_state(script, **{"rates": RATES, **more})  # type: ignore[arg-type]


def test_value_is_positions_at_the_middle_and_cash_in_base_currency():
    result = state({"A": 10, "B": 20}, {"USD": 500, "EUR": 100})

    assert result.value == 1000 + 1100 + 500 + 110
    assert result.cash == {"USD": 500, "EUR": 100}
    assert sum(result.weights.values()) + result.cash_weight == pytest.approx(Decimal(1))
    assert result.drift is None


def test_drift_is_half_of_all_deviations_and_a_target_that_is_not_there_is_a_position_of_0():
    result = state({"A": 5}, {"USD": 500}, targets={"A": d("0.6"), "B": d("0.4")})

    assert [(each.symbol, each.quantity, each.drift) for each in result.positions] == [
        ("A", 5, d("-0.1")),
        ("B", 0, d("-0.4")),
    ]
    assert result.drift == d("0.5")


def test_what_no_target_names_is_to_be_nothing():
    result = state({"A": 5, "B": 1}, {"USD": 0}, targets={"A": d(1)})

    assert result.positions[1].target == 0
    assert result.positions[1].drift == result.weights["B"]


def test_a_bond_is_worth_its_multiplier():
    assert state({"A": 100}, {"USD": 0}, multipliers={"A": d("0.01")}).value == 100


@pytest.mark.parametrize(
    ("positions", "cash", "rates", "code"),
    [
        ({"Z": 1}, {"USD": 5}, RATES, "no_quote"),
        ({"B": 1}, {"USD": 5}, {}, "account_no_rate"),
        ({}, {"CHF": 5}, RATES, "account_no_rate"),
        ({}, {"USD": 0}, RATES, "account_no_equity"),
    ],
)
def test_what_is_not_known_is_refused_and_never_taken_for_nothing(positions, cash, rates, code):
    with pytest.raises(BrokerError, match="nothing was sent") as caught:
        state(positions, cash, rates=rates)
    assert caught.value.fault.code == code


def test_a_broker_that_does_not_answer_gives_no_state():
    with pytest.raises(BrokerError, match="timeout"):
        portfolio_state(Script([BrokerError("timeout")]))
