"""What a person types into a worksheet, to edits: one quantity a symbol.

    30        of what the plan buys or sells: 30 shares on that side; of any other: bought
    +30 −30   bought, sold; also `buy 30`, `sell 30`
    all       sold, as much as is held
    0         struck
              nothing: as calculated

Everything that is wrong is told at once, each under its symbol; nothing of it is changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from types import MappingProxyType

from steelyard.canonical import plain
from steelyard.errors import Fault, InputError, did_you_mean, one_line
from steelyard.money import ZERO
from steelyard.runs.worksheet.records import Edits
from steelyard.runs.worksheet.sheet import Sheet
from steelyard.sentences import quantity as shown

FORM = re.compile(
    r"(?:(?P<word>buy|sell)\s+|(?P<sign>[+\-\u2212]))?(?P<size>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
)
ALL = "all"
LONGEST, MOST = 40, Decimal("1e12")
"""Characters of a quantity, and shares of an order."""
NOT_CHANGED = "Nothing was changed."


def edits_of(sheet: Sheet, typed: Mapping[str, str], locked: Iterable[str] = ()) -> Edits:
    """Edits from what was typed, by symbol.

    Raises InputError with a fault for each symbol that is wrong: its `place` is the symbol as it
    was typed, its `limit` the nearest quantity that can be, where there is one.
    """
    quantities, faults = dict[str, Decimal](), list[Fault]()
    for name, text in typed.items():
        try:
            symbol = symbol_of(sheet, name)
            quantity = quantity_of(sheet, symbol, text)
        except InputError as error:
            faults.append(_at(error.fault, name))
            continue
        if quantity is not None and quantity != sheet.calculated.get(symbol, ZERO):
            quantities[symbol] = quantity
    symbols = set[str]()
    for name in locked:
        try:
            symbols.add(symbol_of(sheet, name))
        except InputError as error:
            faults.append(_at(error.fault, name))
    if faults:
        raise _refused(faults)
    return Edits(MappingProxyType(quantities), frozenset(symbols))


def symbol_of(sheet: Sheet, name: str) -> str:
    """A symbol of the plan's securities, in upper or lower case; InputError for any other."""
    known_by_case = {symbol.casefold(): symbol for symbol in sheet.ctx.symbols}
    exact = name if name in sheet.ctx.place else known_by_case.get(name.strip().casefold())
    if exact is not None:
        return exact
    shown_name = one_line(name, LONGEST)
    priced = sheet.valuation.priced
    why = "the plan knows no such security"
    if shown_name in priced or shown_name in sheet.valuation.unusable:
        why = "it is neither held nor among what this plan could buy"
    near = did_you_mean(shown_name, sheet.ctx.symbols)
    raise InputError(
        f"{shown_name} cannot be traded here: {why}.{near} {NOT_CHANGED}",
        code="worksheet_symbol",
        place=shown_name,
        value=shown_name,
        hint=near.strip(),
    )


def quantity_of(sheet: Sheet, symbol: str, text: str) -> Decimal | None:
    """Signed shares as typed; None where nothing was, which is as calculated."""
    words = " ".join(text.split()).casefold()
    if not words:
        return None
    owned = sheet.valuation.priced[symbol].quantity
    if words in {ALL, f"sell {ALL}"}:
        quantity = -owned
    else:
        match = FORM.fullmatch(words) if len(words) <= LONGEST else None
        if match is None:
            raise _no_number(symbol, text)
        size = Decimal(match["size"])
        sells = match["word"] == "sell" or match["sign"] in {"-", "\u2212"}
        said_side = bool(match["word"] or match["sign"])
        if not said_side:
            sells = sheet.calculated.get(symbol, ZERO) < 0
        quantity = -size if sells else size
    _check(sheet, symbol, quantity)
    return quantity + ZERO


def _check(sheet: Sheet, symbol: str, quantity: Decimal) -> None:
    """InputError for more than an order can be: that is no limit of anybody's."""
    priced = sheet.valuation.priced[symbol]
    owned, lot, size = priced.quantity, priced.security.lot_size, abs(quantity)
    if size > MOST:
        raise InputError(
            f"{symbol}: {shown(size)} shares are more than an order may have, {shown(MOST)}. "
            f"{NOT_CHANGED}",
            code="worksheet_too_large",
            place=symbol,
            value=plain(size),
            limit=plain(MOST),
        )
    if quantity < 0 and size > owned:
        what = f"only {shown(owned)} are held" if owned else "none are held"
        raise InputError(
            f"{symbol}: {shown(size)} shares are to be sold, and {what}. {NOT_CHANGED} At most "
            f"{shown(owned)} can be sold.",
            code="worksheet_more_than_held",
            place=symbol,
            value=plain(size),
            limit=plain(owned),
            hint=f"sell at most {plain(owned)}",
        )
    if size % lot and not (quantity < 0 and size == owned):
        near = nearest(quantity, lot, owned)
        raise InputError(
            f"{symbol} is traded in lots of {shown(lot)}: {shown(size)} shares are no multiple of "
            f"it. {NOT_CHANGED} The nearest quantity is {shown(abs(near))}.",
            code="worksheet_lot",
            place=symbol,
            value=plain(size),
            limit=plain(abs(near)),
            hint=f"give {plain(abs(near))}",
        )


def nearest(quantity: Decimal, lot: Decimal, owned: Decimal) -> Decimal:
    """The nearest order of whole lots on the same side, of a sale no more than is held."""
    lots = (abs(quantity) / lot).to_integral_value(ROUND_HALF_EVEN)
    size = lots * lot
    if quantity >= 0:
        return size
    return -(size if size <= owned else owned)


def _no_number(symbol: str, text: str) -> InputError:
    typed = one_line(text, LONGEST)
    return InputError(
        f"{symbol}: '{typed}' is no quantity. {NOT_CHANGED} Give shares with a point for "
        "fractions and nothing between thousands, as 1200 or 12.5; a minus sells, 0 strikes.",
        code="worksheet_no_number",
        place=symbol,
        value=typed,
        limit="a number of shares",
        hint="give shares as 1200 or 12.5",
    )


def _at(fault: Fault, name: str) -> Fault:
    """A fault under the name that its field has."""
    return Fault(fault.code, fault.message, name, fault.value, fault.limit, fault.hint)


def _refused(faults: list[Fault]) -> InputError:
    text = faults[0].message
    if len(faults) > 1:
        lines = "\n".join(f"  {fault.message}" for fault in faults)
        text = f"{len(faults)} quantities cannot be:\n{lines}"
    return InputError(
        text,
        code="worksheet_quantities",
        place=faults[0].place,
        value=faults[0].value,
        limit=faults[0].limit,
        hint=faults[0].hint,
        faults=faults,
    )


def typed_of(edits: Edits) -> dict[str, str]:
    """Edits as they are typed: what `edits_of` reads as the same ones."""
    return {symbol: field_of(quantity) for symbol, quantity in edits.quantities.items()}


def field_of(quantity: Decimal) -> str:
    """A signed quantity as a field has it: `+30`, `-12.5`, `0`."""
    return plain(quantity) if quantity <= 0 else f"+{plain(quantity)}"
