"""Self-contained requests answered: each of the four is one function from request to answer.

    identify    what the calculators ask for            planning.find_opportunities
    generate    sequences of it, batch by batch         planning.generate
    evaluate    what sequences are worth                planning.evaluate_batches
    create      the plan                                planning.plan_case(steps=...)

They calculate nothing: the steps are planning's, the conversion is compat's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from steelyard.arrays import PAD
from steelyard.calculations.cache import Calculations
from steelyard.compat import requests
from steelyard.compat.asked import CATEGORIES, Action, Asked
from steelyard.errors import FailedLate, InputError
from steelyard.modules.candidates import Candidates, Proposal
from steelyard.modules.context import Context
from steelyard.modules.registry import Kind, modules
from steelyard.notices import Notice, Timing
from steelyard.orders import Side
from steelyard.planning.asked_rows import ASKED
from steelyard.planning.case import Case
from steelyard.planning.choice import FRONTIER, by_mode
from steelyard.planning.contexts import context_of
from steelyard.planning.findings import HERE, Findings
from steelyard.planning.guard import Guard, settled
from steelyard.planning.planner import plan_case
from steelyard.planning.score.objective import Objective, objective_of
from steelyard.planning.solve import LOCAL, Steps, local, within
from steelyard.planning.stated import WHO, Key, Stated, Verdict, judged, keys, stated_table
from steelyard.planning.wishes import find_opportunities
from steelyard.plans.plan import Plan
from steelyard.sentences import say
from steelyard.services.wire import (
    ActionCandidateModel,
    CreatePlanRequest,
    CreatePlanResponse,
    EvaluateSequencesRequest,
    EvaluateSequencesResponse,
    ExecutionStats,
    GenerateSequencesRequest,
    HolisticPlanModel,
    HolisticStepModel,
    IdentifyOpportunitiesRequest,
    IdentifyOpportunitiesResponse,
    PlanMetadata,
    SequenceBatch,
    SequenceEvaluationResult,
    StoppedBy,
)
from steelyard.strategies import Strategy
from steelyard.telemetry.events import (
    BatchScored,
    Event,
    Observe,
    OpportunitiesIdentified,
    SequenceGenerationCompleted,
    SequenceGenerationStarted,
)

Sequences = tuple[tuple[ActionCandidateModel, ...], ...]

BY_SIDE = {Side.SELL: "rebalance_sells", Side.BUY: "opportunity_buys"}
"""The list of what another calculator than the documents' asks for."""


def identify(request: IdentifyOpportunitiesRequest) -> IdentifyOpportunitiesResponse:
    """What the calculators ask for, in the documents' five lists, each by priority."""
    case, assumed = requests.order_of(request.record())

    def work(guard: Guard) -> tuple[Context, Candidates, Guard]:
        ctx, objective, strategy = _ready(case, guard)
        return ctx, find_opportunities(ctx, objective, strategy, guard), guard

    ctx, table, guard = settled(work, _guard(case))
    lists: dict[str, list[ActionCandidateModel]] = {name: [] for name in CATEGORIES}
    for j in sorted(range(table.m), key=lambda j: (-table.priority[j], j)):
        for name, proposal in _listed(table, j).items():
            lists[name].append(_action(case, ctx, table, j, proposal))
    return IdentifyOpportunitiesResponse(
        **{name: tuple(actions) for name, actions in lists.items()},
        warnings=_texts((*assumed, *guard.findings.warnings, *guard.findings.problems)),
    )


def generate(request: GenerateSequencesRequest) -> Iterator[SequenceBatch]:
    """Sequences of the stated trades, `batch_size` at a time: at least one batch.

    The first is made at once, so that what cannot be is refused before anything is sent; each other
    when it is asked for.
    """
    asked: Asked = request.record()
    case, assumed = requests.order_of(asked)
    stream = _generated(asked, case)
    return _numbered(next(stream, ()), stream, _texts(assumed))


def _numbered(
    ahead: Sequences, stream: Iterator[Sequences], warnings: tuple[str, ...]
) -> Iterator[SequenceBatch]:
    number = 0
    for sequences in stream:
        yield _batch(number, ahead, warnings, more=True)
        number, warnings, ahead = number + 1, (), sequences
    yield _batch(number, ahead, warnings, more=False)


