"""Typed events: what happened, as plain values without a clock; docs/events.md is made from here.

Planning, the store and the command line tell them; whoever subscribes gets them as `PlannerEvent`,
with time, bucket and correlation id, see `recorder`. Each fact is one event. The first line of a
class says when it happens, the lines below what its fields mean, in this order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class PlannerEvent:
    """An event as it is kept and passed on.

    timestamp        with offset
    bucket_id        "" where it is of no bucket
    event_type       name of what happened, see docs/events.md
    data             plain JSON values
    correlation_id   the same for all events of one run
    """

    timestamp: datetime
    bucket_id: str
    event_type: str
    data: Mapping[str, Any]
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """What the typed events share.

    told_by   who tells it, for the catalogue
    """

    told_by: ClassVar[str]


Observe = Callable[[Event], None]


# planning


class PlanningEvent(Event):
    """Of one plan in the making; the same ones in the same order whatever carries the pipeline."""

    __slots__ = ()
    told_by = "planning"


@dataclass(frozen=True, slots=True)
class PlanningStarted(PlanningEvent):
    """A plan is begun.

    strategy   name of the rules
    version    of a stored strategy; null for a file and for the default
    as_of      the date that the plan is made for
    """

    strategy: str
    version: int | None
    as_of: str


@dataclass(frozen=True, slots=True)
class ModuleLoadFailed(PlanningEvent):
    """A module that the strategy names could not be had: a plugin that did not load.

    code      of the problem, as in the plan
    message   what was not loaded, and why
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ModuleFinished(PlanningEvent):
    """A module returned, had nothing to work on, or is out of service; see also CalculatorFailure.

    kind      opportunity_calculators, pattern_generators, sequence_generators, filters, score_terms
    name      of the module
    count     of what it returned; null where it did not run
    outcome   ok, nothing, no_input or disabled
    reason    why it did not run; null where it did
    """

    kind: str
    name: str
    count: int | None
    outcome: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class CalculatorFailure(PlanningEvent):
    """A module of any kind failed, and the plan goes on without it.

    kind      opportunity_calculators, pattern_generators, sequence_generators, filters, score_terms
    name      of the module
    version   of the module
    error     kind and text of what it raised, in one line
    """

    kind: str
    name: str
    version: str
    error: str


@dataclass(frozen=True, slots=True)
class PlanningRestarted(PlanningEvent):
    """The plan is begun again as without a module, whose answer failed when it was used.

    module   its kind and name
    """

    module: str


@dataclass(frozen=True, slots=True)
class OpportunitiesIdentified(PlanningEvent):
    """The table of possible orders is complete.

    candidates   rows of the table
    """

    candidates: int


@dataclass(frozen=True, slots=True)
class SequenceGenerationStarted(PlanningEvent):
    """Patterns and generators are asked for sequences; it is lazy, and scoring goes on meanwhile.

    candidates   rows of the table that they draw from
    """

    candidates: int


@dataclass(frozen=True, slots=True)
class SequenceEvaluationStarted(PlanningEvent):
    """The first sequences are scored.

    terms   score terms that are summed
    """

    terms: int


@dataclass(frozen=True, slots=True)
class BatchScored(PlanningEvent):
    """A batch of sequences was evaluated.

    number      of the batch, from 0
    sequences   in the batch
    feasible    of them: those that the account can pay for
    """

    number: int
    sequences: int
    feasible: int


@dataclass(frozen=True, slots=True)
class BestSequenceUpdated(PlanningEvent):
    """A better sequence is known, from a batch or from the search.

    old      gain in score, after charges, of the best before; 0 is that of holding
    new      the same of this one
    orders   in the sequence
    """

    old: float
    new: float
    orders: int


@dataclass(frozen=True, slots=True)
class SequenceGenerationCompleted(PlanningEvent):
    """Every pattern and generator has given what it has.

    sequences   distinct ones that the filters let through, that of no order among them
    """

    sequences: int


@dataclass(frozen=True, slots=True)
class SequenceEvaluationCompleted(PlanningEvent):
    """Every batch was scored.

    feasible   sequences that the account can pay for
    """

    feasible: int


@dataclass(frozen=True, slots=True)
class SearchCompleted(PlanningEvent):
    """The search beyond the proposals ended.

    nodes     branched
    stopped   which budget ended it; null where it ran to its end
    """

    nodes: int
    stopped: str | None


