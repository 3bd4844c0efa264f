"""What the rails say of a plan before its run: as far as it can be seen without the broker.

They are the rails of the run itself, asked the same way. What only the broker can tell is not
known here, and a rail that asks for it names itself; the run asks all of them again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from steelyard.execution import halt
from steelyard.execution.approved import Approved
from steelyard.execution.configuration import Configuration
from steelyard.execution.evidence import failures, plan_facts, reconciliation
from steelyard.execution.journal.journal import Journal
from steelyard.execution.rails import Block, Facts, judge
from steelyard.execution.rails.facts import DayFacts
from steelyard.execution.room import build, free_bytes, paper_history, restricted
from steelyard.money import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Beforehand:
    """Rails of a run that is not begun.

    passed       names of those that let it through
    blocks       (rail, code, why) of those that do not
    unseen       names of those that ask the broker
    restricted   symbols of the plan that nobody may trade; None = the list cannot be read
    """

    passed: tuple[str, ...]
    blocks: tuple[tuple[str, str, str], ...]
    unseen: tuple[str, ...]
    restricted: tuple[str, ...] | None


def beforehand(
    home: Path, journal: Journal, plan: Approved, account: str, settings: Configuration
) -> Beforehand:
    """Every rail of the run on paper; nothing is written, and nobody is asked."""
    judged = judge(_facts(home, journal, plan, account, settings), "run")
    passed, blocks, unseen = [], [], []
    for each in judged:
        verdict = each.verdict
        if not isinstance(verdict, Block):
            passed.append(each.rail)
        elif verdict.code == f"{each.rail}_unknown":
            unseen.append(each.rail)
        else:
            blocks.append((each.rail, verdict.code, verdict.why))
    names = restricted(home)
    own = None if names is None else sorted(names & {e.symbol.upper() for e in plan.instructions})
    return Beforehand(
        passed=tuple(passed),
        blocks=tuple(blocks),
        unseen=tuple(unseen),
        restricted=None if own is None else tuple(own),
    )


def _facts(
    home: Path, journal: Journal, plan: Approved, account: str, settings: Configuration
) -> Facts:
    now = journal.now().utc
    return Facts(
        limits=settings.limits_of("paper"),
        history_needs=settings.paper_history,
        mode="paper",
        subject=plan.plan_id,
        amount_base=plan.gross_base,
        host=None,
        key=None,
        pinned_account=settings.account.pinned,
        account=None,
        capabilities=None,
        history=paper_history(journal),
        arm=None,
        switch=halt.look(home),
        lock=None,
        reconciliation=reconciliation(journal, account),
        builds={"this process": build()},
        free_disk_bytes=free_bytes(home),
        journal_writable=os.access(home if home.exists() else home.parent, os.W_OK),
        clock=None,
        session=None,
        previous_session=None,
        newest_event_at=None,
        run_started_at=None,
        plan=plan_facts(plan),
        order=None,
        day=DayFacts(
            orders_today=0,
            orders_in_run=0,
            last_order_at=None,
            turnover_base=ZERO,
            rejects_in_row=0,
            rejects=0,
            failures=failures(journal, now),
            failed_sells_base=ZERO,
        ),
        holdings=None,
        fills=None,
        values_base=None,
        sectors=None,
        free_cash_base=None,
        quotes=None,
        assets=None,
        restricted=None,
        last_trades=None,
        equity_open_base=None,
        equity_base=None,
    )
