"""What became of a run, in the words and rows that terminal and page share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from steelyard.brokers.broker import Activity
from steelyard.canonical import plain
from steelyard.execution.interrupted import BY_HAND, STANDS, Interruption
from steelyard.execution.journal.rows import RunRow
from steelyard.execution.results import DriftRow, RunReport, StepResult
from steelyard.execution.states import LEG_OVER, RUN_OVER, LegState, Outcome, RunState
from steelyard.planning.narrative import in_words
from steelyard.report.exhibits.scale import Scale
from steelyard.report.exhibits.words import counted, lower, price, sentence
from steelyard.sentences import FORMATS, SPACE, money, quantity, signed

STATES = {
    LegState.PLANNED: "not sent",
    LegState.READY: "not sent",
    LegState.SUBMITTING: "sending",
    LegState.ACCEPTED: "working",
    LegState.PARTIAL: "part filled",
    LegState.UNKNOWN: "not known",
    LegState.HELD: "waits for you",
    LegState.CANCELLING: "cancelling",
}
"""Where an order is; other states are their own word."""
WAITING = {
    RunState.HALTED: "Halted",
    RunState.NEEDS_HUMAN: "Waits for you",
    RunState.RECOVERING: "Being recovered",
}
OUTCOMES = {
    Outcome.DONE: "Done",
    Outcome.DONE_WITH_SKIPS: "Done, with skips",
    Outcome.PARTIAL: "Partly done",
    Outcome.FAILED: "Failed",
    Outcome.NOT_STARTED: "Not started",
}
LEVELS = {
    Outcome.DONE: "ok",
    Outcome.DONE_WITH_SKIPS: "ok",
    Outcome.PARTIAL: "warn",
    Outcome.FAILED: "stop",
    Outcome.NOT_STARTED: "stop",
}
LEFT_OPEN: Mapping[Outcome | None, str] = {
    Outcome.PARTIAL: "To trade the rest: plan again, then approve.",
    Outcome.FAILED: "To trade it: plan again, then approve.",
}
"""Outcome of a run that never goes on -> what to do instead."""
LEAST_REACH = 0.01
"""Half width of the strips at least, of value."""
MARGIN = 6.0
AVERAGE_DIGITS = 4


def state_of(state: LegState) -> str:
    """A state in a word or two."""
    return STATES.get(state, state.value.lower())


def waiting(state: RunState, broker: str, broken: Interruption | None = None) -> str:
    """What a run that is not over does; broken: no process carries it on."""
    if broken is not None:
        return "Interrupted"
    return WAITING.get(state, "Waits for its fills" if broker == "file" else "Under way")


def next_step(run: RunRow, broken: Interruption | None = None) -> str:
    """What a person does now of a run, in sentences; "" = nothing."""
    if run.outcome in LEFT_OPEN:
        return LEFT_OPEN[run.outcome]
    if run.state in RUN_OVER:
        return ""
    if broken is not None:
        count = broken.at_broker
        there = f"{lower(counted(count, 'order'))} may be" if count else "no order is"
        return (
            f"Interrupted since {broken.since:%Y-%m-%d %H:%M:%S} UTC, {there} at the broker. Go "
            "on with: steelyard resume"
        )
    if run.broker == BY_HAND:
        return f"Go on with: steelyard runs fills {run.run_id} FILE"
    if run.state in STANDS:
        return "When you have looked, go on with: steelyard resume"
    return "A process works on it now."


def heading(report: RunReport, broken: Interruption | None = None) -> tuple[str, str]:
    """What became of it, and of its orders; broken: no process carries it on."""
    outcome = report.outcome
    head = OUTCOMES[outcome] if outcome else waiting(report.state, report.broker, broken)
    if not report.steps:
        return f"{head}.", "The plan has no orders."
    if not report.filled:
        sent = any(step.attempts for step in report.steps)
        return f"{head}.", "Nothing was filled." if sent else "Nothing was sent."
    whole = sum(step.is_whole for step in report.steps)
    if whole == len(report.steps):
        orders = "All orders are" if whole > 1 else "The order is"
        return f"{head}.", f"{orders} filled."
    part = len(report.filled) - whole
    other = " more" if whole else ""
    more = f", {lower(in_words(part))}{other} in part" if part else ""
    first = f"{counted(whole, 'order')} of" if whole else "None of"
    return f"{head}.", f"{first} {len(report.steps)} filled{more}."


def level_of(report: RunReport) -> str:
    """ok, warn or stop."""
    return LEVELS[report.outcome] if report.outcome else "warn"


def agreement(report: RunReport) -> tuple[str, str]:
    """Level and words of the last comparison with the broker."""
    compared = report.compared
    if compared is None:
        return "warn", "Not compared"
    if compared.clean:
        return "ok", "Broker agrees"
    return "stop", "Broker differs"


def slippage(step: StepResult) -> str:
    """Against the plan: basis points of the value; > 0 is a cost."""
    return "" if step.bps is None else f"{signed(step.bps, 1, scale=10_000)}"


def average(amount: Decimal | None) -> str:
    """An average price, four digits at most; empty for none."""
    return "" if amount is None else price(Decimal(plain(round(amount, AVERAGE_DIGITS))))


def on_midpoint(step: StepResult) -> str:
    """Against the middle of the market, money."""
    return "" if step.on_midpoint is None else signed_cents(step.on_midpoint)


def signed_cents(amount: Decimal) -> str:
    """Money with its sign, two digits."""
    text = money(amount)
    return f"+{text}" if amount > 0 and text != "0.00" else text


def bought_and_sold(report: RunReport) -> str:
    """The money of it, in one sentence."""
    base = report.base_currency
    sold, bought = money(report.sold_base), money(report.bought_base)
    return f"Sold {sold}, bought {bought}, fees {money(report.fees_base)}{SPACE}{base}."


def slipped(report: RunReport) -> str:
    """Σ slippage against planned prices; "" where nothing was filled."""
    traded = report.sold_base + report.bought_base
    if not report.filled or not traded:
        return ""
    part = float(report.slippage_base / traded)
    words = "more than" if report.slippage_base > 0 else "less than"
    cost = money(abs(report.slippage_base))
    bps = f"{abs(10_000 * part):.1f}{SPACE}bps"
    if cost == "0.00":
        return "Filled at the planned prices."
    return f"Filled for {cost}{SPACE}{report.base_currency} {words} planned ({bps})."


def filled_of(step: StepResult) -> str:
    """Filled shares; empty for none."""
    return quantity(step.filled) if step.filled else ""


def notes_of(step: StepResult) -> tuple[str, ...]:
    """Sentences under a step: why all is sold, and why not all is filled."""
    lines = []
    if step.liquidation:
        lines.append(sentence(f"Sells all of it: {step.liquidation}"))
    if not step.is_whole and (step.reason or step.state in LEG_OVER):
        rest = f"{quantity(step.planned - step.filled)} did not fill"
        lines.append(sentence(step.reason or rest))
    if step.attempts > 1:
        lines.append(f"{counted(step.attempts, 'order')} were sent for it, one after the other.")
    return tuple(lines)


@dataclass(frozen=True, slots=True)
class Strip:
    """A security's way to its target; `off_now` and `off` are weight less target, for the chart."""

    row: DriftRow
    target: float
    band: tuple[float, float] | None
    off_now: float
    off: float
    traded: bool

    @property
    def state(self) -> str:
        """in or out of its band."""
        return {None: "", True: "in", False: "out"}[self.row.inside]


