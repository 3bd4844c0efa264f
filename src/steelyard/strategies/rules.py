"""What a strategy as a whole may not be, and what is worth knowing of it: a function a rule.

Types and ranges are the models' business; here are the rules that look across tables. To add one: a
function from a strategy to problems, and its line in RULES.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping

from steelyard.modules.registry import Kind
from steelyard.settings import Evaluation, Mode, Regime
from steelyard.strategies.files.problems import (
    MOST_PROBLEMS,
    Problem,
    dotted,
    error,
    meant,
    warning,
)
from steelyard.strategies.files.spellings import ENABLED, EVALUATION_MODE, SINGLE
from steelyard.strategies.scope import REGIME, SCOPE, idle, idle_sentence, scope_of
from steelyard.strategies.strategy import ModuleChoice, Strategy, Why, inherited

HIGH_COST = 0.01
"""Commission, fraction of an order's amount, over which it is unusual."""
DEEP = 7
MANY_PATTERNS = 10
FEW_PATTERNS = 2
MANY_COMBINATIONS = 100
TOWARDS_TARGETS = f"{Kind.OPPORTUNITY}.weight_based"
OR = "|"
"""Between alternatives of a dependency."""
SELLING = ("profit_taking", "rebalance_sells", "weight_based")
FEW_IN_TAIL = 50
"""Scenarios in the tail under which CVaR rests on a handful: of 5 % that is 1,000 in all."""
SAMPLED: tuple[Mode, ...] = ("stochastic", "monte_carlo")
READ_BY: Mapping[str, tuple[Mode, ...]] = {
    "paths": SAMPLED,
    "tail": SAMPLED,
    "tail_weight": SAMPLED,
    "shifts": ("stochastic",),
    "horizon_years": ("monte_carlo", "multi_timeframe"),
    "horizon_shares": ("multi_timeframe",),
    "objectives": ("multi_objective",),
    "compared": (*SAMPLED, "multi_objective", "multi_timeframe"),
}
"""Of `[evaluation]`: key -> the modes that read it."""
BUYING = ("averaging_down", "opportunity_buys", "rebalance_buys")

LEAST_ORDER_LIMITS = {
    "max_position_weight": "the smallest order would be more than a position may be",
    "max_turnover_weight": "the smallest order would be more than a plan may turn over",
}
"""Of `[limits]`: what is never below min_trade_weight -> what would be otherwise."""


def findings(strategy: Strategy) -> list[Problem]:
    """Everything that the rules say of a strategy, errors first."""
    problems = [problem for rule in RULES for problem in rule(strategy)]
    problems += [warning((), text) for text in strategy.warnings]
    return sorted(problems, key=lambda problem: problem.severity)


def check_dependencies(strategy: Strategy) -> list[str]:
    """Sentences for modules that are on by default or by a preset and lack what they draw from."""
    return [problem.text for problem in dependencies(strategy) if problem.severity == "warning"]


def validate_dependencies(strategy: Strategy) -> list[str]:
    """Sentences for modules that the strategy switched on and that lack what they draw from."""
    return [problem.text for problem in dependencies(strategy) if problem.severity == "error"]


def dependencies(strategy: Strategy) -> Iterator[Problem]:
    """Modules on while what they depend on is off: an error where the strategy says so itself."""
    for kind in Kind:
        for choice in strategy.enabled(kind):
            missing = unmet(strategy, choice)
            by_itself = not inherited(_switched_by(strategy, choice))
            # without any calculator, one warning says so for all
            if missing and (by_itself or strategy.enabled(Kind.OPPORTUNITY)):
                # what is missing may be the module of a plugin that could not be loaded
                says = error if by_itself and not strategy.problems else warning
                text = f"{choice.module.qualified} is on and finds nothing without"
                place = (kind.value, choice.module.name)
                yield says(place, f"{text} {' and '.join(missing)}.")


