"""What the plan was made of, for whoever makes it again."""

from __future__ import annotations

from steelyard.plans import verify
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
        ("strategy", f"{plan.strategy.shown}, {plan.strategy.sha256[:HASH_SHOWN]}"),
        ("inputs", plan.inputs_sha256[:HASH_SHOWN]),
        ("prices", f"{quotes}, {plan.price_source}"),
        ("second opinion", verify.summary(opinion)),
        ("seed", f"{plan.seed}{struck}"),
    ]
    view.table((Column(""), Column("")), [Row(row) for row in rows])
    view.say(f"Not checked by the second opinion: {verify.left_out(opinion)}.", style="dim")
