"""The files of a whole account, to its buckets: satellites get what is theirs, the core the rest.

A security is in one bucket's universe, so that its holding says whose it is; cash is booked, so
that satellites keep theirs and the core has what is left: Σ of the buckets is the account.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Literal

from steelyard.buckets import Bucket, split, targets_of
from steelyard.buckets.books import Budgets
from steelyard.canonical import plain
from steelyard.importers import Inputs
from steelyard.market import Market
from steelyard.money import ZERO
from steelyard.notices import Notice
from steelyard.portfolio import Snapshot
from steelyard.runs.settings import MOST_OF_SATELLITES
from steelyard.runs.stored import File, load_of
from steelyard.store import buckets
from steelyard.store import inputs as kept_inputs
from steelyard.store.assignments import CORE
from steelyard.store.buckets import Held
from steelyard.store.store import Store
from steelyard.strategies import default


def load_account(
    store: Store, inputs: Inputs, files: Sequence[File], moved: Decimal = ZERO
) -> tuple[list[Held], list[Notice]]:
    """Load every bucket from the files of the account, in one transaction; what must be said.

    moved   money brought or taken out since the last load, base currency: the core's
    Raises InputError where universes overlap or the targets name what is a satellite's, PlanRefused
    where a value is unknown.
    """
    satellites = [row for row in buckets.buckets(store) if row.kind != CORE]
    before = {row.name: _before(store, row) for row in satellites}
    books = _books(inputs.snapshot, satellites, before)
    theirs = split(inputs.snapshot, books, Budgets(satellites_weight=MOST_OF_SATELLITES))
    if inputs.targets is not None:
        targets_of(books[0], inputs.targets)
    loads = [load_of(CORE, replace(inputs, snapshot=theirs[CORE]), files, moved)]
    for row in satellites:
        own = _of_satellite(theirs[row.name], before[row.name], inputs)
        loads.append(load_of(row.name, own, files))
    held = buckets.load_all(store, dict(zip([CORE, *before], loads, strict=True)), satellites)
    return held, [*_moved(theirs, before, inputs.market)]


def _before(store: Store, row: Held) -> Inputs | None:
    if row.portfolio is None or row.market is None:
        return None
    return kept_inputs.load(store, row.portfolio, row.market)


def universe_of(row: Held, before: Inputs | None) -> frozenset[str]:
    """What a bucket may hold: as its owner says, else what it was loaded with."""
    if row.universe or before is None:
        return frozenset(row.universe)
    owned = {holding.symbol for holding in before.snapshot.holdings}
    aimed = set() if before.targets is None else set(before.targets.weights)
    return frozenset(owned | aimed)


def _books(
    account: Snapshot, satellites: Sequence[Held], before: dict[str, Inputs | None]
) -> list[Bucket]:
    """The buckets as `split` takes them: only what the account knows is in a universe."""
    names = {security.symbol for security in account.securities}
    cash = dict(account.cash)
    books: list[Bucket] = []
    for row in satellites:
        for currency, amount in row.cash.items():
            cash[currency] = cash.get(currency, ZERO) - amount
        universe = universe_of(row, before[row.name]) & names
        books.append(_book(row.name, "satellite", row.target_weight, universe, row.cash))
    rest = frozenset(names.difference(*(book.universe for book in books)))
    core = _book(CORE, "core", 1 - sum(book.target_weight for book in books), rest, cash)
    return [core, *books]


def _book(
    name: str,
    kind: Literal["core", "satellite"],
    target_weight: float,
    universe: frozenset[str],
    cash: Mapping[str, Decimal],
) -> Bucket:
    return Bucket(
        name=name,
        kind=kind,
        target_weight=target_weight,
        universe=universe,
        cash=cash,
        rules=default(),
        status="active" if kind == "core" else "accumulating",
    )


def _of_satellite(own: Snapshot, before: Inputs | None, account: Inputs) -> Inputs:
    """A satellite's part of the account, with the targets and securities that it had."""
    if before is None:
        return replace(account, snapshot=own, targets=None, warnings=())
    listed = {security.symbol for security in own.securities}
    more = [s for s in before.snapshot.securities if s.symbol not in listed]
    snapshot = replace(own, securities=(*own.securities, *more))
    return replace(account, snapshot=snapshot, targets=before.targets, warnings=())


def _moved(
    theirs: Mapping[str, Snapshot], before: Mapping[str, Inputs | None], market: Market
) -> Iterator[Notice]:
    """Shares that came or went while the cash stayed: only a fill would say who paid."""
    for name, inputs in before.items():
        if inputs is None:
            continue
        old = {h.symbol: h.quantity for h in inputs.snapshot.holdings}
        new = {h.symbol: h.quantity for h in theirs[name].holdings}
        for symbol in sorted({*old, *new}):
            change = new.get(symbol, ZERO) - old.get(symbol, ZERO)
            if change:
                verb = "more" if change > 0 else "less"
                text = (
                    f"{name} holds {plain(abs(change))} {symbol} {verb} than when it was last "
                    "loaded, and its cash is as it was. If it was traded for this bucket, move "
                    f"what was paid: {_transfer(name, symbol, change, theirs[name], market)}"
                )
                yield Notice(code="bucket_shares_moved", message=text, symbol=symbol, head=True)


def _transfer(name: str, symbol: str, change: Decimal, own: Snapshot, market: Market) -> str:
    """The command that books shares which came (> 0) or went, at the newest price."""
    ends = f"{name} {CORE}" if change > 0 else f"{CORE} {name}"
    command = f"steelyard bucket transfer {ends}"
    security, quote = own.security(symbol), market.quotes.get(symbol)
    if security is None or quote is None:
        return f"{command} CUR=AMOUNT"
    amount = (abs(change) * quote.price * security.multiplier).quantize(CENT)
    return f"{command} {security.currency}={amount} (at {plain(quote.price)}; the costs are beside)"


CENT = Decimal("0.01")


def beside(store: Store, held: Held) -> Iterator[Notice]:
    """What must be said of a bucket that was loaded by itself beside others."""
    others = [row for row in buckets.buckets(store) if row.name != held.name]
    own = universe_of(held, _before(store, held))
    shared = {row.name: own & universe_of(row, _before(store, row)) for row in others}
    both = sorted(frozenset().union(*shared.values()))
    if both:
        names = ", ".join(name for name, symbols in shared.items() if symbols)
        what = f"{', '.join(both[:SHOWN])}{' and more' * (len(both) > SHOWN)}"
        text = (
            f"{what} {'is' if len(both) == 1 else 'are'} in {held.name} and in {names} too. Where "
            "these are accounts of their own, that is as it should be. If they are one account, a "
            "security belongs to one bucket, and a file of all of it is loaded with: steelyard "
            f"bucket load {CORE} --whole"
        )
        yield Notice(code="bucket_universes_overlap", message=text, head=True)
    money = [row.name for row in others if row.kind != CORE and any(row.cash.values())]
    if held.kind == CORE and money:
        text = (
            f"The cash of {', '.join(money)} is beside the core's. If the file is of the whole "
            "account, it is counted twice: load it with --whole."
        )
        yield Notice(code="bucket_cash_beside", message=text, head=True)


SHOWN = 5
"""Symbols that a sentence names."""