@dataclass(frozen=True, slots=True)
class PlanningCompleted(PlanningEvent):
    """The plan document is sealed.

    plan_id   of the plan
    orders    in it; 0 is a plan to hold
    gain      in score, after charges; 0 is that of holding
    """

    plan_id: str
    orders: int
    gain: float


@dataclass(frozen=True, slots=True)
class PlanningFailed(PlanningEvent):
    """There is no plan: what was asked for was refused.

    code    of the error
    error   its sentence, in one line
    """

    code: str
    error: str


# strategies


class StoreEvent(Event):
    """Of what is kept; told once the write is done."""

    __slots__ = ()
    told_by = "the store"


@dataclass(frozen=True, slots=True)
class StrategySaved(StoreEvent):
    """A version of a strategy was saved, and is the active one of its name.

    name      of the strategy
    version   1 for the first of the name
    title     for people
    sha256    of its text
    parent    version that it was made from; null for the first
    reason    why, in the words of who saved it
    """

    name: str
    version: int
    title: str
    sha256: str
    parent: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class StrategyRolledBack(StoreEvent):
    """A version was added that says what an older one says.

    name      of the strategy
    version   the new one
    to        the older one
    """

    name: str
    version: int
    to: int


@dataclass(frozen=True, slots=True)
class ConfigurationChanged(StoreEvent):
    """A bucket plans by another strategy or version: assigned, or the name that it follows moved.

    name          of the strategy
    version       by which it plans from now on
    old_name      of the strategy before; null where none was assigned
    old_version   before; null where none was assigned
    pinned        true: this version whatever is saved; false: the active one of the name
    """

    name: str
    version: int
    old_name: str | None
    old_version: int | None
    pinned: bool


@dataclass(frozen=True, slots=True)
class PlannerSequencesGenerated(StoreEvent):
    """Of a plan that is made in slices every sequence was generated; they are evaluated now.

    has_sequences         are there any
    total_sequences       of the run
    evaluated_count       of them, in whatever process
    is_planning           is it still at work
    is_finished           is the plan made of all of them
    portfolio_hash        of what is owned and wanted
    progress_percentage   evaluated of all, 0 to 100
    run_key               of the run
    """

    has_sequences: bool
    total_sequences: int
    evaluated_count: int
    is_planning: bool
    is_finished: bool
    portfolio_hash: str
    progress_percentage: float
    run_key: str


@dataclass(frozen=True, slots=True)
class PlannerBatchComplete(StoreEvent):
    """Of a plan that is made in slices more is stored; every few seconds, and when a call ends.

    has_sequences         are there any
    total_sequences       of the run
    evaluated_count       of them, in whatever process
    is_planning           is it still at work
    is_finished           is the plan made of all of them
    portfolio_hash        of what is owned and wanted
    progress_percentage   evaluated of all, 0 to 100
    run_key               of the run
    """

    has_sequences: bool
    total_sequences: int
    evaluated_count: int
    is_planning: bool
    is_finished: bool
    portfolio_hash: str
    progress_percentage: float
    run_key: str


@dataclass(frozen=True, slots=True)
class PresetAdded(StoreEvent):
    """A preset of the user's own is in the library.

    name     of the preset
    kind     planner or satellite
    author   who made it; "" where nobody says so
    """

    name: str
    kind: str
    author: str


@dataclass(frozen=True, slots=True)
class PresetApplied(StoreEvent):
    """A preset was applied to a bucket or saved as a strategy.

    name   of the preset
    to     the bucket, or the file that begins with it
    """

    name: str
    to: str


# buckets, inputs and plans


@dataclass(frozen=True, slots=True)
class BucketCreated(StoreEvent):
    """There is a new bucket.

    kind            core or satellite
    status          see `steelyard bucket`
    target_weight   its aim, of the account's value
    """

    kind: str
    status: str
    target_weight: float


@dataclass(frozen=True, slots=True)
class BucketLoaded(StoreEvent):
    """Holdings and cash of a bucket were replaced by those of files.

    as_of              day of the newest prices
    holdings           securities that it holds
    value              base currency
    portfolio_sha256   of what it holds and its targets
    market_sha256      of the prices
    """

    as_of: str
    holdings: int
    value: str
    portfolio_sha256: str
    market_sha256: str


