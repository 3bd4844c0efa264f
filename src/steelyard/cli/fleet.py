"""`steelyard fleet`: a folder of accounts, each planned by itself; the same command goes on."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from steelyard.cli.options import day
from steelyard.cli.output import (
    FAILED,
    guarded,
    if_signalled,
    note,
    progress,
    save,
    screen,
    writable,
    write,
    write_json,
)
from steelyard.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.runs.fleet.engines import Engine
    from steelyard.runs.fleet.folder import Folder
    from steelyard.runs.fleet.ready import Asked
    from steelyard.runs.fleet.run import Began
    from steelyard.store.fleets import AccountRow, Progress

OTHER_SUMMARY = "Name another file with --summary."
OTHER_FOLDER = "Name another folder with --reports."
NOTHING = "Nothing was planned."
FEW_SECONDS = 120


def _file(columns: str, name: str) -> Any:
    return Option(help=f"CSV: {columns} By default DIR/{name}.csv, where there is one.")


def fleet(
    folder: Annotated[
        Path, Argument(help="A folder with a folder for each account.", metavar="DIR")
    ],
    *,
    prices: Annotated[Path | None, _file("date, AAA, BBB, ... of all accounts.", "prices")] = None,
    targets: Annotated[
        Path | None, _file("symbol, weight, of accounts that have none of their own.", "targets")
    ] = None,
    securities: Annotated[
        Path | None, _file("symbol, name, product_type, currency, ...", "securities")
    ] = None,
    fx: Annotated[Path | None, _file("date, currency, rate.", "fx")] = None,
    index: Annotated[Path | None, _file("date, SPY, QQQ, ...", "index")] = None,
    base: Annotated[
        str | None, Option(help="The currency in which the accounts count.", metavar="CUR")
    ] = None,
    strategy: Annotated[
        str | None,
        Option(help="Of accounts that name none in their account.toml.", metavar="NAME|F.toml"),
    ] = None,
    as_of: Annotated[
        date | None, Option(help="Plan as of that day (YYYY-MM-DD).", parser=day, metavar="DATE")
    ] = None,
    engine: Annotated[
        str | None,
        Option(
            help="Who plans: serial, processes of this machine, dask; by default processes, of a "
            "few accounts serial.",
            metavar="E",
        ),
    ] = None,
    address: Annotated[
        str | None,
        Option(help="Scheduler of Dask; without it a cluster of our own.", metavar="A"),
    ] = None,
    workers: Annotated[
        int | None,
        Option(help="Processes; by default one for each core, of a cluster 2.", metavar="N"),
    ] = None,
    reports: Annotated[
        Path | None, Option(help="Also write an HTML report for each account there.", metavar="OUT")
    ] = None,
    summary: Annotated[
        Path | None, Option(help="Also write a line for each account there.", metavar="F.csv")
    ] = None,
    as_json: Annotated[
        bool,
        Option("--json", help="Print [{account, plan_id, improvement, error}] as one document."),
    ] = False,
) -> None:
    """Plan every account of a folder, each by itself, and show them worst first.

    DIR has a folder for each account: holdings.csv, and where it has its own targets.csv and
    account.toml (name, [cash] USD = "...", strategy). What was planned is kept as it comes in: the
    same command goes on where it was interrupted, and shows what is done. It ends with 1 where an
    account has no plan.
    """
    with guarded():
        from steelyard.runs.fleet.threads import one_thread_each

        one_thread_each(os.environ)  # before anything loads numpy
        if summary is not None:
            writable(summary, "summary", OTHER_SUMMARY)
        files = {
            "prices": prices, "targets": targets, "securities": securities, "fx": fx,
            "index": index,
        }  # fmt: skip
        rows, differs = _planned(
            _asked(folder, files, strategy, base, as_of, reports is not None),
            lambda accounts: _engine(engine, address, workers, accounts),
            reports,
        )
        if as_json:
            from steelyard.runs.fleet.results import documents

            write_json(documents(rows))
        else:
            write(screen(lambda console: _draw(rows, console, reports, summary)))
        if summary is not None:
            from steelyard.runs.fleet.results import table, worst_first

            # with a mark, by which a spreadsheet knows how names are written
            save(summary, f"\ufeff{table(worst_first(rows))}", "summary", OTHER_SUMMARY)
        if differs or any(row.error is not None for row in rows):
            raise typer.Exit(FAILED)


def _asked(
    folder: Path,
    files: dict[str, Path | None],
    strategy: str | None,
    base: str | None,
    as_of: date | None,
    pages: bool,
) -> Asked:
    """What the options and the environment say, as for `plan`."""
    from steelyard.cli.options import default_mapping
    from steelyard.engine import read_engine
    from steelyard.environment import home
    from steelyard.importers.limits import limits_from
    from steelyard.report.page import of_account
    from steelyard.runs.fleet.ready import Asked

    return Asked(
        path=folder,
        today=datetime.now().astimezone().date(),
        files=files,
        strategy=strategy,
        base=base,
        as_of=as_of,
        mapping=default_mapping(),
        limits=limits_from(os.environ),
        engine=read_engine(home(os.environ), os.environ),
        page=of_account if pages else None,
    )


def _engine(name: str | None, address: str | None, workers: int | None, accounts: int) -> Engine:
    from steelyard.runs.fleet.engines import NAMES, engine_of, usual

    if name is None:
        return engine_of("processes" if workers else usual(accounts), address, workers)
    for engine in NAMES:
        if engine == name:
            return engine_of(engine, address, workers)
    raise typer.BadParameter(f"{name!r} is none of {', '.join(NAMES)}.", param_hint="--engine")


def _planned(
    asked: Asked, engine_for: Callable[[int], Engine], reports: Path | None
) -> tuple[list[AccountRow], bool]:
    """(what every account came to, do the engines differ where that is an alert)."""
    from steelyard.cli.health import keeper
    from steelyard.cli.named import strategy_named
    from steelyard.cli.stored import opened
    from steelyard.runs.fleet.ready import make_ready
    from steelyard.runs.fleet.run import Fleet, Pages, begin, results

    health = keeper()
    # the database first: by whether it is there the error of a strategy is worded
    with progress(f"Reading {asked.path}") as say, opened() as store:
        ready = make_ready(asked, strategy_named, health)
        _remark(ready.folder)
        engine = engine_for(len(ready.folder.accounts))
        if reports is not None:
            _make(reports)
        pages, own = Pages(reports), ready.strategies.of_account
        began = begin(store, ready.folder, ready.parts, asked.today, pages, own)
        _tell(began)
        fleet = Fleet(
            store=store,
            folder=ready.folder,
            shared=replace(ready.shared, today=began.run.day),
            strategy_of=ready.strategies.key,
            pages=pages,
            write=_save,
            seen=_seen(say),
        )
        try:
            fleet.plan(began, engine)
        finally:
            health.record([(*key, error) for key, error in fleet.modules.items()])
        if_signalled("")
        differs = bool(fleet.differs) and asked.engine.on_divergence != "log"
        return results(store, began.run), differs


def _remark(folder: Folder) -> None:
    """What of the folder is not looked at."""
    from steelyard.runs.fleet.folder import named

    if folder.others:
        count = len(folder.others)
        what = "1 folder has" if count == 1 else f"{count} folders have"
        note(
            f"{what} neither holdings.csv nor account.toml, so no account: {named(folder.others)}."
        )
    if "prices" not in folder.common:
        note("No prices were given: those of each account's holdings.csv are used.")


def _tell(began: Began) -> None:
    """That a run goes on, is over, or why it is a new one."""
    run, done = began.run, began.resumed
    total = "1 account" if run.accounts == 1 else f"{run.accounts:,} accounts"
    if run.finished_at is not None:
        when = f"{run.finished_at:%Y-%m-%d %H:%M} UTC"
        note(f"Nothing has changed since {when}, when all of it was planned: the same again.")
    elif run.because:
        more = f" {done:,} of {total} are as they were and keep their plans." if done else ""
        note(f"A new run: {run.because}.{more}")
    elif done:
        note(f"Going on: {done:,} of {total} are planned.")


def _seen(say: Callable[[str], None]) -> Callable[[Progress], None]:
    """Says how far a run is, and how to go on with it for whoever interrupts it."""
    started, first = time.monotonic(), list[int]()
    command = shlex.join(["steelyard", *sys.argv[1:]])

    def seen(progress: Progress) -> None:
        done, total = progress.done, progress.total
        first.append(done)
        text = f"Planned {done:,} of {total:,}"
        text += f", {progress.failed:,} failed" if progress.failed else ""
        rate = (done - first[0]) / max(time.monotonic() - started, 1e-9)
        if done > first[0] and done < total:
            text += f", {rate:.1f} a second, {_left((total - done) / rate)} left"
        say(text)
        if_signalled(
            f"Interrupted: {done:,} of {total:,} accounts are planned and kept. Nothing was sent. "
            f"To go on: {command}"
        )

    return seen


def _left(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < FEW_SECONDS else f"{seconds / 60:,.0f} min"


def _make(reports: Path) -> None:
    """The folder of the reports; raises InputError."""
    try:
        reports.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The reports could not be written to {reports}: {error.strerror}. {NOTHING} "
            f"{OTHER_FOLDER}",
            code="fleet_reports",
            place="--reports",
            value=str(reports),
            hint=OTHER_FOLDER,
        ) from error


def _save(path: Path, text: str) -> None:
    save(path, text, "report", OTHER_FOLDER)


def _draw(
    rows: Sequence[AccountRow], console: Console, reports: Path | None, summary: Path | None
) -> None:
    from steelyard.report.terminal.columns import emit, sentence
    from steelyard.report.terminal.fleet import draw

    draw(rows, console)
    console.print()
    written = [f"{path}" for path in (reports, summary) if path is not None]
    if written:
        emit(console, sentence(f"Written: {' and '.join(written)}.", console.width))
    emit(console, sentence("Nothing was sent anywhere.", console.width))
