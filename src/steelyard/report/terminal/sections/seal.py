"""What the plan was made of, for whoever makes it again."""

from __future__ import annotations

from steelyard.plans import verify
from steelyard.plans.account import StrategyRef
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import HASH_SHOWN, View, day


def draw(view: View) -> None:
    """Print hashes, data as-of days, the second opinion and the seed."""
    plan, opinion = view.plan, view.opinion or verify.check(view.plan.document())
    view.title("Seal")
    prices = plan.prices_as_of
    quotes = f"quotes of {day(prices.quotes)}, history to {day(prices.history)}"
    struck = "" if plan.reproducible else "; not reproducible: a time limit struck"
    rows = [
        ("plan", plan.plan_id[:HASH_SHOWN]),
        ("strategy", _strategy(plan.strategy)),
        ("inputs", plan.inputs_sha256[:HASH_SHOWN]),
        ("prices", f"{quotes}, {plan.price_source}"),
        ("second opinion", verify.summary(opinion)),
        ("seed", f"{plan.seed}{struck}"),
    ]
    view.table((Column(""), Column("")), [Row(row) for row in rows])
    view.say(f"Not checked by the second opinion: {verify.left_out(opinion)}.", style="dim")


def _strategy(rules: StrategyRef) -> str:
    """Name and hash of the rules; of a stored one also its name there and the hash of its text."""
    if rules.version is None:
        return f"{rules.name}, {rules.sha256[:HASH_SHOWN]}"
    stored = f"{rules.shown} of {rules.name}, text {rules.text_sha256[:HASH_SHOWN]}"
    return f"{stored}, rules {rules.sha256[:HASH_SHOWN]}"
