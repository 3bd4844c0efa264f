"""The generator's stream as batches: read while they are wanted, and no further.

Where a stream breaks, the next instance sends it again from its start, and what came before is
passed over: every generator makes the same batches of one context. Where none is, they are made
here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Any

from steelyard.errors import InputError, ServiceError, SteelyardError
from steelyard.modules.candidates import Batch
from steelyard.planning.guard import Guard
from steelyard.planning.proposals import Proposals, Row
from steelyard.services.carriage.calls import read, unanswered
from steelyard.services.carriage.carried import (
    Told,
    batch_of,
    events_of,
    garbled,
    note_others,
    noted,
)
from steelyard.services.carriage.carrier import Carrier, Parcel, nobody
from steelyard.services.carriage.messages import GenerateAsked, LineForm
from steelyard.services.topology import Instance

AHEAD = 2
"""Lines that are read before they are wanted."""
Line = LineForm | ServiceError


@dataclass
class Source(Iterator[Batch]):
    """Batches of one plan, in order; iterate it once, and `close` it.

    here       makes the proposals in this process; raises ServiceError where that may not be
    where      the address that the last batch came from
    """

    carrier: Carrier
    parcel: Parcel
    batch_size: int
    here: Callable[[ServiceError], Proposals]
    proposers: dict[Row, list[str]] = field(default_factory=dict)
    where: str = ""
    _before: dict[int, tuple[Told, ...]] = field(default_factory=dict)
    _last: LineForm | None = None
    _stopped: bool = False
    _pending: tuple[Future[None], Future[Line]] | None = None

    def __post_init__(self) -> None:
        """Nothing is asked for before the first batch is wanted."""
        self._batches = self._made()

    def __next__(self) -> Batch:
        """The next batch; what is told beside it waits for `tell` and `finish`."""
        return next(self._batches)

    def stop(self) -> None:
        """Wait for nothing any more: whoever waits for a batch gets none."""
        self._stopped = True
        for future in self._pending or ():
            future.cancel()

    def close(self) -> None:
        """End the stream, after whoever waited for a batch."""
        self._batches.close()

    def _made(self) -> Generator[Batch]:
        count, failure = 0, nobody("generator", "none may be asked now.")
        for instance in self.carrier.in_turn("generator"):
            try:
                for line in self._lines(instance):
                    self.where = instance.url
                    if line.number > count or (line.end is not None and line.number < count):
                        raise unanswered(instance, f"it sent batch {line.number} for {count}")
                    if line.end is not None:
                        self._last = line
                        return
                    if line.number == count:
                        yield self._batch(line)
                        count += 1
            except (ServiceError, InputError) as error:
                failure = _as_service(instance.url, error)
        yield from self._made_here(count, failure)

    def _batch(self, line: LineForm) -> Batch:
        task = self.parcel.task
        depth, m = task.ctx.search.max_depth, task.whole.m
        before = events_of(line)
        batch = batch_of(line, depth, m, self.proposers)
        self._before[batch.number] = before
        return batch

    def _made_here(self, count: int, failure: ServiceError) -> Iterator[Batch]:
        """The batches from this number on; who proposed what is known when all were made."""
        proposals = self.here(failure)
        for batch in proposals.batches:
            if self._stopped:
                return
            if batch.number >= count:
                yield batch
        self.proposers.clear()
        self.proposers.update(proposals.proposers)

    def tell(self, number: int, guard: Guard) -> None:
        """What was told before a batch was made."""
        for event in self._before.pop(number, ()):
            guard.findings.tell(event)

    def finish(self, guard: Guard) -> None:
        """What the last line says: who else proposed what, and the report; raises FailedLate."""
        if self._last is None or self._last.end is None:
            return
        try:
            if self._last.end.late is None and self._last.end.refused is None:
                note_others(self._last, self.proposers)
            noted(self._last.end, guard)
        except (ServiceError, InputError) as error:
            self._stopped = False  # nobody else waits any more
            for _ in self._made_here(self._last.number, _as_service(self.where, error)):
                pass
        else:
            guard.findings.carried["generator"] = self.where

    def _lines(self, instance: Instance) -> Iterator[LineForm]:
        """The lines of one instance's stream; raises ServiceError where it breaks."""
        queue = asyncio.Queue[Line](AHEAD)
        reading = self.carrier.loop.begin(self._read(instance, queue))
        try:
            while True:
                line = self._line(reading, queue)
                if isinstance(line, ServiceError):
                    raise line
                yield line
                if line.end is not None:
                    return
        finally:
            reading.cancel()

    def _line(self, reading: Future[None], queue: asyncio.Queue[Line]) -> Line:
        """The next one; raises CancelledError after `stop`, and whatever ended the reading."""
        line = self.carrier.loop.begin(queue.get())
        self._pending = reading, line
        if self._stopped:
            line.cancel()
        both: tuple[Future[Any], ...] = reading, line
        wait(both, return_when=FIRST_COMPLETED)
        if reading.done() and not line.done():
            reading.result()
        return line.result()

    async def _read(self, instance: Instance, queue: asyncio.Queue[Line]) -> None:
        """Put lines into a queue that has room for few: a slow reader slows the generator."""
        seconds = self.carrier.topology.generator.timeout_seconds
        asked = GenerateAsked(context=self.parcel.sha256, batch_size=self.batch_size)
        try:
            async with self.carrier.stream(
                "generator", instance, "generate", asked, self.parcel, seconds
            ) as lines:
                while True:
                    async with asyncio.timeout(seconds):
                        text = await anext(lines, None)
                    if text is None:
                        raise unanswered(instance, "its stream ended before its last line")
                    line = read(instance, text, LineForm)
                    await queue.put(line)
                    if line.end is not None:
                        return
        except TimeoutError:
            await queue.put(unanswered(instance, f"no line within {seconds:g} s"))
        except ServiceError as error:
            await queue.put(error)


def _as_service(where: str, error: SteelyardError) -> ServiceError:
    """What a generator sent could not be used, whoever noticed that."""
    return error if isinstance(error, ServiceError) else garbled(f"what is none, {where}: {error}")
