"""Options to what `plan` takes: the files of the user, or a bundled portfolio, and what must be
said about them.

The options that `plan` and `why` share are declared here once. This is the one place that asks what
day it is: an as-of date that nothing else gives is today, and the first lines say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steelyard.cli.health import keeper, outcomes, versions
from steelyard.cli.output import Stopwatch, progress
from steelyard.errors import one_line

if TYPE_CHECKING:
    from steelyard.importers import Files
    from steelyard.importers import Inputs as Imported
    from steelyard.plans.plan import Plan
    from steelyard.strategies import Strategy
    from steelyard.telemetry.health import Outcome

BUNDLED = "growth"
"""The portfolio of who gives no files."""
BUCKET = "core"
LONGEST_VALUE = 40
"""Characters of a wrong value that are shown."""


def _day(text: str) -> date:
    """A day as YYYY-MM-DD; a usage error for anything else."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise typer.BadParameter(
            f"{one_line(text, LONGEST_VALUE)} is not a day: write YYYY-MM-DD, for example "
            "2026-11-20."
        )
    return day


def _whole_number(value: str | int) -> int:
    """A whole number, 0 or more; a usage error for anything else. The default comes as a number."""
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise typer.BadParameter(
            f"{one_line(text, LONGEST_VALUE)} is not a whole number of 0 or more, for example 7."
        )
    return int(text)


MOST_DIGITS = 18

Holdings = Annotated[
    Path | None,
    typer.Option(help="CSV: symbol, quantity[, price, average_cost, acquired, ...].", metavar="F"),
]
Prices = Annotated[
    Path | None, typer.Option(help="CSV: date, AAA, BBB, ... or date, symbol, close.", metavar="F")
]
TargetsFile = Annotated[
    Path | None,
    typer.Option(
        "--targets", help="CSV: symbol, weight; fractions, the rest is cash.", metavar="F"
    ),
]
Securities = Annotated[
    Path | None,
    typer.Option(
        help="CSV: symbol, name, product_type, currency, lot_size, sector, ...", metavar="F"
    ),
]
Fx = Annotated[
    Path | None,
    typer.Option(help="CSV: date, currency, rate; units of base for one of currency.", metavar="F"),
]
Index = Annotated[
    Path | None,
    typer.Option(
        help="CSV: date, SPY, QQQ, ...; what the market regime is told from.", metavar="F"
    ),
]
Cash = Annotated[
    list[str] | None, typer.Option(help="A balance; once per currency.", metavar="CUR=AMOUNT")
]
Base = Annotated[
    str | None, typer.Option(help="The currency in which the account counts.", metavar="CUR")
]
StrategyName = Annotated[
    str | None,
    typer.Option(
        "--strategy",
        help="A preset (strategy list names them), or a TOML file of one's own.",
        metavar="NAME|F.toml",
    ),
]
AsOf = Annotated[
    date | None, typer.Option(help="Plan as of that day (YYYY-MM-DD).", parser=_day, metavar="DATE")
]
Seed = Annotated[
    int, typer.Option(help="Seed of the generators.", parser=_whole_number, metavar="N")
]
Exclude = Annotated[
    list[str] | None, typer.Option(help="Leave a symbol out; every page says so.", metavar="SYMBOL")
]


@dataclass(frozen=True, slots=True)
class Options:
    """What the user said about the inputs; an index may go with the bundled portfolios too."""

    holdings: Path | None = None
    prices: Path | None = None
    targets: Path | None = None
    securities: Path | None = None
    fx: Path | None = None
    cash: tuple[str, ...] = ()
    base: str | None = None
    strategy: str | None = None
    as_of: date | None = None
    exclude: tuple[str, ...] = ()
    index: Path | None = None

    @property
    def files(self) -> bool:
        """Is any input file named?"""
        return any((self.holdings, self.prices, self.targets, self.securities, self.fx))


@dataclass(frozen=True, slots=True)
class Inputs:
    """What `plan` takes, and the sentences that come first.

    sample   name of the bundled portfolio; None for own files
    """

    imported: Imported
    strategy: Strategy
    said: tuple[str, ...]
    sample: str | None = None


def read(options: Options, sample: str | None = None) -> Inputs:
    """Read what the options name; without files, or with `sample`, a bundled portfolio.

    Raises SteelyardError for inputs that may not be planned with, and a usage error for files
    without holdings or cash.
    """
    if options.files and not (options.holdings or options.cash):
        raise typer.BadParameter(
            "own files need the holdings too; without any file the bundled portfolio is planned. "
            "An all-cash account is --cash CUR=AMOUNT, or a file with only its header.",
            param_hint="--holdings",
        )
    strategy = strategy_of(options.strategy)
    with progress("Reading the files"):
        own = sample is None and options.files
        found = _own(options, strategy) if own else _bundled(options, strategy, sample)
    return found if options.strategy is None else _with_remarks(found)


