"""What any file of holdings says, before lots are made of it: the one form all importers answer in.

Numbers are exact and in the major unit: who reads pence divides by 100 and says so in `unit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from steelyard.errors import RejectedRow
from steelyard.importers.limits import LIMITS, FileLimits
from steelyard.importers.opening import Where
from steelyard.notices import Notice

ONE = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One row of what is owned: a whole holding or one of its lots.

    line           where it stands, 1-based with everything above the table; 0 = nowhere
    symbol         as `values.symbol` gives it; the ISIN where the file has no symbol
    quantity       negative = short; 0 = sold out, and only its dates count
    currency       of price and cost, major unit; "" = the file does not say
    price          per share, as quoted (a bond per 100); None = the file has none
    price_on       its day; None = the day of the statement
    unit           in which the file quotes it when that is a minor unit, like GBp
    multiplier     value of one share at a price of 1; None = what its product type says
    product_type   of `portfolio.PRODUCT_TYPES`; "" = the file does not say
    value          as the file states it, in `currency`; None = it does not. It must agree with
                   quantity x price x multiplier
    base_value     the same in the currency in which the account counts
    """

    line: int
    symbol: str
    quantity: Decimal
    currency: str = ""
    price: Decimal | None = None
    price_on: date | None = None
    unit: str = ""
    multiplier: Decimal | None = None
    product_type: str = ""
    name: str = ""
    isin: str = ""
    average_cost: Decimal | None = None
    acquired: date | None = None
    last_bought: date | None = None
    last_sold: date | None = None
    sold_at_loss: bool = False
    lost_on: date | None = None
    account: str = ""
    bucket: str = ""
    value: Decimal | None = None
    base_value: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """One row of cash; rows of one currency, account and day add up where the file has several.

    settles      the day it arrives (or leaves); None = settled
    label        what the file calls it, where that is not CASH:CUR
    base_value   the same in the currency in which the account counts
    """

    line: int
    currency: str
    amount: Decimal
    settles: date | None = None
    account: str = ""
    bucket: str = ""
    label: str = ""
    base_value: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """A row that is no holding and was passed over: `what` it is, in the singular."""

    line: int
    what: str


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What a file says.

    file        its name
    form        how it was read, for people: "Fidelity positions"
    as_of       the day it is of; None = it does not say
    positions   in the order of the file
    balances    likewise
    passed      footers, totals, empty rows, transactions of a file of holdings
    guessed     what was decided and a person should see: told first (`head`)
    warnings    what changes nothing
    rejected    lines that cannot be used: nothing may be planned while there is one
    base        the currency in which the account counts; "" = the file does not say
    rates       currency -> units of `base` for one of it, where the file says so
    complete    False = cash is not known, as in a fold that does not begin with a deposit
    """

    file: str
    form: str
    as_of: date | None = None
    positions: tuple[Position, ...] = ()
    balances: tuple[Balance, ...] = ()
    passed: tuple[Passed, ...] = ()
    guessed: tuple[Notice, ...] = ()
    warnings: tuple[Notice, ...] = ()
    rejected: tuple[RejectedRow, ...] = ()
    base: str = ""
    rates: Mapping[str, Decimal] = field(default_factory=lambda: MappingProxyType({}))
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was opened: its content unpacked, its text where it is text.

    path      where it lies
    content   bytes, gzip unpacked
    text      decoded as UTF-8, else as cp1252 or UTF-16 where that is beyond doubt; "" = no text
    encoding  which of them
    limits    of rows, for who reads it
    decimal   the decimal sign on the user's word, where the numbers leave it open; "" = no word
    sign      the currency that $ or ¥ means on the user's word, where it may; "" = no word
    """

    path: Where
    content: bytes
    text: str
    encoding: Literal["utf-8", "cp1252", "utf-16", ""] = "utf-8"
    limits: FileLimits = LIMITS
    decimal: Literal[".", ",", ""] = ""
    sign: str = ""

    @property
    def name(self) -> str:
        """The name of the file, for messages."""
        return self.path.name

    @property
    def head(self) -> str:
        """The first 4,000 characters: what a file is recognised by."""
        return self.text[:4000]
