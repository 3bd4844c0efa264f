"""What tells two strategies apart: line by line, and in what acts."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from builders.plugins import HEAD, pin
from steelyard.canonical import sha256
from steelyard.modules.registry import Kind
from steelyard.settings import Limits
from steelyard.strategies import PRESETS, Strategy, default, from_mapping, load, parse, preset
from steelyard.strategies.diff import document, semantic, unified
from steelyard.strategies.planned import undecided

SETTINGS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "limits": {
        "max_orders": st.sampled_from([1, 3, 12]),
        "max_position_weight": st.sampled_from([0.1, 0.2, 0.3]),
        "min_trade_weight": st.sampled_from([0.005, 0.01]),
        "allow_buy": st.booleans(),
    },
    "score": {
        "profile": st.sampled_from(["balanced", "conservative", "aggressive"]),
        "min_improvement": st.sampled_from([0.005, 0.01]),
        "neutral": st.fixed_dictionaries({}, optional={"mu": st.sampled_from([0.05, 0.065])}),
        "anchors": st.fixed_dictionaries({}, optional={"tr": st.sampled_from([[0.0, 0.1]])}),
    },
    "search": {
        "scope": st.sampled_from(["quantities", "candidates", "proposals"]),
        "max_depth": st.sampled_from([3, 5]),
        "refine": st.booleans(),
    },
    "groups": {"sector": st.sampled_from([{"Energy": 0.2}, {"Energy": 0.1, "a.b c": 0.3}])},
    "planner": {"priority_threshold": st.sampled_from([0.2, 0.3])},
    "regime": {"bull_cash": st.sampled_from([0.01, 0.02])},
    "lots": {"method": st.sampled_from(["fifo", "hifo"])},
    "opportunity_calculators": {
        "averaging_down": st.fixed_dictionaries(
            {}, optional={"enabled": st.booleans(), "dip_threshold": st.sampled_from([0.1, 0.2])}
        ),
        "weight_based": st.fixed_dictionaries({"enabled": st.booleans()}),
    },
    "pattern_generators": {"adaptive": st.fixed_dictionaries({"enabled": st.booleans()})},
    "sequence_generators": {"combinatorial": st.fixed_dictionaries({"enabled": st.booleans()})},
    "filters": {
        "recently_traded": st.fixed_dictionaries(
            {}, optional={"buy_cooldown_days": st.sampled_from([0, 30])}
        ),
        "eligibility": st.fixed_dictionaries(
            {}, optional={"on_failure": st.sampled_from(["block", "allow"])}
        ),
    },
}
DOCUMENTS = st.fixed_dictionaries(
    {"preset": st.sampled_from([name for name in PRESETS if name != "us_taxable"])},
    optional={name: st.fixed_dictionaries({}, optional=keys) for name, keys in SETTINGS.items()},
)
STRATEGIES = DOCUMENTS.map(lambda values: from_mapping(values, "generated"))


def patched(strategy: Strategy, diff: dict[str, Any]) -> dict[str, Any]:
    """The content of a strategy with a difference applied to it, sections and parameters."""
    content = copy.deepcopy(dict(strategy.content))
    for key, change in diff["globals_changed"].items():
        way = key.split(".")
        if way[0] not in content:
            continue  # what a plan decides, and where plugins come from
        at = 3 if way[0] == "groups" else len(way)
        *tables, last = [*way[: at - 1], ".".join(way[at - 1 :])]
        table = content
        for name in tables:
            table = table[name]
        table[last] = change["new"]
        if way[0] == "groups" and change["new"] is None:
            del table[last]
    for name, change in diff["params_changed"].items():
        kind, module = name.split(".")
        (entry,) = [entry for entry in content["modules"][kind] if entry["name"] == module]
        for key, value in change["new"].items():
            target = entry if key == "on_failure" else entry["params"]
            target[key] = value
        if entry.get("on_failure") == "block":
            del entry["on_failure"]
    return content


@settings(max_examples=60, deadline=None)
@given(a=STRATEGIES, b=STRATEGIES)
def test_the_difference_applied_to_one_gives_the_hash_of_the_other(a, b):
    diff = document(semantic(a, b))
    if diff["modules_added"] or diff["modules_removed"]:
        a = replace(a, choices=b.choices)
        diff = {**diff, "params_changed": {}}

    assert sha256({**patched(a, diff), **undecided(b)}) == b.sha256


@settings(max_examples=60, deadline=None)
@given(a=STRATEGIES, b=STRATEGIES)
def test_nothing_is_told_where_and_only_where_both_have_one_hash(a, b):
    diff = semantic(a, b)

    assert (diff.keys == ()) == (a.sha256 == b.sha256)
    assert document(semantic(a, a)) == {
        "modules_added": [],
        "modules_removed": [],
        "params_changed": {},
        "globals_changed": {},
        "inherited": {},
    }


@settings(max_examples=60, deadline=None)
@given(a=STRATEGIES, b=STRATEGIES)
def test_turned_round_old_and_new_change_places(a, b):
    there, back = document(semantic(a, b)), document(semantic(b, a))

    assert there["modules_added"] == back["modules_removed"]
    assert there["globals_changed"] == {
        key: {"old": change["new"], "new": change["old"]}
        for key, change in back["globals_changed"].items()
    }
    assert there["params_changed"] == {
        key: {"old": change["new"], "new": change["old"]}
        for key, change in back["params_changed"].items()
    }
    assert there["inherited"].get("changed", []) == back["inherited"].get("changed", [])
    json.dumps(there, allow_nan=False)


def switched(strategy: Strategy) -> Strategy:
    """Of each kind the first module that runs is off, and the first that is off runs."""
    choices = {}
    for kind in Kind:
        first = {on: next((c for c in strategy.choices[kind] if c.enabled is on), None)
                 for on in (True, False)}  # fmt: skip
        choices[kind] = tuple(
            replace(choice, enabled=not choice.enabled) if choice in first.values() else choice
            for choice in strategy.choices[kind]
        )
    return replace(strategy, choices=choices)


def test_modules_of_all_five_kinds_are_told():
    diff = semantic(default(), switched(default()))

    def kinds(names):
        return [name.partition(".")[0] for name in names]

    assert kinds(diff.modules_removed) == sorted(kind.value for kind in Kind)
    assert set(kinds(diff.modules_added)) == {k.value for k in Kind} - {Kind.TERM.value}
    assert document(diff)["params_changed"] == {}


def test_only_what_differs_of_a_module_that_both_run_is_told():
    changed = {"opportunity_calculators": {"averaging_down": {"dip_threshold": 0.25}}}
    diff = document(semantic(default(), from_mapping(changed, "deep")))

    assert diff["params_changed"] == {
        "opportunity_calculators.averaging_down": {
            "old": {"dip_threshold": 0.1},
            "new": {"dip_threshold": 0.25},
        }
    }


def test_another_scope_with_targets_or_without_is_told_as_planned():
    changed = semantic(default(), from_mapping({"planner": {"priority_threshold": 0.1}}, "p"))
    changes = document(changed)["globals_changed"]

    assert changes["as_planned.scope_with_targets"] == {"old": "quantities", "new": "proposals"}
    assert changes["as_planned.scope_without_targets"] == {"old": "quantities", "new": "proposals"}
    assert "search.scope" not in changes


def test_a_default_that_is_written_down_is_told_where_it_no_longer_follows_the_names():
    changes = document(semantic(default(), parse("[score]\nmin_improvement = 0.005\n", "written")))

    assert list(changes["globals_changed"]) == ["as_planned.following"]


def test_what_only_the_presets_changed_is_told_apart_from_what_the_files_say():
    a = parse('preset = "conservative"\n[limits]\nmax_orders = 3\n', "a")
    b = parse('preset = "aggressive"\n[limits]\nmax_orders = 4\n[score]\nprofile = "balanced"', "b")
    inherited = document(semantic(a, b))["inherited"]

    assert (inherited["old"], inherited["new"]) == ("conservative", "aggressive")
    assert "search.beam_width" in inherited["changed"]
    assert "pattern_generators.adaptive.enabled" in inherited["changed"]
    assert not {"limits.max_orders", "score.profile"} & {*inherited["changed"]}


def test_what_a_house_file_changed_is_inherited_too(tmp_path: Path):
    house, own = tmp_path / "house.toml", tmp_path / "own.toml"
    own.write_text('preset = "house.toml"\n[costs]\nfixed = 1.0\n')
    house.write_text("[limits]\nmax_orders = 3\n")
    before = load(own)
    house.write_text("[limits]\nmax_orders = 5\n[costs]\nfixed = 9.0\n")

    diff = document(semantic(before, load(own)))

    assert diff["globals_changed"] == {"limits.max_orders": {"old": 3, "new": 5}}
    assert diff["inherited"] == {
        "old": "house.toml",
        "new": "house.toml",
        "changed": ["limits.max_orders"],
    }


def test_what_is_set_in_code_is_nobodys_inheritance():
    diff = semantic(default(), replace(default(), limits=Limits(max_orders=2)))

    assert diff.globals_changed["limits.max_orders"].new == 2
    assert diff.inherited is None


def test_a_preset_says_itself_what_its_own_text_says():
    assert semantic(default(), preset("aggressive")).inherited is None


def plugin(folder: Path, version: str) -> Strategy:
    path = folder / "crumbs.py"
    path.write_text(
        f"{HEAD}\n@opportunity_calculator('crumbs', version='{version}', params=Params, on=False)\n"
        "def crumbs(ctx, params):\n    return []\n"
    )
    text = f'[plugins]\nfolder = "."\nfiles = {{ "crumbs.py" = "{pin(path)}" }}\n'
    (folder / "own.toml").write_text(f"{text}[opportunity_calculators.crumbs]\n")
    return load(folder / "own.toml")


def test_a_plugin_that_one_has_is_added_and_other_code_of_it_is_a_change(tmp_path: Path):
    first, second = plugin(tmp_path, "1.0.0"), plugin(tmp_path, "1.1.0")
    name = "opportunity_calculators.crumbs"

    assert semantic(default(), first).modules_added == (name,)
    assert semantic(first, default()).modules_removed == (name,)
    changes = document(semantic(first, second))
    assert changes["params_changed"][name]["new"]["module.version"] == "1.1.0"
    assert (
        changes["params_changed"][name]["old"]["module.digest"]
        != (changes["params_changed"][name]["new"]["module.digest"])
    )
    assert "plugins.files.crumbs.py" in changes["globals_changed"]


LINES = st.lists(st.sampled_from(["a = 1", "b = 2", "", "# \u2028 x", "[t]", "\x0c"]), max_size=8)
TEXTS = st.builds(lambda lines, end: "\n".join(lines) + end, LINES, st.sampled_from(["", "\n"]))


def applied(text: str, patch: str) -> str:
    """A text with a unified difference applied to it, every line of which must fit."""
    lines, at, result = text.split("\n"), 0, []
    rows = patch.split("\n")[2:]
    for row in rows[:-1] if rows and not rows[-1] else rows:
        if row.startswith("@@"):
            begin, _, count = row.split()[1][1:].partition(",")
            upto = int(begin) - (1 if count != "0" else 0)
            result += lines[at:upto]
            at = upto
        elif row[0] in " -":
            assert lines[at] == row[1:]
            at += 1
            result += [row[1:]] if row[0] == " " else []
        elif row[0] == "+":
            result.append(row[1:])
    return "\n".join([*result, *lines[at:]])


@settings(max_examples=200, deadline=None)
@given(a=TEXTS, b=TEXTS)
def test_lines_that_differ_turn_one_text_into_the_other(a, b):
    patch = unified(a, b, "old", "new")

    assert (patch == "") == (a == b)
    assert applied(a, patch).rstrip("\n") == b.rstrip("\n")


def test_an_end_of_line_that_is_missing_is_a_difference_of_its_own():
    assert unified("a\nb", "a\nb\n", "x", "y").splitlines()[3:] == [
        " a",
        "-b",
        "\\ No newline at end of file",
        "+b",
    ]


def test_a_name_of_many_lines_stays_in_the_first_one():
    text = unified("a\n", "b", "x\n+++ y\x1b[2J", "z")

    assert text.splitlines()[0] == "--- x +++ y\\u001b[2J"
    assert text.endswith("+b\n\\ No newline at end of file\n")


def test_presets_differ_from_each_other_in_what_acts():
    for name in PRESETS:
        for other in PRESETS:
            assert bool(semantic(preset(name), preset(other)).keys) == (name != other), (
                name,
                other,
            )
