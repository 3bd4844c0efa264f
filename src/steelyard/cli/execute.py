"""`steelyard execute`, `resume`: an approved plan is traded: sells, their money, buys, comparison.

A run is a fact of the journal: a process that has it may be killed, and another one goes on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from steelyard.cli.connecting import broker_of, connected, room_for
from steelyard.cli.handing import handed_over
from steelyard.cli.output import (
    SIGNALLED,
    guarded,
    if_signalled,
    note,
    save,
    writable,
    write,
    write_json,
)
from steelyard.cli.runs import document, draw, waits_for_fills
from steelyard.cli.saved import PLANS, saved
from steelyard.cli.trading import (
    NOTHING_SENT,
    Recorded,
    Wish,
    folder,
    journal,
    let_follow,
    was_any_run,
)

if TYPE_CHECKING:
    from steelyard.brokers.broker import Mode
    from steelyard.execution.approved import Approved
    from steelyard.execution.desk import Desk
    from steelyard.execution.journal.journal import Journal
    from steelyard.execution.journal.rows import RunRow
    from steelyard.execution.rehearsal import Rehearsed

NOTHING_TO_RESUME = "There is no run to resume."
APlan = Annotated[str, Argument(help="A stored plan by its id, or a file.", metavar=PLANS)]
ABroker = Annotated[str, Option(help="paper, alpaca, or file: you place the orders.", metavar="B")]
AForm = Annotated[
    str, Option("--format", help="Of the file of orders: generic, ibkr, schwab.", metavar="FORM")
]
AsJson = Annotated[bool, Option("--json", help="Print one JSON document.")]


def execute(
    plan: APlan,
    *,
    broker: ABroker = "paper",
    account: Annotated[
        str | None,
        Option(help="The account, where it is not that of the plan's bucket.", metavar="A"),
    ] = None,
    live: Annotated[bool, Option("--live", help="Real money: after steelyard arm.")] = False,
    yes: Annotated[bool, Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Show what every rail says of every order; send none.")
    ] = False,
    form: AForm = "generic",
    out: Annotated[
        Path | None, Option(help="Folder for the file of orders.", metavar="DIR")
    ] = None,
    record: Annotated[
        Path | None,
        Option(help="Write what the broker answers, to be played back.", metavar="F.jsonl"),
    ] = None,
    replay: Annotated[
        Path | None,
        Option(help="Play a recorded day back instead of a broker.", metavar="F.jsonl"),
    ] = None,
    runner: Annotated[
        bool, Option("--runner", help="Hand it to the runner, and follow: no keys here.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Trade a plan: sell, wait for the money, shrink the buys to it, buy, compare with the broker.

    Every order is on disk before it is sent. Interrupted or killed, it goes on with: steelyard
    resume
    """
    with guarded(NOTHING_SENT):
        from steelyard.execution.approved import approved

        day = Recorded(record, replay)
        wish = Wish(saved=saved(plan), broker=broker, account=account, live=live, day=day)
        orders = approved(wish.saved.plan)
        if not orders.instructions:
            note("The plan holds: there is nothing to trade.")
            if as_json:
                write_json({"plan_id": orders.plan_id, "orders": []})
            return
        if dry_run:
            _rehearse(wish, orders, as_json=as_json)
            return
        _check_form(form)
        consent(_question(orders, broker), yes=yes)
        with journal() as entry:
            if runner:
                run = handed_over(entry, wish)
            else:
                run = executed(entry, wish, orders, (form, out))
            show_run(entry, run, as_json=as_json)


def _check_form(form: str) -> None:
    from steelyard.brokers.by_file import FORMS
    from steelyard.errors import InputError, did_you_mean

    if form not in FORMS:
        near = did_you_mean(form, [*FORMS])
        raise InputError(
            f"There is no format {form}.{near} {NOTHING_SENT} There are: {', '.join(FORMS)}",
            code="no_such_format",
            place="--format",
            value=form,
            limit=", ".join(FORMS),
            hint=near.strip(),
        )


def _question(orders: Approved, broker: str) -> str:
    count = len(orders.instructions)
    noun = "order" if count == 1 else "orders"
    amount = f"{orders.gross_base:,.2f} {orders.base_currency}"
    return f"Trade {count} {noun} of {amount} at the broker {broker}?"


