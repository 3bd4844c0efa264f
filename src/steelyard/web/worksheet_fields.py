"""What stands in the fields of a worksheet: read from a form or an address, and written again.

quantity.SYMBOL   shares, as typed
locked.SYMBOL     ticked: planning again leaves it as it is
rest.SYMBOL       shares that planning again put there: what is typed otherwise is by hand
add, shares       a symbol that has no row yet, and its shares
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from urllib.parse import urlencode

from steelyard.canonical import plain
from steelyard.errors import Fault, InputError
from steelyard.money import ZERO
from steelyard.report.exhibits.scale import Scale
from steelyard.report.exhibits.weights import WeightRow, bars_of, strips_of
from steelyard.runs.worksheet import Edits, Figures, Row, Sheet, edits_of, field_of, symbol_of

QUANTITY, LOCKED, REST = "quantity.", "locked.", "rest."
STRUCK = "0"


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields, by symbol; of an unknown symbol as it was typed."""

    quantities: Mapping[str, str]
    locked: frozenset[str]
    rest: Mapping[str, str]
    add: str
    shares: str

    @property
    def every(self) -> dict[str, str]:
        """All quantities, that of the row to add too."""
        added = {self.add: self.shares} if self.add and self.shares else {}
        return {**self.quantities, **added}


@dataclass(frozen=True, slots=True)
class Read:
    """Edits of the fields that can be, and a fault for each that cannot, by symbol."""

    edits: Edits
    faults: Mapping[str, Fault]


@dataclass(frozen=True, slots=True)
class Line:
    """An order of the sheet, or a symbol without one any more.

    field, error   what stands in its field, and why that cannot be
    row            its figures; None where it is neither held, targeted nor traded
    weight         for the strip; None without a row
    """

    symbol: str
    name: str
    owned: Decimal
    calculated: Decimal
    field: str
    error: str
    locked: bool
    row: Row | None
    weight: WeightRow | None

    @property
    def edited(self) -> Decimal:
        """The order now, signed; 0 is none."""
        return ZERO if self.row is None else self.row.edited


@dataclass(frozen=True, slots=True)
class Lines:
    """The rows of a sheet, and the scales of their charts."""

    lines: tuple[Line, ...]
    bars: Scale
    strips: Scale | None


def typed_in(sheet: Sheet, fields: Iterable[tuple[str, str]]) -> Typed:
    """The fields of a form or an address, their symbols as the plan spells them."""
    quantities, rest, locked, own = dict[str, str](), dict[str, str](), set[str](), dict[str, str]()
    for name, value in fields:
        text = value.replace("\0", "").strip()
        if name.startswith(QUANTITY):
            quantities[_spelled(sheet, name.removeprefix(QUANTITY))] = text
        elif name.startswith(REST):
            rest[_spelled(sheet, name.removeprefix(REST))] = text
        elif name.startswith(LOCKED):
            locked.add(_spelled(sheet, name.removeprefix(LOCKED)))
        elif name in {"add", "shares"}:
            own[name] = text
    add = own.get("add", "")
    symbol = _spelled(sheet, add) if add else ""
    return Typed(quantities, frozenset(locked), rest, symbol, own.get("shares", ""))


def _spelled(sheet: Sheet, name: str) -> str:
    try:
        return symbol_of(sheet, name)
    except InputError:
        return name  # told where the fields are read


def struck(typed: Typed, symbol: str) -> Typed:
    """With the order of a symbol left out."""
    return replace(typed, quantities={**typed.quantities, symbol: STRUCK})


def restored(typed: Typed, symbol: str) -> Typed:
    """With the order of a symbol as calculated."""
    return replace(typed, quantities={**typed.quantities, symbol: ""})


def read(sheet: Sheet, typed: Typed) -> Read:
    """What was typed as edits; what is wrong is passed over, and told."""
    try:
        return Read(edits_of(sheet, typed.every, typed.locked), _unnamed(typed))
    except InputError as error:
        faults = {fault.place or "": fault for fault in error.faults}
    right = {symbol: text for symbol, text in typed.every.items() if symbol not in faults}
    locked = typed.locked & sheet.ctx.place.keys()
    return Read(edits_of(sheet, right, locked), {**faults, **_unnamed(typed)})


