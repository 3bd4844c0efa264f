"""A plan as people read it in a terminal, the answer first.

`show` prints in this order: what and when, verdict, trades with a reason under each, costs, drift, weights,
score, cash ladder, what was not traded and why, alternatives, certificate, problems, seal. `show_why` prints
the whole story of one symbol. Both only format: every sentence with a finding comes from the plan.
Narrow windows lose columns, never text; colour repeats what words and shapes say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby

from rich.console import Console
from rich.text import Text

from steelyard import verify
from steelyard.orders import Side
from steelyard.plans import Alternative, CashRung, HoldingShown, NotTraded, Plan, Stage, Step
from steelyard.report.certificate import box
from steelyard.report.columns import Column, Row, fitting, grid, sentence
from steelyard.report.notes import notes
from steelyard.report.regime import regime
from steelyard.report.stopped import TELLING, stopped
from steelyard.report.trades import trades
from steelyard.report.what_if import Rule, what_ifs
from steelyard.report.words import by_rule, counted, lower, plain_words, price, rate
from steelyard.report.words import sentence as closed
from steelyard.sentences import FORMATS, money, percent, points, quantity, signed

BAR = 24
"""Length of the longest bar, terminal columns."""
NAME = 36
"""Longest name in a table; `why` shows it whole."""
HASH_SHOWN = 16
LEVELS = {"stop": "Problem: ", "warn": "Warning: ", "info": ""}
WEIGHTS_SHOWN = 20
REASONS_SHOWN = 6

SIDES = {Side.BUY: "▲ buy", Side.SELL: "▼ sell"}
STYLES = {Side.BUY: "cyan", Side.SELL: "magenta"}
STAGES: tuple[Stage, ...] = (*TELLING, "merge")
"""Order of the ledger: what kept out, what lost, what was never proposed, what lives on in another size."""


@dataclass(frozen=True, slots=True)
class View:
    """Where to print and how much."""

    console: Console
    plan: Plan
    explain: bool = False

    @property
    def width(self) -> int:
        """Terminal columns."""
        return self.console.width

    def emit(self, lines: Iterable[Text]) -> None:
        """Print lines as they are: no mark-up, no wrapping, no cutting."""
        for line in lines:
            self.console.print(line, soft_wrap=True, markup=False, highlight=False, emoji=False)

    def say(self, text: str, *, indent: int = 2, style: str = "") -> None:
        """Print a sentence."""
        self.emit(sentence(text, self.width, indent=indent, style=style))

    def title(self, text: str) -> None:
        """Print the heading of a section, after an empty line."""
        self.emit([Text("")])
        self.say(text, indent=0, style="bold")

    def table(self, columns: Sequence[Column], rows: Sequence[Row], note: tuple[str, str] | None = None) -> None:
        """Print rows; `note` is (head, what it means), printed if the column of that head had room."""
        fit, cut = fitting(columns, rows, self.width)
        self.emit(grid(fit, cut, self.width))
        if note is not None and note[0] in {column.head for column in fit}:
            self.say(note[1], style="dim")


def show(plan: Plan, console: Console, *, explain: bool = False, timings: bool = False) -> None:
    """Print a plan; `explain` adds parts of the score, every candidate, every reason and every module."""
    view = View(console, plan, explain)
    _head(view)
    _trades(view)
    _costs(view)
    _drift(view)
    _weights(view)
    _score(view)
    _cash(view)
    _not_traded(view)
    _alternatives(view)
    _what_if(view)
    _explanation(view)
    if explain:
        _candidates(view)
        _modules(view)
    _certificate(view)
    _notes(view, plan.model_copy(update={"excluded": ()}), "What to know before trusting the numbers")
    _seal(view)
    if timings:
        _timings(view)


def _head(view: View) -> None:
    plan = view.plan
    version = f" v{plan.strategy.version}" if plan.strategy.version is not None else ""
    view.say(
        f"{plan.bucket} · {plan.strategy.name}{version} · as of {_day(plan.as_of)} · value {_in_base(plan, plan.value)}",
        indent=0,
    )
    if regime(plan):
        view.say(regime(plan), indent=0)
    view.emit([Text("")])
    for line in sentence(plan.verdict.text, view.width, style="bold"):
        view.emit([line])
    if plan.verdict.detail:
        view.say(plan.verdict.detail, indent=0)
    if plan.excluded:
        view.say(f"Left out on your word: {', '.join(plan.excluded)}. Values and weights are without them.", indent=0)


def _trades(view: View) -> None:
    plan = view.plan
    view.title(trades(plan).heading)
    if not plan.steps:
        return
    columns = (
        Column("#", "right"),
        Column("Side"),
        Column("Symbol"),
        Column("Name", drop=4),
        Column("Quantity", "right"),
        Column("Price", "right"),
        Column(f"Amount, {plan.base_currency}", "right"),
        Column("Cost", "right", drop=1),
        Column("Weight, %", "right", drop=3),
        Column("Adds", "right", drop=2),
    )
    note = ("Adds", "Adds: points of the score, net of costs, that the plan loses without this order.")
    view.table(columns, [_trade(view, step) for step in plan.steps], note)


def _trade(view: View, step: Step) -> Row:
    lots = [
        f"Lot of {_day(lot.acquired) if lot.acquired else 'unknown date'}: {quantity(lot.quantity)} at "
        f"{price(lot.unit_cost) + ' ' + step.currency if lot.unit_cost is not None else 'unknown cost'}, "
        f"gain {_in_base(view.plan, lot.gain) if lot.gain is not None else 'unknown'}."
        for lot in step.lots
    ]
    told = (step.narrative or step.reason, *lots, f"Proposed by {', '.join(step.proposed_by)}.") if view.explain else (closed(step.reason),)
    return Row(
        (
            str(step.n),
            SIDES[step.side],
            step.symbol,
            _short(step.name),
            quantity(step.quantity),
            f"{price(step.price)} {step.currency}",
            money(step.notional_base, 0),
            money(step.costs.total),
            f"{percent(step.weight_before)} → {percent(step.weight_after)}",
            signed(step.adds, 2),
        ),
        under=told,
        style=STYLES[step.side],
    )


def _costs(view: View) -> None:
    plan = view.plan
    base = plan.base_currency
    if not plan.steps:
        return
    view.title(f"Costs {_in_base(plan, plan.costs.total)} · turnover {percent(plan.turnover)} %")
    tax = "not estimated" if plan.costs.tax is None else f"{_in_base(plan, plan.costs.tax)}, payable later"
    view.say(
        f"Commission {money(plan.costs.commission)}, spread {money(plan.costs.spread)}, "
        f"currency conversion {money(plan.costs.fx)} {base}; tax {tax}."
    )
    exhibit = trades(plan)
    for exchange in exhibit.exchanges:
        pair = f"{money(exchange.amount)} {exchange.from_} to {exchange.to} at {rate(exchange.rate)}"
        view.say(f"Converts {pair}, cost {_in_base(plan, exchange.cost)}.")
    view.say(f"{exhibit.cash_said} The reserve is {money(plan.reserve)}.")


def _drift(view: View) -> None:
    drift = view.plan.drift
    if drift.before is None or drift.after is None:
        view.title("Drift: none to show, since no targets were given")
        return
    change = f" → {percent(drift.after)}" if view.plan.steps else ""
    view.title(f"Drift {percent(drift.before)}{change} pp")
    top = max(drift.before, drift.after)
    columns = (Column(""), Column("", "right"), Column("", drop=1))
    rows = [
        Row((name, f"{percent(value)} pp", "█" * _cells(value, top, BAR)))
        for name, value in (("before", drift.before), ("after", drift.after))
    ]
    view.table(columns, rows)
    view.say("Half the sum of all distances from target, cash included.", style="dim")


def _weights(view: View) -> None:
    plan = view.plan
    rows = _weight_rows(plan)
    shown = rows if view.explain or len(rows) <= WEIGHTS_SHOWN else [*rows[: WEIGHTS_SHOWN - 1], rows[-1]]
    targeted = plan.objective.mode == "targets"
    view.title("Weights, % of value before trading")
    columns = [Column("Symbol"), Column("Name", drop=2), Column("Now", "right"), Column("After", "right")]
    if targeted:
        columns += [Column("Target", "right"), Column("Off target, pp", "right")]
    columns += [Column(" ", drop=1)]
    top = max((max(now, after, target or 0.0) for _, now, after, target in rows), default=0.0)
    names = {holding.symbol: holding.name for holding in plan.holdings}
    bars = "█ held, ░ sold, ▒ bought" + (", ┃ target" if targeted else "") + "."
    view.table(columns, [_weight(row, _short(names.get(row[0], "")), top, targeted=targeted) for row in shown], (" ", bars))
    if len(rows) > len(shown):
        view.say(f"and {len(rows) - len(shown)} more: steelyard plan --explain", style="dim")
    view.say("Cash after is before costs.", style="dim")


WeightRow = tuple[str, float, float, float | None]


def _weight_rows(plan: Plan) -> list[WeightRow]:
    """(symbol, now, after, target): traded first, then by distance from target or size; cash last."""
    after = {holding.symbol: holding.weight for holding in plan.holdings_after}
    traded = {step.symbol for step in plan.steps}
    rows = [(h.symbol, h.weight or 0.0, after.get(h.symbol, h.weight or 0.0), h.target) for h in plan.holdings]
    rows = [row for row in rows if any(value for value in row[1:])]
    rows.sort(key=lambda row: (row[0] not in traded, -max(row[1], row[2], row[3] or 0.0), row[0]))
    now, then = 1 - sum(row[1] for row in rows), 1 - sum(row[2] for row in rows)
    targets = [row[3] for row in rows if row[3] is not None]
    cash = max(0.0, 1 - sum(targets)) if plan.objective.mode == "targets" else None
    return [*rows, ("cash", now, then, cash)] if plan.value else rows


def _weight(row: WeightRow, name: str, top: float, *, targeted: bool) -> Row:
    symbol, now, after, target = row
    cells = [symbol, name, percent(now), percent(after)]
    if targeted:
        aim = target or 0.0
        cells += [percent(aim), f"{signed(now - aim)} → {signed(after - aim)}"]
    return Row((*cells, _bar(now, after, target, top)))


def _bar(now: float, after: float, target: float | None, top: float) -> str:
    held, most, mark = (_cells(value, top, BAR) for value in (min(now, after), max(now, after), target or 0.0))
    bar = list("█" * held + ("░" if after < now else "▒") * (most - held) + " " * (BAR + 1 - most))
    if target is not None:
        bar[mark] = "┃"
    return "".join(bar)


def _score(view: View) -> None:
    plan, score = view.plan, view.plan.score
    change = f" → {points(score.plan)}, net of charges {signed(score.improvement, 2)}" if plan.steps else ""
    view.title(f"Score {points(score.hold)}{change}")
    columns = (
        Column("Term"),
        Column("Share, %", "right", drop=1),
        Column("Before", "right"),
        Column("After", "right"),
        Column("Adds", "right"),
    )
    rows: list[Row] = []
    for term in score.terms:
        adds = signed(term.weight * (term.plan - term.hold), 2)
        rows.append(Row((plain_words(term.name), percent(term.weight), _shown(term.hold), _shown(term.plan), adds)))
        if view.explain:
            rows += [
                Row((f"  {plain_words(p.name)}", percent(term.weight * p.share), points(p.hold), points(p.plan), "")) for p in term.parts
            ]
    view.table(columns, rows)
    if any(term.off_scale for term in score.terms):
        view.say("* off scale: shown between 0 and 100, counted as it is.", style="dim")
    charges = score.charges
    view.say(
        f"Charges {points(charges.total)}: cost {points(charges.cost)}, tax {points(charges.tax)}, orders {points(charges.hurdle)}. "
        f"A plan acts from +{points(score.min_improvement)} net ({plan.objective.profile}, "
        f"{'with' if plan.objective.mode == 'targets' else 'without'} targets)."
    )


def _shown(value: float) -> str:
    clipped = min(1.0, max(0.0, value))
    return points(clipped) + ("*" if clipped != value else "")


def _cash(view: View) -> None:
    plan = view.plan
    view.title("Cash by day")
    columns = (Column("Currency"), Column("Date"), Column("Traded", "right"), Column("Settled", "right"), Column(""))
    rows = [
        row
        for _, rungs in groupby(sorted(plan.cash_ladder, key=lambda rung: (rung.currency, rung.date)), key=lambda rung: rung.currency)
        for row in _ladder(list(rungs))
    ]
    view.table(columns, rows)


def _ladder(rungs: list[CashRung]) -> Iterator[Row]:
    lowest = min(rung.balance for rung in rungs)
    marked = False
    for on, group in groupby(rungs, key=lambda rung: rung.date):
        day = list(group)
        balances = {rung.kind: rung.balance for rung in day}
        notes = ["lowest"] if not marked and lowest in balances.values() and len(rungs) > 1 else []
        marked = marked or bool(notes)
        notes += ["estimated"] if any(rung.estimated for rung in day) else []
        traded, settled = (money(balances[kind]) if kind in balances else "" for kind in ("traded", "settled"))
        yield Row((day[0].currency, _day(on), traded, settled, ", ".join(notes)))


def _not_traded(view: View) -> None:
    if view.explain:
        view.title(f"What stopped before the plan, and why: {len(view.plan.not_traded)} entries")
        view.table(STOPPED, [_stopped(entry) for entry in _in_order(view.plan.not_traded)])
        return
    exhibit = stopped(view.plan)
    if not exhibit.rows:
        return
    view.title(exhibit.heading)
    rows = [Row((f"{row.stage}: {row.rule}", _side(row.side), row.symbols), under=(row.reason,)) for row in exhibit.rows]
    view.table((Column("Stopped at"), Column("Side"), Column("Symbols")), rows[:REASONS_SHOWN])
    left = len(rows) - REASONS_SHOWN
    more = f"and {lower(counted(left, 'more reason'))}: " if left > 0 else "Every candidate of a symbol: "
    view.say(f"{more}steelyard why SYMBOL", style="dim")


STOPPED = (
    Column("Symbol"),
    Column("Side"),
    Column("Stopped at"),
    Column("Candidate", drop=3),
    Column("Asked by", drop=2),
    Column("Value", "right", drop=1),
    Column("Limit", "right", drop=1),
    Column("Margin", "right", drop=1),
)


def _in_order(entries: Iterable[NotTraded]) -> list[NotTraded]:
    return sorted(entries, key=lambda e: (e.symbol, STAGES.index(e.stage), e.rule, e.candidate or ""))


def _stopped(entry: NotTraded) -> Row:
    """An entry of the ledger with its numbers."""
    numbers = (by_rule(entry.rule, entry.value), by_rule(entry.rule, entry.limit), by_rule(entry.rule, entry.margin, margin=True))
    cells = (
        entry.symbol,
        _side(entry.side),
        f"{entry.stage}: {plain_words(entry.rule)}",
        entry.candidate or "",
        entry.module or "",
        *numbers,
    )
    return Row(cells, under=(entry.reason,))


def _alternatives(view: View) -> None:
    plan = view.plan
    if not plan.alternatives:
        return
    view.title("What else was weighed")
    columns = (
        Column("Plan"),
        Column("Score", "right"),
        Column("Net", "right"),
        Column(f"Cost, {plan.base_currency}", "right"),
        Column("Turnover, %", "right", drop=2),
        Column("Drift, pp", "right", drop=1),
    )
    score = plan.score
    drift = _percent_or_unknown(plan.drift.after)
    own = ("this plan", points(score.plan), signed(score.improvement, 2), money(plan.costs.total), percent(plan.turnover), drift)
    view.table(columns, [Row(own, style="bold"), *map(_alternative, plan.alternatives)])


def _alternative(other: Alternative) -> Row:
    orders = ", ".join(f"{step.side} {quantity(step.quantity)} {step.symbol}" for step in other.steps)
    drift = _percent_or_unknown(other.drift_after)
    cells = (plain_words(other.name), points(other.score), signed(other.improvement, 2), money(other.cost), percent(other.turnover), drift)
    return Row(cells, under=(orders,) if orders else ())


def _what_if(view: View) -> None:
    exhibit = what_ifs(view.plan)
    if exhibit is None:
        return
    view.title(exhibit.heading)
    if exhibit.scenarios:
        view.say(exhibit.filled)
        shown = exhibit.scenarios + (exhibit.better if view.explain else ())
        heads = (Column("Filled"), Column("Net", "right"), Column("Cash, %", "right"), Column(""))
        rows = [Row((one.name, signed(one.net, 2), percent(one.cash), "" if one.kept else "under the reserve")) for one in shown]
        view.table(heads, rows)
        if exhibit.better and not view.explain:
            view.say(f"and {lower(counted(len(exhibit.better), 'better one'))}: steelyard plan --explain", style="dim")
    if exhibit.rules:
        view.emit([Text("")])
        columns = (Column("Looser"), Column("Now", "right"), Column("Then", "right"), Column("Adds", "right"), Column("", drop=1))
        view.table(columns, [_looser(rule) for rule in exhibit.rules])
    if exhibit.idle:
        view.say(exhibit.idle, style="dim")
    view.say("None of this is in the plan.", style="dim")


def _looser(rule: Rule) -> Row:
    each = "" if rule.each is None else f"{signed(rule.each, 2)} per {rule.unit}"
    return Row((rule.name, rule.now, rule.then, signed(rule.gain, 2), each))


def _explanation(view: View) -> None:
    told = view.plan.explanation
    if told is None:
        return
    view.title("What would change this plan")
    for finding in (told.stability, *told.thresholds, *told.counterfactuals, *told.relaxations):
        view.say(finding.text)


def _candidates(view: View) -> None:
    plan = view.plan
    view.title(f"The candidate table, {len(plan.candidates)} rows")
    columns = (
        Column("Id"),
        Column("Side"),
        Column("Symbol"),
        Column("Quantity", "right"),
        Column(f"Amount, {plan.base_currency}", "right"),
        Column("Cost", "right", drop=2),
        Column("Priority", "right", drop=1),
        Column("Gain alone", "right"),
        Column("Proposed by", drop=3),
    )
    view.table(
        columns,
        [
            Row(
                (
                    c.id,
                    SIDES[c.side],
                    c.symbol,
                    quantity(c.quantity),
                    money(c.notional_base, 0),
                    money(c.cost),
                    FORMATS["ratio"](c.priority),
                    signed(c.gain, 2),
                    ", ".join(c.sources),
                )
            )
            for c in plan.candidates
        ],
    )


def _modules(view: View) -> None:
    view.title("What each module did")
    columns = (Column("Kind", drop=2), Column("Module"), Column("Version", drop=1), Column("Returned", "right"), Column("Outcome"))
    view.table(
        columns,
        [
            Row(
                (plain_words(m.kind), m.name, m.version, "unknown" if m.count is None else str(m.count), plain_words(m.outcome)),
                (m.error,) if m.error else (),
            )
            for m in view.plan.modules
        ],
    )


def _certificate(view: View) -> None:
    told = box(view.plan)
    view.title(f"{told.badge}.")
    view.say(told.said)
    headroom = view.plan.certificate.structural_headroom
    if headroom is not None:
        view.say(f"Structural headroom {points(headroom)} points: other sizes and more orders could add at most that.")


def _notes(view: View, plan: Plan, title: str) -> None:
    """Problems, warnings and missing data of `plan`, each with its consequence."""
    found = notes(plan)
    if not found:
        return
    view.title(title)
    for note in found:
        view.say(f"{LEVELS[note.level]}{note.title} {note.text}")


def _seal(view: View) -> None:
    plan = view.plan
    view.title("Seal")
    version = f" v{plan.strategy.version}" if plan.strategy.version is not None else ""
    rows = [
        ("plan", plan.plan_id[:HASH_SHOWN]),
        ("strategy", f"{plan.strategy.name}{version}, {plan.strategy.sha256[:HASH_SHOWN]}"),
        ("inputs", plan.inputs_sha256[:HASH_SHOWN]),
        ("prices", f"quotes of {_day(plan.prices_as_of.quotes)}, history to {_day(plan.prices_as_of.history)}, {plan.price_source}"),
        ("second opinion", verify.summary(verify.check(plan.document()))),
        ("seed", str(plan.seed) + ("" if plan.reproducible else "; not reproducible: a time limit struck")),
    ]
    view.table((Column(""), Column("")), [Row(row) for row in rows])


def _timings(view: View) -> None:
    view.title("Time taken")
    rows = [Row((timing.name, f"{1000 * timing.seconds:,.1f} ms")) for timing in view.plan.timings]
    view.table((Column("Stage"), Column("", "right")), rows)


def show_why(plan: Plan, symbol: str, console: Console) -> None:
    """Print the story of one symbol: holding, order, every candidate kept or dropped, by which rule, number and margin."""
    view = View(console, plan, explain=True)
    holding = next((h for h in plan.holdings if h.symbol == symbol), None)
    step = plan.step(symbol)
    _why_head(view, symbol, holding, step)
    if step is not None:
        view.title(f"Order {step.n} of {len(plan.steps)}")
        row = _trade(view, step)
        heads = ("Quantity", "Price", f"Amount, {plan.base_currency}", "Cost", "Weight, %", "Adds")
        columns = (Column("#", "right"), Column("Side"), *(Column(head, "right") for head in heads))
        view.table(columns, [Row((row.cells[0], row.cells[1], *row.cells[4:]), row.under, row.style)])
    _why_kept(view, symbol)
    _why_dropped(view, symbol)
    _notes(view, _about(plan, symbol), "Data")


def _about(plan: Plan, symbol: str) -> Plan:
    """The plan with only what notes say of one symbol."""
    return plan.model_copy(
        update={
            "problems": tuple(notice for notice in plan.problems if notice.symbol == symbol),
            "warnings": tuple(notice for notice in plan.warnings if notice.symbol == symbol),
            "data_coverage": tuple(entry for entry in plan.data_coverage if entry.symbol == symbol),
            "steps": tuple(step for step in plan.steps if step.symbol == symbol),
            "excluded": (),
        }
    )


def _why_head(view: View, symbol: str, holding: HoldingShown | None, step: Step | None) -> None:
    plan = view.plan
    name = f" {holding.name}" if holding and holding.name and holding.name != symbol else ""
    view.say(f"{symbol}{name} · {plan.bucket} · as of {_day(plan.as_of)} · plan {plan.plan_id[:HASH_SHOWN]}", indent=0)
    if step is not None:
        verdict = f"{step.side.capitalize()} {quantity(step.quantity)}."
    elif holding is not None and holding.quantity:
        verdict = "Kept as it is."
    else:
        verdict = "Not held, not bought."
    view.emit([Text("")])
    view.say(verdict, indent=0, style="bold")
    if holding is None:
        return
    held = f"{quantity(holding.quantity)} held"
    quoted = "price unknown" if holding.price is None else f"{price(holding.price)} {holding.currency}"
    weight = "weight unknown" if holding.weight is None else f"{percent(holding.weight)} % of value"
    target = "no target" if holding.target is None else f"target {percent(holding.target)} %"
    band = "" if holding.band is None else f", band {percent(holding.band[0])} to {percent(holding.band[1])} %"
    view.say(f"{held}, {quoted}, {weight}, {target}{band}.", indent=0)


def _why_kept(view: View, symbol: str) -> None:
    rows = [c for c in view.plan.candidates if c.symbol == symbol]
    if not rows:
        view.title("No candidate reached the table")
        return
    chosen = {step.candidate for step in view.plan.steps}
    view.title("In the candidate table")
    columns = (
        Column("Id"),
        Column("Side"),
        Column("Quantity", "right"),
        Column(f"Amount, {view.plan.base_currency}", "right"),
        Column("Cost", "right", drop=2),
        Column("Priority", "right", drop=1),
        Column("Gain alone", "right"),
        Column(""),
    )
    view.table(
        columns,
        [
            Row(
                (
                    c.id,
                    SIDES[c.side],
                    quantity(c.quantity),
                    money(c.notional_base, 0),
                    money(c.cost),
                    FORMATS["ratio"](c.priority),
                    signed(c.gain, 2),
                    "in the plan" if c.id in chosen else "",
                ),
                under=(f"Proposed by {', '.join(c.sources)}.",),
                style="bold" if c.id in chosen else "",
            )
            for c in rows
        ],
    )


def _why_dropped(view: View, symbol: str) -> None:
    entries = [entry for entry in view.plan.not_traded if entry.symbol == symbol]
    if not entries:
        return
    view.title("Dropped, by stage and rule")
    view.table(STOPPED[1:], [replace(row, cells=row.cells[1:]) for row in map(_stopped, _in_order(entries))])


def _cells(value: float, top: float, length: int) -> int:
    return round(length * value / top) if top > 0 and value > 0 else 0


def _side(side: Side | None) -> str:
    return "" if side is None else SIDES[side]


def _percent_or_unknown(weight: float | None) -> str:
    return "unknown" if weight is None else percent(weight)


def _day(day: object) -> str:
    return FORMATS["date"](day)


def _in_base(plan: Plan, amount: Decimal) -> str:
    return f"{money(amount)} {plan.base_currency}"


def _short(name: str) -> str:
    return name if len(name) <= NAME else name[: NAME - 1] + "…"