def evaluate(request: EvaluateSequencesRequest) -> EvaluateSequencesResponse:
    """The best `beam_width` of the sequences, and what stops those that may be no plan."""
    asked: Asked = request.record()
    case, assumed = requests.order_of(asked)
    sequences = [[_stated(action) for action in sequence] for sequence in asked.sequences]
    symbols = {action.symbol for action in asked.actions}
    width = request.settings.beam_width
    most = max(width, case.strategy.evaluation.compared)

    def work(guard: Guard) -> tuple[Context, list[Verdict], Guard]:
        ctx, objective, strategy = _ready(case, guard, symbols)
        return ctx, judged(ctx, objective, sequences, strategy, guard, most), guard

    ctx, verdicts, guard = settled(work, _guard(case))
    best = sorted(verdicts, key=_order)
    return EvaluateSequencesResponse(
        top_sequences=tuple(
            _result(ctx, request.sequences[verdict.place], verdict) for verdict in best[:width]
        ),
        total_evaluated=len(verdicts),
        beam_width=width,
        warnings=(
            *_texts((*assumed, *guard.findings.warnings, *guard.findings.problems)),
            *_not_compared(ctx, verdicts, most),
        ),
    )


def _order(verdict: Verdict) -> tuple[bool, float, float, int]:
    """The best first: what may be a plan, by the value of the mode, by the score of today."""
    value = -math.inf if verdict.value is None else verdict.value
    return verdict.stopped is not None, -value, -verdict.scored.net, verdict.place


def _not_compared(ctx: Context, verdicts: Sequence[Verdict], most: int) -> Iterator[str]:
    may = sum(verdict.stopped is None for verdict in verdicts)
    if by_mode(ctx) and may > most:
        mode = ctx.rules.evaluation.mode
        yield (
            f"{may:,d} sequences may be a plan; the {most:,d} best by the score of today were "
            f"compared by {mode}. Set evaluation.compared for more."
        )


def create(
    request: CreatePlanRequest,
    steps: Steps = LOCAL,
    observe: Observe | None = None,
    note: Callable[[Iterable[Timing]], None] = lambda _: None,
    calculations: Calculations | None = None,
) -> CreatePlanResponse:
    """The plan of a request, what making it took, and the whole document.

    steps   who carries the pipeline
    note    is told what its parts took
    calculations   of plans before
    """
    case, assumed = requests.order_of(request.record())
    counts = Counts(observe)
    start = steps.clock()
    plan = plan_case(case, steps, counts.tell, assumed, calculations)
    seconds = steps.clock() - start
    note(plan.timings)
    return response_of(plan, counts, seconds, request.parameters.beam_width)


@dataclass
class Counts:
    """What the steps of one plan told, handed on to `observe`; a restart counts anew."""

    observe: Observe | None = None
    opportunities: int = 0
    generated: int = 0
    evaluated: int = 0
    batches: int = 0

    def tell(self, event: Event) -> None:
        """Hear an event."""
        match event:
            case OpportunitiesIdentified(candidates=count):
                self.opportunities = count
            case SequenceGenerationStarted():
                self.evaluated = self.batches = 0
            case BatchScored(sequences=count):
                self.evaluated, self.batches = self.evaluated + count, self.batches + 1
            case SequenceGenerationCompleted(sequences=count):
                self.generated = count
        if self.observe is not None:
            self.observe(event)


def response_of(plan: Plan, counts: Counts, seconds: float, beam_width: int) -> CreatePlanResponse:
    """A plan as the documents have it."""
    evaluators = () if plan.transport is None else {*plan.transport.batches} - {HERE}
    stats = ExecutionStats(
        total_time_seconds=max(0.0, seconds),
        opportunities_identified=counts.opportunities,
        sequences_generated=counts.generated,
        sequences_evaluated=counts.evaluated,
        batches_processed=counts.batches,
        evaluators_used=len(evaluators),
    )
    return CreatePlanResponse(
        plan=_plan(plan, beam_width),
        stats=stats,
        plan_id=plan.plan_id,
        warnings=_texts(plan.warnings),
        problems=_texts(plan.problems),
        document=plan.document(),
    )