def unmet(strategy: Strategy, choice: ModuleChoice) -> list[str]:
    """The dependencies that a strategy does not meet: names, kinds, or what to choose one of."""
    met = {str(kind) for kind in Kind if strategy.enabled(kind)}
    met |= {other.module.qualified for kind in Kind for other in strategy.enabled(kind)}
    needs = [alternatives.split(OR) for alternatives in choice.module.dependencies]
    missing = [names for names in needs if met.isdisjoint(names)]
    return [f"one of {', '.join(names)}" if len(names) > 1 else names[0] for names in missing]


def _switched_by(strategy: Strategy, choice: ModuleChoice) -> Why:
    """Who says that a module is on, or off."""
    return strategy.source(f"{choice.module.qualified}.{ENABLED}")


def _says_itself(strategy: Strategy, *tables: str) -> bool:
    """Does the strategy itself, not a preset, set one of these keys or one inside these tables?"""
    return any(
        not inherited(why) and f"{key}.".startswith(tuple(f"{table}." for table in tables))
        for key, why in strategy.sources.items()
    )


def _neither_side(strategy: Strategy) -> Iterator[Problem]:
    if not (strategy.limits.allow_buy or strategy.limits.allow_sell):
        both = "limits.allow_buy and limits.allow_sell are both false"
        yield error(("limits", "allow_buy"), f"{both}: nothing could ever be traded.")


def _all_cash(strategy: Strategy) -> Iterator[Problem]:
    if strategy.limits.cash_reserve_weight == 1 and strategy.limits.allow_buy:
        text = "limits.cash_reserve_weight is 1: all of the value is to stay cash, so nothing is"
        yield warning(("limits", "cash_reserve_weight"), f"{text} ever bought.")


def _pairs(strategy: Strategy) -> Iterator[Problem]:
    least = strategy.limits.min_trade_weight
    for name, why in LEAST_ORDER_LIMITS.items():
        most = getattr(strategy.limits, name)
        if most is not None and least > most:
            what = f"limits.min_trade_weight is {least:g} and limits.{name} is {most:g}: {why}."
            yield error(("limits", "min_trade_weight"), what)


def _terms_known(strategy: Strategy) -> Iterator[Problem]:
    names = {choice.module.name for choice in strategy.choices[Kind.TERM]}
    # it may be the term of a plugin that could not be loaded
    says = warning if strategy.problems else error
    unknown = (name for name in strategy.score.further if name not in names)
    for name in itertools.islice(unknown, MOST_PROBLEMS):
        place = ("score", "further", name)
        near = meant(place, sorted(names))
        yield says(place, f"{dotted(place)}: there is no such score term.{near}")


def _high_cost(strategy: Strategy) -> Iterator[Problem]:
    percent = strategy.costs.percent
    if percent > HIGH_COST:
        text = f"costs.percent is {percent:g}, a fraction: {100 * percent:g} % of every order."
        usual = f"Most brokers take under {100 * HIGH_COST:g} %."
        yield warning(("costs", "percent"), f"{text} {usual}")


def _no_calculators(strategy: Strategy) -> Iterator[Problem]:
    if not strategy.enabled(Kind.OPPORTUNITY):
        text = "No opportunity calculator is on: every plan is to hold."
        yield warning((Kind.OPPORTUNITY.value,), text)


def _no_patterns(strategy: Strategy) -> Iterator[Problem]:
    if not strategy.enabled(Kind.PATTERN):
        text = "No pattern is on: proposals come from the generators alone."
        yield warning((Kind.PATTERN.value,), text)


def _no_route(strategy: Strategy) -> Iterator[Problem]:
    """An order must get from a calculator into a proposal."""
    choices = [*strategy.enabled(Kind.PATTERN), *strategy.enabled(Kind.SEQUENCE)]
    makers = [choice for choice in choices if choice.module.form != "what_if"]
    drawing = any(not unmet(strategy, choice) for choice in makers)
    if drawing and strategy.enabled(Kind.OPPORTUNITY):
        return
    text = "No pattern or generator that is on draws from a calculator that is on: there is no"
    text = f"{text} proposal"
    if scope_of(strategy, targets=False)[0] == "proposals":
        text = f'{text}, and search.scope = "proposals" plans from nothing else.'
        if not strategy.is_set(SCOPE):
            text += f' What is set makes it that: name another, {SCOPE} = "quantities".'
        yield error(("search", "scope"), text)
    else:
        yield warning((Kind.PATTERN.value,), f"{text} to compare the plan with.")


