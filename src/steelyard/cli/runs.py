"""`steelyard runs`, `reconcile`: what was executed, its fills, and do books and broker agree?"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from steelyard.cli.connecting import broker_of, room_for
from steelyard.cli.output import guarded, note, screen, write, write_json
from steelyard.cli.trading import NOTHING_SENT, folder, journal, looked_at, was_any_run

if TYPE_CHECKING:
    from steelyard.execution.journal.journal import Journal
    from steelyard.execution.journal.rows import RunRow

AsJson = Annotated[bool, Option("--json", help="Print one JSON document.")]
FILLS = "fills"
NOTHING_BOOKED = "Nothing was booked."
WORDS = "RUN | fills RUN FILE"


def runs(
    words: Annotated[
        list[str] | None,
        Argument(
            help="One run, `last` for the newest; or a run whose fills are in a file.",
            metavar=WORDS,
        ),
    ] = None,
    *,
    close: Annotated[
        bool, Option("--close", help="With fills: no more will come, the run ends.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the runs, the newest first, or one with its orders; take fills back."""
    chosen = words or []
    if chosen[:1] == [FILLS]:
        with guarded(NOTHING_BOOKED):
            _fills(chosen[1:], close=close, as_json=as_json)
        return
    with guarded(NOTHING_SENT):
        if len(chosen) > 1:
            raise typer.BadParameter(f"give {WORDS}.", param_hint="RUN")
        _show(chosen, as_json=as_json)


def _show(chosen: Sequence[str], *, as_json: bool) -> None:
    if not was_any_run() and not chosen:
        note("There was no run yet.")
        if as_json:
            write_json([])
        return
    from steelyard.execution.journal import rows

    with looked_at() as entry:
        shown = [rows.run(entry, name) for name in chosen] or rows.runs(entry)
        if as_json:
            write_json([document(entry, each) for each in shown])
            return
        if chosen:
            write(draw(entry, shown[0], standing=True))
            return
        if shown:
            write(_listed(entry, shown))
        else:
            note("There was no run yet.")
        _before_live(entry)


def _before_live(entry: Journal) -> None:
    """Say what has to be recorded on paper before anything is traded live, as long as it is not."""
    from steelyard.execution.configuration import load
    from steelyard.execution.rails import lacking
    from steelyard.execution.room import paper_history

    missing = lacking(paper_history(entry), load(folder(), os.environ).paper_history)
    if missing:
        note(f"Before anything is traded live there have to be: {'; '.join(missing)}.")


def _listed(entry: Journal, runs: Sequence[RunRow]) -> str:
    """A line for each run; under one that waits, or did not end as it should, why."""
    from steelyard.execution.interrupted import interruptions
    from steelyard.report.terminal.runs import listed

    broken = interruptions(entry, folder(), runs)
    return screen(lambda console: listed(runs, broken, console))


def waits_for_fills(run: RunRow) -> bool:
    """Is it with a person who places its orders?"""
    from steelyard.execution.states import RUN_OVER

    return run.broker == "file" and run.state not in RUN_OVER


def draw(entry: Journal, run: RunRow, *, standing: bool = False) -> str:
    """What became of a run, for the window or the pipe that stdout is.

    standing   also say how a run goes on that is not over: not by the process that worked on it
    """
    from steelyard.execution.interrupted import interruptions
    from steelyard.execution.report import run_report
    from steelyard.execution.states import RUN_OVER
    from steelyard.report.exhibits.run import next_step
    from steelyard.report.terminal.run import draw as drawn

    report = run_report(entry, run.run_id)
    broken = interruptions(entry, folder(), [run]).get(run.run_id) if standing else None
    after = next_step(run, broken) if standing or run.state in RUN_OVER else ""
    return screen(lambda console: drawn(report, console, after, broken))


def document(entry: Journal, run: RunRow) -> dict[str, Any]:
    """A run and its orders as JSON values."""
    from steelyard.execution.listing import run_document

    return run_document(entry, run)


def _fills(words: Sequence[str], *, close: bool, as_json: bool) -> None:
    if len(words) not in ((1, 2) if close else (2,)):
        raise typer.BadParameter("give fills RUN FILE.", param_hint="RUN")
    from steelyard.brokers.by_file import FileFill
    from steelyard.cli.connecting import by_hand, day_of
    from steelyard.cli.execute import show_run
    from steelyard.errors import NotExecuted
    from steelyard.execution.by_hand import go_on
    from steelyard.execution.comparing import agree
    from steelyard.execution.journal import rows
    from steelyard.execution.journal.opening import leased
    from steelyard.importers.fills import read_fills

    lines, notices = read_fills(Path(words[1])) if len(words) > 1 else ((), ())
    with journal() as entry:
        entry.verify()
        run = rows.run(entry, words[0])
        if run.broker != "file":
            raise NotExecuted(
                f"The run {run.run_id} is at the broker {run.broker}, which tells its fills "
                "itself. Nothing was booked.",
                code="not_by_file",
                place=run.run_id,
                value=run.broker,
                limit="file",
            )
        with leased(entry, folder(), run.account) as lease:
            broker = by_hand(run.account, day_of(entry, run))
            handed = [
                FileFill(
                    date=line.date,
                    symbol=line.symbol,
                    side=line.side,
                    quantity=line.quantity,
                    price=line.price,
                    commission=line.commission,
                    execution_id=line.execution_id,
                    file=words[1],
                    line=line.line,
                )
                for line in lines
            ]
            intake = broker.take(handed)
            desk = room_for(entry, broker, run.account).again(lease, run)
            after = go_on(desk, agree, close=close)
        for notice in notices:
            note(notice.message)
        note(_taken_in(len(intake.booked), intake.repeated, intake.earlier))
        show_run(entry, after, as_json=as_json)