def _with_remarks(inputs: Inputs) -> Inputs:
    """The inputs, with what is worth knowing of a strategy that was asked for."""
    from steelyard.notices import Notice
    from steelyard.strategies import validate

    remarks = tuple(
        Notice(code="strategy", message=text) for text in validate(inputs.strategy).warnings
    )
    return replace(
        inputs, imported=replace(inputs.imported, warnings=(*inputs.imported.warnings, *remarks))
    )


def strategy_of(name_or_path: str | None) -> Strategy:
    """The strategy of a preset or a file, or the default one."""
    from steelyard.strategies import default, find

    return default() if name_or_path is None else find(name_or_path)


def make_plan(
    inputs: Inputs,
    seed: int,
    *,
    explained: bool = False,
    counted: bool = True,
    watch: Stopwatch | None = None,
) -> Plan:
    """Plan, and solve again for what would change the plan if `explained`; raises SteelyardError.

    counted   leave out the modules that are out of service, and count what fails; a demo does
              neither
    watch     notes how long it took
    """
    watch = watch or Stopwatch()
    kept = keeper() if counted else None
    disabled = kept.out_of_service(versions(inputs.strategy)) if kept else {}
    ended: list[Outcome] = []
    try:
        with progress("Planning"), watch.timed("planning"):
            made = _planned(inputs, seed, disabled)
        ended = outcomes(made.modules)
    finally:
        if kept:
            kept.record(ended)
    if not explained:
        return made
    with watch.timed("explaining"):
        return _explained(inputs, seed, made, disabled)


def _planned(inputs: Inputs, seed: int, disabled: Mapping[str, str]) -> Plan:
    from steelyard.planning.planner import plan

    imported = inputs.imported
    return plan(
        imported.snapshot,
        imported.market,
        inputs.strategy,
        targets=imported.targets,
        seed=seed,
        disabled=disabled,
        warnings=imported.warnings,
    )


def _explained(inputs: Inputs, seed: int, plan: Plan, disabled: Mapping[str, str]) -> Plan:
    from steelyard.planning.case import Case
    from steelyard.planning.questions.explain import explain

    imported = inputs.imported
    case = Case(
        snapshot=imported.snapshot,
        market=imported.market,
        strategy=inputs.strategy,
        targets=imported.targets,
        seed=seed,
        disabled=disabled,
    )
    with progress("Explaining") as say:
        return explain(
            case, plan, lambda what, done, total: say(f"Explaining: {what}, {done} of {total}")
        )


def _bundled(options: Options, strategy: Strategy, sample: str | None) -> Inputs:
    from steelyard.importers import read as read_files
    from steelyard.samples import SOURCE
    from steelyard.samples import sample as files_of

    files = files_of(sample or BUNDLED)
    index = options.index or files.index
    read_in = read_files(
        files.holdings,
        prices=files.prices,
        targets=files.targets,
        securities=files.securities,
        fx=files.fx,
        index=index,
    )
    imported = _assemble(
        read_in,
        options,
        base=options.base or files.base_currency,
        source=f"bundled quotes, {SOURCE}",
    )
    why = "The" if sample else "No files were given, so this is the"
    return Inputs(
        imported,
        strategy,
        (f"{why} bundled portfolio {files.name}: not yours, and its prices are old.",),
        files.name,
    )


def _own(options: Options, strategy: Strategy) -> Inputs:
    files = _read_own(options)
    imported = _assemble(files, options, base=options.base, source=None)
    said = []
    if options.holdings is None:
        said.append("No holdings were given: an account of cash alone.")
    if options.prices is None:
        said.append(f"No prices were given: those of {files.holdings.file} are used.")
    if imported.as_of_from == "today":
        said.append(f"No date was given: as of today, {imported.snapshot.as_of}.")
    return Inputs(imported, strategy, tuple(said))


def _read_own(options: Options) -> Files:
    from types import MappingProxyType

    from steelyard.importers import (
        Files,
        HoldingsFile,
        read_fx,
        read_index,
        read_prices,
        read_securities,
        read_targets,
    )
    from steelyard.importers import read as read_files

    if options.holdings is not None:
        return read_files(
            options.holdings,
            prices=options.prices,
            targets=options.targets,
            securities=options.securities,
            fx=options.fx,
            index=options.index,
        )
    nothing = HoldingsFile(
        file="--cash", holdings=(), cash=MappingProxyType({}), currencies=MappingProxyType({})
    )
    return Files(
        holdings=nothing,
        prices=read_prices(options.prices) if options.prices else None,
        targets=read_targets(options.targets) if options.targets else None,
        securities=read_securities(options.securities) if options.securities else None,
        fx=read_fx(options.fx) if options.fx else None,
        index=read_index(options.index) if options.index else None,
    )


def _assemble(files: Files, options: Options, *, base: str | None, source: str | None) -> Imported:
    from steelyard.importers import assemble, parse_cash

    return assemble(
        files,
        cash=parse_cash(options.cash),
        base_currency=base,
        as_of=options.as_of,
        exclude=options.exclude,
        today=datetime.now().astimezone().date(),
        bucket=BUCKET,
        source=source,
    )
