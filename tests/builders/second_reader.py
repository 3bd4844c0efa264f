"""What brokers' files say by the csv module, json, regular expressions and Decimal alone.

A statement is compared with it line by line; of a history, which is folded, with a fold of a few
lines. Nothing here is shared with the importers but the statement.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from builders import exports
from steelyard.importers.statement import Position, Source, Statement

MONEY = re.compile(r"[\s$€£¥'%+]|\b[A-Z]{3}\b|GBp|GBX")
SIGNS = {
    **dict.fromkeys(("transfer in", "stock distribution"), 1),
    "transfer out": -1,
    **{f"{order} buy": 1 for order in ("market", "limit", "stop", "stop limit")},
    **{f"{order} sell": -1 for order in ("market", "limit", "stop", "stop limit")},
}
"""What a row of Trading 212 does to shares."""
OFX_TRADE = re.compile(
    r"<(BUY(?!TYPE)\w+|SELL(?!TYPE)\w+|REINVEST|TRANSFER|SPLIT)>(.*?)</\1>", re.DOTALL
)
SPLITS = {"stock split close": 0, "stock split open": 1}


def differences(form: str, source: Source, statement: Statement) -> list[str]:
    """Numbers of a statement that the file does not say; none of one with rejected lines."""
    if statement.rejected:
        return []
    return list(READERS.get(form, _nothing)(source, statement))


def numbers(text: str) -> set[Decimal]:
    """A cell as a number, read with a decimal point and with a decimal comma."""
    bare = MONEY.sub("", text.replace("\u2212", "-"))
    negative = bare.startswith(("(", "-")) or bare.endswith("-")
    bare = bare.strip("()-")
    read = set()
    for digits in (bare.replace(",", ""), bare.replace(".", "").replace(",", ".")):
        try:
            read.add(-Decimal(digits) if negative else Decimal(digits))
        except InvalidOperation:
            continue
    return {number for number in read if number.is_finite()}


def _nothing(source: Source, statement: Statement) -> Iterator[str]:
    raise AssertionError(f"no second reader reads {statement.form}")


def _of_table(source: Source, statement: Statement) -> Iterator[str]:
    """Each number stands in a cell of its line; the price of a lot may stand above it."""
    lines = {line: _all(cells) for line, cells in _lines(source).items()}
    every = set[Decimal]().union(*lines.values())
    for row in statement.positions:
        yield from _absent(row, lines.get(row.line, set()), every)
    for balance in statement.balances:
        # what settles later may be the difference of two cells
        if balance.settles is None and balance.amount not in every:
            yield f"line {balance.line}: cash of {balance.amount}"


def _absent(row: Position, quantities: set[Decimal], prices: set[Decimal]) -> Iterator[str]:
    parts = 100 if row.unit else 1
    if row.quantity not in quantities:
        yield f"line {row.line}: {row.symbol} has {row.quantity}, not of {sorted(quantities)[:9]}"
    if row.price is not None and row.price * parts not in prices:
        yield f"line {row.line}: {row.symbol} is at {row.price}, not of {sorted(prices)[:9]}"


def _all(texts: list[str]) -> set[Decimal]:
    return set[Decimal]().union(*map(numbers, texts))


def _lines(source: Source) -> dict[int, list[str]]:
    sign = ";" if source.text.count(";") > source.text.count(",") else ","
    reader = csv.reader(io.StringIO(source.text, newline=""), delimiter=sign)
    line, rows = 1, {}
    for cells in reader:
        rows[line] = cells
        line = reader.line_num + 1
    return rows


def _flex_trades(source: Source) -> list[Fraction]:
    """What executions leave of each security, of those of which something is left."""
    rows: list[dict[str, str]] = []
    if source.text.lstrip().startswith("<"):
        for match in re.finditer(r"<Trade\s([^>]*)>", source.text):
            pairs = re.findall(r'(\w+)\s*=\s*["\']([^"\']*)', match[1])
            rows.append({name.lower(): text for name, text in pairs})
    else:
        header: list[str] = []
        for cells in csv.reader(source.text.splitlines()):
            plain = [cell.strip().replace("/", "").lower() for cell in cells]
            if "buysell" in plain:
                header = plain
            elif header and cells:
                rows.append(dict(zip(header, cells, strict=False)))
    shares: dict[str, Fraction] = defaultdict(Fraction)
    for row in rows:
        if row.get("levelofdetail", "").strip().upper() in {"", "EXECUTION"} and (
            row.get("assetclass", row.get("assetcategory", "")).strip().upper() != "CASH"
        ):
            units = abs(Fraction(row["quantity"].replace(",", "").strip()))
            name = row.get("symbol", "").strip() or row.get("isin", "").strip()
            if not name or re.fullmatch(r"[A-Z]{3}\.[A-Z]{3}", name):
                continue  # an exchange of currencies
            shares[name] += units if row["buysell"].strip().upper() == "BUY" else -units
    return sorted(amount for amount in shares.values() if amount)


def _of_flex(source: Source, statement: Statement) -> Iterator[str]:
    if any(notice.code == "folded" for notice in statement.guessed):
        owned: dict[str, Fraction] = defaultdict(Fraction)
        for row in statement.positions:
            owned[row.symbol] += Fraction(row.quantity)
        left = sorted(amount for amount in owned.values() if amount)
        if left != _flex_trades(source):
            yield f"{[*map(float, left)]} are left, and by the second reader {_flex_trades(source)}"
        return
    if not source.text.lstrip().startswith("<"):
        yield from _of_table(source, statement)
        return
    for row in statement.positions:
        quantities, prices = (
            _all(re.findall(rf'\b{name}\s*=\s*["\']([^"\']*)', source.text))
            for name in ("position", "markPrice")
        )
        yield from _absent(row, quantities, prices)
    cash = _all(re.findall(r'\bending(?:Settled)?Cash\s*=\s*["\']([^"\']*)', source.text))
    for balance in statement.balances:
        if balance.settles is None and balance.amount not in cash:
            yield f"cash of {balance.amount} is not of {sorted(cash)}"


def _of_ofx(source: Source, statement: Statement) -> Iterator[str]:
    """Positions and cash as the file lists them; of a list of transactions, what they leave."""
    if "<INVPOS>" not in source.text:
        yield from _folded(statement, _ofx_trades(source.text))
        return
    units = _all(_tags(source, "UNITS"))
    prices = _all(_tags(source, "UNITPRICE"))
    for row in statement.positions:
        yield from _absent(row, units, prices)
    cash = _all([*_tags(source, "AVAILCASH"), *_tags(source, "BALAMT")])
    for balance in statement.balances:
        if balance.amount not in cash:
            yield f"cash of {balance.amount} is not of {sorted(cash)}"


def _ofx_trades(text: str) -> dict[str, Fraction]:
    """What is left of each security after buys, sales, transfers and splits, by their days."""
    left_of: dict[str, Fraction] = defaultdict(Fraction)
    trades = []
    for match in OFX_TRADE.finditer(text):
        pairs = re.findall(r"<(\w+)>([^<]*)", match[2])
        facts = {name: text.strip() for name, text in pairs if text.strip()}
        day = re.sub(r"[^0-9]", "", facts.get("DTTRADE", ""))[:8]
        trade = (day, match[1], facts)
        if trade not in trades:  # a transaction has one FITID: the same again is the same
            trades.append(trade)
    for _, kind, facts in sorted(trades, key=lambda trade: trade[0]):
        if kind == "SPLIT":
            names = (
                ("NUMERATOR", "DENOMINATOR") if "NUMERATOR" in facts else ("NEWUNITS", "OLDUNITS")
            )
            after, before = (Fraction(facts[name].strip()) for name in names)
            left_of[facts["UNIQUEID"]] *= after / before
            continue
        out = kind.startswith("SELL") or facts.get("TFERACTION", "").strip().upper() == "OUT"
        units = abs(Fraction(facts["UNITS"].strip()))
        left_of[facts["UNIQUEID"]] += -units if out else units
    return left_of


def _tags(source: Source, name: str) -> list[str]:
    return re.findall(rf"<{name}>([^<\r\n]*)", source.text)


def _of_trading212(source: Source, statement: Statement) -> Iterator[str]:
    rows = _lines(source)
    first = next(line for line, cells in rows.items() if any(cell.strip() for cell in cells))
    header = {name.strip(): place for place, name in enumerate(rows.pop(first))}
    passed = {row.line for row in statement.passed}
    events = []
    for line, cells in rows.items():
        if len(cells) < len(header):
            continue  # a row without cells is none
        action = (
            cells[header["Action"]].strip().lower() if line not in passed and any(cells) else ""
        )
        shares = cells[header["No. of shares"]].strip() if "No. of shares" in header else ""
        if shares and (action in SIGNS or action in SPLITS):
            ticker = cells[header["Ticker"]].strip() if "Ticker" in header else ""
            isin = cells[header["ISIN"]].strip() if "ISIN" in header else ""
            at = datetime.fromisoformat(cells[header["Time"]].strip())
            events.append((at, action, ticker or isin, Fraction(Decimal(shares.replace(",", "")))))
    yield from _folded(statement, _fold(events))


def _fold(events: list[tuple[datetime, str, str, Fraction]]) -> dict[str, Fraction]:
    shares_of: dict[str, Fraction] = defaultdict(Fraction)
    halves: dict[tuple[datetime, str], dict[int, Fraction]] = defaultdict(dict)
    for at, action, name, shares in sorted(events, key=lambda event: event[0]):
        if action in SIGNS:
            shares_of[name] += SIGNS[action] * shares
            continue
        both = halves[at, name]
        both[SPLITS[action]] = shares
        if len(both) == len(SPLITS):
            shares_of[name] *= both[1] / both[0]
    return shares_of


def _of_ghostfolio(source: Source, statement: Statement) -> Iterator[str]:
    shares_of: dict[str, Fraction] = defaultdict(Fraction)
    export = json.loads(source.text, parse_float=Decimal, parse_int=Decimal)
    exported = str(export.get("meta", {}).get("date", ""))[:10] or "9999"
    for item in export["activities"]:
        sign = {"BUY": 1, "SELL": -1}.get(item.get("type"))
        if sign and str(item.get("date"))[:10] <= exported:
            symbol = item.get("symbol") or item.get("SymbolProfile", {}).get("symbol")
            shares_of[str(symbol)] += sign * Fraction(item["quantity"])
    yield from _folded(statement, shares_of)


def _folded(statement: Statement, shares_of: Mapping[str, Fraction]) -> Iterator[str]:
    """Quantities by symbol, of those that are left, however the symbols are written."""
    ours: dict[str, Fraction] = defaultdict(Fraction)
    for row in statement.positions:
        ours[row.symbol] += Fraction(row.quantity)
    mine = sorted(shares for shares in ours.values() if shares)
    theirs = sorted(shares for shares in shares_of.values() if shares)
    if [round(float(n), 9) for n in mine] != [round(float(n), 9) for n in theirs]:
        yield f"{[float(n) for n in mine]} are left, and by the second reader {shares_of}"


READERS: Mapping[str, Callable[[Source, Statement], Iterator[str]]] = {
    **{
        name: lambda source, statement, name=name: exports.differences(name, source, statement)
        for name in exports.COLUMNS
    },
    "generic": _of_table,
    "own": _of_table,
    "ibkr-activity": _of_table,
    "ibkr-flex": _of_flex,
    "ofx": _of_ofx,
    "trading212": _of_trading212,
    "ghostfolio": _of_ghostfolio,
}