@dataclass(frozen=True, slots=True)
class Weights:
    """Securities that were traded or are outside their bands, and how many others there are."""

    strips: tuple[Strip, ...]
    scale: Scale
    others: str


def weights(report: RunReport) -> Weights:
    """Largest distance from target first; without targets none."""
    traded = {step.symbol for step in report.steps}
    targeted = [row for row in report.weights if row.target is not None]
    shown = [row for row in targeted if row.symbol in traded or row.inside is False]
    strips = sorted(
        (_strip(row, row.symbol in traded) for row in shown),
        key=lambda strip: (-abs(strip.off), strip.row.symbol),
    )
    offs = [abs(off) for strip in strips for off in (strip.off_now, strip.off)]
    reach = max([LEAST_REACH, *offs])
    rest = len(targeted) - len(shown)
    others = ""
    if rest:
        verb = "is inside its band" if rest == 1 else "are inside their bands"
        others = f"{counted(rest, 'other security', 'other securities')} {verb}."
    return Weights(tuple(strips), Scale(-reach, reach, MARGIN), others)


def _strip(row: DriftRow, traded: bool) -> Strip:
    target = row.target or 0.0
    return Strip(row, target, row.band, row.before - target, row.after - target, traded)


def explained(activity: Activity) -> str:
    """`Conversion: −1,480.25 EUR, +1,574.98 USD.`"""
    parts = [
        f"{signed_cents(activity.cash[name])}{SPACE}{name}"
        for name in sorted(activity.cash)
        if activity.cash[name]
    ]
    if activity.shares:
        sign = "+" if activity.shares > 0 else ""
        parts.append(f"{sign}{quantity(activity.shares)} shares")
    of = f" of {activity.symbol}" if activity.symbol else ""
    return sentence(f"{activity.kind.capitalize()}{of}: {', '.join(parts)}")


def drift_of(report: RunReport) -> str:
    """`Drift 22.0 → 6.0 pp`, or that there are no targets."""
    if report.drift is None:
        return "No targets were given."
    before, after = report.drift
    return f"Drift {FORMATS['pct'](before)} before, {FORMATS['pct'](after)} after."


def named_rails(report: RunReport) -> Sequence[str]:
    """Each rail that stopped something, with its reason."""
    return [
        f"{each.rail}: {each.why}" + (f" ({each.count} times)" if each.count > 1 else "")
        for each in report.blocks
    ]