def _unnamed(typed: Typed) -> dict[str, Fault]:
    """Shares to add of nothing."""
    if typed.add or not typed.shares:
        return {}
    error = InputError(
        f"{typed.shares[:40]} shares of what? Nothing was changed. Choose a symbol, or leave the "
        "shares empty.",
        code="worksheet_no_symbol",
        place="add",
        value=typed.shares[:40],
        hint="choose a symbol",
    )
    return {"": error.fault}


def by_hand(typed: Typed, edits: Edits) -> frozenset[str]:
    """Symbols that a person changed, and planning again did not."""
    texts, rest = typed.every, typed.rest
    return frozenset(s for s in edits.quantities if s not in rest or texts.get(s, "") != rest[s])


def query_of(typed: Typed, entry: Read) -> str:
    """The edits for an address: what was typed of all that is not as calculated."""
    stays = {**entry.edits.quantities, **entry.faults}
    pairs = [(QUANTITY + s, text) for s, text in typed.every.items() if text and s in stays]
    rest = [(REST + s, text) for s, text in typed.rest.items() if s in entry.edits.quantities]
    return _query([*pairs, *rest], typed.locked)


def query_again(sheet: Sheet, edits: Edits, hand: Mapping[str, str]) -> str:
    """The same of edits that planning again made; hand: what a person typed, which stays."""
    own = {symbol: hand[symbol] for symbol in edits.locked if hand.get(symbol)}
    texts = {s: own.get(s) or shown(sheet, s, q) for s, q in edits.quantities.items()}
    rest = [(REST + s, text) for s, text in texts.items() if s not in edits.locked]
    return _query([*((QUANTITY + s, text) for s, text in texts.items()), *rest], edits.locked)


def _query(pairs: Iterable[tuple[str, str]], locked: Iterable[str]) -> str:
    ticks = [(LOCKED + symbol, "on") for symbol in sorted(locked)]
    query = urlencode([*pairs, *ticks])
    return f"?{query}" if query else ""


def shown(sheet: Sheet, symbol: str, quantity: Decimal) -> str:
    """An order as its field has it: shares alone on the side that they are read on."""
    usual = sheet.calculated.get(symbol, ZERO)
    same = not quantity or (quantity > 0) == (usual >= 0)
    return plain(abs(quantity)) if same else field_of(quantity)


def lines_of(sheet: Sheet, typed: Typed, entry: Read, result: Figures, *, live: bool) -> Lines:
    """The rows: the plan's orders, then those that were added.

    live   a page is there, with a row for each field that it sent; else rows without an order go
    """
    own = {s: text for s, text in typed.quantities.items() if s in sheet.ctx.place}
    stay = {**entry.edits.quantities, **entry.faults}
    added = sorted(s for s in own if s not in sheet.calculated and (live or s in stay))
    lines = tuple(
        _line(sheet, symbol, own.get(symbol, ""), entry, result)
        for symbol in (*sheet.calculated, *added)
    )
    weights = [line.weight for line in lines if line.weight is not None]
    targeted = [row for row in weights if row.target is not None]
    return Lines(lines, bars_of(weights), strips_of(targeted) if targeted else None)


def _line(sheet: Sheet, symbol: str, text: str, entry: Read, result: Figures) -> Line:
    priced, row = sheet.valuation.priced[symbol], result.row(symbol)
    usual, fault = sheet.calculated.get(symbol, ZERO), entry.faults.get(symbol)
    default = shown(sheet, symbol, usual) if usual else ""
    weight = None
    if row is not None:
        weight = WeightRow(
            symbol, row.name, row.weight, row.weight_after, row.target, row.band, bool(row.edited)
        )
    return Line(
        symbol=symbol,
        name=priced.security.name,
        owned=priced.quantity,
        calculated=usual,
        field=text or default,
        error="" if fault is None else fault.message,
        locked=symbol in entry.edits.locked,
        row=row,
        weight=weight,
    )


def others(sheet: Sheet, lines: Lines) -> Iterator[tuple[str, str]]:
    """Symbols without a row, with words to choose them by."""
    there = {line.symbol for line in lines.lines}
    for symbol in sorted(sheet.ctx.symbols):
        if symbol not in there:
            name = sheet.valuation.priced[symbol].security.name
            yield symbol, f"{symbol} {name}" if name and name != symbol else symbol
