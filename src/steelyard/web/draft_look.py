"""What a draft of the import page comes to so far: read, asked about, valued; nothing is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal, cast

from steelyard.errors import Fault, InputError, RejectedRow, SteelyardError
from steelyard.importers import Inputs, Reading
from steelyard.importers.book import name_of
from steelyard.importers.brokers import generic
from steelyard.importers.files import read_statement
from steelyard.importers.limits import limits_from
from steelyard.importers.mapping import ImportMapping, own_mapping, read_mapping
from steelyard.importers.memory import Memory
from steelyard.importers.preview import Preview, accounts_of, preview, value_of
from steelyard.importers.statement import Source, Statement
from steelyard.importers.values import BadCell, day, normal
from steelyard.runs.brought import Aims, Brought, inputs, pasted, valued
from steelyard.sentences import money
from steelyard.sentences import quantity as in_digits
from steelyard.services.house import House
from steelyard.store.assignments import CORE
from steelyard.store.buckets import Held, buckets
from steelyard.web.drafts import Draft

TABLES = ("holdings", "targets", "prices", "securities", "fx", "index")
"""Files that are taken, by the option of the command line."""
OPTIONS = {
    "--as": "form",
    "--account": "account",
    "--base": "base",
    "--as-of": "as_of",
    "--cash": "cash",
    "--moved": "moved",
    "--exclude": "exclude",
    "--accept-price": "accept_price",
    **{f"--{name}": name for name in TABLES},
}
"""Place of a fault -> the field that answers it."""
CASH_LINE = "cash_with_price"
"""Code of a line of cash whose amount stands under the price."""
BESIDE = ("exclude", "prices", "fx", "base", "cash", "accept_price", "as_of", "moved")
"""Fields that stand beside the faults that ask for them."""
ANSWERS: Mapping[str, tuple[str, ...]] = {
    "no_price": ("prices", "exclude"),
    "no_rate": ("fx", "base", "exclude"),
    CASH_LINE: ("cash",),
}
"""Code of a fault -> the fields that answer it, where its sentence does not name them all."""
TWO_READINGS = "two_readings"
"""Code of a number that is one thing with a decimal point and another with a comma."""
WHICH_CURRENCY = "which_currency"
"""Code of a number with a $ or ¥ that may be of several currencies."""
COLUMNS_BY_HAND = "Choose which column has what, under How the file of holdings is read."
HELP = {
    "unknown_file": COLUMNS_BY_HAND,
    "no_mapping": COLUMNS_BY_HAND,
    "missing_column": COLUMNS_BY_HAND,
    "no_column": COLUMNS_BY_HAND,
    "no_number": "Numbers with a decimal comma, such as 131,20, are read by the form any table "
    "with a header: choose it under How the file of holdings is read, and read again.",
    CASH_LINE: "A line of cash has its amount under quantity, and no price. Correct the line, or "
    "take it out of the file and type the amount under Cash beside the file, such as USD=1200.",
}
"""Code -> where on this page it is answered; the importers' own sentences name command options."""
MOST_ROWS = 500
"""Holdings that the page lists."""


