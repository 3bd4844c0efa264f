"""What a step gives, as it travels: its result, what it reports besides, or the late failure.

On one side `run`, on the other `taken`: between them nothing is lost, and nothing is noted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeVar

import numpy as np

from steelyard.arrays import PAD, FloatArray, IntArray, frozen
from steelyard.errors import (
    FailedLate,
    Fault,
    InputError,
    InternalError,
    PlanRefused,
    ServiceError,
    SteelyardError,
)
from steelyard.modules.candidates import Batch, Candidates
from steelyard.notices import Coverage, ModuleRun, Notice, Stop, Timing
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard
from steelyard.planning.keep import Pool
from steelyard.planning.proof import ByLots, Evidence, Search, prove
from steelyard.planning.proposals import Proposals, Row, generate
from steelyard.planning.search.branch_and_bound import Proof
from steelyard.planning.search.lots import LotProof
from steelyard.planning.search.problem import Problem
from steelyard.planning.search.quantities import LotSearch
from steelyard.planning.search.relax import relaxation
from steelyard.planning.search.root_bound import Root
from steelyard.planning.search.unrestricted import Unrestricted
from steelyard.planning.solve import domain_if_sized
from steelyard.planning.wishes import find_opportunities
from steelyard.services.carriage.context import NO_TABLES, Task
from steelyard.services.carriage.messages import (
    FaultForm,
    LateForm,
    LineForm,
    RefusedForm,
    StepForm,
    rows_form,
)
from steelyard.services.carriage.records import ArrayForm, RecordForm, read, written
from steelyard.telemetry.events import (
    CalculatorFailure,
    Event,
    ModuleFinished,
    OpportunitiesIdentified,
)

T = TypeVar("T")
WITHOUT_PLAN: Mapping[str, type[SteelyardError]] = {
    "refused": PlanRefused,
    "internal": InternalError,
}
"""Kind of a refusal -> the error that it was."""
Note = Callable[[Iterable[Timing]], None]
"""Is told what the parts of a step took."""
Told = ModuleFinished | CalculatorFailure | OpportunitiesIdentified
"""The events of the steps that travel; of batches and the search the coordinator tells itself."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a step reports besides its result: see `Findings` and `Guard`."""

    stops: tuple[Stop, ...]
    problems: tuple[Notice, ...]
    warnings: tuple[Notice, ...]
    coverage: tuple[Coverage, ...]
    runs: tuple[ModuleRun, ...]
    timings: tuple[Timing, ...]
    events: tuple[Told, ...]
    broken: tuple[str, ...]
    late: bool


@dataclass(frozen=True, slots=True)
class Proved:
    """What the search gives, without the functions that it asked.

    pool, bound, nodes, stopped   of `Proof`; root_bound, mu, z of its root
    lots      the search over whole lots; None in the other scopes
    narrow    was that of the domain's own problem, not of the wider one?
    """

    pool: Pool
    bound: float
    nodes: int
    stopped: str | None
    root_bound: float
    mu: FloatArray
    z: FloatArray
    lots: LotProof | None
    narrow: bool
    candidates: int
    greedy: IntArray
    unrestricted: Unrestricted
    seconds: float


# where the work is done


def run(hint: Any, task: Task, work: Callable[[Guard], T], note: Note) -> StepForm:
    """A step's result and report; or the module that failed late. `note` gets what it took."""
    events: list[Event] = []
    guard = task.guard(Findings(events.append))
    try:
        result = work(guard)
    except FailedLate as failed:
        return StepForm(late=_late(failed))
    except (PlanRefused, InternalError) as error:
        return StepForm(refused=_refused(error), findings=_report(guard, events))
    finally:
        note(guard.findings.timings)
    return StepForm(result=written(hint, result), findings=_report(guard, events))


def identified(task: Task, note: Note) -> StepForm:
    """The candidate table of a task, without what is made anew where it arrives."""

    def work(guard: Guard) -> Candidates:
        table = find_opportunities(task.ctx, task.objective, task.strategy, guard)
        return replace(table, tables=NO_TABLES, predicates=())

    return run(Candidates, task, work, note)


def proved(task: Task, pool: Pool, clock: Callable[[], float], note: Note) -> StepForm:
    """The search of a task's scope."""

    def work(guard: Guard) -> Proved:
        ctx, objective, table = task.ctx, task.objective, task.whole
        domain = domain_if_sized(ctx, objective, table, task.strategy, guard)
        search = Search(domain, clock, task.strategy, guard)
        return _proved(prove(ctx, objective, table, pool, search))

    return run(Proved, task, work, note)


