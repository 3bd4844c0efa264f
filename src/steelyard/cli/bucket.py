"""`steelyard bucket`: core and satellites, what they own, what their owner set, their money."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from steelyard.cli.bucket_view import draw, draw_list, draw_settings, money
from steelyard.cli.commands import Commands
from steelyard.cli.of_bucket import before_load, files_of
from steelyard.cli.options import Options, loading, read
from steelyard.cli.output import guarded, note, screen, write, write_json
from steelyard.cli.stored import is_there, opened
from steelyard.report import visible

if TYPE_CHECKING:
    from steelyard.store.buckets import Held
    from steelyard.store.strategies import Version

bucket = Commands(help="Core and satellites: list, create, load, set, show, move money.")

AsJson = Annotated[bool, Option("--json", help="Print one JSON document.")]
Name = Annotated[str, Argument(help="A bucket.", metavar="B")]
NOT_CHANGED = "Nothing was changed."


@bucket.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the buckets, with their money and their strategies."""
    with guarded():
        rows: list[tuple[Held, Version | None]] = []
        if is_there():
            from steelyard.store.assignments import planned_by
            from steelyard.store.buckets import buckets

            with opened() as store:
                rows = [(held, planned_by(store, held.name)) for held in buckets(store)]
        if as_json:
            from steelyard.runs.listed_buckets import document

            write_json([document(held, version) for held, version in rows])
        else:
            write(screen(lambda console: draw_list(rows, console)))


