"""Two plans compared: trades, money, score, and what went into them and is not the same.

records.py   the document
moved.py     prices, holdings, cash, targets, flows and rules that are other ones
figures.py   money and score side by side, and what may not be compared
trades.py    orders of one of them, or of both at another size, and why not of the other
reasons.py   the same in sentences
words.py     sentences put together
"""

from steelyard.plans.diff.figures import money, score
from steelyard.plans.diff.moved import is_same_account, moved
from steelyard.plans.diff.reasons import reasons
from steelyard.plans.diff.records import Answer, Compared, PlanDiff, Rules
from steelyard.plans.diff.trades import changed, indexed, only_in
from steelyard.plans.plan import Plan

__all__ = ["PlanDiff", "compare"]


def compare(a: Plan, b: Plan) -> PlanDiff:
    """The difference of plan B from plan A; of any two plans, whatever their day and rules."""
    sums, points, inputs = money(a, b), score(a, b), moved(a, b)
    comparable = sums.not_compared is None and is_same_account(a, b)
    ours, theirs = indexed(a, "A"), indexed(b, "B")
    trades = (
        tuple(only_in(theirs, ours)),
        tuple(only_in(ours, theirs)),
        tuple(changed(ours, theirs, comparable=comparable)),
    )
    return PlanDiff(
        same=a.plan_id == b.plan_id,
        a=_side(a),
        b=_side(b),
        trades_added=trades[0],
        trades_removed=trades[1],
        trades_changed=trades[2],
        money=sums,
        score=points,
        reasons=tuple(reasons(ours, theirs, trades, (sums, points), inputs)),
        moved=inputs,
    )


def _side(plan: Plan) -> Compared:
    rules = plan.strategy
    return Compared(
        plan_id=plan.plan_id,
        bucket=plan.bucket,
        as_of=plan.as_of,
        strategy=Rules(
            name=rules.name,
            version=rules.version,
            sha256=rules.sha256,
            title=rules.title or rules.name,
        ),
        verdict=Answer(action=plan.verdict.action, text=plan.verdict.text),
        base_currency=plan.base_currency,
        value=plan.value,
        orders=len(plan.steps),
    )
