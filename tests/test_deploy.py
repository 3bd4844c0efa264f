"""What is in deploy/ can be read, and asks for figures that a service has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families as families

from builders.asked import Desk, of_routers
from builders.paths import ROOT

DEPLOY = ROOT / "deploy"
OF_PROMETHEUS = {"up"}
"""Figures that who asks makes itself."""
FIGURE = re.compile(r"\b(?:up|steelyard_\w+|process_\w+)\b")
SELECTOR = re.compile(r"(?P<name>\w+)\{(?P<labels>[^}]*)\}")
GROUPED = re.compile(r"by \((?P<labels>[^)]*)\)")
OF_SCRAPE = {"job", "instance", "exported_instance"}
"""Labels that who asks adds; ours of the name `instance` is `exported_instance` there."""


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((DEPLOY / "alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    text = (DEPLOY / "grafana" / "dashboard.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


@pytest.fixture(scope="module")
def answer(tmp_path_factory) -> dict[str, set[str]]:
    """Name of every figure of a service that did all there is to do -> its labels."""
    desk = Desk(tmp_path_factory.mktemp("home"), of_routers())
    meters = desk.house.meters
    meters.request("/", "GET", 200, 0.1)
    meters.breaker("e", "open")
    meters.batch(0.1, "e")
    meters.modules([Timed("filters.a", 0.1)])
    text = desk.client().get("/metrics").text
    of: dict[str, set[str]] = {}
    for family in families(text):
        for sample in family.samples:
            of.setdefault(sample.name, set()).update(sample.labels)
    return of


class Timed:
    """What a module took."""

    def __init__(self, name: str, seconds: float) -> None:
        self.name, self.seconds = name, seconds


def asked(rules: list[dict[str, Any]], dashboard: dict[str, Any]) -> Iterator[str]:
    """Every expression."""
    yield from (rule["expr"] for rule in rules)
    yield from (target["expr"] for panel in dashboard["panels"] for target in panel["targets"])


def test_every_figure_that_is_asked_for_is_one_of_a_service(rules, dashboard, answer):
    names = {name for expr in asked(rules, dashboard) for name in FIGURE.findall(expr)}

    assert names - OF_PROMETHEUS <= answer.keys()
    families = {re.sub("_(bucket|count|sum|total)$", "", name) for name in answer}
    shown = {re.sub("_(bucket|count|sum|total)$", "", name) for name in names}
    assert {name for name in families - shown if name.startswith("steelyard")} == set()


def test_every_label_that_is_asked_for_is_one_of_its_figure(rules, dashboard, answer):
    every = set().union(*answer.values()) | OF_SCRAPE
    for expr in asked(rules, dashboard):
        for match in SELECTOR.finditer(expr):
            labels = set(re.findall(r"(\w+)[!=~]+\"", match["labels"]))
            assert labels <= answer.get(match["name"], set()) | OF_SCRAPE, expr
        for match in GROUPED.finditer(expr):
            assert set(match["labels"].replace(" ", "").split(",")) <= every, expr


def test_every_rule_and_panel_says_what_it_is_about(rules, dashboard):
    runbooks = (ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8").splitlines()
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]
        section = rule["annotations"]["description"].rpartition("docs/runbooks.md: ")[2]
        assert f"## {section.rstrip('.').capitalize()}" in runbooks
        assert rule["expr"].count("(") == rule["expr"].count(")")
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels})
    for panel in panels:
        assert panel["datasource"]["uid"] == "${datasource}"
        for target in panel["targets"]:
            labels = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert all(label in target["expr"] or label == "instance" for label in labels)
    places = [tuple(panel["gridPos"].values()) for panel in panels]
    assert len(set(places)) == len(panels)


def test_nothing_in_it_is_large():
    assert all(path.stat().st_size < 16_000 for path in DEPLOY.rglob("*") if path.is_file())