@bucket.command("create")
def create(
    name: Name,
    *,
    kind: Annotated[str, Option(help="core or satellite.", metavar="KIND")] = "satellite",
    status: Annotated[
        str | None, Option(help="accumulating, active, research, ...", metavar="S")
    ] = None,
    budget: Annotated[
        float, Option(help="Target of the account's value, 0 to 1.", metavar="W")
    ] = 0.0,
    universe: Annotated[
        list[str] | None, Option(help="A symbol that it may hold; repeatable.", metavar="SYMBOL")
    ] = None,
    preset: Annotated[
        str | None, Option(help="Begin with the settings of a preset.", metavar="P")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a bucket; the core is made by loading it."""
    with guarded("Nothing was made."):
        from steelyard.runs.listed_buckets import document
        from steelyard.runs.settings import New
        from steelyard.runs.settings import create as make

        new = New(name, kind, status, budget, universe or ())
        with opened() as store:
            held = make(store, new, preset=preset)
        if as_json:
            write_json(document(held, None))
        else:
            say(
                f"The {held.kind} {name} is made, {held.status}, aimed at {held.target_weight:.1%}."
            )
            say(
                f"To fill it: steelyard bucket load {shlex.quote(name)} --holdings F --targets F "
                "--prices F"
            )


@bucket.command("load")
@loading
def load(
    name: Name,
    *,
    options: Options,
    moved: Annotated[
        str | None,
        Option(
            help="Money brought (+) or taken out (-) since the last load: no gain and no loss.",
            metavar="CUR=AMOUNT",
        ),
    ] = None,
    whole: Annotated[
        bool,
        Option(
            "--whole",
            help="The files are of the whole account: satellites get what is in their universes "
            "and keep their cash, the core has the rest.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Set what a bucket owns, from files in every form that `plan` reads."""
    with guarded("Nothing was loaded."):
        from steelyard.runs.account import beside, load_account
        from steelyard.runs.listed_buckets import document
        from steelyard.runs.loads import moved_of, refuse_unsaid
        from steelyard.runs.stored import load as put
        from steelyard.store.assignments import planned_by

        before = before_load(name, options)
        inputs = read(options, stored=before.stored)
        if inputs.sample is not None:
            raise typer.BadParameter("a bucket is loaded from files.", param_hint="--holdings")
        amount = moved_of(moved, inputs.imported.snapshot.base_currency)
        if moved is None and before.owned is not None:
            refuse_unsaid(name, before.owned, inputs.imported.snapshot)
        files = (*files_of(options), *before.files)
        notices = list(inputs.imported.warnings)
        if whole and name != "core":
            raise typer.BadParameter("it loads the core.", param_hint="--whole")
        with opened() as store:
            if whole:
                rows, more = load_account(store, inputs.imported, files, amount)
                notices += more
            else:
                rows = [put(store, name, inputs.imported, files, amount)]
                notices += beside(store, rows[0])
            version = planned_by(store, name)
        if as_json:
            for notice in notices:
                if notice.head:
                    note(notice.message)
            write_json(document(rows[0], version))
            return
        for line in (
            *inputs.said,
            *before.said,
            *(notice.message for notice in notices if notice.head),
        ):
            say(line)
        for held in rows:
            say(_loaded(held))
        say(f"To plan it: steelyard plan --bucket {shlex.quote(name)}")


@bucket.command("settings")
def settings(
    name: Name,
    *,
    set_: Annotated[
        list[str] | None,
        Option("--set", help="A slider, a toggle, target_weight, ...", metavar="NAME=VALUE"),
    ] = None,
    preset: Annotated[str | None, Option(help="Take a preset's.", metavar="P")] = None,
    as_json: AsJson = False,
) -> None:
    """Show a bucket's settings and where each is from, or write another version of them."""
    with guarded(NOT_CHANGED):
        from steelyard.runs.settings import configure, shown
        from steelyard.store.assignments import planned_by
        from steelyard.store.buckets import bucket_of

        with opened() as store:
            before = planned_by(store, name)
            if preset is not None or set_:
                configure(store, name, set_ or (), preset=preset)
            held, version = bucket_of(store, name), planned_by(store, name)
        rows = shown(held, version)
        if as_json:
            write_json([row.document() for row in rows])
            return
        write(screen(lambda console: draw_settings(rows, console)))
        if version is not None and version != before:
            by = f", and not by {before.shown} of {before.name}" if before is not None else ""
            say(f"It plans by {version.shown} of {version.name} from now on{by}.")


@bucket.command("show")
def show(name: Name, as_json: AsJson = False) -> None:
    """Show a bucket: money, strategy, settings and where each comes from."""
    with guarded():
        from steelyard.runs.listed_buckets import whole
        from steelyard.runs.settings import shown
        from steelyard.store.assignments import planned_by
        from steelyard.store.buckets import bucket_of

        with opened() as store:
            held, version = bucket_of(store, name), planned_by(store, name)
        rows = shown(held, version)
        if as_json:
            write_json(whole(held, version, rows))
        else:
            write(screen(lambda console: draw(held, version, rows, console)))


@bucket.command("transfer")
def transfer(
    source: Annotated[str, Argument(help="The bucket that gives.", metavar="FROM")],
    target: Annotated[str, Argument(help="The bucket that gets.", metavar="TO")],
    how_much: Annotated[str, Argument(help="How much.", metavar="CUR=AMOUNT")],
    as_json: AsJson = False,
) -> None:
    """Move money from one bucket to another; the account has as much as before."""
    with guarded("Nothing was moved."):
        from steelyard.importers import amount_of
        from steelyard.runs.listed_buckets import document
        from steelyard.runs.stored import transfer as move
        from steelyard.store.assignments import planned_by
        from steelyard.store.buckets import bucket_of

        currency, amount = amount_of(how_much, "CUR=AMOUNT", "USD=1200")
        with opened() as store:
            move(store, source, target, currency, amount)
            rows = [bucket_of(store, name) for name in (source, target)]
            if as_json:
                write_json([document(row, planned_by(store, row.name)) for row in rows])
                return
        say(f"{currency} {money(amount)} went from {source} to {target}.")


def say(text: str) -> None:
    """One line of text, whatever is in it."""
    write(visible(text) + "\n")


def _loaded(held: Held) -> str:
    cash = " and ".join(f"{currency} {money(amount)}" for currency, amount in held.cash.items())
    worth = f"{held.base_currency} {held.value:,.2f}" if held.value is not None else "nothing"
    return f"The bucket {held.name} is worth {worth}, of it {cash or 'no'} in cash."
