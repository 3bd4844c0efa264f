"""Before a bucket is loaded: what stays of its last load, and what must be said of its money."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NamedTuple

from steelyard.errors import InputError
from steelyard.importers import Files, amount_of, shapes
from steelyard.importers.securities import SecuritiesFile
from steelyard.importers.targets import TargetsFile
from steelyard.money import ZERO
from steelyard.portfolio import Snapshot
from steelyard.runs.stored import inputs_of
from steelyard.store.buckets import buckets
from steelyard.store.store import Store

STAYING = ("targets", "securities")
"""What its owner says of a bucket once, and not at every load."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Targets and securities of a stored bucket, which stand where the options name none."""

    targets: TargetsFile | None = None
    securities: SecuritiesFile | None = None

    def beside(self, files: Files) -> Files:
        """The files, with what they lack."""
        targets = self.targets if files.targets is None else files.targets
        securities = self.securities if files.securities is None else files.securities
        return replace(files, targets=targets, securities=securities)


class Before(NamedTuple):
    """What a bucket had that stays through a load; `files` and `said` are of that."""

    stored: Stored | None = None
    files: tuple[Mapping[str, Any], ...] = ()
    said: tuple[str, ...] = ()
    owned: Snapshot | None = None


def before_load(store: Store, name: str, given: Collection[str]) -> Before:
    """The targets and securities of a bucket's last load, where this one names none.

    given   the options of files that this load names: holdings, targets, ...
    Raises InputError where the bucket holds securities and no holdings are named: it would lose
    them without a word.
    """
    row = next((each for each in buckets(store) if each.name == name), None)
    if row is None or row.portfolio is None:
        return Before()
    inputs = inputs_of(store, row)
    snapshot, targets = inputs.snapshot, inputs.targets
    if "holdings" not in given and snapshot.holdings:
        raise _would_empty(name, len(snapshot.holdings))
    unnamed = {f"--{option}" for option in STAYING if option not in given}
    files = tuple(entry for entry in row.files if entry["option"] in unnamed)
    by_file = {entry["option"]: entry["name"] for entry in files}
    aims = shapes.of_targets(targets) if "--targets" in unnamed and targets is not None else None
    listed = shapes.of_securities(snapshot, inputs.market) if "--securities" in by_file else None
    lines = tuple(
        f"No {option} were given: those of {by_file.get(f'--{option}', 'the last load')} stay."
        for option, stays in zip(STAYING, (aims, listed), strict=True)
        if stays is not None
    )
    tracked = None if row.kind == "core" else snapshot
    return Before(Stored(aims, listed), files, lines, tracked)


def refuse_unsaid(name: str, before: Snapshot, after: Snapshot) -> None:
    """Raise InputError where money came to a satellite, or went, and nothing says why.

    Its losses are counted from its highest value: money that was brought is no gain, and would be
    one for ever.
    """
    if _quantities(before) != _quantities(after):
        return
    changes = {
        currency: after.cash.get(currency, ZERO) - before.cash.get(currency, ZERO)
        for currency in sorted({*before.cash, *after.cash})
    }
    changes = {currency: amount for currency, amount in changes.items() if amount}
    if not changes:
        return
    money = " and ".join(f"{currency} {amount:+,f}" for currency, amount in changes.items())
    currency, amount = next(iter(changes.items()))
    raise InputError(
        f"The cash of {name} changed by {money} and no holding did. Nothing was loaded. Say if it "
        f"was brought or taken out, --moved {currency}={amount:f}, or earned, --moved "
        f"{currency}=0: what was brought is no gain.",
        code="money_unsaid",
        place="--moved",
        value=money,
        hint=f"--moved {currency}={amount:f}, or --moved {currency}=0",
    )


def moved_of(text: str | None, base: str) -> Decimal:
    """Money in base currency, which may be under 0; raises InputError for anything else."""
    if text is None:
        return ZERO
    currency, _, rest = text.partition("=")
    if currency.strip().upper() == base and rest.strip("+- 0.") == "" and "0" in rest:
        return ZERO
    negative = rest.strip().startswith("-")
    currency, amount = amount_of(f"{currency}={rest.strip().lstrip('+-')}", "--moved", "USD=1200")
    if currency != base:
        raise InputError(
            f"--moved is in {currency}, and the account counts in {base}. Nothing was loaded. Give "
            f"it in {base}.",
            code="moved_in_another_currency",
            place="--moved",
            value=currency,
            limit=base,
            hint=f"give it in {base}",
        )
    return -amount if negative else amount


def _quantities(snapshot: Snapshot) -> dict[str, Decimal]:
    return {row.symbol: row.quantity for row in snapshot.holdings if row.quantity}


def _would_empty(name: str, count: int) -> InputError:
    prices = f"steelyard plan --bucket {shlex.quote(name)} --prices F"
    securities = "one security" if count == 1 else f"{count} securities"
    return InputError(
        f"The bucket {name} holds {securities}, and no holdings were named: it would be left with "
        "cash alone. Nothing was loaded. Add --holdings F; a file with only its header empties the "
        f"bucket. Newer prices alone need no load: {prices}",
        code="load_would_empty",
        place="--holdings",
        value=name,
        limit=count,
        hint="add --holdings F",
    )
