"""The page on brokers says of each what its capabilities say, and of a script what it has."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from builders.brokers import OPENING
from builders.paths import ROOT
from steelyard.brokers.alpaca import AlpacaBroker
from steelyard.brokers.broker import Capabilities
from steelyard.brokers.by_file import FORMS, FileBroker
from steelyard.brokers.paper import Script, open_paper

PAGE = (ROOT / "docs" / "brokers.md").read_text(encoding="utf-8")


def test_the_table_is_what_each_broker_says_of_itself(tmp_path: Path) -> None:
    paper = open_paper(tmp_path / "p.db", "tests", OPENING)
    brokers = [paper.capabilities, AlpacaBroker.capabilities, FileBroker.capabilities]

    columns = [list(_rows(able)) for able in brokers]

    for title, *cells in zip(*columns, strict=True):
        row = " | ".join([title[0], *(cell[1] for cell in [title, *cells])])
        assert f"| {row} | " in PAGE, row


def _rows(able: Capabilities) -> list[tuple[str, str]]:
    dedups = "yes, for ever" if able.dedup_window is None else f"yes, for {able.dedup_window}"
    return [
        ("a real market stands behind", _yes(not able.simulated)),
        (
            "a second order of the same client id is refused",
            dedups if able.dedups_client_id else "no",
        ),
        ("an order can be asked for by its client id", _yes(able.lookup_by_client_id)),
        ("lists every order, open and closed", _yes(able.lists_all_orders)),
        ("tells fills of a time that we were away", _yes(able.replays_executions)),
        (
            "an accepted order may be absent from answers for",
            f"{able.visibility_delay_s:g} s",
        ),
        ("no fill comes after cancelled, expired or rejected", _yes(able.terminal_is_final)),
        ("parts of a share", {"qty": "by quantity"}[able.fractional]),
        ("an answer of success may carry an error", _yes(able.errors_in_2xx)),
        ("a person has to log in again", "never" if able.reauth_every is None else "yes"),
        ("serves", {"orders": "orders", "file": "a file"}[able.serves]),
    ]  # fmt: skip


def _yes(fact: object) -> str:
    return "yes" if fact else "no"


def test_every_setting_of_a_script_and_every_form_of_a_file_is_described() -> None:
    names = [f"`{field.name}`" for field in fields(Script)]
    columns = [f"`{column}`" for header, _ in FORMS.values() for column in header]

    assert [name for name in [*names, *columns] if name not in PAGE] == []
