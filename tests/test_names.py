"""docs/names.md: every name of the documents is here as it says, or has its reason."""

from __future__ import annotations

import importlib
import inspect
import re
from collections import Counter
from typing import Any, NamedTuple

import typer.main

from builders.paths import ROOT
from steelyard.cli import app
from steelyard.modules.registry import Kind, modules

PAGE = ROOT / "docs" / "names.md"
DOCUMENTS = (
    "Usage guide", "Architecture improvements (both editions)",
    "Architecture improvements (newer edition)", "Architecture improvements (older edition)",
    "Planning microservices", "Rebalancer plan",
)  # fmt: skip
NONE = "—"


class Row(NamedTuple):
    """A line of the table."""

    document: str
    name: str
    kind: str
    here: str
    status: str
    note: str

    @property
    def targets(self) -> list[str]:
        return re.findall(r"`([^`]+)`", self.here)


def read() -> list[Row]:
    lines = [
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")
    ]
    rows = [Row(*(cell.strip() for cell in line[1:-1].split("|"))) for line in lines[1:]]
    return [row._replace(name=row.name.strip("`")) for row in rows]


ROWS = read()


def member(owner: object, name: str) -> object:
    """An attribute, or the field of a record: one without a default is no attribute."""
    if hasattr(owner, name):
        return getattr(owner, name)
    fields = {
        **getattr(owner, "model_fields", {}),
        **getattr(owner, "__dataclass_fields__", {}),
        **inspect.get_annotations(owner),
    }  # type: ignore[arg-type]
    return fields[name]


def dotted(target: str) -> object:
    """What a dotted path names: the longest importable part, then members."""
    parts = target.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            found = member(found, name)
        return found
    raise LookupError(target)


def command(words: list[str]) -> object:
    """The command of these words; options and names in capitals are not looked up."""
    found: Any = typer.main.get_group(app)
    for word in words:
        found = found.commands[word]
    return found


def resolves(target: str) -> bool:
    """Is there such a command, file or name?"""
    try:
        if target.startswith("steelyard "):
            command(target.split()[1:])
        elif "/" not in target:
            dotted(target)
    except (LookupError, AttributeError):
        return False
    return "/" not in target or (ROOT / target).exists()


def test_what_is_said_to_be_here_is_here():
    here = [(row, target) for row in ROWS if row.status == "here" for target in row.targets]

    assert len(here) > 200
    assert [f"{row.name} at {target}" for row, target in here if not resolves(target)] == []


def test_a_name_that_is_nowhere_does_not_resolve():
    nowhere = ("steelyard nowhere", "src/none.py", "steelyard.compat.No", "steelyard.nothing.x")

    assert [target for target in nowhere if resolves(target)] == []


def test_the_table_is_read_whole():
    assert len(ROWS) > 400
    assert {row.document for row in ROWS} == set(DOCUMENTS)
    assert [row for row in ROWS if not (row.document and row.name and row.kind)] == []


def test_no_name_appears_twice_in_a_document():
    editions = [(row.document, row.name) for row in ROWS]
    shared = {
        row.name for row in ROWS if row.document == "Architecture improvements (both editions)"
    }

    assert [key for key, count in Counter(editions).items() if count > 1] == []
    assert [
        row.name
        for row in ROWS
        if row.document.startswith("Architecture")
        and "both" not in row.document
        and row.name in shared
    ] == []


def test_every_name_is_here_or_has_its_reason():
    assert {row.status for row in ROWS} == {"here", "not"}
    assert [row.name for row in ROWS if row.status == "here" and not row.targets] == []
    assert [
        row.name for row in ROWS if row.status != "here" and (row.here != NONE or not row.note)
    ] == []


def test_documents_follow_one_another():
    order = [DOCUMENTS.index(row.document) for row in ROWS]

    assert order == sorted(order)


def test_every_module_of_the_usage_guide_is_registered():
    kinds = {
        "calculator": Kind.OPPORTUNITY, "pattern": Kind.PATTERN,
        "sequence generator": Kind.SEQUENCE, "filter": Kind.FILTER,
    }  # fmt: skip
    named = [
        (kinds[what], row.name)
        for row in ROWS
        if row.document == "Usage guide"
        for what in row.kind.split(", ")
        if what in kinds
    ]

    assert len(named) == 27
    assert [(kind, name) for kind, name in named if name not in modules(kind)] == []
