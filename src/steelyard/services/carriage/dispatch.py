"""Batches to evaluators: one with each at a time, the most promising first, in any order back.

    source ──▶ waiting ──▶ in flight, one an evaluator ──▶ ready ──▶ in the order of the source
                  ▲                 │ no answer, nonsense, too late
                  └─────────────────┘ and that evaluator is asked no more in this plan

When nothing waits any more, what takes longest is sent to an idle evaluator too: the first answer
counts, for all are the same. With no evaluator at all the rest is evaluated here, or left out and
said.
"""

from __future__ import annotations

import asyncio
import heapq
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AsyncExitStack
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from steelyard.arrays import PAD, FloatArray
from steelyard.errors import ServiceError
from steelyard.modules.candidates import Batch, Candidates, Scores
from steelyard.notices import Notice
from steelyard.planning.findings import HERE
from steelyard.planning.guard import Guard
from steelyard.planning.keep import TIE
from steelyard.planning.solve import score_batch, tell_scores
from steelyard.services.carriage.calls import read, unanswered
from steelyard.services.carriage.carrier import Call, Carrier, Parcel
from steelyard.services.carriage.messages import BatchForm, ScoresForm, rows_form
from steelyard.services.carriage.sources import Source
from steelyard.services.topology import Instance

AHEAD = 2
"""Batches that wait beside those in flight, of which the most promising goes first."""
SLOW, LEAST_PATIENCE = 4.0, 0.25
"""So many times the usual time, and at least so many seconds, until a batch is sent once more."""
FIRST_SHARE = 0.25
"""Of a batch's deadline, until its first batch is sent once more."""
SMOOTHING = 0.2
SHOWN = 5
"""Numbers of batches that a notice lists."""


