"""Documents of other versions are read: the last release's as it was, next year's as far as known.

`plan-1.3.json` is a document as the version before flows, bands and classes wrote it; it is never
written again.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from builders.paths import ROOT
from builders.plans import growth
from steelyard.cli import app
from steelyard.plans import verify, versions
from steelyard.plans.plan import Plan, content, json_schema, plan_id

LAST = ROOT / "tests" / "plans" / "plan-1.3.json"
MAPS = {"facts", "cash", "cash_after", "cash_rates", "params", "weights", "settings", "further"}
"""Fields that are maps from names, where any key is known."""


def records(node: Any, name: str = "") -> Iterator[dict[str, Any]]:
    """Every record of a document."""
    if isinstance(node, dict):
        if name not in MAPS:
            yield node
        for key, child in node.items():
            if key not in MAPS:
                yield from records(child, key)
    elif isinstance(node, list):
        for child in node:
            yield from records(child, name)


def of_next_year() -> dict[str, Any]:
    """A document with a field more in every record, and its own id."""
    document = copy.deepcopy(growth().document())
    for record in list(records(document)):
        record["of_next_year"] = {"figure": "1.5"}
    document["plan_id"] = plan_id(document)
    return document


def fields(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema)


def test_the_document_of_the_last_release_is_read_and_all_of_it_agrees():
    text = LAST.read_text(encoding="utf-8")
    plan = Plan.from_json(text)
    report = verify.check(verify.load(text))

    assert plan.plan_id == plan_id(content(text))
    assert (plan.flows, plan.occasions, plan.realised_gain) == ((), (), None)
    assert len(plan.steps) == 3
    assert report.failed == ()
    assert report.checked > 700
    assert "sentences" in dict(report.not_checked)
    assert fields(json_schema()).is_valid(json.loads(text))


def test_a_document_of_next_year_is_read_and_what_was_not_read_is_named():
    document = of_next_year()
    text = json.dumps(document)
    report = verify.check(verify.load(text))
    passed = verify.not_read(report)

    same = {**growth().document(), "plan_id": document["plan_id"]}
    assert Plan.from_json(text).document() == same
    assert plan_id(content(text)) == document["plan_id"]
    assert report.failed == ()
    assert {"of_next_year", "steps[].of_next_year", "steps[].costs.of_next_year"} <= {*passed}
    assert fields(json_schema()).is_valid(document)


def test_of_a_document_of_this_version_every_sentence_is_checked():
    document = growth().document()
    document["verdict"]["text"] = document["verdict"]["text"].replace("costs", "fees")
    document["plan_id"] = plan_id(document)
    report = verify.check(document)

    assert "sentences" not in dict(report.not_checked)
    assert [check.where for check in report.failed] == ["verdict.text"]


def test_why_reads_both(tmp_path):
    path = tmp_path / "next.json"
    path.write_text(json.dumps(of_next_year()), encoding="utf-8")
    answers = [
        CliRunner().invoke(app, ["why", symbol, "--plan", str(plan)])
        for symbol, plan in (("AAPL", path), ("VT", LAST))
    ]

    assert [answer.exit_code for answer in answers] == [0, 0], [a.output for a in answers]


def test_verify_says_on_one_line_what_it_did_not_read(tmp_path):
    path = tmp_path / "next.json"
    document = growth().document()
    document["steps"][0]["venue"] = "XNYS"
    document["plan_id"] = plan_id(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    text = CliRunner().invoke(app, ["verify", str(path)])
    data = CliRunner().invoke(app, ["verify", str(path), "--json"])

    assert text.exit_code == 0, text.output
    assert "1 field not read, of a later version or misspelt: steps[]: venue." in text.output
    assert json.loads(data.stdout)["not_read"] == ["steps[].venue"]


def test_a_misspelt_field_is_missing_under_its_name_and_unknown_under_the_other():
    document = growth().document()
    document["steps"][0]["quantitty"] = document["steps"][0].pop("quantity")
    document["plan_id"] = plan_id(document)
    report = verify.check(document)

    assert [check.where for check in report.failed] == ["steps[0].quantity"]
    with pytest.raises(ValueError, match=r"steps\.0\.quantity"):
        Plan.from_document(document)


def test_the_schema_has_an_id_and_a_version_and_closes_no_record():
    schema = json_schema()
    closed = [
        name for name, record in schema["$defs"].items()
        if name != "Table" and record.get("additionalProperties") is False
    ]  # fmt: skip

    assert schema["$id"] == "urn:steelyard:plan:1"
    assert schema["version"].split(".")[0] == "1"
    assert "additionalProperties" not in schema
    assert closed == []
    assert {*versions.ADDED} & {*schema["required"]} == set()


def test_the_page_of_the_document_says_what_the_test_of_it_holds():
    page = (ROOT / "docs" / "plan.md").read_text(encoding="utf-8")

    assert "fields are only added" in page
    assert "passes over" in page
