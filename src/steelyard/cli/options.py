"""Options to what `plan` takes: own files, or a bundled portfolio, and what is to be said of them.

The options of every command that plans are declared here once. Only here is asked what day it is.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer
from typer import Option

from steelyard.cli.health import keeper
from steelyard.cli.output import Stopwatch, progress
from steelyard.environment import home
from steelyard.errors import InputError, one_line

if TYPE_CHECKING:
    from steelyard.engine import Engine
    from steelyard.importers import Files
    from steelyard.importers import Inputs as Imported
    from steelyard.importers.book import HoldingsFile
    from steelyard.planning.case import Case
    from steelyard.planning.solve import Solution
    from steelyard.plans.plan import Plan
    from steelyard.portfolio import BucketState
    from steelyard.runs.loads import Stored
    from steelyard.samples import Sample
    from steelyard.strategies import Strategy
    from steelyard.telemetry.events import Observe

COMMAND_LINE = "the command line"
"""Who closes a side of the strategy."""
BUNDLED = "growth"
"""The portfolio of who gives no files."""
BUCKET = "core"
LONGEST_VALUE = 40
"""Characters of a wrong value that are shown."""


def day(text: str) -> date:
    """A day as YYYY-MM-DD; a usage error for anything else."""
    try:
        parsed = date.fromisoformat(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.isoformat() != text:
        what = f"{one_line(text, LONGEST_VALUE)} is not a day"
        raise typer.BadParameter(f"{what}: write YYYY-MM-DD, for example 2026-11-20.")
    return parsed


def _whole_number(value: str | int) -> int:
    """A whole number, 0 or more; a usage error for anything else. The default comes as a number."""
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        what = f"{one_line(text, LONGEST_VALUE)} is not a whole number of 0 or more"
        raise typer.BadParameter(f"{what}, for example 7.")
    return int(text)


MOST_DIGITS = 18


def _csv(columns: str, *names: str) -> Any:
    """An option that names a file of these columns."""
    return Option(*names, help=f"CSV: {columns}", metavar="F")


StrategyName = Annotated[
    str | None,
    Option(
        "--strategy",
        help="A preset (strategy list names them), or a TOML file of one's own.",
        metavar="NAME|F.toml",
    ),
]

FormName = Annotated[
    str | None,
    Option(
        "--as",
        help="Read the holdings as that form (import --list names them); by default as what is in "
        "the file.",
        metavar="FORM",
    ),
]
AccountName = Annotated[
    str | None, Option("--account", help="The account to read, of several.", metavar="A")
]
ColumnsMapped = Annotated[
    list[str] | None,
    Option("--map", help="Read a field of ours from a column.", metavar="FIELD=COLUMN"),
]
MappingFile = Annotated[
    Path | None,
    Option(
        "--mapping",
        help="TOML: [columns] of a file of one's own, [alias] of symbols; by default "
        "$STEELYARD_HOME/import.toml, where there is one.",
        metavar="F.toml",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user says about the inputs: each field is an option of every command that plans."""

    bucket: Annotated[
        str | None,
        Option(help="Plan a stored bucket, with its holdings and its strategy.", metavar="B"),
    ] = None
    holdings: Annotated[
        Path | None,
        _csv("symbol, quantity[, price, average_cost, acquired, ...], or a broker's file."),
    ] = None
    form: FormName = None
    account: AccountName = None
    columns: ColumnsMapped = None
    mapping: MappingFile = None
    prices: Annotated[Path | None, _csv("date, AAA, BBB, ... or date, symbol, close.")] = None
    targets: Annotated[
        Path | None, _csv("symbol, weight; fractions or percent, the rest is cash.", "--targets")
    ] = None
    securities: Annotated[
        Path | None, _csv("symbol, name, product_type, currency, lot_size, sector, ...")
    ] = None
    fx: Annotated[Path | None, _csv("date, currency, rate; units of base for one of currency.")] = (
        None
    )
    index: Annotated[
        Path | None, _csv("date, SPY, QQQ, ...; what the market regime is told from.")
    ] = None
    cash: Annotated[
        list[str] | None, Option(help="A balance; once per currency.", metavar="CUR=AMOUNT")
    ] = None
    deposit: Annotated[
        list[str] | None,
        Option(help="Money brought, not in the cash yet; repeatable.", metavar="CUR=AMOUNT"),
    ] = None
    withdraw: Annotated[
        list[str] | None,
        Option(
            help="Money taken out, by default as soon as sales of this plan have settled; "
            "repeatable.",
            metavar="CUR=AMOUNT[@DATE]",
        ),
    ] = None
    no_sell: Annotated[
        bool, Option("--no-sell", help="Sell nothing, whatever limits.allow_sell says.")
    ] = False
    no_buy: Annotated[
        bool, Option("--no-buy", help="Buy nothing, whatever limits.allow_buy says.")
    ] = False
    realised: Annotated[
        str | None,
        Option(help="Net gain of this year's sales so far.", metavar="CUR=AMOUNT"),
    ] = None
    base: Annotated[
        str | None, Option(help="The currency in which the account counts.", metavar="CUR")
    ] = None
    strategy: StrategyName = None
    as_of: Annotated[
        date | None, Option(help="Plan as of that day (YYYY-MM-DD).", parser=day, metavar="DATE")
    ] = None
    seed: Annotated[
        int, Option(help="Seed of the generators.", parser=_whole_number, metavar="N")
    ] = 0
    exclude: Annotated[
        list[str] | None, Option(help="Leave a symbol out; every page says so.", metavar="SYMBOL")
    ] = None
    accept_price: Annotated[
        list[str] | None,
        Option(help="Take a price that another figure contradicts.", metavar="SYMBOL"),
    ] = None

    @property
    def files(self) -> bool:
        """Is any input file named?"""
        return any((self.holdings, self.prices, self.targets, self.securities, self.fx))