def _proved(evidence: Evidence) -> Proved:
    proof, lots = evidence.proof, evidence.lots
    return Proved(
        pool=proof.pool,
        bound=proof.bound,
        nodes=proof.nodes,
        stopped=proof.stopped,
        root_bound=proof.root.bound,
        mu=proof.root.mu,
        z=proof.root.z,
        lots=None if lots is None else lots.proof,
        narrow=lots is not None and lots.search.problem is lots.domain.problem,
        candidates=evidence.candidates,
        greedy=evidence.greedy,
        unrestricted=evidence.unrestricted,
        seconds=evidence.seconds,
    )


def lines(task: Task, batch_size: int, note: Note) -> Iterator[LineForm]:
    """The batches of a task, each made when it is asked for, then one line with the rest."""
    events: list[Event] = []
    guard = task.guard(Findings(events.append))
    names: dict[str, int] = {}
    number = 0
    try:
        proposals = generate(task.ctx, task.whole, task.strategy, guard, batch_size)
        for batch in proposals.batches:
            for name in batch.names:
                names.setdefault(name, len(names))
            yield LineForm(
                number=batch.number,
                events=_drained(events),
                rows=rows_form(batch.rows),
                origin=ArrayForm.of(batch.origin.astype(np.int32)),
                names=list(batch.names),
            )
            number = batch.number + 1
    except FailedLate as failed:
        yield LineForm(number=number, end=StepForm(late=_late(failed)))
        return
    except (PlanRefused, InternalError) as error:
        end = StepForm(refused=_refused(error), findings=_report(guard, events))
        yield LineForm(number=number, end=end)
        return
    finally:
        note(guard.findings.timings)
    yield _last(number, proposals, names, StepForm(findings=_report(guard, events)))


def _last(number: int, proposals: Proposals, names: dict[str, int], end: StepForm) -> LineForm:
    """Who else proposed which sequence, by the number of the sequence in the whole stream."""
    rows = [row for row in proposals.proposers if row]
    also = [
        (k, names.setdefault(name, len(names)))
        for k, row in enumerate(rows)
        for name in proposals.proposers[row][1:]
    ]
    pairs = np.array(also, dtype=np.int32).reshape(-1, 2)
    nothing = proposals.proposers.get((), [])
    return LineForm(
        number=number, names=list(names), also=ArrayForm.of(pairs), nothing=list(nothing), end=end
    )


def _drained(events: list[Event]) -> RecordForm:
    """What was told since the last line."""
    recent = tuple(event for event in events if isinstance(event, Told))
    events.clear()
    return written(tuple[Told, ...], recent)


def _late(failed: FailedLate) -> LateForm:
    return LateForm(module=failed.module, error=failed.told, struck=failed.struck)


def _refused(error: PlanRefused | InternalError) -> RefusedForm:
    kind: Literal["refused", "internal"] = (
        "refused" if isinstance(error, PlanRefused) else "internal"
    )
    forms = [FaultForm(**asdict(fault)) for fault in error.faults]
    return RefusedForm(kind=kind, fault=FaultForm(**asdict(error.fault)), faults=forms)


def _report(guard: Guard, events: Iterable[Event]) -> RecordForm:
    findings = guard.findings
    report = Report(
        stops=tuple(findings.stops),
        problems=tuple(findings.problems),
        warnings=tuple(findings.warnings),
        coverage=tuple(findings.coverage),
        runs=tuple(findings.runs),
        timings=tuple(findings.timings),
        events=tuple(event for event in events if isinstance(event, Told)),
        broken=tuple(sorted(guard.broken)),
        late=guard.late,
    )
    return written(Report, report)


# where the work was asked for


def taken(hint: Callable[..., T], form: StepForm, guard: Guard) -> T:
    """The result of a step, its report noted; raises FailedLate for a module that did there.

    What cannot be read is refused before anything of it is noted: the step is then done here.
    """
    result = None if form.result is None else read(hint, form.result)
    if result is not None or form.late is not None or form.refused is not None:
        noted(form, guard)
    if result is None:
        raise garbled("a step without a result")
    return result


