"""The planning context: all that a service must know of one plan, as bytes under their hash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from pydantic import ValidationError

from steelyard.calculations.cache import Calculations
from steelyard.canonical import sha256
from steelyard.errors import InputError, OtherBuild, one_line
from steelyard.modules import registry
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.plugins import Loaded
from steelyard.modules.registry import Kind, Module
from steelyard.modules.tables import Tables
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard
from steelyard.planning.score.objective import Objective, objective_of
from steelyard.planning.wishes import completed
from steelyard.runs.code import code_sha256
from steelyard.services.carriage.fitting import fitted
from steelyard.services.carriage.messages import ChoiceForm, ContextForm, StrategyForm
from steelyard.services.carriage.records import read, written
from steelyard.settings import Plugins
from steelyard.strategies import ModuleChoice, Strategy
from steelyard.strategies.strategy import SECTIONS

NO_TABLES = Tables(np.zeros(0), np.zeros((0, 0)), ())
"""In place of a score that is made anew where the table arrives."""
LONGEST_WHY = 200
"""Characters of an error of a form that is repeated."""


@dataclass(frozen=True)
class Task:
    """One plan as its steps need it.

    table   the finished candidate table; None where it is not made yet
    calculations   of the process that has it; they do not travel
    """

    ctx: Context
    strategy: Strategy
    disabled: Mapping[str, str]
    gone: Mapping[str, str]
    bucket: str | None = None
    table: Candidates | None = None
    calculations: Calculations | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(
        cls, ctx: Context, strategy: Strategy, guard: Guard, table: Candidates | None = None
    ) -> Task:
        """What is sent of a plan in the making."""
        return cls(ctx, strategy, guard.disabled, guard.gone, guard.bucket, table)

    def guard(self, findings: Findings) -> Guard:
        """A guard that reports to `findings`."""
        return Guard(
            self.disabled, self.gone, self.bucket, findings, calculations=self.calculations
        )

    @cached_property
    def objective(self) -> Objective:
        """Terms, weights and charges, made once; what its modules did was noted elsewhere."""
        quiet = replace(self.guard(Findings()), bucket=None)
        return objective_of(self.ctx, self.strategy, quiet)

    @cached_property
    def whole(self) -> Candidates:
        """The table with its score and predicates; raises InputError where none was sent."""
        if self.table is None:
            raise InputError(
                "This context has no candidate table. Nothing was calculated. Send one that has.",
                code="context_without_table",
                place="context",
            )
        guard = self.guard(Findings())
        return completed(self.ctx, self.objective, self.table, self.strategy, guard)


def packed(task: Task) -> bytes:
    """A task as the body of a request; raises InputError for what cannot travel."""
    strategy = strategy_form(task.strategy)
    table = task.table
    bare = None if table is None else replace(table, tables=NO_TABLES, predicates=())
    form = ContextForm(
        build=build_sha256(strategy),
        context=written(Context, task.ctx),
        strategy=strategy,
        disabled=dict(task.disabled),
        gone=dict(task.gone),
        bucket=task.bucket,
        table=None if bare is None else written(Candidates, bare),
    )
    return form.model_dump_json().encode()


def unpacked(form: ContextForm, loaded: Loaded) -> Task:
    """The task of a body; raises OtherBuild for one of another, InputError for what does not fit.

    loaded   what the plugins of its strategy bring
    """
    if form.build != build_sha256(form.strategy):
        raise OtherBuild(
            "What was sent was made by another build of Steelyard than this service runs. Nothing "
            "was calculated. Run one build everywhere.",
            place="build",
            value=form.build,
            limit=build_sha256(form.strategy),
            hint="run one build everywhere",
        )
    ctx = read(Context, form.context)
    table = None if form.table is None else read(Candidates, form.table)
    fitted(ctx, table)
    return Task(
        ctx=ctx,
        strategy=strategy_of(form.strategy, loaded),
        disabled=MappingProxyType(form.disabled),
        gone=MappingProxyType(form.gone),
        bucket=form.bucket,
        table=table,
    )


def strategy_form(strategy: Strategy) -> StrategyForm:
    """A strategy as it travels: its functions stay, their names and versions go."""
    return StrategyForm(
        name=strategy.name,
        version=strategy.version,
        sections={
            name: getattr(strategy, name).model_dump(mode="json", by_alias=True, exclude_unset=True)
            for name in SECTIONS
        },
        choices={kind.value: [_choice_form(c) for c in strategy.choices[kind]] for kind in Kind},
        sources=dict(strategy.sources),
        lost=list(strategy.lost),
    )


def _choice_form(choice: ModuleChoice) -> ChoiceForm:
    return ChoiceForm(
        name=choice.module.name,
        version=choice.module.version,
        digest=choice.module.digest,
        enabled=choice.enabled,
        params=choice.params.model_dump(mode="json", by_alias=True, exclude_unset=True),
        why=choice.why,
        on_failure=choice.on_failure,
    )


def plugins_of(form: StrategyForm) -> Plugins:
    """What a strategy lists of plugins; raises InputError for what is no list of them."""
    with _readable():
        return Plugins.model_validate(form.sections["plugins"])


@contextmanager
def _readable() -> Iterator[None]:
    """What a strategy lacks, or has in another form, is an InputError."""
    try:
        yield
    except (ValidationError, KeyError, IndexError) as error:
        why = one_line(str(error), LONGEST_WHY)
        raise InputError(
            f"The strategy of the context cannot be read: {why}. Nothing was kept.",
            code="context_strategy",
            place="strategy",
            value=why,
        ) from error


def strategy_of(form: StrategyForm, loaded: Loaded) -> Strategy:
    """The strategy of a form; raises OtherBuild for a module that is not here in that version, and
    InputError for what cannot be read.
    """
    with _readable():
        return _strategy(form, loaded)


def _strategy(form: StrategyForm, loaded: Loaded) -> Strategy:
    sections: dict[str, Any] = {
        name: kind.model_validate(form.sections[name]) for name, kind in SECTIONS.items()
    }
    return Strategy(
        name=form.name,
        version=form.version,
        **sections,
        choices=MappingProxyType(
            {
                kind: tuple(_choice(kind, entry, loaded) for entry in form.choices[kind.value])
                for kind in Kind
            }
        ),
        sources=MappingProxyType(form.sources),
        lost=tuple(form.lost),
    )


def _choice(kind: Kind, form: ChoiceForm, loaded: Loaded) -> ModuleChoice:
    module = _module(kind, form, loaded)
    params = module.params.model_validate(form.params)
    return ModuleChoice(module, form.enabled, params, form.why, form.on_failure)


def _module(kind: Kind, form: ChoiceForm, loaded: Loaded) -> Module:
    own = registry.modules(kind).get(form.name)
    others = {module.name: module for module in loaded.modules[kind]}
    module = others.get(form.name, own)
    if module is None or (module.version, module.digest) != (form.version, form.digest):
        there = "none" if module is None else f"{module.version} {module.digest or ''}".strip()
        asked = f"{form.version} {form.digest or ''}".strip()
        raise OtherBuild(
            f"The plan asks for {kind}.{form.name} {asked}; this service has {there}. Nothing was "
            "calculated. Put the same plugin files where its [services] plugins says.",
            code="other_module",
            place=f"{kind}.{form.name}",
            value=asked,
            limit=there,
            hint="put the same plugin files there",
        )
    return module


def build_sha256(strategy: StrategyForm) -> str:
    """What plans, as one hash: the code of this package, the strategy, its modules' versions."""
    return sha256({"code": code_sha256(), "strategy": strategy.model_dump(mode="json")})
