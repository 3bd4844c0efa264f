"""The demo portfolio as a world, and worlds whose plans show what a plan can say."""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import date
from decimal import Decimal

from builders.changes import USUAL, dated_lots, scored, usual
from builders.world import World
from steelyard import strategies
from steelyard.importers import assemble, read
from steelyard.samples import sample
from steelyard.settings import Limits, Score, Search


@functools.cache
def growth(
    as_of: str = "2022-12-28",
    profile: str = "balanced",
    cash: str | None = None,
    scope: str = "candidates",
    **score: str,
) -> World:
    files = sample("growth")
    tables = read(
        files.holdings, prices=files.prices, targets=files.targets, securities=files.securities
    )
    inputs = assemble(tables, base_currency=files.base_currency, as_of=date.fromisoformat(as_of))
    snapshot = replace(inputs.snapshot, cash={"USD": Decimal(cash)}) if cash else inputs.snapshot
    strategy = replace(
        strategies.default(), score=Score(profile=profile, **score), search=Search(scope=scope)
    )
    return World(snapshot, inputs.market, strategy, inputs.targets)


@functools.cache
def kinds() -> dict[str, World]:
    """A world for each kind of plan."""
    capped = Limits(max_turnover_weight=0.05, max_group_weight=0.3)
    return {
        "an act": USUAL, "a hold": scored(USUAL, min_improvement=9.0),
        "no targets": usual(targets=None),
        "capped": usual(limits=capped, sectors={"AA": "Tech", "BB": "Energy"}),
        "taxed": dated_lots(usual(score=Score(tax_rate=0.3))),
        "settled": usual(limits=Limits(funding="settled")), "in euro": usual(foreign=("AA", "BB")),
        "growth": growth(),
    }  # fmt: skip
