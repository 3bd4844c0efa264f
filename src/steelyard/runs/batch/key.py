"""What a run is: the hash of all that its plan is a function of, each part by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from steelyard.calculations.digest import digest
from steelyard.canonical import sha256
from steelyard.modules.registry import Kind
from steelyard.notices import Notice
from steelyard.planning.case import Case
from steelyard.runs.code import code_sha256

NAMES: Mapping[str, str] = {
    "strategy": "the strategy",
    "holdings": "the holdings, cash or targets",
    "prices": "the prices",
    "code": "the code",
    "modules": "the modules or what of them is out of service",
    "memory": "what the bucket remembers",
    "seed": "the seed",
    "again": "what is generated",
}
"""Part of a key -> what people call it."""


class Inputs(NamedTuple):
    """Hashes of what a case was made from: what is owned and wanted, and the prices."""

    holdings: str
    prices: str

    @classmethod
    def of(cls, case: Case, warnings: Sequence[Notice] = ()) -> Inputs:
        """Of a case; warnings: what the importers noticed, which is in the plan too."""
        owned = digest(snapshot=case.snapshot, targets=case.targets, warnings=tuple(warnings))
        return cls(owned.hex(), digest(market=case.market).hex())


def parts_of(case: Case, inputs: Inputs, again: int = 0) -> dict[str, str]:
    """The parts of the run of a case.

    again   how often a run of the same parts met other sequences than it had stored
    """
    modules = {
        choice.module.qualified: (choice.module.version, choice.module.digest)
        for kind in Kind
        for choice in case.strategy.enabled(kind)
    }
    parts = {
        "strategy": case.strategy.sha256,
        "holdings": inputs.holdings,
        "prices": inputs.prices,
        "code": code_sha256(),
        "modules": digest(modules=modules, disabled=case.disabled).hex(),
        "memory": digest(state=case.state).hex(),
        "seed": str(case.seed),
    }
    return {**parts, "again": str(again)} if again else parts


def key_of(bucket: str, parts: Mapping[str, str]) -> str:
    """The key of a run."""
    return sha256({"bucket": bucket, **parts})


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Which parts differ, for people: "the prices and the code"; "" where none does."""
    names = [name for part, name in NAMES.items() if before.get(part) != now.get(part)]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
