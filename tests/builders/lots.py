"""Small problems over whole lots, drawn from a seed, and an enumerator of every list of orders.

All money is whole units, a millionth of the value, so that the enumerator knows exactly what a list
uses. It shares with the product no more than the problem's arrays of ways: the score is taken from
its formula (squares of residuals, a norm of factors), uses and limits are sums of integers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from steelyard.arrays import FloatArray, IntArray, frozen
from steelyard.planning.score.model import ScoreModel
from steelyard.planning.search.lots import NONE, LotList, LotProblem, Ways

VALUE = 1_000_000
MOST_LISTS = 20_000
"""Enumerated of one problem; sizes are cut until there are no more."""
MOST_LOTS = 12
FEW = 40
LEAST_VARIANCE = 1e-18
HURDLE, PER_COST = 0.001, 4.86

Square = tuple[float, FloatArray, FloatArray]
Generator = np.random.Generator


@dataclass(frozen=True, kw_only=True)
class Formula:
    """A score: slope . z less sum of k |M z - aim|^2 less sum of k |L z|."""

    slope: FloatArray
    squares: tuple[Square, ...]
    norms: tuple[tuple[float, FloatArray], ...] = ()

    def value(self, z: FloatArray) -> FloatArray:
        """(k,) of points (k, n + 1), term by term."""
        total = (z * self.slope).sum(axis=1)
        for k, M, aim in self.squares:
            total = total - k * (((z[:, None, :] * M).sum(axis=2) - aim) ** 2).sum(axis=1)
        for k, L in self.norms:
            spread = ((z[:, None, :] * L).sum(axis=2) ** 2).sum(axis=1)
            total = total - k * np.sqrt(np.maximum(spread, LEAST_VARIANCE))
        return np.asarray(total)

    def model(self) -> ScoreModel:
        """The same multiplied out."""
        size = len(self.slope)
        H, slope, separable = np.zeros((size, size)), self.slope.copy(), np.zeros(size)
        for k, M, aim in self.squares:
            square = k * np.einsum("ri,rj->ij", M, M)
            H += square
            if np.count_nonzero(square) == np.count_nonzero(np.diagonal(square)):
                separable += np.diagonal(square)
            slope += 2 * k * np.einsum("ri,r->i", M, aim)
        constant = -math.fsum(k * float((aim**2).sum()) for k, _, aim in self.squares)
        norms = tuple((k, frozen(np.einsum("ri,rj->ij", L, L))) for k, L in self.norms)
        return ScoreModel(
            constant, frozen(slope), frozen((H + H.T) / 2), norms, separable=frozen(separable)
        )


@dataclass(frozen=True, kw_only=True)
class Use:
    """One limit in whole units: used by an order whatever its size, per lot, and the most."""

    name: str
    fixed: IntArray
    each: IntArray
    limit: int


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A problem with what it was made of.

    forbids   pairs of securities of which a list may trade only one, and whether the lots of a list
              must be even together: row predicates that the arrays do not know
    """

    seed: int
    formula: Formula
    start: FloatArray
    ways: Ways
    uses: tuple[Use, ...]
    conflicts: IntArray
    forbids: tuple[tuple[int, int], ...]
    even: bool
    empty: bool

    @property
    def problem(self) -> LotProblem:
        """As the search takes it."""
        return LotProblem(
            model=self.formula.model(),
            start=self.start,
            ways=self.ways,
            limits=frozen(np.array([use.limit / VALUE for use in self.uses])),
            names=tuple(use.name for use in self.uses),
            conflicts=self.conflicts,
            permits=self.permits,
            empty=self.empty,
        )

    def permits(self, orders: LotList) -> bool:
        """Exactly: sums of integers, and the row predicates."""
        at = [i for i in range(len(orders.way)) if orders.way[i] != NONE]
        for use in self.uses:
            spent = sum(
                int(use.fixed[orders.way[i]]) + int(use.each[orders.way[i]] * orders.lots[i])
                for i in at
            )
            if spent > use.limit:
                return False
        if any(a in at and b in at for a, b in self.forbids):
            return False
        return not self.even or sum(int(orders.lots[i]) for i in at) % 2 == 0