def consent(question: str, *, yes: bool) -> None:
    """Ask a person, unless --yes; raises NotExecuted where nobody can be asked."""
    from steelyard.errors import NotExecuted

    if yes or (sys.stdin.isatty() and typer.confirm(question, err=True)):
        return
    raise NotExecuted(
        f"{question} Nobody said yes. {NOTHING_SENT} Say so with --yes.",
        code="not_confirmed",
        place="--yes",
        hint="--yes",
    )


def executed(
    entry: Journal,
    wish: Wish,
    orders: Approved,
    into: tuple[str, Path | None] = ("generic", None),
    begun: Callable[[RunRow], None] = lambda _: None,
) -> RunRow:
    """The run of a plan, as it ended; `begun` is told of it before anything is sent.

    Raises ChainBroken, NotExecuted where a rail blocks it, BrokerError, SettingsError.
    """
    from steelyard.cycle import carry_out
    from steelyard.execution.begin import ExecutedBefore, start
    from steelyard.execution.journal.opening import leased

    entry.verify()
    account, broker = connected(entry, wish, orders)
    with leased(entry, folder(), account) as lease, watched() as show:
        mode: Mode = "live" if wish.live else "paper"
        room = room_for(entry, broker, account, show, wish.environment, mode)
        try:
            desk = start(room, lease, wish.saved.text, wish.saved.saved_at)
        except ExecutedBefore as before:
            note(str(before))
            begun(before.run)
            if before.run.broker == "file":
                _write_orders(room.again(lease, before.run), *into)
            return before.run
        begun(desk.run)
        with resumable(desk.run_id):
            run = carry_out(desk)
            if wish.broker == "file":
                _write_orders(desk, *into)
            return run


def _write_orders(desk: Desk, form: str, out: Path | None) -> None:
    """The CSV of what a person is to place."""
    from steelyard.brokers.by_file import exported
    from steelyard.execution.by_hand import lines_of

    lines = lines_of(desk)
    if not lines:
        return
    path = (out or Path()) / f"{desk.run_id}-orders.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    writable(path, "file of orders", "Name another folder with --out.", done="")
    save(path, exported(lines, form), "file of orders", "Name another folder with --out.")
    counted, noun = desk.approved.deposits_words, "order" if len(lines) == 1 else "orders"
    sales = ", the sales first" if any(line.side == "sell" for line in lines) else ""
    money = f", when the deposit of {counted} is there" if counted else ""
    note(
        f"{len(lines)} {noun} written: {path}. Place them{sales}{money}, then hand in "
        f"the fills with: steelyard runs fills {desk.run_id} FILE"
    )


