"""Sentences that a person can check: the verdict, and what each step does.

No praise and no forecast: every number is a fact of the plan, formatted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.notices import ModuleRun
from steelyard.planning.choice import Choice
from steelyard.sentences import Fact, Sentence, say

NUMBER_WORDS = (
    "No",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
)

TARGET_TAG = "optimizer_target"
"""Tag of the calculators that close the gap to a target."""

MARGINAL = 0.001
"""A step that adds less score than this is called marginal: a tenth of a point."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The headline: drift as fractions (None without targets), cost in base, turnover of value."""

    drift_before: float | None
    drift_after: float | None
    cost: Decimal
    turnover: float
    candidates: int


def in_words(count: int) -> str:
    """Small numbers as a word to begin a sentence with, larger ones as digits."""
    return NUMBER_WORDS[count] if count < len(NUMBER_WORDS) else f"{count:,d}"


def verdict(ctx: Context, choice: Choice, figures: Figures) -> Sentence:
    """Act or hold, in one sentence with the numbers that matter."""
    facts: dict[str, Fact] = {
        "trades": len(choice.plan.row),
        "cost": figures.cost,
        "currency": ctx.base_currency,
        "turnover": figures.turnover,
    }
    if choice.acts:
        lead = "Act. {count:text} trade" + ("" if len(choice.plan.row) == 1 else "s")
        facts |= {"count": in_words(len(choice.plan.row)), "gain": choice.plan.net}
        tail = ", for {currency:text} {cost:money} in costs and {turnover:pct} turnover."
        if figures.drift_before is None or figures.drift_after is None:
            verb = " adds" if len(choice.plan.row) == 1 else " add"
            return say(
                lead + verb + " {gain:points} points to the score, after charges" + tail, **facts
            )
        facts |= {"before": 100 * figures.drift_before, "after": figures.drift_after}
        verb = " takes" if len(choice.plan.row) == 1 else " take"
        return say(lead + verb + " drift from {before:one} to {after:pp}" + tail, **facts)
    if choice.best is not None:
        what = "proposal" if ctx.search.scope == "proposals" else "plan found"
        return say(
            f"Hold. The best {what} changes the score by {{gain:spoints}} points after charges; "
            f"{{least:points}} are asked for.",
            gain=choice.best.net,
            least=choice.threshold,
        )
    if figures.candidates and ctx.search.scope == "proposals":
        return say("Hold. The modules propose no plan that fits the cash and the limits.")
    if figures.candidates:
        return say("Hold. No order in question fits the cash and the limits.")
    if ctx.target_weights is not None:
        return say(
            "Hold. No order is possible that brings a holding closer to its target within lots, "
            "limits and the least order."
        )
    return say("Hold. No calculator proposes an order that fits lots, limits and the least order.")


def detail(
    ctx: Context, table: Candidates, choice: Choice, runs: Sequence[ModuleRun] = ()
) -> Sentence:
    """At most three sentences: what drives the plan, what stays wrong, which modules are out."""
    parts: list[Sentence] = []
    after = table.after(ctx.weights, choice.plan.row)
    if choice.acts:
        j = choice.plan.row[int(np.argmax([abs(table.delta[k]) for k in choice.plan.row]))]
        i = int(table.security[j])
        move: dict[str, Fact] = {
            "moved": ctx.symbols[i],
            "from_weight": float(ctx.weights[i]),
            "to_weight": float(after[i]),
        }
        parts.append(
            say(
                "{moved:text} moves most, from {from_weight:pct} to {to_weight:pct} of value.",
                **move,
            )
        )
    if ctx.target_weights is not None and ctx.n:
        cash = ctx.cash_weight - float(sum(table.delta[j] for j in choice.plan.row))
        off = np.concatenate(
            [
                after - ctx.target_weights,
                [cash - ctx.target_cash],
                [-absent.target for absent in ctx.absent],
            ]
        )
        names = (*ctx.symbols, "Cash", *(absent.symbol for absent in ctx.absent))
        k = int(np.argmax(np.abs(off)))
        if abs(off[k]) > ctx.score.order_hurdle:
            off_facts: dict[str, Fact] = {"furthest": names[k], "off": float(abs(off[k]))}
            stays = (
                "{furthest:text} stays furthest from its target, {off:pp} "
                + ("over" if off[k] > 0 else "under")
                + " it"
            )
            if k > ctx.n:
                stays, off_facts = (
                    stays + ": {why:text}",
                    {**off_facts, "why": ctx.absent[k - ctx.n - 1].why},
                )
            parts.append(say(stays + ".", **off_facts))
    missing = [run.name for run in runs if run.outcome in {"failed", "disabled"}]
    if missing:
        modules = (
            " module that failed or is" if len(missing) == 1 else " modules that failed or are"
        )
        parts.append(
            say(
                "The plan is without {missing:count}"
                + modules
                + " out of service: {without:text}.",
                missing=len(missing),
                without=", ".join(missing),
            )
        )
    facts: dict[str, Fact] = {name: fact for part in parts for name, fact in part.facts.items()}
    return say(" ".join(part.template for part in parts), **facts)


def reason(table: Candidates, j: int) -> Sentence:
    """Why it was proposed: by the target where there is one, else by its first calculator."""
    proposals = table.proposals[j]
    return next((p.why for p in proposals if TARGET_TAG in p.tags), proposals[0].why)


def step(ctx: Context, table: Candidates, j: int, adds: float, notional: Decimal) -> Sentence:
    """What one step does: the order, its reason, its weight, what the plan loses without it."""
    i, why = int(table.security[j]), reason(table, j)
    quantity = float(ctx.quantities[i])
    facts: dict[str, Fact] = {
        **why.facts,
        "shares": table.quantity[j],
        "symbol": ctx.symbols[i],
        "currency": ctx.base_currency,
        "notional": notional,
        "weight_before": float(ctx.weights[i]),
        "weight_after": float(ctx.weights[i] + table.delta[j]),
        "adds": adds,
    }
    if table.is_buy[j]:
        lead = "Buy {shares:qty} {symbol:text} for {currency:text} {notional:money}: "
    elif table.full_exit[j]:
        lead = "Sell all {shares:qty} {symbol:text} for {currency:text} {notional:money}: "
    else:
        lead = (
            "Sell {shares:qty} of {held:qty} {symbol:text} for {currency:text} {notional:money}: "
        )
        facts["held"] = quantity
    weight = ". Its weight goes from {weight_before:pct} to {weight_after:pct}"
    if ctx.target_weights is not None:
        facts["target"] = float(ctx.target_weights[i])
        weight += ", target {target:pct}"
    return say(lead + why.template + weight + ". " + _worth(bool(table.is_buy[j]), adds), **facts)


def _worth(is_buy: bool, adds: float) -> str:
    if adds < 0 and not is_buy:
        return "It funds the buys: without it the money would be missing."
    if adds < MARGINAL:
        return "It is marginal: it adds {adds:points} points."
    return "Without it the plan would gain {adds:points} points less."
