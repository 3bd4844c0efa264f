"""`steelyard execute`: an approved plan is traded: sells, their money, buys; then compared."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from steelyard.cli.output import guarded, if_signalled, note, write, write_json
from steelyard.cli.saved import PLANS, saved
from steelyard.cli.trading import (
    Wish,
    account_of,
    broker_for,
    broker_of,
    folder,
    journal,
    room_for,
    was_any_run,
)

if TYPE_CHECKING:
    from steelyard.execution.approved import Approved
    from steelyard.execution.journal.journal import Journal
    from steelyard.execution.journal.rows import RunRow

NOTHING = "Nothing was sent."
AsJson = Annotated[bool, Option("--json", help="Print one JSON document.")]


def execute(
    plan: Annotated[str, Argument(help="A stored plan by its id, or a file.", metavar=PLANS)],
    *,
    broker: Annotated[str, Option(help="paper, alpaca, or file: you place the orders.")] = "paper",
    account: Annotated[
        str | None,
        Option(help="The account, where it is not that of the plan's bucket.", metavar="A"),
    ] = None,
    yes: Annotated[bool, Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Show what every rail says of every order; send none.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Trade a plan: sell, wait for the money, shrink the buys to it, buy, compare with the broker.

    Every order is on disk before it is sent. Interrupted or killed, it goes on with: steelyard
    resume
    """
    with guarded(NOTHING):
        from steelyard.execution.approved import approved

        wish = Wish(saved=saved(plan), broker=broker, account=account)
        orders = approved(wish.saved.plan)
        if not orders.instructions:
            note("The plan holds: there is nothing to trade.")
            return
        if not dry_run:
            _consent(orders, wish, yes=yes)
        with journal() as entry:
            run = _executed(entry, wish, orders)
            _shown(entry, run, as_json=as_json)


def _consent(orders: Approved, wish: Wish, *, yes: bool) -> None:
    """Ask a person, unless --yes; raises NotExecuted where nobody can be asked."""
    from steelyard.errors import NotExecuted

    if yes:
        return
    count = len(orders.instructions)
    question = (
        f"Trade {count} orders of {orders.gross_base:,.2f} {orders.base_currency} at the broker "
        f"{wish.broker}?"
    )
    if sys.stdin.isatty() and typer.confirm(question, err=True):
        return
    raise NotExecuted(
        f"{question} Nobody said yes. {NOTHING} Say so with --yes.",
        code="not_confirmed",
        place="--yes",
        hint="--yes",
    )


def _executed(entry: Journal, wish: Wish, orders: Approved) -> RunRow:
    from steelyard.execution.begin import ExecutedBefore, start
    from steelyard.execution.comparing import agree
    from steelyard.execution.journal.opening import leased
    from steelyard.execution.trade import trade

    account = account_of(entry, orders, wish.account)
    with leased(entry, folder(), account) as lease:
        broker = broker_for(wish, orders, account)
        room = room_for(entry, broker, account)
        try:
            desk = start(room, lease, wish.saved.text)
        except ExecutedBefore as before:
            note(str(before))
            return before.run
        with resumable(desk.run_id):
            return trade(desk, agree)


@contextmanager
def resumable(run_id: str) -> Iterator[None]:
    """A signal now leaves a run that can be resumed, and says so."""
    if_signalled(f"Interrupted. The run {run_id} is in the journal; go on with: steelyard resume")
    try:
        yield
    finally:
        if_signalled("")


def _shown(entry: Journal, run: RunRow, *, as_json: bool) -> None:
    """The result; exits with 1 for a run that did not end as it should."""
    from steelyard.cli.runs import document
    from steelyard.execution.evidence import is_good

    if as_json:
        write_json({**document(entry, run), "chain_head": entry.head()})
    else:
        write(f"{run.run_id}  {run.state}  {run.outcome or ''}  {run.reason}\n")
        write(f"chain head {entry.head()}\n")
    if not is_good(run):
        raise typer.Exit(1)


def resume(as_json: AsJson = False) -> None:
    """Go on with what was interrupted: settle with the broker what was in doubt, then trade on."""
    with guarded(NOTHING):
        if not was_any_run():
            note("There is no run to resume.")
            return
        with journal() as entry:
            entry.verify()
            rows = _resumed(entry)
            if not rows:
                note("There is no run to resume.")
            for run in rows:
                _shown(entry, run, as_json=as_json)


def _resumed(entry: Journal) -> list[RunRow]:
    from steelyard.execution.journal.opening import leased
    from steelyard.execution.journal.rows import runs
    from steelyard.execution.recovery import recover
    from steelyard.execution.states import RUN_OVER

    done = []
    for run in reversed(runs(entry)):
        if run.state in RUN_OVER:
            continue
        with leased(entry, folder(), run.account) as lease:
            broker = broker_of(run.broker, run.account)
            desk = room_for(entry, broker, run.account).again(lease, run)
            with resumable(run.run_id):
                done.append(recover(desk, crashed=lease.crashed))
    return done