@contextmanager
def watched() -> Iterator[Callable[[Desk], None]]:
    """Something to tell every change of a run to: on a terminal the table of its orders."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.live import Live

    from steelyard.execution.journal.rows import fills
    from steelyard.execution.order_rows import order_rows
    from steelyard.report.terminal.live import live

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    with Live(console=console, auto_refresh=False, transient=True) as table:

        def show(desk: Desk) -> None:
            done = fills(desk.journal, run_id=desk.run_id)
            entries = order_rows(desk.legs, done, desk.approved.instructions)
            table.update(live(entries, console.width, console.height), refresh=True)

        yield show


@contextmanager
def resumable(run_id: str) -> Iterator[None]:
    """A signal now leaves a run that can be resumed, and says so."""
    before = "".join(SIGNALLED)
    if_signalled(f"Interrupted. The run {run_id} is in the journal; go on with: steelyard resume")
    try:
        yield
    except SystemExit:
        raise  # by that signal: its line is said at the very end
    except BaseException:
        if_signalled(before)
        raise
    if_signalled(before)


def show_run(entry: Journal, run: RunRow, *, as_json: bool) -> None:
    """The result; exits with 1 for a run that did not end as it should."""
    let_follow(entry)
    if as_json:
        write_json({**document(entry, run), "chain_head": entry.head()})
    else:
        write(draw(entry, run) + f"chain head {entry.head()}\n")
    if not as_it_should(run):
        raise typer.Exit(1)


def as_it_should(run: RunRow) -> bool:
    """Did it end well, or is it with a person who places the orders?"""
    from steelyard.execution.evidence import is_good

    return is_good(run) or waits_for_fills(run)


def resume(as_json: AsJson = False) -> None:
    """Go on with what was interrupted: settle with the broker what was in doubt, then trade on.

    With --json a list of the runs.
    """
    with guarded(NOTHING_SENT):
        if not was_any_run():
            write_json([]) if as_json else note(NOTHING_TO_RESUME)
            return
        from steelyard.execution.journal import tables

        with journal() as entry:
            entry.verify()
            entry.whole()
            tables.check(entry)
            ended, failed = _resumed(entry)
            let_follow(entry)
            if as_json:
                head = entry.head()
                write_json([{**document(entry, run), "chain_head": head} for run in ended])
            elif ended:
                texts = [draw(entry, run) for run in ended]
                write("\n".join(texts) + f"chain head {entry.head()}\n")
        if not (ended or failed or as_json):
            note(NOTHING_TO_RESUME)
        for run in ended:
            if waits_for_fills(run):
                note(f"{run.run_id} waits for its fills: steelyard runs fills {run.run_id} FILE")
        if failed or not all(map(as_it_should, ended)):
            raise typer.Exit(1)


def _resumed(entry: Journal) -> tuple[list[RunRow], int]:
    """(runs that came to an end, how many could not be gone on with, each of which is told)."""
    from steelyard.errors import JournalFailed, SteelyardError

    ended, failed = [], 0
    for run in unfinished(entry):
        try:
            ended.append(recovered(entry, run))
        except JournalFailed:
            raise
        except SteelyardError as error:
            failed += 1
            note(f"{run.run_id}: {error}")
    return ended, failed


def unfinished(entry: Journal) -> list[RunRow]:
    """Runs that are not over, the oldest first."""
    from steelyard.execution.journal.rows import runs
    from steelyard.execution.states import RUN_OVER

    return [run for run in reversed(runs(entry)) if run.state not in RUN_OVER]


def recovered(entry: Journal, run: RunRow, environment: Mapping[str, str] = os.environ) -> RunRow:
    """A run that was interrupted, as it ended; raises NotExecuted, BrokerError, SettingsError."""
    from steelyard.execution.arming import current
    from steelyard.execution.journal.opening import leased
    from steelyard.execution.recovery import recover

    account = run.account
    with leased(entry, folder(), account) as lease, watched() as show, resumable(run.run_id):
        broker = broker_of(entry, run, environment)
        mode: Mode = "live" if run.mode == "live" else "paper"
        room = room_for(entry, broker, account, show, environment, mode)
        # the consent that a live run was begun with is its own; rails still ask for it
        arm = current(entry, account) if mode == "live" else None
        return recover(room.again(lease, run, arm), crashed=lease.crashed)


def _rehearse(wish: Wish, orders: Approved, *, as_json: bool) -> None:
    """What would be sent now, and what every rail says of it."""
    from steelyard.execution.journal.opening import copy_in_memory
    from steelyard.execution.rehearsal import rehearse

    with journal() as real, copy_in_memory(real) as entry:
        account, broker = connected(entry, wish, orders)
        room = room_for(entry, broker, account)
        result = rehearse(room, wish.saved.text, wish.saved.saved_at)
    if as_json:
        write_json([_verdicts(row) for row in result])
        return
    for row in result:
        stops = "; ".join(f"{name}: {why}" for name, _, why in row.blocks)
        said = f"stopped by {stops}" if stops else f"let through by {row.passed} rails"
        write(
            f"{row.side:4} {row.quantity:>10} {row.symbol:8} limit {row.limit_price or '—'}  "
            f"{said}\n"
        )
    note("A dry run: nothing was sent, and nothing was written to the journal.")


def _verdicts(row: Rehearsed) -> dict[str, object]:
    return {
        "symbol": row.symbol,
        "side": row.side,
        "quantity": row.quantity,
        "limit_price": row.limit_price,
        "passed": row.passed,
        "blocks": [{"rail": rail, "code": code, "why": why} for rail, code, why in row.blocks],
    }