@dataclass(frozen=True, slots=True)
class Row:
    """A holding as the page lists it; value in base currency and weight where both are known."""

    symbol: str
    name: str
    quantity: Decimal
    price: Decimal | None
    currency: str
    value: Decimal | None
    weight: float | None = None

    @property
    def price_shown(self) -> str:
        """Its price with cents, or with all of its digits where it has more."""
        price = self.price
        if price is None:
            return ""
        return money(price) if price == round(price, 2) else in_digits(price)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a draft comes to so far.

    seen      the file of holdings; None = none, or it cannot be read
    columns   of its header
    kept_out  of its rows, those that no plan trades
    cash      currency, amount, weight where that is known
    owned     what a plan would be made from; None = not yet
    faults    what is to be answered first
    readings, signs, nameless   its lines that a question answers: decimal sign, $ or ¥, no symbol
    """

    seen: Preview | None = None
    accounts: Sequence[str] = ()
    columns: Sequence[str] = ()
    owned: Inputs | None = None
    rows: Sequence[Row] = ()
    kept_out: int = 0
    cash: Sequence[tuple[str, Decimal, float | None]] = ()
    value: Decimal | None = None
    notes: Sequence[str] = ()
    faults: Sequence[Fault] = ()
    readings: Sequence[RejectedRow] = ()
    signs: Sequence[RejectedRow] = ()
    nameless: Sequence[RejectedRow] = ()

    @property
    def helps(self) -> Sequence[str]:
        """Where on the page its faults are answered, each once."""
        texts = (HELP[fault.code] for fault in self.faults if fault.code in HELP)
        return list(dict.fromkeys(texts))

    @property
    def by_hand(self) -> bool:
        """Is it answered by how the file is read?"""
        return any(fault.code in HELP and fault.code != CASH_LINE for fault in self.faults)

    @property
    def asked(self) -> frozenset[str]:
        """The fields that a fault asks for: they stand beside it."""
        return frozenset(
            name
            for fault in self.faults
            for name in (*ANSWERS.get(fault.code, ()), *_named(fault))
            if name in BESIDE
        )

    @property
    def currencies(self) -> Sequence[str]:
        """What a sign of money may mean that nobody explained."""
        return (self.signs[0].limit or "").split(", ") if self.signs else ()

    @property
    def answers(self) -> Mapping[str, str]:
        """Field -> what is wrong with what is in it."""
        places = ((fault.place.partition(" ")[0], fault.message) for fault in self.faults)
        return {OPTIONS[place]: text for place, text in places if place in OPTIONS}


def look(house: House, draft: Draft) -> Look:
    """What a draft comes to; what is wrong with it stands in `faults`; blocks."""
    if "holdings" not in draft.files and not draft.text("cash"):
        missing = InputError(
            "Choose the file that your broker gives of your holdings. Nothing was read.",
            code="no_holdings_chosen",
            place="--holdings",
            hint="choose a file",
        )
        return Look(faults=missing.faults)
    try:
        brought = brought_of(house, draft)
    except SteelyardError as error:
        return Look(faults=error.faults)
    seen = _statement(house, brought)
    if seen.faults or seen.readings:
        return seen
    try:
        result = inputs(house.store(), brought, today_of(house))
        return _valued(seen, result.inputs, result.before.said)
    except SteelyardError as error:
        return replace(seen, faults=error.faults)


def brought_of(house: House, draft: Draft) -> Brought:
    """What the fields and files of a draft say; raises InputError."""
    tables = {
        name: Memory(draft.files[name].name, draft.files[name].content)
        for name in TABLES
        if name in draft.files
    }
    pasted_table = pasted(draft.text("targets_text"))
    if pasted_table is not None:
        tables["targets"] = pasted_table
    base = draft.text("base").upper() or None
    bucket = draft.text("bucket") or CORE
    held = next((row for row in buckets(house.store()) if row.name == bucket), None)
    aims = aims_of(draft, held)
    if aims == "file" and "targets" not in tables:
        raise InputError(
            "Targets of a table were chosen, and there is no table. Nothing was loaded. Choose a "
            "file of symbol,weight, paste one, or plan with other targets.",
            code="no_table_of_targets",
            place="--targets",
            hint="choose a file of targets, or paste one",
        )
    return Brought(
        bucket=bucket,
        tables=tables,
        reading=Reading(
            form=draft.text("form") or None,
            columns=draft.named("map."),
            mapping=own_mapping(house.home),
            account=draft.text("account") or None,
            base=base,
            decimal=_decimal(draft.text("decimal")),
            sign=draft.text("sign"),
            limits=limits_from(house.variables),
        ),
        aims=aims,
        base=base,
        as_of=_day(draft.text("as_of")),
        cash=_listed(draft.text("cash")),
        exclude=[*_listed(draft.text("exclude")), *draft.named("leave.").values()],
        accept_price=_listed(draft.text("accept_price")),
        moved=_moved(draft, base or (held.base_currency if held else None)),
        whole=bool(draft.text("whole")),
    )


def aims_of(draft: Draft, held: Held | None) -> Aims:
    """Which targets are meant: those that were chosen, else given, else there before."""
    chosen, loaded = draft.text("aims"), held is not None and held.portfolio is not None
    if chosen in {"weights", "file", "none"} or (chosen == "stay" and loaded):
        return cast(Aims, chosen)
    if draft.has_targets:
        return "file"
    files = held.files if held is not None and loaded else ()
    return "stay" if any(entry["option"] == "--targets" for entry in files) else "weights"


def _statement(house: House, brought: Brought) -> Look:
    """The file of holdings as it reads by itself."""
    table, reading = brought.tables.get("holdings"), brought.reading
    if table is None:
        return Look()
    columns: Sequence[str] = ()
    try:
        source = reading.open(table)
        columns = _columns(source)
        path = own_mapping(house.home)
        mapping = read_mapping(path) if path else ImportMapping()
        statement = read_statement(source, reading.form, reading.columns, mapping.columns)
        statement = _without(statement, brought.exclude)
        accounts = accounts_of(statement)
        judged = preview(statement, reading.account, mapping.alias)
    except SteelyardError as error:
        return Look(columns=columns, faults=error.faults)
    rejected = judged.statement.rejected
    return Look(
        seen=judged,
        accounts=accounts,
        columns=columns,
        rows=_as_written(judged),
        cash=[(row.currency, row.amount, None) for row in judged.statement.balances],
        faults=[row.fault for row in rejected],
        readings=[row for row in rejected if row.code == TWO_READINGS],
        signs=[row for row in rejected if row.code == WHICH_CURRENCY],
        nameless=list({name_of(row): row for row in rejected if name_of(row)}.values()),
    )


def _without(statement: Statement, exclude: Sequence[str]) -> Statement:
    """A statement without the lines of no symbol that are left out."""
    names = {normal(text.strip()) for text in exclude}
    rows = statement.rejected
    return replace(
        statement,
        rejected=tuple(row for row in rows if normal(name_of(row)) not in names),
    )


def _columns(source: Source) -> Sequence[str]:
    """The names of its header, each once; none where it is no table."""
    if not source.text or source.text.lstrip().startswith(("<", "{", "OFXHEADER")):
        return ()
    _, cells = generic.header(source)
    return list(dict.fromkeys(cell.strip() for cell in cells if cell.strip()))


def _as_written(seen: Preview) -> list[Row]:
    rows = seen.statement.positions
    return [
        Row(row.symbol, row.name, row.quantity, row.price, row.currency, value_of(row))
        for row in rows[:MOST_ROWS]
    ]


def _valued(seen: Look, owned: Inputs, said: Sequence[str]) -> Look:
    """What a plan counts of it: prices, values in base currency, weights."""
    valuation = valued(owned)
    whole = valuation.value
    traded = [entry for entry in valuation.priced.values() if entry.quantity]
    entries: list[Row] = [
        Row(
            entry.security.symbol,
            entry.security.name,
            entry.quantity,
            entry.price,
            entry.security.currency,
            entry.value,
            float(entry.value / whole) if whole else None,
        )
        for entry in traded
    ]
    entries += [
        Row(
            entry.security.symbol,
            entry.security.name,
            entry.holding.quantity,
            entry.quote.price if entry.quote else None,
            entry.security.currency,
            entry.value,
            float(entry.value / whole) if whole else None,
        )
        for entry in valuation.kept_out
    ]
    entries.sort(key=lambda row: (-(row.value or 0), row.symbol))
    return replace(
        seen,
        owned=owned,
        rows=entries[:MOST_ROWS],
        kept_out=len(valuation.kept_out),
        cash=list(_cash(owned, whole)),
        value=whole,
        notes=[
            *said,
            *_day_assumed(owned),
            *(notice.message for notice in owned.warnings if notice.head),
        ],
    )


def _cash(owned: Inputs, whole: Decimal) -> Iterator[tuple[str, Decimal, float | None]]:
    """Currency, amount and weight of each balance; no weight without a rate."""
    snapshot = owned.snapshot
    for currency, amount in sorted(snapshot.cash.items()):
        rate = owned.market.fx.latest(currency, snapshot.as_of)
        worth = None if rate is None else amount * rate.rate
        if currency == snapshot.base_currency:
            worth = amount
        yield currency, amount, None if worth is None or not whole else float(worth / whole)


def _day_assumed(owned: Inputs) -> Iterator[str]:
    if owned.as_of_from == "today":
        yield f"No date was given: as of today, {owned.snapshot.as_of}."


def _named(fault: Fault) -> Iterator[str]:
    """The fields whose options a fault names."""
    text = f"{fault.place} {fault.message}"
    return (name for option, name in OPTIONS.items() if re.search(rf"{option}\b(?!-)", text))


def _decimal(text: str) -> Literal[".", ",", ""]:
    signs: Mapping[str, Literal[".", ","]] = {"point": ".", "comma": ","}
    return signs.get(text, "")


def _listed(text: str) -> list[str]:
    return [part for part in re.split(r"[,;\s]+", text) if part]


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return day(text, "as-of date")
    except BadCell as error:
        raise InputError(
            f"The {error}. Nothing was loaded.",
            code=error.code,
            place="--as-of",
            value=text,
            hint=error.hint,
        ) from error


def _moved(draft: Draft, base: str | None) -> str | None:
    """Money brought since the last load, in base currency where none is named."""
    text = draft.text("moved").replace("\u2212", "-").replace(" ", "")
    return f"{base or 'USD'}={text}" if text and "=" not in text else text or None


def today_of(house: House) -> date:
    """The day where this machine is."""
    return house.utc().astimezone().date()
