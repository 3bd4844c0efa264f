"""Rails of the account and of who may trade it: mode, consent, switch, lock, books."""

from __future__ import annotations

from decimal import Decimal

from steelyard.execution.rails.asking import fresh, need, now, plan_of
from steelyard.execution.rails.facts import Facts, PaperHistory
from steelyard.execution.rails.judge import Block, Pass, Verdict, rail
from steelyard.execution.settings import PaperHistoryNeeds


@rail("run", "account.pinned", codes=("mode_mixed",))
def mode(facts: Facts) -> Verdict:
    """Do mode, address, key and account all say live, or all paper?"""
    account = need(facts.account, "the account")
    market = need(facts.capabilities, "what the broker can do")
    pinned = facts.pinned_account is not None and account.account_id == facts.pinned_account
    live = (
        facts.mode == "live",
        facts.host == "live",
        facts.key == "live",
        pinned and account.mode == "live",
    )
    addressed = market.serves == "orders" and not market.simulated
    own = ("paper", "paper") if addressed else (None, None)
    paper = (facts.mode, account.mode) == ("paper", "paper") and (facts.host, facts.key) == own
    words = f"mode {facts.mode}, address {facts.host}, key {facts.key}, account {account.mode}"
    words = f"{words}, the pinned one: {pinned}"
    if all(live) or (paper and not pinned):
        return Pass(words)
    return Block("mode_mixed", f"{words}: live needs all four, paper none")


@rail("run", codes=("account_blocked", "account_not_served"))
def account(facts: Facts) -> Verdict:
    """May the account trade, and does the broker take orders?"""
    account = need(facts.account, "the account")
    serves = need(facts.capabilities, "what the broker can do").serves
    if account.blocked != "":
        return Block("account_blocked", f"the broker says: {account.blocked}")
    if serves not in {"orders", "file"}:
        return Block("account_not_served", f"the broker serves {serves}, not orders")
    return Pass(f"account {account.account_id}, {serves}")


def lacking(history: PaperHistory, needs: PaperHistoryNeeds) -> tuple[str, ...]:
    """What is missing on paper before anything may be traded live; () = nothing."""
    missing = []
    if not history.runs >= needs.min_runs:
        missing.append(f"{history.runs} of {needs.min_runs} runs on paper that ended well")
    if not history.days >= needs.min_days:
        missing.append(f"{history.days} of {needs.min_days} days with such a run")
    if history.unexplained != 0:
        missing.append(f"no difference that nobody explained (there: {history.unexplained})")
    return tuple(missing)


@rail("run", "paper_history.min_runs", "paper_history.min_days", codes=("history_short",))
def history(facts: Facts) -> Verdict:
    """Is there enough recorded on paper to trade live?"""
    if facts.mode == "paper":
        return Pass("paper needs no history")
    missing = lacking(need(facts.history, "the paper history"), facts.history_needs)
    if missing != ():
        return Block("history_short", "; ".join(missing))
    return Pass("enough runs and days on paper, every difference explained")


@rail("run", codes=("not_armed", "armed_otherwise", "arm_expired", "arm_used", "heads_not_typed"))
def arm(facts: Facts) -> Verdict:
    """Has a person armed exactly this, for this amount, in time, and for this run alone?"""
    if facts.mode == "paper":
        return Pass("paper needs no arm")
    arm = facts.arm
    if arm is None:
        return Block("not_armed", "nothing is armed: steelyard arm PLAN")
    subject, amount = need(facts.subject, "what to arm"), need(facts.amount_base, "its amount")
    if (arm.plan_id, arm.amount_base) != (subject, amount):
        other = f"{arm.plan_id} for {arm.amount_base}, not {subject} for {amount}"
        return Block("armed_otherwise", f"armed is {other}")
    if arm.used_by != "":
        ours = arm.used_by == facts.run_id
        return Pass("used by this run") if ours else Block("arm_used", f"by {arm.used_by}")
    if not now(facts) < arm.expires_at:
        return Block("arm_expired", f"at {arm.expires_at.isoformat()}")
    heads = () if facts.purpose == "flatten" else plan_of(facts).heads
    if not set(heads) <= set(arm.heads):
        missing = sorted(set(heads) - set(arm.heads))
        return Block("heads_not_typed", f"warnings not typed in: {', '.join(missing)}")
    return Pass(f"armed until {arm.expires_at.isoformat()}")


@rail("run", codes=("halted",))
def kill_switch(facts: Facts) -> Verdict:
    """Is the kill switch off?"""
    switch = need(facts.switch, "the kill switch")
    return Block("halted", switch.why) if switch.engaged is not False else Pass("off")


@rail("run", codes=("not_locked", "fenced_off"))
def run_lock(facts: Facts) -> Verdict:
    """Is this the one run that may trade the account?"""
    lock = need(facts.lock, "the run lock")
    if lock.locked is not True:
        return Block("not_locked", "the account's lock is not ours")
    if lock.fence != lock.newest_fence:
        return Block("fenced_off", f"fence {lock.fence}, another run has {lock.newest_fence}")
    return Pass(f"fence {lock.fence}")


@rail(
    "run",
    "limits.reconciled_max_age_s",
    codes=("frozen", "not_reconciled", "reconciled_long_ago"),
)
def reconciled(facts: Facts) -> Verdict:
    """Were books and broker equal when last compared, and is that not long ago?"""
    last = need(facts.reconciliation, "the last reconciliation")
    if last.frozen != "":
        return Block("frozen", last.frozen)
    if last.clean is not True:
        return Block("not_reconciled", f"books and broker differed at {last.at.isoformat()}")
    limit = Decimal(facts.limits.reconciled_max_age_s)
    return fresh(facts, last.at, limit, "reconciled_long_ago", "the reconciliation")
