"""OFX: transactions of an investment account as entries of a fold.

Bought and sold shares, reinvestments, splits and transfers move shares; income, expenses and bank
transactions move cash. Options, short sales and what is not known move shares in ways that are not
read: they are refused by line.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from fractions import Fraction

from steelyard.importers.fold import Entry, Kind
from steelyard.importers.ofx.security import Securities, day, number, unit_of
from steelyard.importers.ofx.tree import text_of
from steelyard.importers.values import BadCell, shown
from steelyard.money import ZERO

KINDS = {
    "STOCK": "",
    "MF": "MUTUALFUND",
    "DEBT": "BOND",
    "OTHER": "OTHER",
}
JOURNALS = ("JRNLFUND", "JRNLSEC")
"""Moves between the parts of one account."""
RATIO_AGREES = Fraction(1, 100)
"""Fraction by which rounded shares after a split may differ from its ratio."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One element, with what is the same for all of an account."""

    element: ET.Element
    line: int
    account: str
    currency: str
    securities: Securities

    @property
    def at(self) -> datetime:
        """The day of the trade, or the day on which the bank posted it; no time, for zones vary."""
        names = ("DTTRADE", "DTPOSTED")
        text = next((t for name in names if (t := text_of(self.element, f".//{name}"))), "")
        on = day(text, "DTTRADE")
        if on is None:
            raise BadCell("DTTRADE is missing", code="missing", column="DTTRADE")
        return datetime.combine(on, time())

    def part(self, path: str) -> ET.Element:
        """An element inside; raises BadCell where it is missing."""
        inside = self.element.find(path)
        if inside is None:
            raise BadCell(f"{path} is missing", code="missing", column=path)
        return inside

    def figure(self, element: ET.Element, name: str) -> Decimal:
        """A number that must be there; raises BadCell."""
        figure = number(element, name)
        if figure is None:
            raise BadCell(f"{name} is missing", code="missing", column=name)
        return figure


def entry_of(transaction: Transaction) -> Entry | None:
    """What a transaction moves; None = nothing. Raises BadCell for what cannot be folded."""
    tag = transaction.element.tag
    if tag in JOURNALS:
        return None
    if tag not in TRANSACTIONS:
        reason = f"a transaction {shown(tag)} moves shares in a way that is not read"
        raise BadCell(reason, code="unknown_action", value=tag)
    return TRANSACTIONS[tag](transaction)


def _trade(transaction: Transaction) -> Entry:
    """BUYSTOCK, SELLMF and their kin."""
    tag = transaction.element.tag
    side = Kind.BUY if tag.startswith("BUY") else Kind.SELL
    word = text_of(transaction.element, "BUYTYPE") or text_of(transaction.element, "SELLTYPE")
    if word.upper() in {"SELLSHORT", "BUYTOCOVER"}:
        reason = f"a short sale ({shown(word)}) is not folded"
        raise BadCell(reason, code="unknown_action", column="SELLTYPE", value=word)
    row = transaction.part("INVBUY" if side is Kind.BUY else "INVSELL")
    total = transaction.figure(row, "TOTAL")
    change = -abs(total) if side is Kind.BUY else abs(total)
    kind = KINDS[tag.removeprefix("BUY").removeprefix("SELL")]
    return _shares(transaction, row, side, change, kind)


def _shares(
    transaction: Transaction, row: ET.Element, side: Kind, change: Decimal | None, kind: str = ""
) -> Entry:
    """Shares that move at a price, and the cash that moves with them."""
    units = abs(transaction.figure(row, "UNITS"))
    if not units:
        raise BadCell("UNITS is 0", code="missing", column="UNITS")
    price = number(row, "UNITPRICE")
    security = transaction.securities.of(row)
    currency = unit_of(row, transaction.currency)
    return Entry(
        line=transaction.line,
        at=transaction.at,
        kind=side,
        symbol=security.symbol,
        quantity=units,
        currency=currency,
        price=None if price is None else abs(price),
        cash=() if change is None else ((currency, change),),
        account=transaction.account,
        name=security.name,
        isin=security.isin,
        product_type=kind,
    )


