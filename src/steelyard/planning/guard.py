"""Who runs a module: is it in service, are its inputs there, how long it takes, what if it fails.

A module that fails costs only itself: the plan names it and goes on. One that fails after something
was made with its answer (a row predicate, a ranking, the formula of a score term, a generator after
its first block) has the plan made again as without it: `settled`. So has a filter that fails
closed, see `blocking`: the plan is made again without the sides that it guards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic, Literal, ParamSpec, TypeVar

from steelyard.errors import DeadlineStruck, FailedLate, one_line
from steelyard.modules.context import Context
from steelyard.modules.registry import Module, ModuleParams, Need
from steelyard.notices import ModuleRun, Notice
from steelyard.planning.findings import Findings
from steelyard.telemetry.events import CalculatorFailure, ModuleFinished, PlanningRestarted
from steelyard.telemetry.logs import log_failure, log_module

if TYPE_CHECKING:
    from steelyard.calculations.cache import Calculations

T = TypeVar("T")
P = ParamSpec("P")

LONGEST_ERROR = 500
"""Characters of an error of a module that a plan keeps: it is anybody's text, of any length."""

Outcome = Literal["ok", "nothing", "no_input", "failed", "disabled"]

NEED_MISSING: Mapping[Need, str] = {
    "target_weights": "no target weights were given",
    "no_target_weights": "target weights were given",
    "market_regime": "the market regime is unknown",
    "wash_sale_days": "lots.wash_sale_days is 0",
    "tax_rate": "score.tax_rate is 0",
}


@dataclass(frozen=True, slots=True)
class Run(Generic[T]):
    """What came of running a module; `value` is None where it did not run or failed."""

    outcome: Outcome
    value: T | None = None


@dataclass
class Guard:
    """Runs modules for one plan, and reports each run to `findings`.

    disabled   name or qualified name of a module out of service -> why
    gone       qualified name -> error of the modules that failed late and are done without
    bucket     whose plan it is, for the log; None logs nothing
    late       did a deadline end a module? Then another machine may plan otherwise
    broken     qualified names of the modules that raised in this run: not to be asked again in it
    calculations   what was calculated before; None = nothing is kept
    """

    disabled: Mapping[str, str] = field(default_factory=dict)
    gone: Mapping[str, str] = field(default_factory=dict)
    bucket: str | None = None
    findings: Findings = field(default_factory=Findings)
    late: bool = False
    broken: set[str] = field(default_factory=set)
    calculations: Calculations | None = None

    def run(
        self,
        module: Module,
        ctx: Context,
        params: ModuleParams,
        work: Callable[[ModuleParams], T],
        count: Callable[[T], int],
    ) -> Run[T]:
        """Run a module, time it, and let its failure cost only itself.

        work    what to do with the parameters
        count   how many things the result holds
        """
        hindered = self.hindered(module, ctx)
        if hindered is not None:
            return Run(hindered)
        clock = self.findings.clock
        start = clock()
        try:
            with self.findings.timed(module.qualified):
                value = work(params)
                number = count(value)
        except FailedLate:
            raise  # another module's answer failed inside of this one
        except Exception as error:  # noqa: BLE001 a module of any quality may fail in any way
            self.failed(module, error, clock() - start)
            return Run("failed")
        return Run(self.finished(module, number, clock() - start), value)

    def hindered(self, module: Module, ctx: Context) -> Outcome | None:
        """What keeps a module from running, noted: out of service, failed late, no input."""
        reason = self.disabled.get(module.qualified, self.disabled.get(module.name))
        if reason is not None:
            self._note(module, "disabled", None, reason)
            self._problem(module, "module_disabled", f"is out of service: {reason}")
            return "disabled"
        if module.qualified in self.gone:
            self._failed(module, self.gone[module.qualified], 0.0)
            return "failed"
        missing = [need for need in module.needs if not has(ctx, need)]
        if missing:
            self.idle(module, NEED_MISSING[missing[0]])
            return "no_input"
        return None

    def idle(self, module: Module, why: str) -> None:
        """Note that a module has nothing to work on."""
        self._note(module, "no_input", None, why)

    def finished(self, module: Module, count: int, seconds: float) -> Outcome:
        """Note that a module is done with `count` things."""
        outcome: Outcome = "ok" if count else "nothing"
        self._note(module, outcome, count, None, seconds)
        return outcome

    def failed(self, module: Module, error: Exception, seconds: float = 0.0) -> None:
        """Note that a module raised before anything was made with its answer."""
        self.late |= isinstance(error, DeadlineStruck)
        self.broken.add(module.qualified)
        if self.bucket is not None:
            log_failure(self.bucket, module.qualified, error)
        self._failed(module, error_text(error), seconds)

    def without(self, failed: FailedLate) -> Guard:
        """The guard of the same plan without a module that failed late.

        What was reported is forgotten with the work that was in vain; timings stay.
        """
        begun = Findings(self.findings.observe, self.findings.clock, timings=self.findings.timings)
        gone = {**self.gone, failed.module: failed.told}
        late = self.late or failed.struck
        if self.bucket is not None:
            log_failure(self.bucket, failed.module, failed.__cause__ or failed)
        self.findings.tell(PlanningRestarted(failed.module))
        return replace(self, gone=gone, findings=begun, late=late, broken=set())

    def _failed(self, module: Module, why: str, seconds: float) -> None:
        self._note(module, "failed", None, why, seconds)
        self._problem(module, "module_failed", f"failed: {why}")

    def _problem(self, module: Module, code: str, what: str) -> None:
        message = f"The module {module.qualified} {what}"
        self.findings.problems.append(Notice(code=code, message=message, module=module.qualified))

    def _note(
        self,
        module: Module,
        outcome: Outcome,
        count: int | None,
        error: str | None,
        seconds: float = 0.0,
    ) -> None:
        kind, name = module.kind.value, module.name
        self.findings.runs.append(
            ModuleRun(
                kind=kind, name=name, version=module.version,
                count=count, error=error, outcome=outcome,
            )
        )  # fmt: skip
        if outcome == "failed":
            self.findings.tell(CalculatorFailure(kind, name, module.version, error or ""))
        else:
            self.findings.tell(ModuleFinished(kind, name, count, outcome, error))
        if self.bucket is not None:
            log_module(self.bucket, module.qualified, outcome, count, seconds)


def settled(work: Callable[[Guard], T], guard: Guard) -> T:
    """What `work` gives; done again, as without it, for each module that fails late."""
    while True:
        try:
            return work(guard)
        except FailedLate as failed:
            if failed.module in guard.gone:
                raise
            guard = guard.without(failed)


def kept_to(module: Module, answer: Callable[P, T]) -> Callable[P, T]:
    """The function that a module answered with; what it raises is the module's FailedLate."""

    def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return answer(*args, **kwargs)
        except Exception as error:
            raise failed_late(module, error) from error

    return asked


def failed_late(module: Module, error: Exception) -> FailedLate:
    """What to raise where a module fails after something was made with its answer."""
    struck = isinstance(error, DeadlineStruck)
    return FailedLate(module.qualified, error_text(error), struck=struck)


def error_text(error: Exception) -> str:
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
    if need == "wash_sale_days":
        return ctx.lots.wash_sale_days > 0
    if need == "tax_rate":
        return ctx.score.tax_rate > 0
    return (ctx.target_weights is not None) is (need == "target_weights")