def _guard(case: Case) -> Guard:
    return Guard(case.disabled, bucket=case.snapshot.bucket, findings=Findings())


def _ready(
    case: Case, guard: Guard, symbols: Iterable[str] = ()
) -> tuple[Context, Objective, Strategy]:
    """Context and objective of a case; `symbols` must be in it."""
    case, _, ctx = context_of(case, guard.findings, also=symbols)
    for symbol in sorted(symbols):
        if symbol not in ctx.place:
            raise InputError(
                f"{symbol} has no price that may be used, so no order in it can be judged. "
                "Nothing was evaluated; give its price, and the rate of its currency.",
                code="order_without_price",
                place=symbol,
                hint="give its price, and the rate of its currency",
            )
    ctx = within(ctx, case.strategy.most_orders)
    return ctx, objective_of(ctx, case.strategy, guard), case.strategy


def _listed(table: Candidates, j: int) -> dict[str, Proposal]:
    """List of the documents -> who asked for a row there."""
    lists: dict[str, Proposal] = {}
    for proposal in table.proposals[j]:
        lists.setdefault(_list_of(proposal.source, table.side(j)), proposal)
    return lists


def _list_of(source: str, side: Side) -> str:
    if source == "weight_based":
        return "rebalance_buys" if side is Side.BUY else "rebalance_sells"
    return source if source in CATEGORIES else BY_SIDE[side]


def _source_of(action: Action, category: str) -> str:
    """Who asked for a stated trade: the calculator that `identify` puts first into its tags."""
    first = next(iter(action.tags), "")
    ours = first in modules(Kind.OPPORTUNITY) or first in ASKED
    side = Side(action.side.lower())
    return first if ours and _list_of(first, side) == category else category


def _action(
    case: Case, ctx: Context, table: Candidates, j: int, proposal: Proposal
) -> ActionCandidateModel:
    i, quantity = int(table.security[j]), table.quantity[j]
    security = ctx.securities[i]
    price = float(case.market.quotes[security.symbol].price)
    return ActionCandidateModel(
        side="BUY" if table.is_buy[j] else "SELL",
        symbol=security.symbol,
        name=security.name,
        quantity=float(quantity),
        price=price,
        value_eur=float(quantity) * float(ctx.prices[i] * ctx.fx[i]),
        currency=security.currency,
        priority=float(table.priority[j]),
        reason=proposal.why.text,
        tags=tuple(dict.fromkeys((proposal.source, *proposal.tags))),
        paired_priority=float(table.together[j]),
    )


def _stated(action: Action, category: str = WHO) -> Stated:
    source = _source_of(action, category)
    proposal = Proposal(source, say("{reason:text}", reason=action.reason), action.tags)
    quantity = Decimal(str(action.quantity))
    quantity = quantity.to_integral_value() if quantity == int(quantity) else quantity
    return Stated(
        action.symbol,
        Side(action.side.lower()),
        quantity,
        action.priority,
        action.paired_priority,
        (proposal,),
    )


def _generated(asked: Asked, case: Case) -> Iterator[Sequences]:
    """Sequences, batch by batch; a module that fails late is done without, what is sent stays."""
    stated = [
        (_stated(action, category), ActionCandidateModel.of(action))
        for category, listed in asked.opportunities.items()
        for action in listed
    ]
    guard, sent = _guard(case), set[frozenset[Key]]()
    while True:
        try:
            yield from _sequences(case, stated, asked, sent, guard)
            return
        except FailedLate as failed:
            if failed.module in guard.gone:
                raise
            guard = guard.without(failed)


def _sequences(
    case: Case,
    stated: Sequence[tuple[Stated, ActionCandidateModel]],
    asked: Asked,
    sent: set[frozenset[Key]],
    guard: Guard,
) -> Iterator[Sequences]:
    least = asked.filters["min_sequence_value"]
    most = asked.filters["max_sequence_value"] or math.inf
    ctx, objective, strategy = _ready(case, guard, {order.symbol for order, _ in stated})
    orders = [order for order, _ in stated]
    table = stated_table(ctx, objective, orders, strategy, guard)
    first = {order.key: action for order, action in reversed(stated)}
    names = keys(ctx, table)
    for batch in local(asked.batch_size).generate(ctx, table, strategy, guard).batches:
        rows = [[names[j] for j in row if j != PAD] for row in batch.rows.tolist()]
        # what must be traded is in the table; what nobody stated is no sequence of theirs
        rows = [row for row in rows if all(key in first for key in row)]
        rows = [row for row in rows if least <= sum(first[key].value_eur for key in row) <= most]
        fresh = [row for row in rows if frozenset(row) not in sent]
        sent |= {frozenset(row) for row in fresh}
        if fresh:
            yield tuple(tuple(first[key] for key in row) for row in fresh)


