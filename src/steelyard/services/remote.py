"""`Remote(topology)`: the steps of a plan as calls to services, and what is done where none is.

    find_opportunities   POST /opportunity/identify    one instance, another where it fails
    generate             POST /generator/generate      a stream; it goes on from another instance
    evaluate             POST /evaluator/evaluate      see `dispatch`
    prove                POST /evaluator/prove         a second one is asked where the first is slow

The plan is the same whoever did the work, and here where nobody did: then a warning says so. With
`fallback = "none"` nothing is done here: the plan fails, or names what was not evaluated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import stamina

from steelyard.errors import InputError, ServiceError, SteelyardError, one_line
from steelyard.modules.candidates import Batch, Candidates, Scores
from steelyard.modules.context import Context
from steelyard.notices import Notice
from steelyard.planning.findings import HERE
from steelyard.planning.guard import Guard
from steelyard.planning.keep import Pool
from steelyard.planning.proof import Evidence, Search, prove
from steelyard.planning.proposals import Proposals, generate
from steelyard.planning.score.objective import Objective
from steelyard.planning.solve import Steps, evaluate_batches
from steelyard.planning.wishes import completed, find_opportunities
from steelyard.services.carriage.calls import UNANSWERED, reading
from steelyard.services.carriage.carried import Proved, evidence_of, taken
from steelyard.services.carriage.carrier import Call, Carrier, Parcel, nobody
from steelyard.services.carriage.context import Task
from steelyard.services.carriage.dispatch import Dispatch
from steelyard.services.carriage.messages import Asked, Message, ProveAsked, StepForm, rows_form
from steelyard.services.carriage.records import ArrayForm
from steelyard.services.carriage.sources import Source
from steelyard.services.carriage.watching import watch
from steelyard.services.house import House
from steelyard.services.security.tokens import own_token
from steelyard.services.topology import Instance, Name, Topology
from steelyard.strategies import Strategy

T = TypeVar("T")
ATTEMPTS = 3
"""The documents' retries: of one call, over all instances."""
FIRST_WAIT, LONGEST_WAIT = 0.05, 1.0
"""Seconds between two attempts."""
SMALLEST, LARGEST, BATCH_SECONDS = 500, 1_000, 1.0
"""Sequences of a batch, and the seconds that one aims at."""
HEDGED = 0.5
"""Of a batch's deadline, until another evaluator is asked for the proof too."""
LONGEST_WHY = 300
"""Characters of an error that a notice repeats."""
stamina.instrumentation.set_on_retry_hooks(())
"""Its own lines would go to the output of who plans; the plan says what failed."""


class Remote(Steps):
    """Steps that services carry, for any number of plans at once; `close` it at the end."""

    carrier: Carrier

    def __init__(self, topology: Topology, token: str, carrier: Carrier | None = None) -> None:
        carrier = carrier or Carrier(topology, lambda: token)
        super().__init__(**vars(Journey(carrier, lasting=False).steps()))
        object.__setattr__(self, "carrier", carrier)

    def close(self) -> None:
        """Close every connection."""
        self.carrier.close()


def carried(carrier: Carrier, seconds: float | None = None) -> Steps:
    """The steps of one plan: what failed once is not asked again in it.

    seconds   that it has from now on: what is not evaluated by then is left out, and said
    """
    return Journey(carrier, seconds).steps()


def carry_from(house: House) -> None:
    """Have what is planned in a house carried by the services of its topology."""
    carrier = Carrier(house.topology, lambda: own_token(house), meters=house.meters)
    seconds = house.topology.coordinator.timeout_seconds
    house.steps = lambda: carried(carrier, seconds)
    house.ending.append(carrier.close)
    watching = carrier.loop.begin(watch(carrier.calls))
    house.ending.append(watching.cancel)