@dataclass(frozen=True)
class Enumerated:
    """Every permitted list: way (k, n), lots (k, n), net (k,), best first."""

    way: IntArray
    lots: IntArray
    net: FloatArray

    @property
    def best(self) -> float:
        """Net of the best list; -inf where no list is permitted."""
        return float(self.net[0]) if len(self.net) else -math.inf


def enumerated(drawn: Drawn) -> Enumerated:
    """Try all."""
    ways, n = drawn.ways, len(drawn.start) - 1
    options = [[(NONE, 0), *_options(ways, i)] for i in range(n)]
    grid = np.indices([len(choices) for choices in options]).reshape(n, -1)
    picked = [np.array(choices)[grid[i]] for i, choices in enumerate(options)]
    way = np.column_stack([pair[:, 0] for pair in picked])
    lots = np.column_stack([pair[:, 1] for pair in picked])
    allowed = _allowed(drawn, way, lots)
    way, lots = way[allowed], lots[allowed]
    net = _net(drawn, way, lots)
    order = np.argsort(-net, kind="stable")
    return Enumerated(way[order], lots[order], net[order])


def _options(ways: Ways, security: int) -> Iterator[tuple[int, int]]:
    for k in range(len(ways)):
        if ways.security[k] == security:
            yield from ((k, lots) for lots in range(int(ways.least[k]), int(ways.most[k]) + 1))


def _allowed(drawn: Drawn, way: IntArray, lots: IntArray) -> np.ndarray:
    """(k,) which lists are permitted."""
    traded = way != NONE
    allowed = np.ones(len(way), dtype=bool) if drawn.empty else traded.any(axis=1)
    for use in drawn.uses:
        each = _of(use.fixed, way) + _of(use.each, way) * lots
        allowed &= each.sum(axis=1) <= use.limit
    for a, b in drawn.conflicts:
        allowed &= ~((way == a).any(axis=1) & (way == b).any(axis=1))
    for a, b in drawn.forbids:
        allowed &= ~(traded[:, a] & traded[:, b])
    if drawn.even:
        allowed &= lots.sum(axis=1) % 2 == 0
    return np.asarray(allowed)


def _net(drawn: Drawn, way: IntArray, lots: IntArray) -> FloatArray:
    ways = drawn.ways
    d = _of(ways.lot, way) * lots
    charge = (_of(ways.charge, way) + _of(ways.rate, way) * lots).sum(axis=1)
    z = drawn.start + np.column_stack([d, -d.sum(axis=1)])
    return np.asarray(drawn.formula.value(z) - drawn.formula.value(drawn.start[None]) - charge)


def _of(each: np.ndarray, way: IntArray) -> np.ndarray:
    """Of each way; 0 of NONE."""
    return np.append(each, 0)[way]


def drawn(seed: int, most_lists: int = MOST_LISTS) -> Drawn:
    """The problem of that seed; in one of two the cash just pays one of the best lists."""
    rng = np.random.default_rng([seed, 7])
    loose = _budgeted(_loose(rng, seed, int(rng.choice([2, 3, 3, 4, 4])), most_lists))
    if rng.random() < 0.5:
        return loose
    free = tuple(use for use in loose.uses if use.name != "cash")
    lists = enumerated(replace(loose, uses=free, empty=False))
    if not len(lists.net):
        return loose
    k = int(rng.integers(min(FEW, len(lists.net))))
    return _tight(loose, lists.way[k], lists.lots[k], owes=bool(rng.random() < 0.5))


