"""`steelyard halt`, `cancel-all`, `flatten`, `arm`: what a person does beside a run."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Option

from steelyard.cli.connecting import broker_of, room_for
from steelyard.cli.execute import APlan, AsJson, consent, resumable, show_run
from steelyard.cli.output import guarded, note, write, write_json
from steelyard.cli.trading import NOTHING_SENT, account_of, folder, journal, looked_at, was_any_run

if TYPE_CHECKING:
    from steelyard.brokers.broker import Broker, BrokerOrder
    from steelyard.execution.journal.journal import Journal
    from steelyard.execution.journal.rows import RunRow
    from steelyard.telemetry.events import Event

Account = Annotated[str | None, Option(help="The account.", metavar="A")]
Yes = Annotated[bool, Option("--yes", help="Do not ask.")]
POLL_SECONDS, MOST_POLLS = 1.0, 30


def halt(
    *,
    lift: Annotated[bool, Option("--lift", help="Let orders be sent again.")] = False,
    reason: Annotated[str, Option(help="Why.", metavar="TEXT")] = "",
    as_json: AsJson = False,
) -> None:
    """Stop: no order is sent any more, by nobody, until --lift --reason TEXT.

    What works at the broker stays there: steelyard cancel-all
    """
    with guarded("Nothing was changed."):
        from datetime import UTC, datetime

        from steelyard.execution import halt as switch
        from steelyard.telemetry.events import HaltChanged

        author = _author()
        if lift:
            before = switch.lift(folder(), reason)
            words = "The kill switch was not engaged." if not before.engaged else "Lifted."
        else:
            why = reason or "a person said so"
            already = switch.look(folder()).engaged
            before = switch.engage(folder(), why, author, datetime.now(UTC))
            first = "It was halted before, and its reason stays" if already else "Halted"
            yours = " Yours was not kept." if already and reason else ""
            words = (
                f"{first}: {before.why}.{yours} No order is sent until: steelyard halt --lift "
                "--reason TEXT"
            )
        _told(HaltChanged(not lift, reason, author))
        now = switch.look(folder())
        if as_json:
            write_json({"engaged": now.engaged, "why": now.why})
        else:
            note(words)


def _author() -> str:
    """Who is at the terminal, as the system knows them."""
    with suppress(OSError, KeyError):
        return getpass.getuser()
    return "somebody"


def _told(event: Event) -> None:
    """Into the journal, if it can be written: the switch itself does not wait for it."""
    from steelyard.errors import SteelyardError

    try:
        with journal() as entry, entry.writing() as change:
            change.tell(event, "", "")
    except SteelyardError as error:
        note(f"The journal has no note of it: {error}")


def cancel_all(
    *,
    account: Account = None,
    foreign: Annotated[bool, Option("--foreign", help="Orders that are not ours too.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Cancel every open order of an account at the broker, and wait for the confirmation.

    A run that had them ends, or goes on with: steelyard resume
    """
    with guarded("Nothing was cancelled."):
        if not was_any_run():
            note("There was no run yet: there is nothing to cancel.")
            if as_json:
                write_json({"cancelled": [], "open": []})
            return
        with journal() as entry:
            run = last_run(entry, account)
            broker = broker_of(entry, run)
            orders = _open(broker, foreign=foreign)
            if orders:
                consent(f"Cancel {len(orders)} open orders in the account {run.account}?", yes=yes)
                _cancel(entry, run, broker, orders)
            rest = _open(broker, foreign=foreign)
        _say_cancelled(orders, rest, as_json=as_json)


def _open(broker: Broker, *, foreign: bool) -> list[BrokerOrder]:
    from steelyard.execution.ids import PREFIX

    return [
        order
        for order in broker.account().open_orders
        if foreign or order.client_order_id.startswith(PREFIX)
    ]


def _cancel(entry: Journal, run: RunRow, broker: Broker, orders: Sequence[BrokerOrder]) -> None:
    from steelyard.telemetry.events import CancelAsked

    names = [order.client_order_id or order.broker_id for order in orders]
    with entry.writing() as change:
        change.tell(CancelAsked(run.account, names), run.run_id, run.bucket)
    for order in orders:
        broker.cancel(order.client_order_id)
    for _ in range(MOST_POLLS):
        still = {order.client_order_id for order in broker.account().open_orders}
        if not still & {order.client_order_id for order in orders}:
            return
        broker.wait(POLL_SECONDS)


def _say_cancelled(
    orders: Sequence[BrokerOrder], rest: Sequence[BrokerOrder], *, as_json: bool
) -> None:
    still = {order.client_order_id for order in rest}
    gone = [order for order in orders if order.client_order_id not in still]
    if as_json:
        write_json(
            {
                "cancelled": [order.client_order_id for order in gone],
                "open": [order.client_order_id for order in rest],
            }
        )
    elif not orders:
        note("No order of ours is open.")
    else:
        note(f"{len(gone)} of {len(orders)} orders are no longer open.")
    if rest:
        raise typer.Exit(1)