@dataclass(frozen=True, slots=True)
class Flight:
    """A batch with an evaluator since a time of the clock; `place` in the order of the source."""

    place: int
    batch: Batch
    instance: Instance
    since: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What an evaluator made of a batch, and the seconds that it had it."""

    scores: Scores
    seconds: float


@dataclass
class Dispatch:
    """One evaluation of one plan.

    out        addresses that are asked no more -> why
    deadline   by the carrier's clock; None = no end
    """

    carrier: Carrier
    parcel: Parcel
    table: Candidates
    guard: Guard
    out: dict[str, str]
    deadline: float | None
    _waiting: list[tuple[float, int, Batch]] = field(default_factory=list)
    _flights: dict[Future[Answer], Flight] = field(default_factory=dict)
    _ready: dict[int, Scores | None] = field(default_factory=dict)
    _took: list[float] = field(default_factory=list)
    _left: list[Batch] = field(default_factory=list)
    _pulled: int = 0
    _cut: bool = False
    _seen: set[int] = field(default_factory=set)
    _failures: dict[str, str] = field(default_factory=dict)
    _slow: dict[str, str] = field(default_factory=dict)

    def run(self, batches: Iterable[Batch]) -> Iterator[Scores]:
        """Scores of every batch, in the order of the source; what is left out has none.

        However it ends, nothing of it goes on: no request, no thread.
        """
        source = iter(batches)
        context = copy_context()

        def following() -> Batch | None:
            return context.run(lambda: next(source, None))

        try:
            with ThreadPoolExecutor(1, "steelyard batches") as puller:
                try:
                    yield from self._scored(batches, lambda: puller.submit(following))
                finally:
                    self._stop(batches)
        finally:
            if isinstance(batches, Source):
                batches.close()
        if isinstance(batches, Source) and not self._cut:
            batches.finish(self.guard)
        self._say()

    def _stop(self, batches: Iterable[Batch]) -> None:
        """Whoever is asked, or waits for a batch, is waited for no more."""
        for future in self._flights:
            future.cancel()
        if isinstance(batches, Source):
            batches.stop()

    def _scored(
        self, batches: Iterable[Batch], pulled: Callable[[], Future[Batch | None]]
    ) -> Iterator[Scores]:
        pull: Future[Batch | None] | None = pulled()
        next_place = 0
        while pull is not None or self._waiting or self._flights or self._ready:
            self._send()
            pull = self._step(pull, pulled)
            while next_place in self._ready:
                scores = self._ready.pop(next_place)
                next_place += 1
                if scores is not None:
                    shown, start = self._shown(scores, batches), self.carrier.clock()
                    yield shown
                    self.carrier.meters.beam(self.carrier.clock() - start)

    def _shown(self, scores: Scores, batches: Iterable[Batch]) -> Scores:
        """Tell of a batch, after what was told while it was made."""
        if isinstance(batches, Source):
            batches.tell(scores.number, self.guard)
        tell_scores(scores, self.guard.findings)
        return scores

    def _step(
        self, pull: Future[Batch | None] | None, again: Callable[[], Future[Batch | None]]
    ) -> Future[Batch | None] | None:
        """Wait for one thing to happen: a batch comes, an answer comes, or one is overdue."""
        if not self._flights and self._waiting and not self._idle():
            self._here()
            return pull
        if pull is not None and self._late() and not pull.done():
            self._cut = True
            return None
        wants = pull is not None and (pull.done() or len(self._waiting) < AHEAD + len(self._idle()))
        futures: set[Future[object]] = {*self._flights}  # type: ignore[arg-type]
        if wants and pull is not None:
            futures.add(pull)  # type: ignore[arg-type]
        if not futures:
            return pull
        wait(futures, self._patience(), FIRST_COMPLETED)
        for flight in [each for each in self._flights if each.done()]:
            if flight in self._flights:
                self._landed(flight)
        if pull is not None and wants and pull.done():
            batch = pull.result()
            if batch is None:
                return None
            heapq.heappush(self._waiting, (-self._promise(batch), self._pulled, batch))
            self._pulled += 1
            return again()
        return pull

    def _promise(self, batch: Batch) -> float:
        """The largest appeal of an order in a batch: what is evaluated first."""
        real = batch.rows[batch.rows != PAD]
        return float(self.table.appeal[real].max(initial=0.0))

    def _idle(self) -> list[Instance]:
        """Evaluators that may be asked and have no batch of this plan."""
        busy = {flight.instance.url for flight in self._flights.values()}
        usable = self.carrier.in_turn("evaluator", [*self.out, *busy])
        return [] if self._late() else usable

    def _late(self) -> bool:
        return self.deadline is not None and self.carrier.clock() >= self.deadline

    def _send(self) -> None:
        """A batch to every idle evaluator; to one that is over, what takes longest."""
        for instance in self._idle():
            if self._waiting:
                _, place, batch = heapq.heappop(self._waiting)
                self._fly(place, batch, instance)
            elif (slow := self._overdue()) is not None:
                self._fly(slow.place, slow.batch, instance)
        self.carrier.meters.queue(len(self._waiting))

    def _fly(self, place: int, batch: Batch, instance: Instance) -> None:
        flight = Flight(place, batch, instance, self.carrier.clock())
        self._flights[self.carrier.loop.begin(self._ask(flight))] = flight

    async def _ask(self, flight: Flight) -> Answer:
        """The scores of a batch by one evaluator, when it has no other; raises ServiceError."""
        batch, instance = flight.batch, flight.instance
        seconds = self.carrier.topology.batch_seconds
        if self.deadline is not None:
            seconds = min(seconds, max(LEAST_PATIENCE, self.deadline - flight.since))
        asked = BatchForm(
            context=self.parcel.sha256, number=batch.number, rows=rows_form(batch.rows)
        )
        call = Call("evaluate", asked, partial(self._scores, batch))
        async with AsyncExitStack() as turn:
            try:
                async with asyncio.timeout(seconds):
                    await turn.enter_async_context(self.carrier.turn(instance))
            except TimeoutError as error:
                raise unanswered(instance, f"another plan's batch took {seconds:.3g} s") from error
            start = self.carrier.clock()
            left = max(LEAST_PATIENCE, seconds - (start - flight.since))
            scores = await self.carrier.ask("evaluator", instance, call, self.parcel, left)
            return Answer(scores, self.carrier.clock() - start)

    def _scores(self, batch: Batch, instance: Instance, content: bytes) -> Scores:
        """The scores of an answer; raises ServiceError, InputError for what cannot be theirs."""
        form = read(instance, content, ScoresForm)
        net = np.asarray(form.net.array(), dtype=np.float64)
        if form.number != batch.number or net.shape != (len(batch.rows),):
            why = f"it scored batch {batch.number} as {net.shape} of batch {form.number}"
            raise unanswered(instance, why)
        if not (np.isfinite(net) | (net == -np.inf)).all():
            raise unanswered(instance, f"its scores of batch {batch.number} are no numbers")
        self._tried(batch, instance, net)
        return Scores(batch.number, batch.rows, net)

    def _tried(self, batch: Batch, instance: Instance, net: FloatArray) -> None:
        """Calculate the best of a batch, and one more, here too; raises ServiceError."""
        if not len(net):
            return
        some = [int(net.argmax()), batch.number % len(net)]
        own = score_batch(self.table, replace(batch, rows=batch.rows[some])).net
        if not np.allclose(own, net[some], rtol=0, atol=TIE):
            why = f"it scored sequences of batch {batch.number} as {net[some]} that are {own}"
            raise unanswered(instance, why)

    def _overdue(self) -> Flight | None:
        """The last sent of the batch that is longest with evaluators, if that is unusually long."""
        newest = {flight.place: flight for flight in self._flights.values()}
        oldest = min(newest.values(), key=lambda flight: flight.since, default=None)
        if oldest is None or self.carrier.clock() - oldest.since < self._usual():
            return None
        return oldest

    def _usual(self) -> float:
        """Seconds after which a batch takes unusually long."""
        if not self._took:
            return max(LEAST_PATIENCE, FIRST_SHARE * self.carrier.topology.batch_seconds)
        return max(LEAST_PATIENCE, SLOW * statistics.median(self._took))

    def _patience(self) -> float | None:
        """Seconds until something may be overdue."""
        if self.deadline is not None:
            return LEAST_PATIENCE
        over = not self._waiting and self._flights and self._idle()
        return min(LEAST_PATIENCE, self._usual()) if over else None

    def _landed(self, future: Future[Answer]) -> None:
        flight = self._flights.pop(future)
        where = flight.instance.url
        try:
            answer = future.result()
        except ServiceError as error:
            self.out[where] = self._failures[where] = error.fault.value or str(error)
            others = any(other.place == flight.place for other in self._flights.values())
            if not others and flight.place not in self._seen:
                heapq.heappush(
                    self._waiting, (-self._promise(flight.batch), flight.place, flight.batch)
                )
            return
        self._took.append(answer.seconds)
        self._arrived(flight.place, answer.scores, where, answer.seconds)
        for other in [each for each, its in self._flights.items() if its.place == flight.place]:
            self._outrun(other, flight)

    def _arrived(self, place: int, scores: Scores, where: str, seconds: float) -> None:
        """The first answer of a batch counts."""
        self._seen.add(place)
        self._ready[place] = scores
        self.guard.findings.batches[where] += 1
        self.carrier.meters.batch(seconds, where)
        if where != HERE and len(scores.net):
            before, now = self.carrier.seconds_a_row, seconds / len(scores.net)
            self.carrier.seconds_a_row = now if not before else before + SMOOTHING * (now - before)

    def _outrun(self, future: Future[Answer], by: Flight) -> None:
        """Whoever was asked for the same is waited for no more; if before, it was too slow."""
        flight = self._flights.pop(future)
        future.cancel()
        if flight.since < by.since:
            seconds = self.carrier.clock() - flight.since
            why = f"no answer within {seconds:.3g} s, when another had answered"
            self.carrier.calls.circuits.failed(flight.instance, why)
            self.out[flight.instance.url] = self._slow[flight.instance.url] = why

    def _here(self) -> None:
        """No evaluator may be asked: the first that waits is evaluated in this process."""
        _, place, batch = heapq.heappop(self._waiting)
        if self.carrier.topology.fallback == "none" or self._late():
            self._left.append(batch)
            self._seen.add(place)
            self._ready[place] = None
            return
        start = self.carrier.clock()
        scores = score_batch(self.table, batch)
        self._arrived(place, scores, HERE, self.carrier.clock() - start)

    def _say(self) -> None:
        """What did not go as it should: said in the plan."""
        findings, here = self.guard.findings, self.guard.findings.batches[HERE]
        why, slow = _listed(self._failures), _listed(self._slow)
        if self._left or self._cut:
            findings.problems.append(self._not_evaluated(why))
            self.guard.late = True
        elif here:
            message = (
                f"{here} of {self._pulled} batches were evaluated by the planner itself, for no "
                f"evaluator answered ({why or 'all were out of service'}). The plan is the same."
            )
            findings.warnings.append(Notice(code="evaluated_here", message=message))
        elif why:
            message = f"An evaluator was lost ({why}). Others did its work; the plan is the same."
            findings.warnings.append(Notice(code="evaluator_lost", message=message))
        if slow:
            message = f"An evaluator was slow ({slow}). Another was faster; the plan is the same."
            findings.warnings.append(Notice(code="evaluator_slow", message=message))

    def _not_evaluated(self, why: str) -> Notice:
        numbers = sorted(batch.number for batch in self._left)
        count = sum(len(batch.rows) for batch in self._left)
        listed = ", ".join(map(str, numbers[:SHOWN])) + (", …" if len(numbers) > SHOWN else "")
        cause = "the time was up" if self._late() else why or "all were out of service"
        if self._cut:
            return Notice(
                code="not_evaluated",
                message=(
                    f"The time was up when {self._pulled} batches had been made: the rest was not "
                    f"made, and {len(numbers)} of them were not evaluated. A better sequence may "
                    "be among what is missing."
                ),
            )
        return Notice(
            code="not_evaluated",
            message=(
                f"{len(numbers)} of {self._pulled} batches were not evaluated (numbers {listed}: "
                f"{count:,} sequences), for no evaluator answered: {cause}. A better sequence may "
                "be among them."
            ),
        )


def _listed(reasons: Mapping[str, str]) -> str:
    """Addresses, each with why."""
    return "; ".join(f"{where}: {reason}" for where, reason in sorted(reasons.items()))