def _batch(
    number: int, sequences: Sequences, warnings: tuple[str, ...], *, more: bool
) -> SequenceBatch:
    return SequenceBatch(
        batch_number=number,
        sequences=sequences,
        total_batches=None if more else number + 1,
        more_available=more,
        warnings=warnings,
    )


def _result(
    ctx: Context, sequence: tuple[ActionCandidateModel, ...], verdict: Verdict
) -> SequenceEvaluationResult:
    scored, stopped = verdict.scored, verdict.stopped
    terms = {term.name: term.value for term in scored.evaluation.terms}
    cost, tax, hurdle = scored.charges
    total = scored.evaluation.score - cost - tax - hurdle
    paid = scored.cost * ctx.value
    further = {} if verdict.value is None else {"value": verdict.value}
    by_value = ctx.rules.evaluation.mode != FRONTIER
    bought = sum(action.value_eur for action in sequence if action.side == "BUY")
    return SequenceEvaluationResult(
        sequence=sequence,
        end_state_score=total,
        diversification_score=terms.get("diversification", 0.0),
        risk_score=terms.get("stability", 0.0),
        total_score=further.get("value", total) if by_value else total,
        total_cost=paid,
        cash_required=bought + paid,
        feasible=stopped is None,
        metrics={
            **terms,
            "improvement": scored.net,
            "cost": cost,
            "tax": tax,
            "orders": hurdle,
            **verdict.figures,
            **further,
        },
        stopped_by=None if stopped is None else _stopped_by(verdict),
    )


def _stopped_by(verdict: Verdict) -> StoppedBy | None:
    stopped = verdict.stopped
    if stopped is None:
        return None
    drop = stopped.drop
    return StoppedBy(
        rule=drop.rule,
        value=drop.value,
        limit=drop.limit,
        message=drop.why.text,
        symbol=stopped.symbol,
    )


def _plan(plan: Plan, beam_width: int) -> HolisticPlanModel:
    score = plan.score
    terms = {term.name: term.plan for term in score.terms}
    total = float(score.plan - score.charges.total)
    bought = sum((step.notional_base for step in plan.steps if step.side is Side.BUY), Decimal(0))
    return HolisticPlanModel(
        steps=tuple(_steps(plan)),
        narrative=f"{plan.verdict.text} {plan.verdict.detail}".strip(),
        total_score=total,
        end_state_score=total,
        diversification_score=float(terms.get("diversification", 0.0)),
        risk_score=float(terms.get("stability", 0.0)),
        total_cost=float(plan.costs.total),
        cash_required=float(bought + plan.costs.total),
        feasible=True,
        metadata=PlanMetadata(beam_size=beam_width, best_sequence_length=len(plan.steps)),
    )


def _steps(plan: Plan) -> Iterator[HolisticStepModel]:
    cost = change = Decimal(0)
    priorities = {row.id: row.priority for row in plan.candidates}
    for step in plan.steps:
        cost += step.costs.total
        sold = step.side is Side.SELL
        change += (step.notional_base if sold else -step.notional_base) - step.costs.total
        action = ActionCandidateModel(
            side="SELL" if sold else "BUY",
            symbol=step.symbol,
            name=step.name,
            quantity=float(step.quantity),
            price=float(step.price),
            value_eur=float(step.notional_base),
            currency=step.currency,
            priority=float(priorities.get(step.candidate or "", 0.0)),
            reason=step.reason,
            tags=step.tags,
        )
        yield HolisticStepModel(
            step_number=step.n,
            action=action,
            narrative=step.narrative,
            reason=step.reason,
            cumulative_cost=float(cost),
            cumulative_cash_change=float(change),
        )


def _texts(notices: Iterable[Notice]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(notice.message for notice in notices))