@dataclass(frozen=True, slots=True)
class BucketSettingsChanged(StoreEvent):
    """Settings of a bucket changed.

    version   of the settings
    changes   name -> value before and after
    """

    version: int
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CashTransferred(StoreEvent):
    """Money went from one bucket to another.

    to         the bucket that has it now
    currency   of the money
    amount     above 0
    """

    to: str
    currency: str
    amount: str


@dataclass(frozen=True, slots=True)
class InputsImported(StoreEvent):
    """Files were read for a bucket or a plan that is kept.

    files   name -> SHA-256
    """

    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PlanSaved(StoreEvent):
    """A plan is in the store.

    plan_id    of the plan
    strategy   name of the strategy
    version    of a stored strategy; null for a file and for the default
    action     act or hold
    orders     in it
    """

    plan_id: str
    strategy: str
    version: int | None
    action: str
    orders: int


@dataclass(frozen=True, slots=True)
class PlanApproved(StoreEvent):
    """A person stood behind a plan, or what became of that changed.

    plan_id   of the plan
    by        who: the id of their token
    state     stored, handed_over or refused
    run_id    that trades it; "" = none
    code      of why nothing was sent; "" = it was handed over
    """

    plan_id: str
    by: str
    state: str
    run_id: str
    code: str


@dataclass(frozen=True, slots=True)
class DatabaseUpgraded(StoreEvent):
    """The database has the form that this release needs.

    old   revision before; null for a new database
    new   revision now
    """

    old: str | None
    new: str


# engines


@dataclass(frozen=True, slots=True)
class EnginesDiffer(Event):
    """The planner and the reference engine differ on one portfolio, and nothing explains it.

    symbols   how many
    first     of them the first few, each with what differs
    action    what was done: log, alert or block
    """

    told_by = "engines"
    symbols: int
    first: Sequence[str]
    action: str


# instances


class InstanceEvent(Event):
    """Of planners that are kept ready in a process."""

    __slots__ = ()
    told_by = "planner instances"


@dataclass(frozen=True, slots=True)
class CacheCleared(InstanceEvent):
    """Planners that were ready were dropped.

    planners   how many
    """

    planners: int


# what plans cost


@dataclass(frozen=True, slots=True)
class PlanMeasured(Event):
    """A plan that is to be kept was made, and this is what it took.

    plan_id      of the plan
    seconds      that planning took
    peak_bytes   the most memory that its process had resident so far; null where none is counted
    cached       whether its strategy was ready from a plan before; null where none is kept ready
    reused       calculations that were had without work; null, as all below, without a cache
    calculated   those that were done
    evicted      results that went for those of this plan
    cache_bytes  of all results that were kept after it
    """

    told_by = "who plans"
    plan_id: str
    seconds: float
    peak_bytes: int | None
    cached: bool | None
    reused: int | None = None
    calculated: int | None = None
    evicted: int | None = None
    cache_bytes: int | None = None


# execution


class ExecutionEvent(Event):
    """Of the journal: in its chain, written in the transaction that it tells of."""

    __slots__ = ()
    told_by = "execution"


@dataclass(frozen=True, slots=True)
class RunStarted(ExecutionEvent):
    """A plan is to be traded: nothing was sent yet.

    run_id    of the run
    plan_id   of the plan
    account   where it trades
    mode      paper or live
    broker    name of the adapter
    orders    that the approved plan lists
    engine    settings that are frozen for the run
    """

    run_id: str
    plan_id: str
    account: str
    mode: str
    broker: str
    orders: int
    engine: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunStateChanged(ExecutionEvent):
    """A run went on.

    run_id   of the run
    old      state before
    new      state now
    reason   why, where it is not the usual way; "" = it is
    """

    run_id: str
    old: str
    new: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunEnded(ExecutionEvent):
    """A run is over.

    run_id    of the run
    state     DONE or ABORTED
    outcome   done, done_with_skips, partial, failed or not_started
    reason    why it was not all done; "" = it was
    """

    run_id: str
    state: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class LegStateChanged(ExecutionEvent):
    """An order of a run went on, or will not be sent.

    client_order_id   of the attempt
    step              of the plan
    attempt           1 for the first
    symbol            of the order
    side              buy or sell
    old               state before
    new               state now
    reason            why, where it is not the usual way; "" = it is
    """

    client_order_id: str
    step: int
    attempt: int
    symbol: str
    side: str
    old: str
    new: str
    reason: str


