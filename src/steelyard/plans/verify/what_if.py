"""What-if reports: quantities, money and sums of each scenario, and the numbers of the sentences;
scores are not judged.
"""

from __future__ import annotations

from decimal import Decimal

from steelyard.plans.verify.book import SELL, ZERO, Book
from steelyard.plans.verify.tally import NUMBER_SLACK, Record, Tally
from steelyard.plans.verify.words import check_told

POINTS = 100
LOTS = "securities.lot_size"
"""Lots of every security: 1 is a whole one."""


def check_what_if(book: Book, tally: Tally) -> None:
    """Fill scenarios against the steps of the plan, loosened rules against its settings."""
    report = book.doc["what_if"]
    if report is None:
        return
    tally.skip(
        "improvements and gains of what-if reports",
        "each end state was scored, or found by solving again with another rule",
    )
    if report["fills"] is not None:
        _robustness(book, report["fills"], tally)
    for n, loosened in enumerate(report["relaxations"]):
        _loosened(book, loosened, f"what_if.relaxations[{n}]", tally)


def _robustness(book: Book, fills: Record, tally: Tally) -> None:
    where, scenarios = "what_if.fills", fills["scenarios"]
    tally.rule(
        "there are scenarios", f"{where}.scenarios", bool(scenarios), "at least one", len(scenarios)
    )
    if not scenarios:
        return
    nets = [scenario["improvement"] for scenario in scenarios]
    beats = Decimal(sum(net > 0 for net in nets))
    tally.number("the least of the scenarios", f"{where}.worst", min(nets), fills["worst"])
    tally.number(
        "the mean of the scenarios", f"{where}.mean", sum(nets, ZERO) / len(nets), fills["mean"]
    )
    tally.number(
        "share of scenarios above hold", f"{where}.share", beats / len(nets), fills["share"]
    )
    short = Decimal(sum(not scenario["keeps_reserve"] for scenario in scenarios))
    derived = {
        "beats": beats,
        "scenarios": Decimal(len(nets)),
        "worst": fills["worst"],
        "mean": fills["mean"],
        "short": short,
    }
    check_told(where, fills["text"], fills["facts"], derived, tally)
    for n, scenario in enumerate(scenarios):
        _scenario(book, scenario, f"{where}.scenarios[{n}]", tally)


def _scenario(book: Book, scenario: Record, where: str, tally: Tally) -> None:
    """What fills is part of the plan, in whole lots, and leaves the cash that is told."""
    steps = {step["n"]: step for step in book.steps}
    paid, brought = ZERO, ZERO
    for filling in scenario["fills"]:
        step = steps.get(filling["n"])
        tally.rule(
            "an order of the plan",
            f"{where}.fills",
            step is not None,
            "the number of a step",
            filling["n"],
        )
        if step is None:
            return
        quantity, lot = filling["quantity"], book.holdings[step["symbol"]]["lot_size"]
        part = 0 < quantity <= step["quantity"] and (
            quantity == step["quantity"] or quantity % lot == 0
        )
        tally.rule(
            "part of the order in whole lots",
            f"{where}.fills",
            part,
            f"at most {step['quantity']} in lots of {lot}",
            quantity,
        )
        notional = quantity * step["price"] * step["fx_rate"]
        tally.amount(
            "notional = quantity x price x rate",
            f"{where}.fills",
            notional,
            filling["notional_base"],
        )
        cost = book.cost_of(notional, step["currency"])["total"]
        paid += cost if step["side"] == SELL else notional + cost
        brought += notional if step["side"] == SELL else ZERO
    tally.number(
        "cash after what fills",
        f"{where}.cash_after",
        book.weight(book.cash_before + brought - paid),
        scenario["cash_after"],
    )
    _reserve(book, brought, paid, scenario, where, tally)
    check_told(
        where,
        scenario["text"],
        scenario["facts"],
        {"net": scenario["improvement"], "cash": scenario["cash_after"]},
        tally,
    )


def _reserve(
    book: Book, brought: Decimal, paid: Decimal, scenario: Record, where: str, tally: Tally
) -> None:
    """What may pay is not under the reserve, or not under what there was; at the limit itself
    rounding decides.
    """
    settled_only = book.limits["funding"] == "settled"
    left = book.spendable + (ZERO if settled_only else brought) - paid
    foreign = book.cash_before - book.spendable
    over = book.weight(left - min(max(book.doc["reserve"] - foreign, ZERO), book.spendable))
    if abs(over) > NUMBER_SLACK:
        tally.same(
            "the reserve is kept", f"{where}.keeps_reserve", over > 0, scenario["keeps_reserve"]
        )


def _loosened(book: Book, loosened: Record, where: str, tally: Tally) -> None:
    """The rule as it is now, its price for one unit, and its orders in lots, each marked."""
    tally.number(
        "a rule as it is now", f"{where}.now", _now(book, loosened["setting"]), loosened["now"]
    )
    if loosened["unit"] == "switch":
        tally.number(
            "a switch is on or off", f"{where}.then", Decimal(1) - loosened["now"], loosened["then"]
        )
    units = abs(loosened["then"] - loosened["now"]) * (POINTS if loosened["unit"] == "pp" else 1)
    tally.number(
        "gain = gain per unit x units",
        f"{where}.gain_per_unit",
        loosened["gain"],
        loosened["gain_per_unit"] * units,
    )
    part = loosened["then"] if loosened["setting"] == LOTS else Decimal(1)
    for n, step in enumerate(loosened["steps"]):
        at = f"{where}.steps[{n}]"
        tally.same(
            "an order says which rule it breaks",
            at,
            [loosened["setting"]],
            step["relaxed_constraints"],
        )
        holding = book.holdings.get(step["symbol"])
        if holding is None:
            tally.skip(
                f"the lots of {step['symbol']} in what-if reports",
                "the plan itself neither holds, aims at nor trades it",
            )
            continue
        quantity, lot = step["quantity"], holding["lot_size"] * part
        whole = quantity % lot == 0 or (step["side"] == SELL and quantity == holding["quantity"])
        tally.rule(
            "whole lots", f"{at}.quantity", quantity > 0 and whole, f"lots of {lot}", quantity
        )
    derived = {
        "what": loosened["name"],
        "now": loosened["now"],
        "then": loosened["then"],
        "gain": loosened["gain"],
    }
    check_told(
        where,
        loosened["text"],
        loosened["facts"],
        {**derived, "each": loosened["gain_per_unit"]},
        tally,
    )


def _now(book: Book, setting: str) -> Decimal | None:
    """A rule of the strategy, of a filter or of a security; a switch counts 0 or 1."""
    kind, _, rest = setting.partition(".")
    owner, _, name = rest.rpartition(".")
    if setting == LOTS:
        return Decimal(1)
    if kind == "securities":
        return (
            None if owner not in book.holdings else Decimal(int(book.holdings[owner]["allow_sell"]))
        )
    if kind == "filters":
        filters = book.doc["strategy"]["settings"]["modules"]["filters"]
        days = next((one["params"].get(name) for one in filters if one["name"] == owner), None)
        return None if days is None else Decimal(days)
    value = book.settings.get(kind, {}).get(rest)
    return None if value is None else Decimal(repr(value + 0))
