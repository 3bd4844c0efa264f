"""What was read: the files that were given, and the cash of the arguments.

The order is that of what depends on what: the mapping and the securities say how names are read,
holdings and targets which symbols are in use, and of the prices only those are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeVar, cast

from steelyard.errors import InputError
from steelyard.importers import registry, values
from steelyard.importers.book import Choices, HoldingsFile, holdings_of
from steelyard.importers.fx import FxFile, read_fx
from steelyard.importers.holdings import is_own, may_be_own, read_own
from steelyard.importers.index import read_index
from steelyard.importers.limits import LIMITS, FileLimits
from steelyard.importers.mapping import ImportMapping, read_mapping
from steelyard.importers.opening import Where
from steelyard.importers.prices import PriceTable, read_prices
from steelyard.importers.reading import open_source
from steelyard.importers.securities import SecuritiesFile, read_securities
from steelyard.importers.spelling import Spellings
from steelyard.importers.statement import Source, Statement
from steelyard.importers.targets import TargetsFile, read_targets
from steelyard.importers.values import normal
from steelyard.notices import Notice

Read = TypeVar("Read")
AnyFile = HoldingsFile | PriceTable | TargetsFile | SecuritiesFile | FxFile
NO_COLUMNS: Mapping[str, str] = MappingProxyType({})

OF_ONE_SECURITY = frozenset({"OPEN", "HIGH", "LOW", "CLOSE"})
"""Columns of the price history of one security, as data services write it."""
ALL_CASH = HoldingsFile(file="--cash")
"""The holdings of an account of cash alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the file of holdings is to be read.

    form      name of an importer; None = by what is in the file
    columns   field -> column of the file, as --map
    mapping   a mapping file, or what it says
    account   which of several
    base      the currency in which the account counts, where the user says it
    decimal   the decimal sign, for numbers that leave it open
    sign      the currency of a $ or ¥ that may mean several; "" = `base`, where it is one of them
    limits    of all files
    """

    form: str | None = None
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    mapping: Path | ImportMapping | None = None
    account: str | None = None
    base: str | None = None
    decimal: Literal[".", ",", ""] = ""
    sign: str = ""
    limits: FileLimits = LIMITS

    def open(self, path: Where) -> Source:
        """A file of holdings, opened to be read so; raises InputError."""
        sign = (self.sign or self.base or "").strip().upper()
        return replace(open_source(path, self.limits), decimal=self.decimal, sign=sign)


AS_IT_IS = Reading()


@dataclass(frozen=True, kw_only=True)
class Files:
    """What was read; a file that was not given is None.

    spellings   names to symbols, over all files
    """

    holdings: HoldingsFile
    prices: PriceTable | None = None
    targets: TargetsFile | None = None
    securities: SecuritiesFile | None = None
    fx: FxFile | None = None
    index: PriceTable | None = None
    spellings: Spellings = field(default_factory=Spellings)

    @property
    def given(self) -> tuple[AnyFile, ...]:
        """The files that were given."""
        files = (self.holdings, self.prices, self.targets, self.securities, self.fx, self.index)
        return tuple(file for file in files if file is not None)


def read(
    holdings: Where | HoldingsFile | None,
    *,
    prices: Where | PriceTable | None = None,
    targets: Where | None = None,
    securities: Where | SecuritiesFile | None = None,
    fx: Where | FxFile | None = None,
    index: Where | PriceTable | None = None,
    exclude: Sequence[str] = (),
    reading: Reading = AS_IT_IS,
) -> Files:
    """Read every file that is given, no holdings = all cash; InputError for an unreadable one.

    Each is a file, a table in memory, or what one of them came to, so that what many accounts have
    in common is read once: it gives the same. Prices that were read have every symbol of the file.

    exclude    symbols whose rows of the holdings are not looked at
    """
    limits = reading.limits
    mapping = _mapping(reading)
    listed = _came_to(SecuritiesFile, securities, read_securities, limits)
    spellings = _spellings(mapping, listed)
    owned = holdings if isinstance(holdings, HoldingsFile) else ALL_CASH
    if isinstance(holdings, HoldingsFile):
        spellings.add(holding.symbol for holding in holdings.holdings)
    elif holdings:
        choices = _choices(reading, listed, spellings, exclude)
        source = reading.open(holdings)
        owned = holdings_of(*_statement(source, reading, mapping, choices))
    rows = listed.securities if listed else ()
    aims = read_targets(targets, spellings, limits, rows) if targets else None
    listed = _respelled(listed, spellings)
    return Files(
        holdings=owned,
        prices=_prices(prices, spellings, limits) if prices else None,
        targets=aims,
        securities=listed,
        fx=_came_to(FxFile, fx, read_fx, limits),
        index=_came_to(PriceTable, index, read_index, limits),
        spellings=spellings,
    )


def _came_to(
    kind: type[Read],
    source: Where | Read | None,
    read: Callable[[Where, FileLimits], Read],
    limits: FileLimits,
) -> Read | None:
    """What a file says; None where there is none."""
    if source is None or isinstance(source, kind):
        return source
    return read(cast(Where, source), limits)


def _mapping(reading: Reading) -> ImportMapping:
    mapping = reading.mapping or ImportMapping()
    return mapping if isinstance(mapping, ImportMapping) else read_mapping(mapping, reading.limits)


def _spellings(mapping: ImportMapping, listed: SecuritiesFile | None) -> Spellings:
    rows = listed.securities if listed else ()
    return Spellings.of(mapping.alias, {row.isin: row.symbol for row in rows if row.isin})


def _choices(
    reading: Reading, listed: SecuritiesFile | None, spellings: Spellings, exclude: Sequence[str]
) -> Choices:
    rows = listed.securities if listed else ()
    names = {normal(spellings.symbol(text.strip().upper())) for text in exclude}
    names |= {normal(text.strip()) for text in exclude}
    names |= {old for old, new in spellings.alias.items() if normal(new) in names}
    return Choices(
        account=reading.account,
        exclude=frozenset(names),
        currency=base_of(reading.base) if reading.base else "",
        listed={normal(spellings.symbol(row.symbol)): row for row in rows},
        written={normal(spellings.symbol(symbol)) for symbol in (listed.written if listed else ())},
        spellings=spellings,
    )


def base_of(text: str) -> str:
    """The currency in which the account counts, as an argument says it; raises InputError."""
    try:
        return values.currency(text.strip(), "base currency")
    except values.BadCell as error:
        raise InputError(
            f"The {error}. {values.NOTHING}",
            code=error.code,
            place="--base",
            value=text,
            hint=error.hint,
        ) from error


def _statement(
    source: Source, reading: Reading, mapping: ImportMapping, choices: Choices
) -> tuple[Statement, Choices]:
    """The statement of a file, by the form that is named or recognised."""
    passed = set[str]()

    def own(source: Source) -> Statement:
        statement, symbols = read_own(source, choices.exclude, choices.listed)
        passed.update(symbols)
        return statement

    statement = read_statement(source, reading.form, reading.columns, mapping.columns, own)
    return statement, replace(choices, passed=frozenset(passed))


def _own(source: Source) -> Statement:
    """Our own form, every row of it."""
    return read_own(source)[0]


def read_statement(
    source: Source,
    form: str | None = None,
    columns: Mapping[str, str] = NO_COLUMNS,
    otherwise: Mapping[str, str] = NO_COLUMNS,
    own: Callable[[Source], Statement] = _own,
) -> Statement:
    """The statement of a file of any form.

    columns     field -> column of the file, on the user's word for this file
    otherwise   the same of a mapping file, which is of all files: for one that nobody recognises
    own         reads our own form
    Raises InputError for a file of no form or of several, and for no such table.
    """
    if form == registry.OWN or (form is None and not columns and is_own(source)):
        return own(source)
    if form == registry.GENERIC or (form is None and columns):
        return _mapped(source, {**otherwise, **columns})
    problems: list[Notice] = []
    try:
        importer = registry.choose(source, form, problems)
    except InputError as error:
        if error.fault.code != registry.UNKNOWN_FILE:
            raise
        if otherwise:
            return _mapped(source, otherwise)
        if not may_be_own(source):
            raise
        return own(source)
    statement = importer.read(source)
    return replace(statement, guessed=(*problems, *statement.guessed))


def _mapped(source: Source, columns: Mapping[str, str]) -> Statement:
    from steelyard.importers.brokers.generic import read as mapped  # noqa: PLC0415 seldom

    return mapped(source, columns)


def _prices(source: Where | PriceTable, spellings: Spellings, limits: FileLimits) -> PriceTable:
    """The prices of the symbols in use; raises InputError for the history of one security."""
    if isinstance(source, PriceTable):
        table = source.of(spellings.added)
    else:
        table = read_prices(source, names=spellings.added, limits=limits)
    if set(table.named) >= OF_ONE_SECURITY and not set(table.symbols) & OF_ONE_SECURITY:
        hint = "Give one file with the header date,symbol,close, or date and a column per symbol"
        raise InputError(
            f"{table.file} looks like the history of one security: its columns are "
            f"{', '.join(table.named)}. {values.NOTHING} {hint}.",
            code="one_security",
            place=table.file,
            hint=hint,
        )
    return table


def _respelled(file: SecuritiesFile | None, spellings: Spellings) -> SecuritiesFile | None:
    """The securities under the symbols of the holdings and the targets."""
    if file is None:
        return None
    spellings.add(row.symbol for row in file.securities)
    securities = [replace(row, symbol=spellings.symbol(row.symbol)) for row in file.securities]
    return replace(
        file,
        securities=tuple(sorted(securities, key=lambda row: row.symbol)),
        units={spellings.symbol(symbol): unit for symbol, unit in file.units.items()},
        written=frozenset(map(spellings.symbol, file.written)),
        lines={spellings.symbol(symbol): line for symbol, line in file.lines.items()},
    )


def parse_cash(texts: Iterable[str], place: str = "--cash") -> dict[str, Decimal]:
    """Balances of `USD=1200` arguments; InputError for another form, or a currency given twice."""
    cash: dict[str, Decimal] = {}
    for text in texts:
        name, equals, balance = text.partition("=")
        try:
            unit = values.unit(name.strip(), "currency")
            if not equals:
                raise values.BadCell("the amount is missing")
            if unit.currency in cash:
                raise values.BadCell(f"{unit.currency} is given twice")
            cash[unit.currency] = unit.major(values.amount(balance.strip(), "amount"))
        except values.BadCell as error:
            what = f"The cash {values.shown(text)} is not usable: {error}."
            raise InputError(
                f"{what} {values.NOTHING} Write USD=1200.",
                code="bad_cash",
                place=place,
                value=text,
                hint="Write USD=1200.",
            ) from error
    return cash
