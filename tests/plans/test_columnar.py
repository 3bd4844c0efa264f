"""Long lists as columns: the very same document comes back, whatever is in it."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.world import world
from builders.worlds import SOME
from steelyard.cli.saved import plan_of
from steelyard.errors import InputError
from steelyard.plans import columnar, verify
from steelyard.plans import plan as plans
from steelyard.sentences import again, cased

VALUES = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, -0.0, 1.0, 1.5, 1e-7])
    | st.sampled_from(["", "a", "b c", "1", "a\u00a0b", "{x:pct}", "x.y", "A\nB", "over"])
)  # fmt: skip
NAMES = st.sampled_from([
    "a", "b", "a.b", "", "facts", "reason", "template", "reason_template", "narrative", "why",
    "columns", "rows", "keys", "all", "values", "symbol",
])  # fmt: skip
JSON = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
RECORDS = st.dictionaries(NAMES, JSON, max_size=6)


def text(thing: Any) -> str:
    """As JSON writes it: 1 is not 1.0, and the order of keys is part of it."""
    return json.dumps(thing, ensure_ascii=False)


def long(rows: list[Any], count: int) -> list[Any]:
    """A list of so many rows, from a few."""
    return [rows[n % len(rows)] for n in range(count)]


@SOME
@given(
    rows=st.lists(RECORDS, min_size=1, max_size=5),
    inner=st.lists(RECORDS, min_size=1, max_size=3),
    rest=st.dictionaries(NAMES, JSON, max_size=3),
    more=st.integers(0, 3),
)
def test_whatever_is_folded_comes_back_byte_for_byte(rows, inner, rest, more):
    count = columnar.ROWS + more
    document = {
        "first": 1, **rest, "long": long(rows, count),
        "nested": [{"steps": long(inner, count)}, {"steps": []}],
    }  # fmt: skip
    before = text(document)

    folded = columnar.fold(document)

    assert text(document) == before
    assert (columnar.COLUMNAR in folded) is (more > 0)
    assert text(columnar.unfold(json.loads(text(folded)))) == before


def test_a_list_of_exactly_the_limit_stays_a_list_and_one_more_is_columns():
    rows = [{"symbol": f"S{n}", "one": 1} for n in range(columnar.ROWS + 1)]

    assert columnar.fold({"schema": "x", "rows": rows[:-1]}) == {"schema": "x", "rows": rows[:-1]}
    assert columnar.fold({"schema": "x", "rows": rows}) == {
        "schema": "x",
        "columnar": [["rows"]],
        "rows": {
            "rows": len(rows),
            "columns": {
                "symbol": {"words": " ".join(row["symbol"] for row in rows)}, "one": {"all": 1},
            },
        },
    }  # fmt: skip


def test_every_form_of_a_column_is_as_short_as_the_text_says():
    facts = [{"n": n, "symbol": f"S{n}"} for n in range(300)]
    rows = [
        {
            "symbol": f"S{n}", "words": f"of {n}", "side": ("buy", "sell")[n % 2],
            "template": "{symbol:text} has {n:count}", "facts": facts[n], "tags": ["a"] * (n % 2),
            "reason": cased(again("{symbol:text} has {n:count}", facts[n])),
            "band": None if n % 3 else [0.1, n / 7], "costs": {"total": n, "fx": "0"},
        }
        for n in range(300)
    ]  # fmt: skip
    columns = columnar.fold({"rows": rows})["rows"]["columns"]

    assert {name: sorted(column) for name, column in columns.items() if name != "words"} == {
        "symbol": ["words"], "side": ["index", "values"], "template": ["all"],
        "facts": ["columns"], "tags": ["items", "lengths"], "reason": ["cased", "sentence"],
        "band": ["absent", "others"], "costs": ["columns"],
    }  # fmt: skip
    assert columns["facts"]["columns"]["symbol"] == {"same": "symbol"}
    assert columns["costs"]["columns"] == {
        "total": {"same": "facts.n"}, "fx": {"all": "0"},
    }  # fmt: skip


TABLE = {"rows": 2, "columns": {"a": [1, 2], "b": {"all": 0}}}
BROKEN: list[tuple[Any, Any]] = [
    (5, TABLE), ([["nowhere"]], TABLE), ([["x", "y"]], TABLE), ([["x"]], {**TABLE, "rows": -1}),
    ([["x"]], {**TABLE, "rows": None}), ([["x"]], {**TABLE, "rows": 3}),
    ([["x"]], {**TABLE, "rows": True}), ([["x"]], {**TABLE, "rows": 10**12}),
    ([["x"]], {"rows": 2}), ([["x"]], []), ([["x"]], {"rows": 1, "columns": {"a": "text"}}),
    ([["x"]], {"rows": 1, "columns": {"a": {"odd": 1}}}),
    ([["x"]], {"rows": 1, "columns": {"a": {"same": "b"}}}),
    ([["x"]], {"rows": 1, "columns": {"a": {"values": [1], "index": [1]}}}),
    ([["x"]], {"rows": 1, "columns": {"a": {"values": [1], "index": [-1]}}}),
    ([["x"]], {"rows": 1, "columns": {"a": {"lengths": [2], "items": [1]}}}),
    ([["x"]], {"rows": 1, "columns": {"a": {"lengths": {"all": 10**9}, "items": {"all": 1}}}}),
    ([["x"]], {"rows": 2, "columns": {"a": {"absent": [0], "others": []}}}),
    ([["x"]], {"rows": 1, "columns": {"reason": {"sentence": "template"}}}),
    ([["x"]], {"rows": 1, "columns": {
        "reason": {"sentence": "template"}, "template": ["{n:pct}"], "facts": [{}],
    }}),
    ([["x"]], {"rows": 1, "keys": [["a"]], "index": [0], "columns": {}}),
    ([["x"]], {"rows": 1_900_000, "columns": {f"a{n}": {"all": 1} for n in range(11)}}),
]  # fmt: skip


def test_columns_that_are_not_those_of_a_list_are_refused():
    refused = []
    for paths, table in BROKEN:
        with pytest.raises(InputError, match="The columns of the plan") as error:
            columnar.unfold({"schema": "x", "columnar": paths, "x": copy.deepcopy(table)})
        refused.append(error.value.fault.code)

    assert refused == ["plan_columns"] * len(BROKEN)


def test_a_long_plan_is_read_by_everything_that_reads_a_short_one(tmp_path):
    lines = [f"A{n:03d} {10 + n % 7} @ {20 + n % 50}" for n in range(columnar.ROWS + 1)]
    targets = {f"A{n:03d}": 0.9 / len(lines) for n in range(len(lines))}
    made = world(*lines, cash="9000", targets=targets).plan()
    path = tmp_path / "plan.json"
    path.write_text(made.to_json(), encoding="utf-8")
    document = json.loads(path.read_text(encoding="utf-8"))

    assert ["holdings"] in document[columnar.COLUMNAR]
    jsonschema.validate(document, plans.json_schema())
    assert verify.load(path.read_text(encoding="utf-8")) == made.document()
    assert verify.check(verify.load(path.read_text(encoding="utf-8"))).failed == ()
    assert plan_of(str(path)).document() == made.document()