def _taken_in(booked: int, repeated: int, earlier: int) -> str:
    """What became of the lines of a file of fills."""
    words = [f"{booked} {'fill was' if booked == 1 else 'fills were'} booked"]
    if repeated:
        words.append(f"{repeated} {'was' if repeated == 1 else 'were'} booked before")
    if earlier:
        words.append(f"{earlier} {'is' if earlier == 1 else 'are'} of a day before the orders")
    return f"{', '.join(words)}."


def reconcile(
    *,
    account: Annotated[str | None, Option(help="One account.", metavar="A")] = None,
    acknowledge: Annotated[
        bool, Option("--acknowledge", help="I looked: the account may be traded again.")
    ] = False,
    reason: Annotated[str, Option(help="What was seen.", metavar="TEXT")] = "",
    head: Annotated[
        str, Option(help="A chain head that was printed: it must be in the chain.", metavar="HEX")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Compare books and broker: orders, positions, cash; exits with 1 where they differ.

    An account that differs is frozen until somebody looked: --account A --acknowledge --reason
    TEXT, where one is frozen without --account too.
    """
    with guarded("Nothing was compared."):
        if not was_any_run():
            _nothing_to_compare(as_json=as_json)
            return
        from steelyard.execution.journal import tables
        from steelyard.execution.reconcile.stored import frozen_accounts

        with journal() as entry:
            entry.verify(head)
            entry.whole()
            tables.check(entry)
            newest = last_runs(entry, _the_frozen(entry, account) if acknowledge else account)
            if not newest:
                _nothing_to_compare(as_json=as_json)
                return
            results = [
                _compared(entry, run, acknowledge=acknowledge, reason=reason) for run in newest
            ]
            _tell(results, frozen_accounts(entry), as_json=as_json)


def _the_frozen(entry: Journal, account: str | None) -> str | None:
    """Of an acknowledgement: the account that is meant, where none is named the frozen one."""
    from steelyard.execution.reconcile.stored import the_frozen

    return the_frozen(entry) if account is None else account


def _nothing_to_compare(*, as_json: bool) -> None:
    note("There was no run yet: there is nothing to compare.")
    if as_json:
        write_json({"clean": True, "breaks": [], "cash": {}, "holdings": []})


def last_runs(entry: Journal, account: str | None) -> list[RunRow]:
    """The newest run of each account."""
    from steelyard.errors import NotStored, did_you_mean
    from steelyard.execution.journal import rows

    newest = {run.account: run for run in reversed(rows.runs(entry))}
    if account is None:
        return [newest[name] for name in sorted(newest)]
    if account not in newest:
        near = did_you_mean(account, [*newest])
        raise NotStored(
            f"No run was ever in the account {account}.{near} Nothing was compared.",
            code="no_such_account",
            place="--account",
            value=account,
            limit=", ".join(newest),
            hint=near.strip(),
        )
    return [newest[account]]


def _compared(entry: Journal, run: RunRow, *, acknowledge: bool, reason: str) -> dict[str, Any]:
    from steelyard.execution.comparing import acknowledged, compared
    from steelyard.execution.journal.opening import leased
    from steelyard.execution.reconcile.document import document as of
    from steelyard.execution.reconcile.stored import opening_for

    if opening_for(entry, run.account) is None:
        return {"account": run.account, "clean": True, "breaks": [], "cash": {}, "holdings": []}
    with leased(entry, folder(), run.account) as lease:
        desk = room_for(entry, broker_of(entry, run), run.account).again(lease, run)
        if acknowledge:
            result = acknowledged(desk, reason)
            return {**of(result), "clean": True, "acknowledged": reason}
        return of(compared(desk))


def _tell(results: Sequence[dict[str, Any]], frozen: dict[str, str], *, as_json: bool) -> None:
    clean = all(result["clean"] for result in results) and not frozen
    if as_json:
        first = results[0] if len(results) == 1 else _together(results)
        write_json({**first, "clean": clean, "frozen": frozen})
    else:
        for result in results:
            became = "agrees" if result["clean"] else "differs"
            became = "is as you saw it, and is released" if result.get("acknowledged") else became
            write(f"{result['account']} {became}\n")
            for each in result["breaks"]:
                write(f"  {each['why']}\n")
            for line in unowned(result):
                write(f"  {line}\n")
        for name, why in frozen.items():
            write(
                f"{name} is frozen: {why}. Look, then: steelyard reconcile --account "
                f"{shlex.quote(name)} --acknowledge --reason TEXT\n"
            )
    if not clean:
        raise typer.Exit(1)


def unowned(result: dict[str, Any]) -> list[str]:
    """Shares that no book has, or of books and of no broker, a line each; of a break they say
    nothing new.
    """
    from steelyard.canonical import plain

    lines = []
    for line in result["holdings"] if result["clean"] else ():
        rest = Decimal(line.get("unassigned") or 0)
        if rest > 0:
            lines.append(f"{plain(rest)} {line['symbol']} are in no book: nobody trades them")
        elif rest < 0:
            lines.append(f"{plain(-rest)} {line['symbol']} of the books are not at the broker")
    return lines


def _together(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Several accounts as one document: their breaks, and each by itself."""
    return {
        "breaks": [each for result in results for each in result["breaks"]],
        "cash": {result["account"]: result["cash"] for result in results},
        "holdings": [
            {"account": result["account"], **line}
            for result in results
            for line in result["holdings"]
        ],
        "accounts": list(results),
    }
