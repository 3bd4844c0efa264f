"""What the stages report besides their result: stops, problems, warnings, coverage, module runs,
timings.

One collector per plan, handed from stage to stage; nothing in it steers the plan.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from steelyard.errors import DeadlineStruck, FailedLate, one_line
from steelyard.modules.context import Context
from steelyard.modules.registry import Module, ModuleParams, Need
from steelyard.notices import Coverage, ModuleRun, Notice, Stop, Timing
from steelyard.telemetry.events import Event, ModuleFinished, Observe, StageFinished
from steelyard.telemetry.logs import log_module

T = TypeVar("T")
P = ParamSpec("P")

LONGEST_ERROR = 500
"""Characters of an error of a module that a plan keeps: it is anybody's text, of any length."""


@dataclass
class Findings:
    """The collector. `clock` only times; `disabled` maps a module's name or qualified name to a
    reason.

    bucket   whose plan it is, for the log; None logs nothing
    """

    disabled: Mapping[str, str] = field(default_factory=dict)
    bucket: str | None = None
    observe: Observe | None = None
    clock: Callable[[], float] = time.perf_counter
    stops: list[Stop] = field(default_factory=list)
    problems: list[Notice] = field(default_factory=list)
    warnings: list[Notice] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)
    runs: list[ModuleRun] = field(default_factory=list)
    timings: list[Timing] = field(default_factory=list)
    late: bool = False
    """Did a deadline end a module? Then another machine may plan otherwise."""
    proposers: dict[tuple[int, ...], list[str]] = field(default_factory=dict)
    """Sequence -> the modules that proposed it."""
    gone: dict[str, str] = field(default_factory=dict)
    """Qualified name -> error of the modules that failed late: the plan is made as without them."""

    def tell(self, event: Event) -> None:
        """Pass an event on to whoever observes."""
        if self.observe is not None:
            self.observe(event)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Note how long the block took."""
        start = self.clock()
        try:
            yield
        finally:
            self.timings.append(Timing(name=name, seconds=round(self.clock() - start, 6)))

    def finished(self, stage: str, count: int) -> None:
        """A stage is done."""
        self.tell(StageFinished(stage, count))

    def ran(
        self,
        module: Module,
        outcome: Any,
        count: int | None,
        error: str | None = None,
        seconds: float = 0.0,
    ) -> None:
        """Note what a module did, and how long it took."""
        run = ModuleRun(
            kind=module.kind,
            name=module.name,
            version=module.version,
            count=count,
            error=error,
            outcome=outcome,
        )
        self.runs.append(run)
        self.tell(ModuleFinished(run.kind, run.name, count, outcome, error))
        if self.bucket is not None:
            log_module(self.bucket, module.qualified, outcome, count, seconds)

    def failed(self, module: Module, error: Exception, seconds: float = 0.0) -> None:
        """Note that a module raised; what it proposed before stays."""
        self.late |= isinstance(error, DeadlineStruck)
        self._failed(module, told(error), seconds)

    def _failed(self, module: Module, why: str, seconds: float = 0.0) -> None:
        self.ran(module, "failed", None, why, seconds)
        self.problems.append(
            Notice(
                code="module_failed",
                message=f"The module {module.qualified} failed: {why}",
                module=module.qualified,
            )
        )

    def may_run(self, module: Module, ctx: Context) -> bool:
        """False, and noted, for a module that is out of service, failed late or lacks an input that
        it needs.
        """
        named = next(
            (name for name in (module.qualified, module.name) if name in self.disabled), None
        )
        if named is not None:
            reason = self.disabled[named]
            self.ran(module, "disabled", None, reason)
            message = f"The module {module.qualified} is out of service: {reason}"
            self.problems.append(
                Notice(code="module_disabled", message=message, module=module.qualified)
            )
            return False
        if module.qualified in self.gone:
            self._failed(module, self.gone[module.qualified])
            return False
        missing = [need for need in module.needs if not has(ctx, need)]
        if missing:
            self.ran(module, "no_input", None, NEED_MISSING[missing[0]])
            return False
        return True

    def guarded(
        self,
        module: Module,
        ctx: Context,
        params: ModuleParams,
        work: Callable[[ModuleParams], T],
        count: Callable[[T], int],
    ) -> T | None:
        """Run a module, time it, and let its failure cost only itself.

        work    what to do with the parameters
        count   how many things the result holds
        returns the result, None when it did not run or failed; why stands in `runs` and `problems`
        """
        if not self.may_run(module, ctx):
            return None
        start = self.clock()
        try:
            with self.timed(module.qualified):
                result = work(params)
                number = count(result)
        except FailedLate:
            raise  # another module's answer failed inside of this one
        except Exception as error:  # noqa: BLE001 a module of any quality may fail in any way; the plan names it and goes on
            self.failed(module, error, self.clock() - start)
            return None
        self.ran(module, "ok" if number else "nothing", number, seconds=self.clock() - start)
        return result

    def settled(self, work: Callable[[], T]) -> T:
        """What `work` gives; done again, as without it, for each module that fails late.

        What the modules before it had reported is forgotten with the work that was in vain; timings
        stay.
        """
        reports: tuple[list[Any], ...] = (
            self.stops,
            self.problems,
            self.warnings,
            self.coverage,
            self.runs,
        )
        marks = [len(report) for report in reports]
        while True:
            try:
                return work()
            except FailedLate as failed:
                if failed.module in self.gone:
                    raise
                self.gone[failed.module] = failed.told
                self.late |= failed.struck
                for report, mark in zip(reports, marks, strict=True):
                    del report[mark:]
                self.proposers.clear()


def kept_to(module: Module, answer: Callable[P, T]) -> Callable[P, T]:
    """The function that a module answered with; whatever it raises later is a FailedLate of that
    module.
    """

    def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return answer(*args, **kwargs)
        except Exception as error:
            raise FailedLate(
                module.qualified, told(error), struck=isinstance(error, DeadlineStruck)
            ) from error

    return asked


def told(error: Exception) -> str:
    """An error as a plan names it: one line, cut; of one that cannot be read its kind alone."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 the text of an error is a module's own code too
        text = "an error without a text"
    return one_line(f"{type(error).__name__}: {text}", LONGEST_ERROR)


def has(ctx: Context, need: Need) -> bool:
    """Does the context have what a module needs?"""
    if need == "market_regime":
        return ctx.regime.name != "unknown"
    return (ctx.target_weights is not None) is (need == "target_weights")


NEED_MISSING: Mapping[Need, str] = {
    "target_weights": "no target weights were given",
    "no_target_weights": "target weights were given",
    "market_regime": "the market regime is unknown",
}