@dataclass
class Journey:
    """One plan on its way.

    seconds   that it has, from `begun` on by the carrier's clock; None = no end
    lasting   is it of one plan? Else who failed is asked again after a while
    out       addresses that failed in this plan -> why
    since     when that was forgotten last, by the carrier's clock
    """

    carrier: Carrier
    seconds: float | None = None
    lasting: bool = True
    out: dict[str, str] = field(default_factory=dict)
    since: float = 0.0

    def __post_init__(self) -> None:
        """Its time runs from now on."""
        self.begun = self.carrier.clock()

    def steps(self) -> Steps:
        """Its four calls."""
        return Steps(
            self.find_opportunities,
            self.generate,
            self.evaluate,
            self.prove,
            self.carrier.clock,
        )

    def find_opportunities(
        self, ctx: Context, objective: Objective, strategy: Strategy, guard: Guard
    ) -> Candidates:
        """The finished table, made by the opportunity service."""
        self._forget()

        def there(parcel: Parcel) -> Candidates:
            asked = Asked(context=parcel.sha256)
            form = self._retried("opportunity", "identify", asked, parcel, guard)
            table = taken(Candidates, form, guard)
            return completed(ctx, objective, table, strategy, guard)

        def here() -> Candidates:
            return find_opportunities(ctx, objective, strategy, guard)

        return self._done("opportunity", Task.of(ctx, strategy, guard), guard, there, here)

    def generate(
        self, ctx: Context, table: Candidates, strategy: Strategy, guard: Guard
    ) -> Proposals:
        """Batches of the generator service's stream, read while they are wanted."""
        size = self._batch_size()

        def here(failure: ServiceError | None = None) -> Proposals:
            if failure is not None:
                self._here("generator", guard, failure)
            return generate(ctx, table, strategy, guard, size)

        def there(parcel: Parcel) -> Proposals:
            source = Source(self.carrier, parcel, size, here)
            return Proposals(source, source.proposers)

        task = Task.of(ctx, strategy, guard, table)
        return self._done("generator", task, guard, there, here)

    def evaluate(
        self,
        ctx: Context,
        table: Candidates,
        batches: Iterable[Batch],
        strategy: Strategy,
        guard: Guard,
    ) -> Iterator[Scores]:
        """Scores of every batch, by all evaluators at once."""

        def there(parcel: Parcel) -> Iterator[Scores]:
            dispatch = Dispatch(self.carrier, parcel, table, guard, self.out, self._last_call(ctx))
            return dispatch.run(batches)

        def here() -> Iterator[Scores]:
            return evaluate_batches(table, batches, guard.findings)

        task = Task.of(ctx, strategy, guard, table)
        return self._done("evaluator", task, guard, there, here)

    def prove(
        self, ctx: Context, objective: Objective, table: Candidates, pool: Pool, search: Search
    ) -> Evidence:
        """The search, by one evaluator; a second is asked where the first takes long."""
        guard = search.guard
        task = Task.of(ctx, search.strategy, guard, table)

        def there(parcel: Parcel) -> Evidence:
            asked = ProveAsked(
                context=parcel.sha256,
                rows=rows_form(pool.rows),
                net=ArrayForm.of(pool.net),
                seen=pool.seen,
            )
            where, form = self.carrier.loop.result(self._first(asked, parcel))
            guard.findings.carried["prove"] = where.url
            return evidence_of(task, search.domain, taken(Proved, form, guard))

        def here() -> Evidence:
            return prove(ctx, objective, table, pool, search)

        return self._done("evaluator", task, guard, there, here)

    def _forget(self) -> None:
        """Of many plans: who failed is asked again after as long as a circuit stays open."""
        now = self.carrier.clock()
        if not self.lasting and now - self.since > self.carrier.topology.open_seconds:
            self.out.clear()
            self.since = now

    def _done(
        self,
        name: Name,
        task: Task,
        guard: Guard,
        there: Callable[[Parcel], T],
        here: Callable[[], T],
    ) -> T:
        """A step by a service; here where no service does it and that may be, and said."""
        try:
            return there(self.carrier.parcel(task))
        except (ServiceError, InputError) as error:
            self._here(name, guard, error)
        return here()

    def _here(self, name: Name, guard: Guard, error: SteelyardError) -> None:
        """Say that a step is done in this process; raises the error where that may not be."""
        if self.carrier.topology.fallback == "none":
            raise error
        guard.findings.carried[name] = HERE
        message = (
            f"The planner did the work of the {name} service itself, for no use came of it: "
            f"{one_line(str(error), LONGEST_WHY)} The plan is the same."
        )
        notice = Notice(code="planned_here", message=message)
        if notice not in guard.findings.warnings:
            guard.findings.warnings.append(notice)

    def _batch_size(self) -> int:
        """As set, or from 500 to 1,000: as many as take about a second."""
        size, seconds = self.carrier.topology.batch_size, self.carrier.seconds_a_row
        if size is not None:
            return size
        rows = int(BATCH_SECONDS / seconds) if seconds else LARGEST
        return max(SMALLEST, min(LARGEST, rows))

    def _last_call(self, ctx: Context) -> float | None:
        """Until when batches are evaluated: the search needs time too, at most half of all."""
        if self.seconds is None:
            return None
        return self.begun + self.seconds - min(ctx.search.max_seconds, self.seconds / 2)

    def _retried(
        self, name: Name, path: str, asked: Message, parcel: Parcel, guard: Guard
    ) -> StepForm:
        """One answer within the service's time, from whichever instance gives it."""
        seconds = getattr(self.carrier.topology, name).timeout_seconds
        where, form = self.carrier.loop.result(self._attempts(name, path, asked, parcel, seconds))
        guard.findings.carried[name] = where.url
        return form

    async def _attempts(
        self, name: Name, path: str, asked: Message, parcel: Parcel, seconds: float
    ) -> tuple[Instance, StepForm]:
        end, call = self.carrier.clock() + seconds, Call(path, asked, reading(StepForm))
        async for attempt in stamina.retry_context(
            on=_may_be_asked_again,
            attempts=ATTEMPTS,
            timeout=seconds,
            wait_initial=FIRST_WAIT,
            wait_max=LONGEST_WAIT,
            wait_jitter=FIRST_WAIT,
        ):
            with attempt:
                instances = self.carrier.in_turn(name)
                if not instances:
                    raise nobody(name, "its circuits are open.")
                # one that is still leaves time for those after it
                others = min(len(instances), ATTEMPTS - attempt.num + 1)
                left = max(FIRST_WAIT, (end - self.carrier.clock()) / others)
                form = await self.carrier.ask(name, instances[0], call, parcel, left)
                return instances[0], form
        raise nobody(name, "no attempt was made.")

    async def _first(self, asked: ProveAsked, parcel: Parcel) -> tuple[Instance, StepForm]:
        """The first proof that comes; each that fails, or takes long, has another asked."""
        waiting = self.carrier.in_turn("evaluator", tuple(self.out))
        running: dict[asyncio.Task[StepForm], Instance] = {}
        failures: list[str] = []
        try:
            while waiting or running:
                if waiting:
                    instance = waiting.pop(0)
                    running[asyncio.create_task(self._prove(instance, asked, parcel))] = instance
                patience = HEDGED * self.carrier.topology.batch_seconds if waiting else None
                done, _ = await asyncio.wait(
                    running, timeout=patience, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    instance = running.pop(task)
                    if task.exception() is None:
                        return instance, task.result()
                    failures.append(str(task.exception()))
                    self.out[instance.url] = failures[-1]
        finally:
            for task, instance in running.items():
                if not task.cancel() and not task.cancelled():
                    task.exception()  # it failed at the same moment: nobody asks for it any more
                self.out[instance.url] = "another was faster"
        raise nobody("evaluator", " ".join(failures) or "their circuits are open.")

    async def _prove(self, instance: Instance, asked: ProveAsked, parcel: Parcel) -> StepForm:
        seconds = self.carrier.topology.evaluator.timeout_seconds
        call = Call("prove", asked, reading(StepForm))
        return await self.carrier.ask("evaluator", instance, call, parcel, seconds)


def _may_be_asked_again(error: Exception) -> bool:
    """No answer is no answer; a refusal is one."""
    return isinstance(error, ServiceError) and error.fault.code == UNANSWERED
