"""Double-entry postings: in each transaction every commodity sums to nothing.

    shares:ACCOUNT   what is owned, by symbol          market   the other side of every trade
    cash:ACCOUNT     money, by currency                fees     what trading cost
    opening          what an account began with        outside  dividends, splits, transfers

Shares are whole 1e-9, money whole 1e-4; a currency's commodity is its code, in accounts of cash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from steelyard.brokers.broker import BrokerFill
from steelyard.errors import InternalError
from steelyard.execution.journal.journal import Change
from steelyard.execution.journal.units import money_e4, shares_e9
from steelyard.orders import Side


class Posting(NamedTuple):
    """One line: `amount` in whole units of the commodity."""

    account: str
    commodity: str
    amount: int


def of_fill(account: str, fill: BrokerFill) -> list[Posting]:
    """A trade: shares one way, its value the other, the fee out of the cash."""
    sign = 1 if fill.side is Side.BUY else -1
    quantity, value, fee = shares_e9(fill.quantity), money_e4(fill.value), money_e4(fill.fee)
    return [
        *_pair(f"shares:{account}", "market", fill.symbol, sign * quantity),
        *_pair(f"cash:{account}", "market.cash", fill.currency, -sign * value),
        *_pair(f"cash:{account}", "fees", fill.currency, -fee),
    ]


def of_change(
    account: str, other: str, shares: Mapping[str, Decimal], cash: Mapping[str, Decimal]
) -> list[Posting]:
    """Shares and money that came, or went, against an account like `opening`."""
    return [
        *(
            line
            for symbol in sorted(shares)
            for line in _pair(f"shares:{account}", other, symbol, shares_e9(shares[symbol]))
        ),
        *(
            line
            for name in sorted(cash)
            for line in _pair(f"cash:{account}", f"{other}.cash", name, money_e4(cash[name]))
        ),
    ]


def post(change: Change, lines: Sequence[Posting]) -> None:
    """Write one transaction; raises InternalError for one that does not balance."""
    lines = [line for line in lines if line.amount]
    if not lines:
        return
    number = change.execute("SELECT COALESCE(MAX(txn), 0) + 1 FROM posting").fetchone()[0]
    for line in lines:
        change.execute("INSERT INTO posting VALUES (?,?,?,?)", (number, *line))
    kinds: dict[tuple[bool, str], int] = {}
    for line in lines:
        kind = (_is_cash(line.account), line.commodity)
        kinds[kind] = kinds.get(kind, 0) + line.amount
    if off := {name: amount for (_, name), amount in kinds.items() if amount}:
        raise InternalError(f"A posting does not balance: {off}. Nothing was written.")


def _pair(account: str, other: str, commodity: str, amount: int) -> tuple[Posting, Posting]:
    return Posting(account, commodity, amount), Posting(other, commodity, -amount)


def _is_cash(account: str) -> bool:
    return account.startswith("cash:") or account.endswith(".cash") or account == "fees"