@dataclass(frozen=True, slots=True)
class OrderSubmitting(ExecutionEvent):
    """An order is on disk and is about to be sent: limit, good for the day.

    client_order_id   of the attempt
    symbol            of the order
    side              buy or sell
    quantity          shares
    limit_price       currency of the security
    reserved          money that it may take, base currency; 0 for a sale
    """

    client_order_id: str
    symbol: str
    side: str
    quantity: str
    limit_price: str
    reserved: str


@dataclass(frozen=True, slots=True)
class OrderAnswered(ExecutionEvent):
    """The broker answered an order, or did not.

    client_order_id   of the attempt
    answer            accepted, rejected or unknown
    broker_id         the broker's own; "" = none
    code              of a reject; "" = none
    message           in the broker's words
    """

    client_order_id: str
    answer: str
    broker_id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class FillBooked(ExecutionEvent):
    """An execution is in the books, once however often it was reported.

    account           where it was
    exec_id           the broker's
    client_order_id   of the order
    symbol            of the order
    side              buy or sell
    quantity          shares
    price             currency of the security
    value             money that changed hands, the broker's figure
    fee               what it cost
    currency          of value and fee
    """

    account: str
    exec_id: str
    client_order_id: str
    symbol: str
    side: str
    quantity: str
    price: str
    value: str
    fee: str
    currency: str


@dataclass(frozen=True, slots=True)
class RailsJudged(ExecutionEvent):
    """The rails were asked: before the run, or before an order is sent.

    scope    run or order
    subject  the run, or the client order id
    passed   how many let it through
    blocks   rail, code and why of each that did not
    """

    scope: str
    subject: str
    passed: int
    blocks: Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class PlanArmed(ExecutionEvent):
    """The arm of a plan changed.

    plan_id   of the plan
    account   for which it is
    state     requested, armed, used or expired
    amount    money that it is for, base currency
    """

    plan_id: str
    account: str
    state: str
    amount: str


@dataclass(frozen=True, slots=True)
class HaltChanged(ExecutionEvent):
    """The kill switch was engaged or lifted.

    engaged   is it now
    reason    why
    author    who did it
    """

    engaged: bool
    reason: str
    author: str


@dataclass(frozen=True, slots=True)
class Reconciled(ExecutionEvent):
    """Books and broker were compared.

    account   of the comparison
    run_id    of the run that it belongs to; "" = none
    clean     do they agree
    breaks    what does not, a line each
    """

    account: str
    run_id: str
    clean: bool
    breaks: Sequence[str]


@dataclass(frozen=True, slots=True)
class AccountFrozen(ExecutionEvent):
    """No run may begin in an account until somebody looked.

    account   that is frozen
    reason    why
    """

    account: str
    reason: str


@dataclass(frozen=True, slots=True)
class AccountReleased(ExecutionEvent):
    """Somebody looked, and runs may begin again.

    account   that was frozen
    reason    what was seen
    """

    account: str
    reason: str


@dataclass(frozen=True, slots=True)
class AlertRaised(ExecutionEvent):
    """Something that somebody should look at now.

    code      what kind
    message   the sentence
    account   of the run; "" = of none
    """

    code: str
    message: str
    account: str = ""


@dataclass(frozen=True, slots=True)
class CancelAsked(ExecutionEvent):
    """A person asked the broker to cancel open orders.

    account   of the orders
    orders    client order ids; the broker's own where they are not ours
    """

    account: str
    orders: Sequence[str]


@dataclass(frozen=True, slots=True)
class LimitLoosened(ExecutionEvent):
    """A run obeys a limit that lets through more than the built-in one.

    mode      paper or live
    limit     its name
    built_in  what it would be
    value     what it is
    """

    mode: str
    limit: str
    built_in: str
    value: str