def last_run(entry: Journal, account: str | None) -> RunRow:
    """The newest run of an account, or of the only one; raises NotStored, NotExecuted."""
    from steelyard.cli.runs import last_runs
    from steelyard.errors import NotExecuted

    newest = last_runs(entry, account)
    if len(newest) == 1:
        return newest[0]
    names = ", ".join(run.account for run in newest)
    raise NotExecuted(
        f"There are {len(newest)} accounts. {NOTHING_SENT} Name one with --account: {names}",
        code="which_account",
        place="--account",
        limit=names,
        hint="--account A",
    )


def flatten(
    *,
    account: Account = None,
    without_journal: Annotated[
        bool,
        Option(
            "--without-journal",
            help="The journal cannot be used: write a new one in a temporary folder.",
        ),
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Sell everything that an account has, by limit orders, as every other order.

    A live run of the account ends first. What it cannot sell it says.
    """
    with guarded(NOTHING_SENT):
        from steelyard.execution.begin import start
        from steelyard.execution.comparing import agree
        from steelyard.execution.journal.opening import leased
        from steelyard.execution.trade import trade

        if not was_any_run():
            note("There was no run yet: there is no account to sell.")
            if as_json:
                write_json([])
            return
        with looked_at() if without_journal else journal() as real:
            run = last_run(real, account)
            broker = broker_of(real, run)
            document, few = _document(real, run, broker)
            if not few:
                note(f"The account {run.account} has nothing to sell.")
                if as_json:
                    write_json([])
                return
            consent(f"Sell all of {few} positions in the account {run.account}?", yes=yes)
            with _journal_of(real, without=without_journal) as entry:
                with leased(entry, folder(), run.account) as lease:
                    room = room_for(entry, broker, run.account)
                    if not without_journal:
                        _end_live(real, run, broker, lease)
                    desk = start(room, lease, document)
                    with resumable(desk.run_id):
                        ended = trade(desk, agree)
                show_run(entry, ended, as_json=as_json)


def _document(entry: Journal, run: RunRow, broker: Broker) -> tuple[str, int]:
    """(what is to be sold, how many positions)."""
    import json

    from steelyard.execution.flatten import flattening
    from steelyard.execution.room import request_in

    plan = request_in(entry, run.run_id).approved
    document = flattening(broker, run.bucket, plan.rates, plan.multipliers)
    content = json.loads(document)
    if content["not_sold"]:
        note(f"Not sold, for there is no quote or rate: {', '.join(content['not_sold'])}")
    return document, len(content["orders"])


def _end_live(entry: Journal, run: RunRow, broker: Broker, lease: object) -> None:
    """A run that still lives is stopped where it is: nothing more of it is sent."""
    from steelyard.execution.comparing import agree
    from steelyard.execution.desk import Halted
    from steelyard.execution.journal.journal import Lease
    from steelyard.execution.journal.rows import run as row_of
    from steelyard.execution.states import RUN_OVER
    from steelyard.execution.trade import stand_still

    current = row_of(entry, run.run_id)
    if current.state in RUN_OVER or not isinstance(lease, Lease):
        return
    desk = room_for(entry, broker, run.account).again(lease, current)
    stand_still(desk, Halted("a person sells everything", code="flatten"), agree)


@contextmanager
def _journal_of(real: Journal, *, without: bool) -> Iterator[Journal]:
    """The journal, or a new one where that cannot be used."""
    if not without:
        yield real
        return
    import tempfile
    from pathlib import Path

    from steelyard.execution.journal.opening import open_journal

    place = Path(tempfile.mkdtemp(prefix="steelyard-"))
    note(f"The journal of this is in {place}.")
    entry = open_journal(place)
    try:
        yield entry
    finally:
        entry.close()


def arm(
    plan: APlan,
    *,
    account: Account = None,
    words: Annotated[
        str, Option("--type", help="What is asked for, where nobody can be asked.", metavar="WORDS")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Let one plan trade real money, once, for a few minutes: type what it asks for.

    Paper needs no arm.
    """
    with guarded("Nothing was armed."):
        import os
        from datetime import timedelta

        from steelyard.cli.saved import saved
        from steelyard.execution import arming
        from steelyard.execution.approved import approved
        from steelyard.execution.configuration import load
        from steelyard.execution.evidence import plan_facts

        settings = load(folder(), os.environ)
        orders = approved(saved(plan).plan)
        ttl = timedelta(seconds=settings.arming.ttl_s)
        with journal() as entry:
            name = account or settings.account.pinned or account_of(entry, orders, None)
            wish = arming.request(entry, plan_facts(orders), name, orders.gross_base, ttl)
            said = words or _typed(wish.asked)
            armed = arming.confirm(entry, name, said, ttl)
        until = armed.expires_at.isoformat(timespec="seconds")
        if as_json:
            write_json(
                {"plan_id": armed.subject, "account": name, "until": until, "state": armed.state}
            )
        else:
            note(f"Armed in the account {name}, once, until {until}.")


def _typed(asked: str) -> str:
    """What a person types; nothing where nobody can be asked."""
    write(f"Type: {asked}\n", sys.stderr)
    return str(typer.prompt("", prompt_suffix="> ", err=True)) if sys.stdin.isatty() else ""
