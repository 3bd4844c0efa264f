"""Ghostfolio, export as JSON: activities folded into holdings and lots, cash as the accounts say.

Activities dated after the export (`meta.date`) are drafts and passed over. A price times a quantity
is a value there, whatever the asset: a bond has no part of 100.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from steelyard.errors import InputError, RejectedRow, one_line
from steelyard.importers import values
from steelyard.importers.fold import Entry, Kind, fold
from steelyard.importers.options import is_isin
from steelyard.importers.registry import Importer
from steelyard.importers.statement import Balance, Passed, Source, Statement
from steelyard.importers.values import NOTHING, BadCell, shown
from steelyard.notices import Notice

TITLE = "Ghostfolio export"
LISTS = ("accounts", "activities", "assetProfiles")
LIST = re.compile(r'"(accounts|activities)"\s*:\s*\[')
KEY = re.compile(r'"activities"\s*:')
SEPARATORS = re.compile(r"[\s,]*")
TRADES = {"BUY": Kind.BUY, "SELL": Kind.SELL}
NO_SHARES = ("DIVIDEND", "FEE", "INTEREST", "ITEM", "LIABILITY", "VALUABLE")
"""Types that move no shares of a security; cash is what the accounts say."""
KINDS = {
    "STOCK": "EQUITY",
    "ETF": "ETF",
    "MUTUALFUND": "MUTUALFUND",
    "BOND": "BOND",
    "CRYPTOCURRENCY": "CRYPTO",
    "CASH": "CASHLIKE",
    "COMMODITY": "OTHER",
    "PRECIOUS_METAL": "OTHER",
    "PRIVATE_EQUITY": "OTHER",
    "COLLECTIBLE": "OTHER",
}
CLASSES = {
    "LIQUIDITY": "CASHLIKE",
    "FIXED_INCOME": "BOND",
    "REAL_ESTATE": "OTHER",
    "COMMODITY": "OTHER",
}
"""Where there is no sub-class: a class alone does not tell a fund from one company."""
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
MESSAGE_CHARACTERS = 200
AGAIN = "Export it again: My Ghostfolio, Settings or Portfolio, Export."
NO_CASH = Notice(
    code="cash_unknown",
    message=(
        "Cash is not known: the export has no accounts with a balance. No cash was read. Add "
        "CASH:CUR rows of your own."
    ),
    head=True,
)

Items = Mapping[str, Any]


@dataclass
class Export:
    """The parts of a file, with the line of each account and activity."""

    file: str
    data: Items
    now: datetime
    lines: Mapping[str, list[int]]
    profiles: Mapping[tuple[str, str], Items]
    accounts: Mapping[str, str]
    rejected: list[RejectedRow] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)


def recognises(source: Source) -> bool:
    """An object with activities and either a head or accounts."""
    text = source.text
    opens = text.lstrip().startswith("{")
    return opens and bool(KEY.search(text)) and ('"meta"' in text or '"accounts"' in text)


def read(source: Source) -> Statement:
    """Holdings by folding, cash by the accounts; the day is that of the last activity."""
    export = _export(source)
    entries = list(_entries(export))
    folded = fold(entries, source.name)
    whole = all("balance" in item for item in export.data.get("accounts", [])) and bool(
        export.data.get("accounts")
    )
    cash = tuple(_balances(export)) if whole else ()
    settings = _items(_items(export.data.get("user")).get("settings"))
    base = _text(settings, "currency") or _text(settings, "baseCurrency")
    rejected = sorted((*export.rejected, *folded.rejected), key=lambda row: row.line)
    return Statement(
        file=source.name,
        form=TITLE,
        as_of=folded.as_of or export.now.date(),
        positions=folded.positions,
        balances=cash,
        passed=tuple(export.passed),
        guessed=() if whole else (NO_CASH,),
        rejected=tuple(rejected),
        base=base if values.CURRENCY.fullmatch(base) else "",
        complete=whole,
    )


def _export(source: Source) -> Export:
    """The object, its parts of the right kind; raises InputError for any other text."""
    data = _object(source)
    for name in LISTS:
        items = data.get(name, [])
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise _no_export(source, f"{name} is no list of objects")
    if "activities" not in data:
        raise _no_export(source, "it has no activities")
    try:
        now = _time(_text(_items(data.get("meta")), "date"), "meta.date")
    except BadCell as error:
        raise _no_export(source, str(error)) from error
    return Export(
        source.name,
        data,
        now,
        {name: _lines(source.text, name, data.get(name, [])) for name in LISTS[:2]},
        {
            (_text(item, "dataSource"), _text(item, "symbol")): item
            for item in data.get("assetProfiles", [])
        },
        _account_names(data.get("accounts", [])),
    )


def _object(source: Source) -> Items:
    """The text as JSON, every number as its text; raises InputError."""
    try:
        data = json.loads(source.text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        reason = one_line(str(error), MESSAGE_CHARACTERS)
        raise _no_export(source, f"it is not whole JSON ({reason})") from error
    if not isinstance(data, dict):
        raise _no_export(source, "it is no object")
    return data


def _no_export(source: Source, reason: str) -> InputError:
    return InputError(
        f"{source.name} is no export of Ghostfolio: {reason}. {NOTHING} {AGAIN}",
        code="no_export",
        place=source.name,
        hint=AGAIN,
    )


def _lines(text: str, name: str, items: list[Items]) -> list[int]:
    """The line on which each object of a list begins; 0 where the text does not tell."""
    decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
    for match in LIST.finditer(text):
        if match[1] != name:
            continue
        lines, place, line, counted = list[int](), match.end(), 1, 0
        for item in items:
            after = SEPARATORS.match(text, place)
            place = after.end() if after else place
            line, counted = line + text.count("\n", counted, place), place
            if not text.startswith("{", place):
                break
            value, place = decoder.raw_decode(text, place)
            if value != item:
                break
            lines.append(line)
        if len(lines) == len(items):
            return lines
    return [0] * len(items)


def _items(value: object) -> Items:
    """An object, or nothing where something else stands."""
    return value if isinstance(value, dict) else {}


def _text(item: Items, name: str) -> str:
    """A text or number as text; empty where there is none."""
    value = item.get(name)
    return value.strip() if isinstance(value, str) else ""


def _time(text: str, name: str) -> datetime:
    """A time like 2026-01-09T12:00:00.000Z, in UTC without a zone."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
    except (ValueError, OverflowError) as error:
        reason = f"{name} {shown(text)} is not a time like 2026-01-09T12:00:00.000Z"
        raise BadCell(reason, code="bad_date", column=name, value=text) from error


