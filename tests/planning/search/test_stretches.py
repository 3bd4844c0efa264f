"""A search that goes on from its stored nodes ends as one that was never interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pytest

from builders.lots import drawn
from steelyard.planning.search.lot_branching import Best, branched
from steelyard.planning.search.lots import LotProof
from steelyard.planning.search.moves import Place
from steelyard.planning.search.quantities import LotSearch
from steelyard.planning.search.stretches import Stretch, Watch

BRANCHES = [15, 130]
"""Problems of about thirty nodes that meet lists on their way."""
ALL = 20_000


@dataclass
class Stretches:
    """In memory, due at every so many nodes."""

    every: int
    stretches: list[Stretch] = field(default_factory=list)
    at: int = 0
    over: int = 0
    asked: int = 0

    def due(self) -> bool:
        self.asked += 1
        return self.asked % self.every == 0

    def read(self, search: str) -> Sequence[Stretch]:
        return tuple(self.stretches)

    def write(self, search: str, stretch: Stretch) -> None:
        self.stretches.append(stretch)

    def went_on(self, nodes: int) -> None:
        self.at = nodes

    def passed_over(self, search: str) -> None:
        self.over += 1
        self.stretches.clear()


Outcome = tuple[float, int, str | None, float, list[tuple[float, bytes]]]


def branch(search: LotSearch, record: Stretches | None = None, most: int = ALL) -> Outcome:
    """From the root with no list: bound, nodes, what stopped it, best net, lists; to the last bit.

    So that lists are met on the way: those that a search starts from mostly are the best.
    """
    nets: dict[bytes, float] = {}

    def keep(place: Place) -> None:
        nets[place.orders.key] = place.net

    best = Best(search.relaxed, search.allowed, keep, 0.0 if search.problem.empty else -np.inf)
    watch = None if record is None else Watch.of(search.relaxed, search.root, best, record)
    bound, nodes, stopped = branched(search.relaxed, search.root, best, most, None, watch)
    return bound, nodes, stopped, best.net, sorted((net, key) for key, net in nets.items())


@pytest.fixture(scope="module", params=BRANCHES)
def search(request: pytest.FixtureRequest) -> LotSearch:
    return LotSearch.of(drawn(request.param).problem)


@pytest.fixture(scope="module")
def stored(search: LotSearch) -> list[Stretch]:
    """Every node a stretch of its own."""
    record = Stretches(1)
    branch(search, record)
    assert any(len(stretch.way) for stretch in record.stretches)
    return record.stretches


def test_a_search_ends_the_same_wherever_it_was_cut(search: LotSearch, stored: list[Stretch]):
    whole = branch(search)
    for cut in range(0, len(stored) + 1, 1 if search.problem.n > 2 else 5):
        record = Stretches(1 + cut % 4, stored[:cut])
        assert branch(search, record) == whole
        assert record.at == (cut if cut > record.every else 0)
        assert record.over == 0


def test_longer_stretches_and_any_budget_change_nothing(search: LotSearch):
    for most in (5, 17):
        short, whole = Stretches(3), branch(search, most=most)
        branch(search, short, most // 2)
        again = Stretches(2, short.stretches)
        assert branch(search, again, most) == whole
        assert all(a.stop == b.start for a, b in pairwise(again.stretches))


def test_a_whole_search_gives_the_same_proof():
    search, record = LotSearch.of(drawn(15).problem), Stretches(2)
    whole = search.run((), ALL)
    assert outcome(search.run((), 5, None, record)) == outcome(search.run((), 5))
    assert len(record.stretches) == 2
    assert outcome(search.run((), ALL, None, record)) == outcome(whole)
    assert record.stretches[-1].stop > 5


def outcome(proof: LotProof) -> tuple[LotProof, list[tuple[float, bytes]]]:
    lists = [(listed.net, listed.orders.key) for listed in proof.lists]
    return replace(proof, lists=()), lists


def test_a_search_that_is_settled_at_its_root_stores_nothing():
    record = Stretches(1)
    assert LotSearch.of(drawn(6).problem).run((), ALL, None, record).nodes == 0
    assert record.asked == 0


@pytest.mark.parametrize("change", [
    {"bound": 1e-15}, {"change": 1e-9}, {"number": 1}, {"way": 999},
])  # fmt: skip
def test_stretches_that_were_mended_are_passed_over(
    search: LotSearch, stored: list[Stretch], change: dict[str, float]
):
    name, by = next(iter(change.items()))
    at = next(k for k, stretch in enumerate(stored) if k and len(getattr(stretch, name)))
    mended = replace(stored[at], **{name: getattr(stored[at], name) + type(by)(by)})
    record = Stretches(2, [*stored[:at], mended])
    assert branch(search, record) == branch(search)
    assert record.over == 1


def test_stretches_of_another_problem_are_passed_over(search: LotSearch):
    other = Stretches(1)
    branch(LotSearch.of(drawn(77).problem), other, 12)
    foreign = Stretches(1, other.stretches)
    assert branch(search, foreign) == branch(search)
    assert foreign.over == 1
