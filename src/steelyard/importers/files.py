"""What was read: the files that were given, and the cash of the arguments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from steelyard.errors import InputError
from steelyard.importers import values
from steelyard.importers.fx import FxFile, read_fx
from steelyard.importers.holdings import HoldingsFile, read_holdings
from steelyard.importers.index import read_index
from steelyard.importers.prices import PriceTable, read_prices
from steelyard.importers.securities import SecuritiesFile, read_securities
from steelyard.importers.targets import TargetsFile, read_targets

AnyFile = HoldingsFile | PriceTable | TargetsFile | SecuritiesFile | FxFile

NONE: Mapping[str, Any] = {}
ALL_CASH = HoldingsFile(file="--cash", holdings=(), cash=NONE, currencies=NONE)
"""The holdings of an account of cash alone."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """What was read; a file that was not given is None."""

    holdings: HoldingsFile
    prices: PriceTable | None = None
    targets: TargetsFile | None = None
    securities: SecuritiesFile | None = None
    fx: FxFile | None = None
    index: PriceTable | None = None

    @property
    def given(self) -> tuple[AnyFile, ...]:
        """The files that were given."""
        files = (self.holdings, self.prices, self.targets, self.securities, self.fx, self.index)
        return tuple(file for file in files if file is not None)


def read(
    holdings: Path | None,
    *,
    prices: Path | None = None,
    targets: Path | None = None,
    securities: Path | None = None,
    fx: Path | None = None,
    index: Path | None = None,
) -> Files:
    """Read every file that is given, no holdings = all cash; InputError for an unreadable one."""
    return Files(
        holdings=read_holdings(holdings) if holdings else ALL_CASH,
        prices=read_prices(prices) if prices else None,
        targets=read_targets(targets) if targets else None,
        securities=read_securities(securities) if securities else None,
        fx=read_fx(fx) if fx else None,
        index=read_index(index) if index else None,
    )


def parse_cash(texts: Iterable[str]) -> dict[str, Decimal]:
    """Balances of `USD=1200` arguments; InputError for another form, or a currency given twice."""
    cash: dict[str, Decimal] = {}
    for text in texts:
        name, equals, balance = text.partition("=")
        try:
            currency = values.currency(name.strip(), "currency")
            if not equals:
                raise values.BadCell("the amount is missing")
            if currency in cash:
                raise values.BadCell(f"{currency} is given twice")
            cash[currency] = values.amount(balance.strip(), "amount")
        except values.BadCell as error:
            what = f"The cash {values.shown(text)} is not usable: {error}."
            raise InputError(f"{what} {values.NOTHING} Write USD=1200.") from error
    return cash
