"""What a rail answers, and how it is asked: whatever goes wrong blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from steelyard.execution.rails.facts import Facts

Scope = Literal["run", "order"]


@dataclass(frozen=True, slots=True)
class Pass:
    """It may go on; `evidence` is the figure that says so."""

    evidence: str


@dataclass(frozen=True, slots=True)
class Block:
    """It may not: a stable code, and why in words."""

    code: str
    why: str


Verdict = Pass | Block
Judge = Callable[[Facts], Verdict]


@dataclass(frozen=True, slots=True)
class Rail:
    """One question that is always asked.

    scope      run: before it begins and again before each order; order: before each order
    settings   of `execution.settings` that it obeys
    codes      with which it blocks, besides NAME_unknown, NAME_not_finite and NAME_failed
    """

    name: str
    scope: Scope
    judge: Judge
    settings: tuple[str, ...]
    codes: tuple[str, ...]

    @property
    def asks(self) -> str:
        """What it wants to know, in a sentence."""
        return " ".join((self.judge.__doc__ or "").split("\n\n")[0].split())


@dataclass(frozen=True, slots=True)
class Judged:
    """A rail's name and its verdict."""

    rail: str
    verdict: Verdict


class Missing(Exception):
    """A datum that a rail needs could not be had."""


class NotFinite(Exception):
    """A number that a rail needs is none."""


def rail(scope: Scope, *settings: str, codes: tuple[str, ...]) -> Callable[[Judge], Rail]:
    """Make a rail of a function, under the function's name."""

    def named(judge: Judge) -> Rail:
        return Rail(getattr(judge, "__name__"), scope, judge, settings, codes)  # noqa: B009

    return named


def ask(rail: Rail, facts: Facts) -> Judged:
    """One rail's verdict; an exception of any kind is a Block with a code of its own."""
    try:
        verdict = rail.judge(facts)
    except Missing as error:
        verdict = Block(f"{rail.name}_unknown", str(error))
    except NotFinite as error:
        verdict = Block(f"{rail.name}_not_finite", str(error))
    except Exception as error:  # noqa: BLE001 a rail that fails blocks, whatever it failed of
        verdict = Block(f"{rail.name}_failed", f"the rail failed: {type(error).__name__}: {error}")
    return Judged(rail.name, verdict)


def blocks(judged: Iterable[Judged]) -> tuple[Judged, ...]:
    """Those that do not pass."""
    return tuple(each for each in judged if not isinstance(each.verdict, Pass))
