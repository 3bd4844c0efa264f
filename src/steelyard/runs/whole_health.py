"""What is out of order beside modules, in sentences: for a command, and for the page of health."""

from __future__ import annotations

from pathlib import Path

from steelyard.runs.execution_health import AccountHealth, of_accounts, of_switch
from steelyard.runs.health import of_presets
from steelyard.runs.stored_health import of_buckets, of_stored
from steelyard.store.store import Store


def of_rules(store: Store | None) -> list[str]:
    """What is wrong with presets, stored strategies, buckets and their cash; None = no database."""
    texts = [*of_presets()]
    if store is not None:
        texts += [*of_stored(store), *of_buckets(store)]
    return texts


def of_execution(home: Path) -> tuple[list[AccountHealth], list[str]]:
    """(every account that was traded, what of execution is out of order)."""
    accounts = of_accounts(home)
    texts = (of_switch(home), *(each.error for each in accounts))
    return accounts, [text for text in texts if text]
