"""What a new version of a strategy changes: in its text, in its rules, and in today's plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steelyard.cli.output import write
from steelyard.report import visible

if TYPE_CHECKING:
    from steelyard.store.strategies import Draft, Version
    from steelyard.strategies import Strategy


def show_changes(before: Version, draft: Draft, strategy: Strategy, *, plans: bool) -> None:
    """Print the differences between a stored version and what is to be the next one."""
    import difflib

    lines = difflib.unified_diff(
        before.toml.splitlines(), draft.toml.splitlines(), f"v{before.version}", "new", lineterm=""
    )
    write("".join(visible(line) + "\n" for line in lines))
    del strategy, plans