def _reinvest(transaction: Transaction) -> Entry:
    """Income that buys shares at once: no cash moves."""
    return _shares(transaction, transaction.element, Kind.BUY, None)


def _transfer(transaction: Transaction) -> Entry:
    """Shares that come or go; their cost and day where the file says them."""
    row = transaction.element
    action, side = text_of(row, "TFERACTION").upper(), text_of(row, "POSTYPE").upper()
    if action not in {"IN", "OUT"}:
        reason = f"TFERACTION {shown(action)} is neither IN nor OUT"
        raise BadCell(reason, code="bad_cell", column="TFERACTION", value=action)
    if side == "SHORT":
        raise BadCell("a transfer of a short position is not folded", code="unknown_action")
    security = transaction.securities.of(row)
    return Entry(
        line=transaction.line,
        at=transaction.at,
        kind=Kind.IN if action == "IN" else Kind.OUT,
        symbol=security.symbol,
        quantity=abs(transaction.figure(row, "UNITS")),
        currency=unit_of(row, transaction.currency),
        price=number(row, "AVGCOSTBASIS"),
        acquired=day(text_of(row, "DTPURCHASE"), "DTPURCHASE"),
        account=transaction.account,
        name=security.name,
        isin=security.isin,
    )


def _split(transaction: Transaction) -> Entry:
    """A split by its shares before and after, else by its ratio; the two must agree."""
    row = transaction.element
    old, new, over, under = (
        Fraction(number(row, name) or 0)
        for name in ("OLDUNITS", "NEWUNITS", "NUMERATOR", "DENOMINATOR")
    )
    by_units = new / old if old > 0 and new > 0 else None
    by_ratio = over / under if over > 0 and under > 0 else None
    ratio = by_units or by_ratio
    if ratio is None:
        raise BadCell("a split without a ratio", code="missing", column="NUMERATOR")
    if by_units and by_ratio and abs(by_units / by_ratio - 1) > RATIO_AGREES:
        reason = f"a split {over}:{under} that makes {new} of {old} shares: which is it?"
        raise BadCell(reason, code="two_readings", column="NUMERATOR")
    cash = number(row, "FRACCASH")
    security = transaction.securities.of(row)
    return Entry(
        line=transaction.line,
        at=transaction.at,
        kind=Kind.SPLIT,
        symbol=security.symbol,
        ratio=ratio,
        before=number(row, "OLDUNITS") if by_units else None,
        cash=((transaction.currency, cash),) if cash else (),
        account=transaction.account,
        name=security.name,
        isin=security.isin,
    )


def _receipt(transaction: Transaction) -> Entry:
    """Income, or capital that is returned: the total as it is signed."""
    return _money(transaction, transaction.figure(transaction.element, "TOTAL"))


def _expense(transaction: Transaction) -> Entry:
    """Fees and interest on a loan take cash, with whatever sign."""
    return _money(transaction, -abs(transaction.figure(transaction.element, "TOTAL")))


def _bank(transaction: Transaction) -> Entry:
    """Money from or to a bank: what comes in begins an account."""
    change = transaction.figure(transaction.part("STMTTRN"), "TRNAMT")
    return _money(transaction, change, opens=change > ZERO)


def _money(transaction: Transaction, change: Decimal, *, opens: bool = False) -> Entry:
    return Entry(
        line=transaction.line,
        at=transaction.at,
        kind=Kind.CASH,
        cash=((unit_of(transaction.element, transaction.currency), change),),
        opens=opens,
        account=transaction.account,
    )


TRANSACTIONS: Mapping[str, Callable[[Transaction], Entry]] = {
    **{f"{side}{kind}": _trade for side in ("BUY", "SELL") for kind in KINDS},
    "REINVEST": _reinvest,
    "TRANSFER": _transfer,
    "SPLIT": _split,
    "INCOME": _receipt,
    "RETOFCAP": _receipt,
    "INVEXPENSE": _expense,
    "MARGININTEREST": _expense,
    "INVBANKTRAN": _bank,
}
"""Elements that move shares or cash."""
DATES = ("DTSTART", "DTEND")
"""What a list of transactions holds besides them."""
