"""The calls of a plugin's modules: asked in the worker, read by the type of the answer, checked by
the contract of their kind.

Every function here may raise ModuleError: the planner then names the module and goes on without it.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from steelyard.arrays import FloatArray, IntArray
from steelyard.errors import DeadlineStruck, ModuleError
from steelyard.modules import contract
from steelyard.modules.context import Context
from steelyard.modules.plugins import codec
from steelyard.modules.plugins.channel import Array
from steelyard.modules.plugins.worker import Worker
from steelyard.modules.registry import Kind, Module
from steelyard.modules.terms import BlackBox, Raw, Term

PATIENCE = 6
"""How many times the deadline of one question all questions to one answer may take together."""
STREAM_ROWS = 5_000_000


class Kept:
    """A function that stays in the worker until nobody holds this."""

    def __init__(self, worker: Worker, number: int, gives: Any) -> None:
        self._worker, self._number, self._gives = worker, number, gives
        self._start = worker.starts
        self._spent = 0.0
        weakref.finalize(self, worker.dropped.append, number).atexit = False

    def __call__(self, *args: Any) -> Any:
        """Ask it; ModuleError when its worker has ended, DeadlineStruck when all is too long."""
        if self._worker.starts != self._start:
            raise ModuleError("its worker has ended since it answered", code="worker_gone")
        most = PATIENCE * self._worker.seconds
        if self._spent > most:
            how = f"over {most:g} s together ({PATIENCE} times plugins.seconds)"
            raise DeadlineStruck(
                f"its answers took {how}; it is not asked again", code="plugin_answers_slow"
            )
        start = time.monotonic()
        try:
            answer = self._worker.ask("apply", {"kept": self._number, "args": args})
        finally:
            self._spent += time.monotonic() - start
        return read(self._worker, self._gives, *answer)


def read(worker: Worker, hint: Any, value: Any, arrays: Sequence[Array]) -> Any:
    """An answer of a worker, by its hint."""
    return codec.Reader(lambda number, gives: Kept(worker, number, gives), arrays).read(hint, value)


def call_of(worker: Worker, module: Module) -> Callable[..., Any]:
    """The function of a module: takes and gives what a built-in one of its kind does."""
    hint = contract.ANSWERS[module.kind, module.form]

    def call(ctx: Context, *inputs: Any) -> Any:
        *inner, params = inputs
        table, *more = inner or (None,)
        records = {"context": ctx} if table is None else {"context": ctx, "table": table}
        values = params.model_dump_json(by_alias=True)
        facts = {"module": module.qualified, "params": values, "inputs": tuple(records)}
        answer = read(worker, hint, *worker.ask("call", {**facts, "more": more}, records))
        return contract.checked(module, ctx, table, _ready(answer, module), proven=False)

    return call


def judge_of(worker: Worker, module: Module) -> Callable[[str], Any]:
    """What the module's own model says of parameters, as JSON; see `params.Judged`."""
    living = weakref.ref(worker)  # a class is forgotten late, and a worker ends with its modules

    def judge(values: str) -> Any:
        asked = living()
        if asked is None:
            raise ModuleError("its worker has ended", code="worker_gone")
        return asked.ask("params", {"module": module.qualified, "params": values})[0]

    return judge


def _ready(answer: Any, module: Module) -> Any:
    """An answer that need not be asked twice, and cannot go on without end.

    Of a part with arrays the arrays count: its formula is made from them.
    """
    if isinstance(answer, Term):
        absent: Any = None
        parts = (
            replace(part, raw=_once(part.raw) if isinstance(part.shape, BlackBox) else absent)
            for part in answer.parts
        )
        return replace(answer, parts=tuple(parts))
    return _counted(answer) if module.kind is Kind.SEQUENCE else answer


def _once(formula: Raw) -> Raw:
    """The formula, asked once for each end state: a score must not change while it is read."""
    figures: dict[tuple[bytes, float], float] = {}

    def raw(weights: FloatArray, cash: float) -> float:
        place = (weights.tobytes(), cash)
        if place not in figures:
            figures[place] = formula(weights, cash)
        return figures[place]

    return raw


def _counted(blocks: Iterator[IntArray]) -> Iterator[IntArray]:
    """Blocks of a generator, ended when all together are too many; an empty one counts too."""
    count = 0
    for block in blocks:
        count += max(len(block), 1)
        if count > STREAM_ROWS:
            raise ModuleError(
                f"it gave more than {STREAM_ROWS:,} sequences; it is asked no more",
                code="too_many_sequences",
                limit=STREAM_ROWS,
            )
        yield block