def noted(form: StepForm, guard: Guard) -> None:
    """What a step reports is noted as if it had been done here.

    Raises FailedLate for a module that did; PlanRefused, InternalError where there is no plan.
    """
    if form.late is not None:
        raise FailedLate(form.late.module, form.late.error, struck=form.late.struck)
    if form.findings is None:
        raise garbled("a step without a report")
    report, findings = read(Report, form.findings), guard.findings
    findings.stops.extend(report.stops)
    findings.problems.extend(report.problems)
    findings.warnings.extend(report.warnings)
    findings.runs.extend(report.runs)
    findings.timings.extend(report.timings)
    for coverage in report.coverage:
        findings.lacks(coverage)
    for event in report.events:
        findings.tell(event)
    guard.broken.update(report.broken)
    guard.late |= report.late
    if form.refused is not None:
        raise _as_there(form.refused)


def _as_there(form: RefusedForm) -> SteelyardError:
    """The error that there was, to the letter."""
    faults = [Fault(**dict(fault)) for fault in form.faults]
    return WITHOUT_PLAN[form.kind](**dict(form.fault), faults=faults)


def batch_of(line: LineForm, depth: int, m: int, proposers: dict[Row, list[str]]) -> Batch:
    """The batch of a line; notes who proposed its sequences."""
    if line.rows is None or line.origin is None:
        raise garbled("a line that is neither a batch nor the last")
    rows, origin = indices(line.rows, depth, m), line.origin.array().astype(np.int64)
    inside = not len(origin) or 0 <= origin.min() <= origin.max() < len(line.names)
    if origin.shape != (len(rows),) or not inside:
        raise garbled("a batch whose sequences have no proposer")
    for cells, name in zip(rows.tolist(), origin.tolist(), strict=True):
        proposers[tuple(j for j in cells if j != PAD)] = [line.names[name]]
    return Batch(line.number, rows, frozen(origin), tuple(line.names))


def events_of(line: LineForm) -> tuple[Told, ...]:
    """What was told before the batch of a line."""
    return () if line.events is None else read(tuple[Told, ...], line.events)


def note_others(line: LineForm, proposers: dict[Row, list[str]]) -> None:
    """Who else proposed each sequence, as the last line says."""
    rows, pairs = [*proposers], None if line.also is None else line.also.array()
    if pairs is None or pairs.shape != (len(pairs), 2):
        raise garbled("a last line without proposers")
    for k, name in pairs.tolist():
        if not (0 <= k < len(rows) and 0 <= name < len(line.names)):
            raise garbled(f"a proposer {name} of a sequence {k}")
        proposers[rows[k]].append(line.names[name])
    if line.nothing:
        proposers[()] = list(line.nothing)


def indices(form: ArrayForm, depth: int, m: int) -> IntArray:
    """Rows (k, depth) of a table of m candidates; raises InputError for any others."""
    rows = form.array()
    inside = not rows.size or PAD <= rows.min() <= rows.max() < m
    if rows.dtype.kind != "i" or rows.shape != (len(rows), depth) or not inside:
        raise InputError(
            f"The rows are {rows.dtype} of shape {rows.shape}; indices of shape (k, {depth}) into "
            f"a table of {m} candidates are due. Nothing was calculated.",
            code="rows_unusable",
            place="rows",
            value=rows.shape,
            limit=f"(k, {depth}) of -1 to {m - 1}",
        )
    return frozen(rows.astype(np.int64))


def evidence_of(task: Task, domain: Any, answer: Proved) -> Evidence:
    """What the search met, with the problems that its lists are of made anew."""
    table = task.whole
    problem = Problem(table.tables, table.account, task.ctx.search.max_depth, table.predicates)
    root = Root(relaxation(problem), answer.root_bound, answer.mu, answer.z)
    lots = None
    if answer.lots is not None and domain is not None:
        searched = domain.problem if answer.narrow or domain.wider is None else domain.wider
        lots = ByLots(domain, LotSearch.of(searched), answer.lots)
    return Evidence(
        proof=Proof(answer.pool, answer.bound, root, answer.nodes, answer.stopped),
        lots=lots,
        candidates=answer.candidates,
        greedy=answer.greedy,
        unrestricted=answer.unrestricted,
        seconds=answer.seconds,
    )


def garbled(what: str) -> ServiceError:
    """What a service sent and no service of this build sends."""
    return ServiceError(
        f"A service sent {what}. Nothing of it was used. Run one build everywhere.",
        code="service_garbled",
        value=what,
        hint="run one build everywhere",
    )
