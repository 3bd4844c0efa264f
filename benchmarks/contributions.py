"""What each module adds to a plan, measured: `python -m benchmarks.contributions` writes
docs/contributions.md.

The plan with each calculator, pattern, generator and filter less the plan without it, and what each
proposer reaches alone.
Inputs: the bundled portfolios and the recorded ones, with their targets, and `growth` without.
Figures are points of the score (100 = the whole scale) that the plan gains net over hold.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType

from benchmarks.planning import Inputs, sample_inputs
from benchmarks.run import machine, write
from benchmarks.seed_baseline import SIZES, case
from steelyard.modules.registry import Kind
from steelyard.planning.planner import plan
from steelyard.settings import Search
from steelyard.strategies import Strategy, default

PAGE = Path(__file__).resolve().parents[1] / "docs" / "contributions.md"
KINDS = (Kind.OPPORTUNITY, Kind.PATTERN, Kind.SEQUENCE, Kind.FILTER)
POINTS = 100
DEEP = 7
ROUNDS = 5
SCOPES = (
    ("quantities", "The plan is the best of any list of whole lots, the default"),
    ("candidates", "The plan is the best of the whole table"),
    ("proposals", "The plan is the best proposal"),
)
NODES = 500
"""Of whole lots so many branch a few dozen times: what a module adds shows by then."""
TOO_LARGE = ("recorded 100", "recorded 200")
"""Not measured over whole lots: a plan with and without each module would take an hour."""
NOTHING = 5e-5
"""Points under which a difference is printed as none: the table has four decimals."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One input and its column."""

    name: str
    inputs: Inputs

    def net(self, strategy: Strategy) -> float:
        """Points that the plan of a strategy gains net."""
        asked = self.inputs
        return (
            POINTS
            * plan(asked.snapshot, asked.market, strategy, targets=asked.targets).score.improvement
        )


def subjects() -> list[Subject]:
    """Every input, in the order of the columns."""
    usual, euro = sample_inputs("growth"), sample_inputs("euro")
    return [
        Subject("growth", usual),
        Subject("growth, no targets", replace(usual, targets=None)),
        Subject("euro", euro),
        *(Subject(f"recorded {n}", case(n).inputs) for n in SIZES),
    ]


def everything(scope: str) -> Strategy:
    """The default strategy with every module on."""
    usual = default()
    choices = {
        kind: tuple(replace(choice, enabled=True) for choice in usual.choices[kind])
        for kind in KINDS
    }
    budget = {"max_nodes": NODES} if scope == "quantities" else {}
    search = Search.model_validate({"scope": scope, "resolved_orders": 0, **budget})
    return replace(usual, search=search, choices=MappingProxyType({**usual.choices, **choices}))


def ground(scope: str, kind: Kind) -> Strategy:
    """What a module of a kind is measured against: every calculator and proposer on, the filters as
    they are by default.

    Patterns are measured without generators, which find all that a pattern does, and the other way
    round with everything.
    """
    strategy = everything(scope)
    usual = {choice.module.name: choice.enabled for choice in default().choices[Kind.FILTER]}
    strategy = switched(strategy, Kind.FILTER, usual)
    off = [
        choice.module.name
        for choice in strategy.choices[Kind.SEQUENCE]
        if kind is Kind.PATTERN or choice.module.form == "what_if"
    ]
    return switched(strategy, Kind.SEQUENCE, dict.fromkeys(off, False))


def switched(strategy: Strategy, kind: Kind, on: Mapping[str, bool]) -> Strategy:
    """The strategy with some modules of a kind on or off."""
    choices = tuple(
        replace(choice, enabled=on.get(choice.module.name, choice.enabled))
        for choice in strategy.choices[kind]
    )
    return replace(strategy, choices=MappingProxyType({**strategy.choices, kind: choices}))


def alone(strategy: Strategy, kind: Kind, name: str) -> Strategy:
    """The strategy in which one module alone calculates, or one alone proposes."""
    kinds = (Kind.OPPORTUNITY,) if kind is Kind.OPPORTUNITY else (Kind.PATTERN, Kind.SEQUENCE)
    for other in kinds:
        strategy = switched(
            strategy,
            other,
            {choice.module.name: choice.module.name == name for choice in strategy.choices[other]},
        )
    return strategy


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(
        description="Measure what each module adds and write docs/contributions.md."
    )
    parser.add_argument(
        "--date",
        type=date.fromisoformat,
        default=datetime.now().astimezone().date(),
        help="written beside the figures",
    )
    chosen = parser.parse_args(arguments)
    inputs = subjects()
    text = "\n".join([machine(chosen.date, None), "", deep(inputs[-1]), "", *tables(inputs)])
    write(PAGE, text)
    print(f"Written: {os.path.relpath(PAGE)}")
    return 0


