"""A stored bucket as the inputs of a plan, with newer prices and what the owner asks of this plan.

A flow given to a plan never changes the bucket's cash: the next load does.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from steelyard.cli.options import (
    FILES,
    Inputs,
    Options,
    assembled,
    one_sided,
    read_files,
    state_of,
    strategy_of,
    with_remarks,
)
from steelyard.cli.stored import is_there, opened
from steelyard.errors import InputError

if TYPE_CHECKING:
    from steelyard.importers import Inputs as Imported
    from steelyard.runs.loads import Before
    from steelyard.runs.stored import StoredOrder
    from steelyard.strategies import Strategy

OF_A_LOAD = ("holdings", "form", "account", "columns", "mapping", "cash", "base")
"""Options that say what is owned: `bucket load` takes them."""
WITH_PRICES = ("targets", "securities", "fx", "index", "as_of", "exclude", "accept_price")
"""Options that say how new prices are read."""


def read(options: Options) -> Inputs:
    """What the next plan of a stored bucket is made from; raises SteelyardError, usage errors."""
    from steelyard.runs.asked import with_flows
    from steelyard.runs.planners import Planners
    from steelyard.runs.stored import order_of

    _refuse(options)
    name = str(options.bucket)
    with opened() as store:
        order = order_of(store, Planners(store), name)
    strategy = order.strategy if options.strategy is None else strategy_of(options.strategy)
    strategy = one_sided(strategy, options)
    imported = order.inputs if options.prices is None else _again(order, options, strategy)
    imported = with_flows(imported, options.deposit or (), options.withdraw or (), strategy)
    inputs = Inputs(
        imported,
        strategy,
        (_of(order, options),),
        state=state_of(imported, options, order.state),
        files=(*order.files, *files_of(options)),
        bucket=name,
    )
    return inputs if options.strategy is None else with_remarks(inputs)


def before_load(name: str, options: Options) -> Before:
    """The targets and securities of a bucket's last load, where this one names none.

    Raises InputError where the bucket would lose its holdings without a word.
    """
    from steelyard.runs import loads

    if not is_there():
        return loads.Before()
    named = {name for name in FILES if getattr(options, name) is not None}
    with opened() as store:
        return loads.before_load(store, name, named)


def files_of(options: Options) -> tuple[dict[str, str], ...]:
    """Name and SHA-256 of every file that the options name."""
    paths = {name: getattr(options, name) for name in FILES}
    return tuple(
        {"option": f"--{name}", "name": str(path), "sha256": _sha256(path)}
        for name, path in paths.items()
        if path is not None
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _again(order: StoredOrder, options: Options, strategy: Strategy) -> Imported:
    """The stored holdings at newer prices; targets, securities and rates as stored unless given
    anew.

    Raises InputError for prices of a day before the one that the load named.
    """
    from steelyard.importers import shapes
    from steelyard.runs.loads import Stored

    snapshot, market, targets = order.inputs.snapshot, order.inputs.market, order.inputs.targets
    files = read_files(options, options.index, options, shapes.of_snapshot(snapshot))
    stored = Stored(
        None if targets is None else shapes.of_targets(targets),
        shapes.of_securities(snapshot, market),
    )
    files = stored.beside(files)
    if files.fx is None and market.fx.rates:
        files = replace(files, fx=shapes.of_rates(market.fx))
    bare = replace(options, deposit=None, withdraw=None)
    base, name = snapshot.base_currency, snapshot.bucket
    imported = assembled(files, bare, strategy, base=base, bucket=name)
    # a load that named no day is of the day that it was made on, which may be no session
    if imported.snapshot.as_of < snapshot.as_of and order.inputs.as_of_from != "today":
        raise _older(name, imported.snapshot.as_of, snapshot.as_of)
    return imported


def _older(name: str, day: date, loaded: date) -> InputError:
    return InputError(
        f"The prices are of {day}, and the bucket {name} was loaded as of {loaded}: it was another "
        "one on that day. Nothing was planned. Give prices of that day or later, or load the "
        "holdings of the earlier day.",
        code="prices_before_load",
        place="--prices",
        value=day,
        limit=loaded,
        hint=f"give prices of {loaded} or later",
    )


def _of(order: StoredOrder, options: Options) -> str:
    held, day = order.bucket, order.inputs.snapshot.as_of
    loaded = f"loaded {held.loaded_at:%Y-%m-%d}" if held.loaded_at else "never loaded"
    priced = f"priced by {options.prices}" if options.prices else f"as of {day}"
    return f"The bucket {held.name}, {loaded}, {priced}."


def _refuse(options: Options) -> None:
    for name in OF_A_LOAD:
        if getattr(options, name) is not None:
            raise typer.BadParameter(
                f"the bucket has its own: steelyard bucket load {options.bucket} takes it.",
                param_hint=f"--{name}",
            )
    if options.prices is None:
        for name in WITH_PRICES:
            if getattr(options, name):
                raise typer.BadParameter(
                    "beside --bucket it goes with --prices; without new prices load the bucket "
                    "again.",
                    param_hint=f"--{name.replace('_', '-')}",
                )