FILES = ("holdings", "prices", "targets", "securities", "fx", "index")
"""Options that name a file of inputs."""
OF_A_PLAN = ("bucket", "deposit", "withdraw", "no_sell", "no_buy", "realised", "strategy", "seed")
"""Options that say what is planned, and not what is owned."""


def planning(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each field of `Options`; it gets them as `options`."""
    return _with_options(command, ())


def loading(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each field of `Options` that says what is owned."""
    return _with_options(command, OF_A_PLAN)


def _with_options(command: Callable[..., None], without: Sequence[str]) -> Callable[..., None]:
    hints = get_type_hints(Options, include_extras=True)
    offered = [field for field in fields(Options) if field.name not in without]
    shared = [
        Parameter(
            field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in offered
    ]
    own = signature(command, eval_str=True).parameters
    parts = [[parameter] if name != "options" else shared for name, parameter in own.items()]

    @wraps(command)
    def run(**arguments: Any) -> None:
        options = Options(**{field.name: arguments.pop(field.name) for field in offered})
        command(**arguments, options=options)

    run.__signature__ = Signature([p for part in parts for p in part])  # type: ignore[attr-defined]
    return run


@dataclass(frozen=True, slots=True)
class Inputs:
    """What `plan` takes, what is said first, and the bundled portfolio, None for own files.

    files    names and hashes of the files of a stored bucket
    bucket   the stored bucket; None = files
    """

    imported: Imported
    strategy: Strategy
    said: tuple[str, ...]
    sample: str | None = None
    state: BucketState | None = None
    files: tuple[Mapping[str, str], ...] = ()
    bucket: str | None = None


def read(options: Options, sample: str | None = None, stored: Stored | None = None) -> Inputs:
    """Read what the options name; without files, or with `sample`, a bundled portfolio.

    stored   what own files lack is that of a bucket
    Raises SteelyardError for unusable inputs, a usage error for files without holdings or cash.
    """
    if options.bucket is not None:
        from steelyard.cli.of_bucket import read as read_bucket

        return read_bucket(options)
    if options.files and not (options.holdings or options.cash):
        raise typer.BadParameter(
            "own files need the holdings too; without any file the bundled portfolio is planned. "
            "An all-cash account is --cash CUR=AMOUNT, or a file with only its header.",
            param_hint="--holdings",
        )
    for name, value in (
        *(("--as", options.form), ("--account", options.account)),
        *(("--map", options.columns), ("--mapping", options.mapping)),
    ):
        if value is not None and options.holdings is None:
            raise typer.BadParameter("it says how --holdings is read.", param_hint=name)
    strategy = one_sided(strategy_of(options.strategy), options)
    with progress("Reading the files"):
        own = sample is None and options.files
        inputs = _own(options, strategy, stored) if own else _bundled(options, strategy, sample)
    inputs = replace(inputs, state=state_of(inputs.imported, options))
    return inputs if options.strategy is None else with_remarks(inputs)


def with_remarks(inputs: Inputs) -> Inputs:
    """The inputs, with what is worth knowing of a strategy that was asked for."""
    from steelyard.notices import Notice
    from steelyard.strategies import validate

    texts = validate(inputs.strategy).warnings
    remarks = tuple(Notice(code="strategy", message=text) for text in texts)
    warnings = (*inputs.imported.warnings, *remarks)
    return replace(inputs, imported=replace(inputs.imported, warnings=warnings))


def one_sided(strategy: Strategy, options: Options) -> Strategy:
    """The strategy with the sides that the command line closes."""
    if not (options.no_sell or options.no_buy):
        return strategy
    from steelyard.runs.asked import one_sided as closed

    return closed(strategy, no_sell=options.no_sell, no_buy=options.no_buy, by=COMMAND_LINE)


def state_of(
    imported: Imported, options: Options, remembered: BucketState | None = None
) -> BucketState | None:
    """What the account remembers, and what the command line tells of it."""
    from steelyard.importers import amount_of
    from steelyard.portfolio import BucketState

    if options.realised is None:
        return remembered
    currency, amount = amount_of(options.realised, "--realised", "USD=1200")
    rate = imported.market.fx.latest(currency, imported.snapshot.as_of)
    if rate is None:
        base = imported.snapshot.base_currency
        raise InputError(
            f"--realised is in {currency}, of which there is no rate into {base}. Nothing was "
            f"planned. Give it in {base}.",
            code="realised_without_rate",
            place="--realised",
            value=options.realised,
            limit=base,
            hint=f"give it in {base}",
        )
    return replace(remembered or BucketState(), realised_gain=amount * rate.rate)


def strategy_of(name_or_path: str | None) -> Strategy:
    """The strategy of a preset, a file or a stored name, or the default one."""
    from steelyard.cli.named import strategy_named
    from steelyard.strategies import default

    return default() if name_or_path is None else strategy_named(name_or_path)


@dataclass(frozen=True, slots=True)
class Around:
    """What goes on around the making of a plan.

    watch     notes how long it took
    observe   called with every event
    engine    which one plans
    solved    called with what the plan is written from
    """

    watch: Stopwatch = field(default_factory=Stopwatch)
    observe: Observe | None = None
    engine: Engine = "fast"
    solved: Callable[[Solution], None] | None = None


def make_plan(
    inputs: Inputs,
    seed: int,
    *,
    explained: bool = False,
    counted: bool = True,
    around: Around | None = None,
) -> Plan:
    """Plan, and solve again for what would change the plan if `explained`; raises SteelyardError.

    counted   leave out modules out of service, and count what fails; a demo does neither
    What would change a plan is asked of the planner alone.
    """
    from steelyard.runs.solving import counted as solved_and_counted
    from steelyard.runs.solving import solved_by

    around, warnings = around or Around(), tuple(inputs.imported.warnings)
    watch, case = around.watch, _case(inputs, seed)

    def solve(case: Case) -> tuple[Solution, Plan]:
        return solved_by(around.engine, case, observe=around.observe, warnings=warnings)

    with progress("Planning"), watch.timed("planning"):
        solution, plan = solved_and_counted(case, keeper(), solve) if counted else solve(case)
    if around.solved is not None:
        with watch.timed("the other engine"):
            around.solved(solution)
    if not explained or around.engine == "reference":
        return plan
    with watch.timed("explaining"):
        return _explained(solution.case, plan)


def _case(inputs: Inputs, seed: int) -> Case:
    from steelyard.portfolio import BucketState
    from steelyard.runs.solving import case_of

    return case_of(inputs.imported, inputs.strategy, inputs.state or BucketState(), seed)


def _explained(case: Case, plan: Plan) -> Plan:
    from steelyard.planning.questions.explain import explain

    with progress("Explaining") as say:
        return explain(
            case, plan, lambda what, n, total: say(f"Explaining: {what}, {n} of {total}")
        )


def _bundled(options: Options, strategy: Strategy, sample: str | None) -> Inputs:
    from steelyard.samples import SOURCE
    from steelyard.samples import sample as files_of

    files = files_of(sample or BUNDLED)
    content = read_files(files, options.index or files.index, Options(exclude=options.exclude))
    base = options.base or files.base_currency
    source = f"bundled quotes, {SOURCE}"
    imported = assembled(content, options, strategy, base=base, source=source)
    why = "The" if sample else "No files were given, so this is the"
    sentence = f"{why} bundled portfolio {files.name}: not yours, and its prices are old."
    return Inputs(imported, strategy, (sentence,), files.name)


def _own(options: Options, strategy: Strategy, stored: Stored | None) -> Inputs:
    files = read_files(options, options.index, options)
    if stored is not None:
        files = stored.beside(files)
    imported = assembled(files, options, strategy, base=options.base, source=None)
    remarks = _read_as(files.holdings, options.holdings)
    if options.holdings is None:
        remarks.append("No holdings were given: an account of cash alone.")
    if options.prices is None:
        remarks.append(f"No prices were given: those of {files.holdings.file} are used.")
    if imported.as_of_from == "today":
        remarks.append(f"No date was given: as of today, {imported.snapshot.as_of}.")
    return Inputs(imported, strategy, tuple(remarks))


def _read_as(owned: HoldingsFile, path: Path | None) -> list[str]:
    """How a file of holdings that is not of our own form was read."""
    from steelyard.importers.holdings import FORM
    from steelyard.importers.tally import tally

    if path is None or owned.form == FORM:
        return []
    currencies = sorted({*owned.cash, *(row.currency for row in owned.settling)})
    cash = f"cash in {' and '.join(currencies)}" if currencies else "no cash"
    account = f" of the account {owned.account}" if owned.account else ""
    day = f", as of {owned.as_of}" if owned.as_of else ""
    seen = f"steelyard import {shlex.quote(str(path))}"
    return [f"Read as {owned.form}{account}{day}: {tally([owned])}; {cash}. To see it: {seen}"]


def default_mapping() -> Path | None:
    """The user's own mapping file, where there is one."""
    from steelyard.importers.mapping import own_mapping

    return own_mapping(home(os.environ))


def columns_of(texts: Sequence[str]) -> dict[str, str]:
    """Field -> column of FIELD=COLUMN arguments."""
    columns: dict[str, str] = {}
    for text in texts:
        name, equals, column = (part.strip() for part in text.partition("="))
        if not (equals and name and column) or name in columns:
            what = f"{one_line(text, LONGEST_VALUE)} maps nothing, or a field twice"
            raise typer.BadParameter(f"{what}; write symbol=Ticker.", param_hint="--map")
        columns[name] = column
    return columns


def read_files(
    paths: Options | Sample,
    index: Path | None,
    options: Options,
    owned: HoldingsFile | None = None,
) -> Files:
    """Read every file; `owned`: instead of a file of holdings."""
    from steelyard.importers import Reading
    from steelyard.importers import read as read_all
    from steelyard.importers.limits import limits_from

    return read_all(
        owned or paths.holdings,
        prices=paths.prices,
        targets=paths.targets,
        securities=paths.securities,
        fx=paths.fx,
        index=index,
        exclude=options.exclude or (),
        reading=Reading(
            form=options.form,
            columns=columns_of(options.columns or ()),
            mapping=options.mapping or default_mapping(),
            account=options.account,
            base=options.base,
            limits=limits_from(os.environ),
        ),
    )


def assembled(
    files: Files,
    options: Options,
    strategy: Strategy,
    *,
    base: str | None,
    source: str | None = None,
    bucket: str = BUCKET,
) -> Imported:
    """What `plan` takes; source: where the prices come from, by default the name of the file."""
    from steelyard.importers import assemble, deposits, parse_cash, withdrawals

    out = withdrawals(options.withdraw or (), strategy.limits.settlement_days)
    return assemble(
        files,
        cash=parse_cash(options.cash or ()),
        flows=(*deposits(options.deposit or ()), *out),
        base_currency=base,
        as_of=options.as_of,
        exclude=options.exclude or (),
        accept_price=options.accept_price or (),
        today=datetime.now().astimezone().date(),
        bucket=bucket,
        source=source,
    )