def _few_patterns(strategy: Strategy) -> Iterator[Problem]:
    patterns = len(strategy.enabled(Kind.PATTERN))
    place = (Kind.SEQUENCE.value, "combinatorial")
    if not strategy.choice(Kind.SEQUENCE, "combinatorial").enabled:
        return
    if not patterns:
        text = f"{dotted(place)} is on and no pattern is; it needs a pattern beside it."
        yield error(place, f"{text} Switch on a pattern, or switch it off.")
    elif patterns < FEW_PATTERNS:
        text = f"{dotted(place)} is on with fewer than {FEW_PATTERNS} patterns: nearly every"
        mend = "Switch on the patterns whose intent you want."
        yield warning(place, f"{text} proposal is a mere combination. {mend}")


def _correlation(strategy: Strategy) -> Iterator[Problem]:
    choice = strategy.choice(Kind.FILTER, "correlation_aware")
    place = (Kind.FILTER.value, "correlation_aware")
    if choice.enabled and _says_itself(strategy, dotted(place)):
        missing = choice.params.model_dump()["on_missing"]
        what = {
            "allow": "passes it ('deny' would refuse it)",
            "deny": "is refused ('allow' would let it pass)",
        }[missing]
        text = f"{dotted(place)} compares price histories: with on_missing = '{missing}' a buy that"
        yield warning(place, f"{text} has too little of one {what}.")


def _diversity(strategy: Strategy) -> Iterator[Problem]:
    place = (Kind.FILTER.value, "diversity")
    on = strategy.choice(Kind.FILTER, "diversity").enabled
    if on and not strategy.planner.diverse_selection:
        text = "filters.diversity is on and planner.diverse_selection off: it ranks what was"
        yield warning(place, f"{text} drawn by priority alone.")


def _idle(strategy: Strategy) -> Iterator[Problem]:
    """Settings that the strategy itself says and its scope leaves idle, each named once."""
    without, with_targets = (scope_of(strategy, targets=targets)[0] for targets in (False, True))
    names = idle(strategy, without)
    if names:
        yield warning(("search", "scope"), idle_sentence(without, names))
    only = [name for name in idle(strategy, with_targets) if name not in names]
    if only:
        yield warning(("search", "scope"), f"With targets: {idle_sentence(with_targets, only)}")


def _regime_unfollowed(strategy: Strategy) -> Iterator[Problem]:
    """Limits of a regime that no plan follows; `adaptive` looks at its cash."""
    if any(strategy.choice(Kind.PATTERN, name).enabled for name in ("market_regime", "adaptive")):
        return
    for name in Regime.model_fields:
        key = f"regime.{name}"
        if not inherited(strategy.source(key)):
            text = f"{key} is set and {REGIME} is off: no plan follows the regime of the market."
            yield warning(tuple(key.split(".")), text)


def _slow(strategy: Strategy) -> Iterator[Problem]:
    depth, patterns = strategy.search.max_depth, len(strategy.enabled(Kind.PATTERN))
    many = depth >= DEEP and patterns >= MANY_PATTERNS
    if many and _says_itself(strategy, "search.max_depth", Kind.PATTERN.value):
        text = f"search.max_depth is {depth} with {patterns} patterns on: such a plan takes the"
        mend = "Where that is too long, lower search.max_depth or search.max_nodes, or switch"
        yield warning(("search", "max_depth"), f"{text} longest. {mend} patterns off.")


def _many_combinations(strategy: Strategy) -> Iterator[Problem]:
    choice = strategy.choice(Kind.SEQUENCE, "combinatorial")
    most = choice.params.model_dump()["max_combinations"]
    if choice.enabled and most > MANY_COMBINATIONS:
        place = (Kind.SEQUENCE.value, "combinatorial", "max_combinations")
        text = f"{dotted(place)} is {most}: the best come first, and each over {MANY_COMBINATIONS}"
        mend = "Lower it unless your plans change."
        yield warning(place, f"{text} takes as long as one of those. {mend}")