def _account_names(accounts: list[Items]) -> dict[str, str]:
    """Id -> name; two of one name carry the beginning of their ids."""
    names = [_text(item, "name") for item in accounts]
    return {
        key: name if name and names.count(name) == 1 else f"{name} {key[:8]}".strip()
        for item, name in zip(accounts, names, strict=True)
        if (key := _text(item, "id"))
    }


def _balances(export: Export) -> Iterator[Balance]:
    """Cash of every account."""
    accounts = export.data.get("accounts", [])
    for line, item in zip(export.lines["accounts"], accounts, strict=True):
        try:
            unit = values.unit(_text(item, "currency"))
            amount = values.amount(_text(item, "balance"), "balance")
        except BadCell as error:
            export.rejected.append(error.row(export.file, line))
            continue
        yield Balance(
            line=line,
            currency=unit.currency,
            amount=unit.major(amount),
            account=export.accounts.get(_text(item, "id"), ""),
            label=_text(item, "name"),
        )


def _entries(export: Export) -> Iterator[Entry]:
    """Buys and sales; what moves no shares is passed over, and so are drafts."""
    activities = export.data["activities"]
    for line, item in zip(export.lines["activities"], activities, strict=True):
        try:
            kind, at = _text(item, "type"), _time(_text(item, "date"), "date")
            if at > export.now:
                export.passed.append(Passed(line, "draft dated after the export"))
            elif kind in TRADES:
                yield _trade(export, item, line, at)
            elif kind in NO_SHARES:
                export.passed.append(Passed(line, f"{kind.lower()} activity"))
            else:
                reason = f"type {shown(kind)} is not known and may move shares"
                raise BadCell(reason, code="unknown_action", column="type", value=kind)
        except BadCell as error:
            export.rejected.append(error.row(export.file, line))


def _trade(export: Export, item: Items, line: int, at: datetime) -> Entry:
    """A buy or a sale; raises BadCell."""
    profile = _profile(export, item)
    currency = _text(item, "currency") or _text(profile, "currency")
    unit = values.unit(currency)
    isin = _text(profile, "isin").upper()
    kind = KINDS.get(_text(profile, "assetSubClass"), "")
    price = values.amount(_text(item, "unitPrice"), "unitPrice")
    if price < 0:
        raise BadCell(
            f"unitPrice {shown(str(price))} is below 0", column="unitPrice", code="price_below_zero"
        )
    return Entry(
        line=line,
        at=at,
        kind=TRADES[_text(item, "type")],
        symbol=_symbol(item, profile),
        quantity=values.positive(_text(item, "quantity"), "quantity", values.MAX_QUANTITY),
        currency=unit.currency,
        unit=unit.minor,
        price=unit.major(price),
        account=export.accounts.get(_text(item, "accountId"), ""),
        name=_text(profile, "name"),
        isin=isin if is_isin(isin) else "",
        product_type=kind or CLASSES.get(_text(profile, "assetClass"), ""),
        multiplier=Decimal(1),
    )


def _profile(export: Export, item: Items) -> Items:
    """What is known of the asset: in the list of profiles, or inside the activity."""
    key = _text(item, "dataSource"), _text(item, "symbol")
    return export.profiles.get(key) or _items(item.get("SymbolProfile"))


def _symbol(item: Items, profile: Items) -> str:
    """The symbol; of an asset of the user's own, whose symbol is a number, what stands for it."""
    symbol = _text(item, "symbol") or _text(profile, "symbol")
    if not UUID.fullmatch(symbol):
        return values.symbol(symbol)
    mapping = _items(profile.get("symbolMapping"))
    other = next(iter(sorted(text for name in mapping if (text := _text(mapping, name)))), "")
    other = other or _text(profile, "isin")
    if not other:
        name = shown(_text(profile, "name") or symbol)
        hint = "give it an ISIN or a symbol mapping in Ghostfolio"
        raise BadCell(
            f"{name} is an asset of your own without a symbol; {hint}",
            code="no_symbol",
            column="symbol",
            value=symbol,
            hint=hint,
        )
    return values.symbol(other)


IMPORTER = Importer(name="ghostfolio", title=TITLE, recognises=recognises, read=read)