def larger(seed: int, n: int) -> Drawn:
    """Too large to be enumerated: no norm, no row predicate; cash may just pay some list."""
    rng = np.random.default_rng([seed, n])
    loose = _loose(rng, seed, n, math.inf)
    loose = replace(loose, formula=replace(loose.formula, norms=()), forbids=(), even=False)
    if rng.random() < 0.5:
        return loose
    way, lots = np.full(n, NONE), np.zeros(n, dtype=np.int64)
    for i in np.flatnonzero(rng.random(n) < 0.5):
        mine = np.flatnonzero(loose.ways.security == i)
        if len(mine):
            way[i] = rng.choice(mine)
            lots[i] = rng.integers(loose.ways.least[way[i]], loose.ways.most[way[i]] + 1)
    return _tight(loose, way, lots, owes=False)


def _loose(rng: Generator, seed: int, n: int, most_lists: float) -> Drawn:
    cash = int(rng.integers(5_000, 90_000))
    shares = _units(rng, n, VALUE - cash)
    targets = _units(rng, n, int(rng.integers(900_000, VALUE)))
    price = rng.integers(VALUE // (30 * n), VALUE // (4 * n), n)
    if rng.random() < 0.3:  # what is held is whole lots
        shares = shares // price * price
        cash = VALUE - int(shares.sum())
    fee, cost = _costs(rng, price)
    ways = _ways(rng, (shares, targets, price), (fee, cost), most_lists)
    uses = _uses(rng, ways, (fee, cost), (shares, cash))
    return Drawn(
        seed=seed,
        formula=_formula(rng, n, targets / VALUE),
        start=frozen(np.append(shares, cash) / VALUE),
        ways=_with_uses(ways, uses),
        uses=uses,
        conflicts=_conflicts(rng, ways),
        forbids=((0, 1),) if rng.random() < 0.15 else (),
        even=bool(rng.random() < 0.08),
        empty=True,
    )


def _budgeted(loose: Drawn) -> Drawn:
    """In one of three with a limit on the net gain of sales, which losses make room in."""
    rng = np.random.default_rng([loose.seed, 17])
    if rng.random() > 1 / 3:
        return loose
    ways, size = loose.ways, np.rint(np.abs(loose.ways.lot) * VALUE)
    share = rng.uniform(-0.3, 0.5, len(ways)) * (ways.lot < 0)
    each, fixed = np.rint(size * share).astype(np.int64), np.zeros(len(ways), dtype=np.int64)
    for w in range(1, len(ways)):
        if ways.security[w - 1] == ways.security[w] and ways.lot[w - 1] == ways.lot[w]:
            fixed[w] = fixed[w - 1] + (each[w - 1] - each[w]) * int(ways.most[w - 1])
    limit = int(rng.choice([0, 0, 5_000, 40_000]))
    uses = (*loose.uses, Use(name="gain", fixed=fixed, each=each, limit=limit))
    return replace(loose, uses=uses, ways=_with_uses(ways, uses))


def _tight(loose: Drawn, way: IntArray, lots: IntArray, *, owes: bool) -> Drawn:
    """The same with cash that a list ends at exactly; a debt where that list has to sell."""
    uses = []
    for use in loose.uses:
        spent = int((_of(use.fixed, way) + _of(use.each, way) * lots).sum())
        if use.name != "cash":
            uses.append(use)
        elif spent < 0 and owes:
            uses.append(replace(use, name="due", limit=spent))
        else:
            uses.append(replace(use, limit=max(0, spent)))
    ways = _with_uses(loose.ways, tuple(uses))
    empty = not any(use.name == "due" for use in uses)
    return replace(loose, uses=tuple(uses), ways=ways, empty=empty)


def _units(rng: Generator, n: int, total: int) -> IntArray:
    """(n,) whole units that sum to at most `total`; some are 0."""
    parts = rng.dirichlet(np.full(n, 2.0)) * (rng.random(n) < 0.85)
    return np.floor(parts / max(parts.sum(), 1e-9) * total).astype(np.int64)


def _costs(rng: Generator, price: IntArray) -> tuple[int, IntArray]:
    """Units that an order costs, and (n,) units per lot; often nothing."""
    free = rng.random() < 0.3
    fee = 0 if free else int(rng.choice([0, 150, 900, 4_000]))
    return fee, price * 0 if free else price * int(rng.choice([0, 1, 2, 10])) // 1_000


def _ways(
    rng: Generator,
    sizes: tuple[IntArray, IntArray, IntArray],
    costs: tuple[int, IntArray],
    most_lists: float,
) -> Ways:
    """Ways of every security, cut until enumeration is small enough."""
    shares, targets, price = sizes
    least_order = int(rng.choice([0, 0, 60_000, 180_000])) // len(price)
    towards, taxed = bool(rng.random() < 0.4), bool(rng.random() < 0.3)
    gains, split = rng.normal(0.0, 0.004, (len(price), 2)) * taxed, rng.random(len(price))
    for longest in range(MOST_LOTS, 0, -1):
        rows = []
        for i in range(len(price)):
            gap = int(targets[i]) - int(shares[i]) if towards else None
            position = int(shares[i]), int(price[i])
            least = max(1, -(-least_order // int(price[i])))
            fixed = HURDLE + PER_COST * costs[0] / VALUE
            each = PER_COST * int(costs[1][i]) / VALUE
            for lot, low, high, charge, rate in _of_security(
                position, gap, longest, (float(split[i]), gains[i])
            ):
                first = low if lot == -position[0] else max(low, least)
                if first <= high:
                    rows.append((i, lot, first, high, fixed + charge, each + rate))
        counts = np.ones(len(price))
        for row in rows:
            counts[row[0]] += row[3] - row[2] + 1
        if counts.prod() <= most_lists:
            break
    return _of_rows(rows)


def _of_security(
    position: tuple[int, int], gap: int | None, longest: int, tax: tuple[float, np.ndarray]
) -> Iterator[tuple[int, int, int, float, float]]:
    """Signed units of a lot, least, most, charge, rate: a buy, one or two stretches of sales, an
    exit.

    gap   to the target, of which no order passes more than half a lot; None = any size
    """
    owned, price = position
    nearest = longest if gap is None else min(longest, (2 * abs(gap) + price - 1) // (2 * price))
    if gap is None or gap > 0:
        yield price, 1, nearest, 0.0, 0.0
    if not owned or (gap is not None and gap > 0):
        return
    whole = min(nearest, (owned - 1) // price)
    share, (first, second) = tax
    if first == second or whole < 2:
        yield -price, 1, whole, 0.0, float(first)
    else:
        low, high = sorted((float(first), float(second)))
        turn = 1 + int(share * (whole - 1))
        yield -price, 1, turn, 0.0, low
        yield -price, turn + 1, whole, (low - high) * turn, high
    if gap is None or owned <= -gap + price // 2:
        yield -owned, 1, 1, 0.0, float(first + second) * owned / price / 2


def _of_rows(rows: list[tuple[int, int, int, int, float, float]]) -> Ways:
    w = len(rows)
    at = np.array(rows, dtype=float).reshape(w, 6)
    return Ways(
        security=frozen(at[:, 0].astype(np.int64)),
        lot=frozen(at[:, 1] / VALUE),
        least=frozen(at[:, 2].astype(np.int64)),
        most=frozen(at[:, 3].astype(np.int64)),
        charge=frozen(at[:, 4].copy()),
        rate=frozen(at[:, 5].copy()),
        use=frozen(np.zeros((w, 0))),
        use_rate=frozen(np.zeros((w, 0))),
    )


def _with_uses(ways: Ways, uses: tuple[Use, ...]) -> Ways:
    w = len(ways)
    fixed = [use.fixed / VALUE for use in uses]
    each = [use.each / VALUE for use in uses]
    return replace(
        ways,
        use=frozen(np.array(fixed).reshape(len(uses), w).T.copy()),
        use_rate=frozen(np.array(each).reshape(len(uses), w).T.copy()),
    )


def _uses(
    rng: Generator, ways: Ways, costs: tuple[int, IntArray], account: tuple[IntArray, int]
) -> tuple[Use, ...]:
    """Cash in one pot or two, turnover, number of orders, a group's cap."""
    shares, cash = account
    none = np.zeros(len(ways), dtype=np.int64)
    money = np.rint(ways.lot * VALUE).astype(np.int64)
    fee, cost = none + costs[0], costs[1][ways.security]
    pots = 2 if rng.random() < 0.2 else 1
    uses = []
    for pot in range(pots):
        mine = ways.security % pots == pot
        fixed, each = np.where(mine, fee, 0), np.where(mine, money + cost, 0)
        spare = max(0, cash // pots - int(rng.integers(0, 20_000)))
        uses.append(Use(name="cash", fixed=fixed, each=each, limit=spare))
    if rng.random() < 0.3:
        most = int(rng.integers(100_000, 600_000))
        uses.append(Use(name="turnover", fixed=none, each=np.abs(money), limit=most))
    if rng.random() < 0.35:
        most = int(rng.integers(1, 2 + len(shares) // 2)) * VALUE
        uses.append(Use(name="orders", fixed=none + VALUE, each=none, limit=most))
    if rng.random() < 0.3:
        group = ways.security % 2 == 0
        weight = int(shares[::2].sum())
        most = max(0, int(rng.integers(-100_000, 200_000))) if weight < 600_000 else 0
        uses.append(Use(name="group", fixed=none, each=np.where(group, money, 0), limit=most))
    return tuple(uses)


def _conflicts(rng: Generator, ways: Ways) -> IntArray:
    """Now and then pairs of ways of different securities, both buys or both sales."""
    side = ways.lot > 0
    if rng.random() < 0.6:
        return frozen(np.zeros((0, 2), dtype=np.int64))
    pairs = [
        (a, b)
        for a in range(len(ways))
        for b in range(a + 1, len(ways))
        if ways.security[a] != ways.security[b]
        and side[a] == side[b]
        and rng.random() < 1 / len(side)
    ]
    return frozen(np.array(pairs, dtype=np.int64).reshape(-1, 2))


def _formula(rng: Generator, n: int, targets: FloatArray) -> Formula:
    """A score of the product's kind and size; one in four without targets, some nearly linear."""
    kind = rng.choice(["targets", "targets", "targets", "none", "linear"])
    mix = targets / targets.sum() if kind == "targets" and targets.sum() else np.full(n, 1 / n)
    seen = np.column_stack([np.eye(n), mix])
    sectors = np.eye(2)[rng.integers(0, 2, n)]
    loadings = np.column_stack([rng.uniform(0.08, 0.25, n), rng.normal(0, 0.08, n)])
    own = np.diag(rng.uniform(0.05, 0.3, n))
    spread = np.vstack([loadings.T, own])
    squares: list[Square] = []
    if kind == "targets":
        aims = np.append(targets, 1 - targets.sum())
        squares.append((float(rng.uniform(0.5, 5.0)), np.eye(n + 1), aims))
    if kind != "linear":
        aim = (sectors * mix[:, None]).sum(axis=0) if kind == "targets" else np.zeros(2)
        squares.append((float(rng.uniform(0.1, 1.0)), np.einsum("ig,ij->gj", sectors, seen), aim))
        common = np.einsum("ig,ij->gj", loadings, seen)
        aim = (common * np.append(mix, 0)).sum(axis=1)
        squares.append((float(rng.uniform(0.1, 1.0)), common, aim))
    if kind == "none":
        cash = np.append(np.zeros(n), 1.0)[None]
        squares.append((float(rng.uniform(0.5, 2.0)), cash, np.array([0.05])))
    slope = np.append(rng.normal(0.1, 0.05 if kind == "targets" else 0.1, n), 0.04)
    norms = ((float(rng.uniform(0.1, 0.8)), np.column_stack([spread, np.zeros(n + 2)])),)
    return Formula(slope=slope, squares=tuple(squares), norms=norms if rng.random() < 0.7 else ())