@dataclass(frozen=True, slots=True)
class AccountOpened(ExecutionEvent):
    """The books of an account begin with what the broker has.

    account     of the broker
    positions   symbol to shares
    cash        currency to amount
    """

    account: str
    positions: Mapping[str, str]
    cash: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ActivityBooked(ExecutionEvent):
    """Shares or money changed without an order of ours, and the books have it.

    account       of the broker
    activity_id   the broker's, or the execution's
    kind          as the broker has it; EXECUTION = of somebody's order, ACKNOWLEDGED = by a person,
                  ROUNDING = within the tolerances
    symbol        whose shares changed; "" = none
    shares        signed change
    cash          currency to signed change
    """

    account: str
    activity_id: str
    kind: str
    symbol: str
    shares: str
    cash: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BucketFollowed(ExecutionEvent):
    """A run is over, and its stored bucket owns what is there now, or stays as it was.

    account   where it traded
    followed  is the bucket another now
    text      what people were told
    """

    account: str
    followed: bool
    text: str


@dataclass(frozen=True, slots=True)
class RunnerStarted(ExecutionEvent):
    """The process that holds broker keys takes plans from now on.

    pid     of the process
    build   which code it is
    """

    pid: int
    build: str


class WatchEvent(Event):
    """Of schedules: what is due, and who was told."""

    __slots__ = ()
    told_by = "watch"


@dataclass(frozen=True, slots=True)
class ScheduleChanged(WatchEvent):
    """The schedule of a bucket is another, gone, or muted.

    change  set, removed, muted or heard
    when    in words: of a schedule when it is due, of one that is muted until when
    author  who did it
    """

    change: str
    when: str
    author: str


@dataclass(frozen=True, slots=True)
class WatchDue(WatchEvent):
    """A bucket was due, or out of its bands, and something came of it.

    reason   calendar, one-time, missed or band
    due_at   when it was due; null of bands
    outcome  planned, refused, quiet or muted
    plan_id  of the plan that was made; null where none was
    """

    reason: str
    due_at: str | None
    outcome: str
    plan_id: str | None


@dataclass(frozen=True, slots=True)
class WatchMissed(WatchEvent):
    """Nobody looked when a bucket was due; it is planned once, and not as often as it was due.

    ticks   how many
    since   when the first of them was due
    until   when somebody looked
    """

    ticks: int
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class WatchTold(WatchEvent):
    """A channel took the message of a tick.

    channel  smtp, webhook or apprise
    tries    how often it was tried
    plan_id  that the message is of; null of a plan that was refused
    """

    channel: str
    tries: int
    plan_id: str | None


@dataclass(frozen=True, slots=True)
class WatchChannelFailed(WatchEvent):
    """A channel did not take the message of a tick.

    channel   smtp, webhook or apprise
    tries     how often it was tried
    given_up  is it tried no more
    message   why
    """

    channel: str
    tries: int
    given_up: bool
    message: str


PLANNING: tuple[type[Event], ...] = (
    PlanningStarted, ModuleLoadFailed, ModuleFinished, CalculatorFailure, PlanningRestarted,
    OpportunitiesIdentified, SequenceGenerationStarted, SequenceEvaluationStarted, BatchScored,
    BestSequenceUpdated, SequenceGenerationCompleted, SequenceEvaluationCompleted, SearchCompleted,
    PlanningCompleted, PlanningFailed,
)  # fmt: skip
STORE: tuple[type[Event], ...] = (
    StrategySaved, StrategyRolledBack, ConfigurationChanged, PresetAdded, PresetApplied,
    BucketCreated, BucketLoaded, BucketSettingsChanged, CashTransferred, InputsImported, PlanSaved,
    PlanApproved, PlannerSequencesGenerated, PlannerBatchComplete, DatabaseUpgraded,
)  # fmt: skip
EXECUTION: tuple[type[Event], ...] = (
    RunStarted, RunStateChanged, RunEnded, LegStateChanged, OrderSubmitting, OrderAnswered,
    FillBooked, RailsJudged, PlanArmed, HaltChanged, Reconciled, AccountFrozen, AccountReleased,
    AlertRaised, CancelAsked, LimitLoosened, AccountOpened, ActivityBooked, BucketFollowed,
    RunnerStarted,
)  # fmt: skip
WATCH: tuple[type[Event], ...] = (
    ScheduleChanged, WatchDue, WatchMissed, WatchTold, WatchChannelFailed,
)  # fmt: skip
EVENTS: tuple[type[Event], ...] = (
    *PLANNING, *STORE, EnginesDiffer, CacheCleared, PlanMeasured, *EXECUTION, *WATCH,
)  # fmt: skip
"""Every event, in the order of the catalogue."""