def deep(subject: Subject) -> str:
    """How long a warm plan of seven orders with every module on takes, with and without the
    re-solving what-if reports.
    """
    whole, planning = everything("proposals"), everything("proposals")
    reports = [
        choice.module.name
        for choice in planning.choices[Kind.SEQUENCE]
        if choice.module.form == "what_if"
    ]
    planning = switched(planning, Kind.SEQUENCE, dict.fromkeys(reports, False))
    return (
        f"{DEEP} orders deep with every module on, input {subject.name}, warm: "
        f"{_seconds(subject, whole)}; without the what-if reports, which solve it again for each "
        f"rule: {_seconds(subject, planning)}."
    )


def _seconds(subject: Subject, strategy: Strategy) -> str:
    deeper = replace(strategy, search=strategy.search.model_copy(update={"max_depth": DEEP}))
    seconds = []
    for _ in range(1 + ROUNDS):
        start = time.perf_counter()
        subject.net(deeper)
        seconds.append(time.perf_counter() - start)
    warm = seconds[1:]
    return f"{statistics.median(warm):.2f} s, median of {ROUNDS} (fastest {min(warm):.2f} s)"


def tables(inputs: Sequence[Subject]) -> Iterator[str]:
    """What each module adds in each scope; of what proposes, what it reaches alone; and what added
    nothing anywhere.
    """
    idle = {label(kind, choice.module.name) for kind in KINDS for choice in default().choices[kind]}
    for scope, title in SCOPES:
        yield f'## {title} (`search.scope = "{scope}"`)'
        yield ""
        some = [s for s in inputs if scope != "quantities" or s.name not in TOO_LARGE]
        yield from heading("points added", some)
        for kind in KINDS:
            whole, added = measured(ground(scope, kind), kind, some)
            idle -= {name for name, figures in added.items() if max(map(abs, figures)) >= NOTHING}
            yield row(f"*{kind.value}: the plan they are measured against*", whole, signed=False)
            yield from (row(name, figures) for name, figures in added.items())
        yield ""
    yield from _alone(inputs)
    yield ""
    yield "## Nothing in any scope on any input"
    yield ""
    yield (", ".join(sorted(idle)) or "No module") + "."


def label(kind: Kind, name: str) -> str:
    """What a module is called in the tables."""
    return f"{kind.value} · {name}"


def _alone(inputs: Sequence[Subject]) -> Iterator[str]:
    strategy = ground("proposals", Kind.SEQUENCE)
    yield "## One module alone: net improvement of the best proposal"
    yield ""
    yield from heading("points reached alone", inputs)
    for kind in KINDS[:3]:
        for choice in strategy.choices[kind]:
            if choice.module.form != "what_if":
                name = choice.module.name
                reached = [subject.net(alone(strategy, kind, name)) for subject in inputs]
                yield row(label(kind, name), reached, signed=False)


def measured(
    strategy: Strategy, kind: Kind, inputs: Sequence[Subject]
) -> tuple[list[float], dict[str, list[float]]]:
    """The plans that the modules of a kind are measured against, and of each the plan with it less
    the plan without it, everything else as the strategy says.
    """
    whole, added = [subject.net(strategy) for subject in inputs], {}
    for choice in strategy.choices[kind]:
        name, sign = choice.module.name, 1 if choice.enabled else -1
        other = switched(strategy, kind, {name: not choice.enabled})
        nets = [subject.net(other) for subject in inputs]
        added[label(kind, name)] = [sign * (a - b) for a, b in zip(whole, nets, strict=True)]
    return whole, added


def heading(title: str, inputs: Sequence[Subject]) -> list[str]:
    """First two lines of a table."""
    return [
        f"| {title} | " + " | ".join(subject.name for subject in inputs) + " |",
        "|---|" + "---:|" * len(inputs),
    ]


def row(name: str, figures: Sequence[float], *, signed: bool = True) -> str:
    """One line of a table."""
    return f"| {name} | " + " | ".join(shown(figure, signed=signed) for figure in figures) + " |"


def shown(figure: float, *, signed: bool) -> str:
    """A figure with four decimals; nothing is a dash."""
    if abs(figure) < NOTHING:
        return "–"
    text = f"{figure:+.4f}" if signed else f"{figure:.4f}"
    return text.replace("-", "−")


if __name__ == "__main__":
    raise SystemExit(main())
