"""Targets that no file has a price of: a slip of a symbol, a class, or something not bought yet.

A slip and a class are refused: the money meant for them would be taken from what is held. Anything
else stays unbuyable cash, and the planner sells nothing for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from steelyard.errors import InputError, nearest
from steelyard.importers.files import Files
from steelyard.importers.targets import TargetsFile
from steelyard.importers.values import NO_SYMBOLS, NOTHING, shown
from steelyard.market import Quote
from steelyard.targets import class_key

CLASS_WORDS = frozenset(
    {
        *("STOCK", "STOCKS", "EQUITY", "EQUITIES", "SHARES", "BOND", "BONDS", "FIXED.INCOME"),
        *("COMMODITIES", "REAL.ESTATE", "REITS", "CRYPTO", "ALTERNATIVES", "FUNDS", "ETFS"),
        *("INTERNATIONAL", "DOMESTIC", "EMERGING", "DEVELOPED"),
    }
)
"""Names of asset classes that stand where a symbol should."""


def unpriced_targets(
    files: Files, weights: Mapping[str, float], quotes: Mapping[str, Quote]
) -> Iterator[InputError]:
    """Why targets with a weight and no price are refused, one after the other."""
    file = files.targets
    if file is None:
        return
    near_to = _names(files) - {*weights}
    classes = _classes(files)
    unpriced = sorted(name for name, weight in weights.items() if weight and name not in quotes)
    as_class = {
        symbol: classes.get(_plain(symbol), "")
        for symbol in unpriced
        if _plain(symbol) in classes or symbol in CLASS_WORDS
    }
    if as_class:
        yield _are_classes(file, as_class)
    for symbol in unpriced:
        if symbol in as_class:
            continue
        if symbol in files.holdings.funds:
            yield _is_cash(file, symbol, files.holdings.file)
            continue
        same = sorted(name for name in near_to if _bare(name) == _bare(symbol))
        near = same[0] if same else nearest(symbol, sorted(near_to))
        if near or symbol in NO_SYMBOLS:
            yield _slip(file, symbol, weights[symbol], near, aliased=bool(same))


def _is_cash(file: TargetsFile, symbol: str, holdings: str) -> InputError:
    """Refuse a target of what is read as cash: the cash target is another row."""
    where = f"{file.file} line {file.lines.get(symbol, 1)}"
    hint = "Write CASH for its target, or list it in the securities file if it is a security"
    return InputError(
        f"{where}: {symbol} of {holdings} is read as cash. {NOTHING} {hint}.",
        code="fund_as_target",
        place=where,
        value=symbol,
        hint=hint,
    )


def _slip(file: TargetsFile, symbol: str, weight: float, near: str, *, aliased: bool) -> InputError:
    """Refuse a target that is near another name, or what programs write where there is nothing.

    aliased   do the two names differ by separators alone? Then they may be one
    """
    where = f"{file.file} line {file.lines.get(symbol, 1)}"
    hint = f"Correct it, give it a price, or leave it out with --exclude {symbol}."
    if aliased:
        hint = (
            f'If they are one, write "{near}" = "{symbol}" under [alias] of a mapping file '
            f"(--mapping). Otherwise give it a price, or leave it out with --exclude {symbol}."
        )
    meant = f" Did you mean {near}?" if near else ""
    return InputError(
        f"{where}: {symbol} has a target of {weight:.4g} and no price.{meant} {NOTHING} {hint}",
        code="unknown_target",
        place=where,
        value=symbol,
        hint=f"{meant.strip()} {hint}".strip(),
    )


def _names(files: Files) -> set[str]:
    """Everything that has a name a target could be a slip of: held or priced."""
    priced = {files.spellings.symbol(name) for name in (files.prices.named if files.prices else ())}
    return priced | {row.symbol for row in files.holdings.holdings if row.quantity}


def _bare(text: str) -> str:
    """A symbol without what separates its parts."""
    return "".join(sign for sign in text if sign.isalnum())


def _plain(text: str) -> str:
    """A name without what a symbol cannot have."""
    return text.upper().replace(" ", ".").replace("-", ".").replace("/", ".")


def _classes(files: Files) -> dict[str, str]:
    """Plain name -> how a target of it is written: the classes, else the sectors, groups and
    countries of the securities file.
    """
    rows = files.securities.securities if files.securities else ()
    labels: dict[str, str] = {}
    for row in rows:
        for dimension, label in row.classes.items():
            labels.setdefault(_plain(label), class_key(label, dimension))
    for row in rows:
        for label in (*row.sectors, *row.countries, row.group or ""):
            labels.setdefault(_plain(label), class_key(label))
    return {name: label for name, label in labels.items() if name}


def _are_classes(file: TargetsFile, labels: Mapping[str, str]) -> InputError:
    """Refuse the names of classes, all in one sentence: symbol -> as a class, "" = by word."""
    rows = sorted((file.lines.get(symbol, 1), symbol) for symbol in labels)
    names = ", ".join(f"{shown(_label(labels[symbol], symbol))} (line {n})" for n, symbol in rows)
    first = labels[rows[0][1]] or class_key(rows[0][1].title())
    what = f"{names} of {file.file} {'is a class' if len(rows) == 1 else 'are classes'}"
    hint = (
        f"A weight of a class is written {first}, by the column {first.partition(':')[0]} of the "
        "securities file, or stands in the strategy under [groups.sector] or [groups.country]; "
        "otherwise give each security its own weight"
    )
    return InputError(
        f"{what} of securities, and no symbol that has a price. {NOTHING} {hint}.",
        code="class_as_symbol",
        place=f"{file.file} line {rows[0][0]}",
        value=rows[0][1],
        hint=hint,
    )


def _label(key: str, symbol: str) -> str:
    """The name of a class, from how it is written."""
    return key.partition(":")[2] or symbol
