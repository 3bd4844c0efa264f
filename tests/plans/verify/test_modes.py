"""The second opinion on what a mode chose: sums, orders and the choice follow from the document."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from builders.modes import MADE, MODES, by, chosen
from builders.world import world
from steelyard.plans import verify
from steelyard.plans.verify.reading import content_id
from steelyard.settings import Limits, ObjectiveShares

Document = dict[str, Any]
PARTS = ("outlook", "frontier", "choice_rule")


@functools.cache
def text(name: str) -> str:
    return chosen(name).to_json()


def document(name: str) -> Document:
    return verify.load(text(name))


def faults(of: Document) -> set[str]:
    """What is said to be wrong of a document, its id made anew."""
    report = verify.check({**of, "plan_id": content_id(of)})
    return {check.name for check in report.failed}


@pytest.mark.parametrize("name", MADE)
def test_what_a_mode_chose_agrees_with_itself(name: str):
    report = verify.check(document(name))

    assert report.failed == ()


@pytest.mark.parametrize(
    ("mode", "rules"),
    [
        ("monte_carlo", {"horizon_years": (1 / 252,), "tail": 1 / 30}),
        ("stochastic", {"shifts": (-1 / 3, 1 / 7), "tail": 1 / 30}),
        ("multi_timeframe", {"horizon_years": (1 / 252, 10 / 3)}),
    ],
)
def test_settings_of_many_digits_are_those_of_the_strategy(mode: str, rules: dict[str, Any]):
    assert verify.check(by(mode, **rules).plan().document()).failed == ()


def test_of_lists_of_one_score_document_and_second_opinion_compare_with_the_same():
    huge = world(
        "AA 900000000000 @ 99999.99", "BB 7 @ 0.01", cash="1e15",
        targets={"AA": 0.5, "BB": 0.5}, limits=Limits(funding="settled"),
    )  # fmt: skip
    shares = ObjectiveShares(score=0, diversification=1, risk=1, cost=0)

    plan = by("multi_objective", huge, objectives=shares).plan()

    assert verify.check(plan.document()).failed == ()


def leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(node, dict | list):
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            yield from leaves(child, (*path, key))
    else:
        yield path, node


def field(path: tuple[Any, ...]) -> str:
    return ".".join("[]" if isinstance(key, int) else key for key in path).replace(".[]", "[]")


def another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return {None: 0.5, "buy": "sell", "sell": "buy"}.get(value, f"{value}1")


@pytest.mark.parametrize("name", MODES)
def test_a_change_of_what_a_mode_shows_is_seen_or_its_field_is_listed_as_unchecked(name: str):
    of = document(name)
    listed = {where for where, _ in verify.check(of).unchecked}
    shown = [leaf for leaf in leaves(of) if leaf[0][0] in PARTS or "sampled" in leaf[0]]
    first = {field(path): (path, value) for path, value in reversed(shown)}
    unseen = set()
    for where, (path, value) in first.items():
        node = of
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = another(value)
        if not faults(of):
            unseen.add(where)
        node[path[-1]] = value

    assert unseen <= listed
    fixed = {"chosen", "name", "share", "shift", "years", "mode", "tail", "paths"}
    assert not {where for where in listed if where.rpartition(".")[2] in fixed} & {*first}


def set_(*path: Any, to: Any) -> Callable[[Document], None]:
    def change(of: Document) -> None:
        node: Any = of
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = to

    return change


def swap_chosen(of: Document) -> None:
    lists = of["outlook"]["beside"]
    for other in (*lists[:2], *of["frontier"][:2]):
        other["chosen"] = not other["chosen"]


def beat_a_point(of: Document) -> None:
    worse = copy.deepcopy(next(p for p in of["frontier"] if not p["chosen"] and p["steps"]))
    worse |= {"score": worse["score"] - 0.01, "risk": worse["risk"] + 0.01}
    of["frontier"].append(worse)
    of["frontier"].sort(key=lambda point: -point["score"])


def weigh_otherwise(of: Document) -> None:
    for other in of["outlook"]["beside"]:
        other["value"] = None if other["value"] is None else other["value"] / 2


FALSE = [
    ("monte_carlo", set_("certificate", "status", to="proven"), "a mode proves nothing"),
    ("monte_carlo", set_("certificate", "sampled", to=None),
     "what was drawn is told, and only that"),
    ("monte_carlo", set_("certificate", "sampled", "paths", to=99),
     "scenarios in pairs, of each shift as many"),
    ("monte_carlo", set_("certificate", "sampled", "lead_error", to=-1.0), "no error is negative"),
    ("monte_carlo", set_("outlook", "fan", "points", 1, "p95", to="1"), "quantiles rise"),
    ("monte_carlo", set_("outlook", "fan", "points", 0, "p50", to="1"),
     "today it is what is owned, less costs of the plan"),
    ("monte_carlo", set_("outlook", "fan", "fall_p95", to=0.0),
     "a fall is a fraction, of few paths deeper"),
    ("monte_carlo", swap_chosen, "the list that is chosen is the plan"),
    ("monte_carlo", set_("choice_rule", to=None), "the rule of the choice is that of the settings"),
    ("monte_carlo", set_("outlook", to=None), "a mode shows what it looked at"),
    ("stochastic", set_("outlook", "shocks", 0, "shift", to=-0.2),
     "the shocks are those of the strategy"),
    ("stochastic", set_("outlook", "shocks", 0, "plan", to=0.1),
     "each shock counts the same in the mean"),
    ("multi_timeframe", set_("outlook", "horizons", 0, "share", to=0.4),
     "what a horizon counts, of all"),
    ("multi_timeframe", set_("certificate", "sampled", to={}), "has the form of a plan"),
    ("multi_objective", beat_a_point, "no list of the frontier is beaten by another"),
    ("multi_objective", swap_chosen, "the list that is chosen is the plan"),
    ("multi_objective", weigh_otherwise, "value = weighed sum over the frontier"),
    ("multi_objective", lambda of: of["frontier"].reverse(), "best score first"),
    ("multi_objective", set_("frontier", to=[]), "only objectives have a frontier"),
    ("held for its costs", set_("outlook", "given_up", to=None),
     "what is given up by the score is told"),
]  # fmt: skip


def test_what_is_said_falsely_of_a_mode_is_named():
    for name, change, fault in FALSE:
        of = document(name)
        change(of)

        assert fault in faults(of), fault