def _one_sided(strategy: Strategy) -> Iterator[Problem]:
    for key, what, names in (("allow_sell", "sales", SELLING), ("allow_buy", "buys", BUYING)):
        on = [name for name in names if strategy.choice(Kind.OPPORTUNITY, name).enabled]
        if on and not getattr(strategy.limits, key):
            are, find = ("is", "it finds") if len(on) == 1 else ("are", "they find")
            text = f"limits.{key} is false and {', '.join(on)} {are} on"
            yield warning(("limits", key), f"{text}: the {what} that {find} are dropped.")


def _of_what_is_off(strategy: Strategy) -> Iterator[Problem]:
    """Parameters of a module that is off by somebody else; who switched it off here knows."""
    off = [
        choice
        for kind in Kind
        for choice in strategy.choices[kind]
        if not choice.enabled and inherited(_switched_by(strategy, choice))
        if choice.module.qualified != TOWARDS_TARGETS  # with targets it is on
    ]
    for choice in off:
        for name, info in type(choice.params).model_fields.items():
            key = f"{choice.module.qualified}.{info.alias or name}"
            if not inherited(strategy.source(key)):
                text = f"{key} is set and {choice.module.qualified} is off: it changes nothing."
                yield warning(tuple(key.split(".")), text)


def _mode_by_bands(strategy: Strategy) -> Iterator[Problem]:
    mode = strategy.evaluation.mode
    if mode != SINGLE and strategy.rebalance.trigger == "band":
        text = f'evaluation.mode "{mode}" changes no plan: rebalance.trigger is "band", and what'
        yield warning(EVALUATION_MODE, f"{text} answers a breach leaves nothing to choose.")


def _few_in_tail(strategy: Strategy) -> Iterator[Problem]:
    rules = strategy.evaluation
    count = max(1, math.ceil(rules.tail * rules.paths - 1e-9))
    if rules.sampled and count < FEW_IN_TAIL:
        text = f"evaluation.paths is {rules.paths:,d}: the tail, whose mean is CVaR, is about"
        scenarios = "1 scenario" if count == 1 else f"{count} scenarios"
        enough = math.ceil(FEW_IN_TAIL / rules.tail)
        mend = f"With {enough:,d} paths it is {FEW_IN_TAIL}."
        yield warning(("evaluation", "paths"), f"{text} {scenarios}. {mend}")


def _of_another_mode(strategy: Strategy) -> Iterator[Problem]:
    """Settings of a way to evaluate that is not this one; at its default one asks for nothing."""
    mode, usual = strategy.evaluation.mode, Evaluation()
    for name, modes in READ_BY.items():
        same = getattr(strategy.evaluation, name) == getattr(usual, name)
        if not same and mode not in modes and _says_itself(strategy, f"evaluation.{name}"):
            text = f'evaluation.{name} is set and evaluation.mode is "{mode}": it changes nothing.'
            readers = (
                " and ".join(modes) if len(modes) < len(READ_BY["compared"]) else "the other modes"
            )
            yield warning(("evaluation", name), f"{text} It belongs to {readers}.")


def _several_horizons(strategy: Strategy) -> Iterator[Problem]:
    rules = strategy.evaluation
    if rules.mode == "monte_carlo" and len(rules.horizon_years) > 1:
        *rest, last = (f"{years:g}" for years in rules.horizon_years)
        text = f"evaluation.horizon_years names {', '.join(rest)} beside {last}: monte_carlo draws"
        yield warning(("evaluation", "horizon_years"), f"{text} its paths over {last} alone.")


RULES: tuple[Callable[[Strategy], Iterable[Problem]], ...] = (
    _neither_side,
    _all_cash,
    _pairs,
    _terms_known,
    dependencies,
    _no_route,
    _high_cost,
    _no_calculators,
    _no_patterns,
    _few_patterns,
    _correlation,
    _diversity,
    _idle,
    _regime_unfollowed,
    _slow,
    _many_combinations,
    _one_sided,
    _of_what_is_off,
    _mode_by_bands,
    _few_in_tail,
    _of_another_mode,
    _several_horizons,
)
