"""From a list to one that no change of one order, or of two, improves.

In: a place to begin and a field of what may be changed. Out: a better place. Each step is the best
change there is; where hundreds improve, many are made at once as long as they improve together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from steelyard.arrays import FloatArray, IntArray
from steelyard.planning.search.lots import NONE, LotList, LotProblem
from steelyard.planning.search.moves import Cross, Field, Firsts, Place, no_change

LEAST_GAIN = 1e-12
"""Less is rounding: it would let a climb go round in circles."""
TRIED = 50
"""Changes that `permits` may forbid before a step is given up."""
ROUNDS = 60
"""Rounds of pairs: lots that are nearly nothing would take no end of them, each worth nothing."""
MENDED = 400
"""Lists one change away that are asked about."""
MANY = 16
"""Improving changes from which on several are made at once."""
CELLS = 200_000
"""Pairs of changes judged at once."""
NEAR_LOTS, OPTIONS = 3, 40
"""Lots to either side that a first change of a pair is tried with: at first, and at last."""

Allowed = Callable[[LotList], bool]


def allowed_by(problem: LotProblem) -> Allowed:
    """May a list be a plan: conflicts, then `permits`; each list is asked about once."""
    memory: dict[bytes, bool] = {}

    def allowed(orders: LotList) -> bool:
        key = orders.key
        if key not in memory:
            memory[key] = not clashing(problem, orders) and problem.permits(orders)
        return memory[key]

    return allowed


def clashing(problem: LotProblem, orders: LotList) -> bool:
    """Does a list have two ways that may not go together?"""
    if not len(problem.conflicts):
        return False
    used = np.zeros(len(problem.ways), dtype=np.bool_)
    used[orders.way[orders.traded]] = True
    return bool(used[problem.conflicts].all(axis=1).any())


def repaired(field: Field, place: Place) -> Place | None:
    """A place that keeps every limit: while one is over, the change that costs least for what it
    brings back; None where none does.
    """
    problem, ways, live = field.problem, field.problem.ways, field.live
    for _ in range(2 * problem.n + 2):
        over = -place.spare
        if (over <= 0).all():
            return place
        j = int(over.argmax())
        i, rate = ways.security[live], ways.use_rate[live, j]
        with np.errstate(divide="ignore", invalid="ignore"):
            asked = (place.spent[i, j] - over[j] - ways.use[live, j]) / rate
        asked = np.where(rate > 0, np.floor(asked + 1e-9), np.ceil(asked - 1e-9))
        lots = np.clip(np.nan_to_num(asked), field.node.least[live], field.node.most[live])
        drops = place.orders.traded[field.node.none[place.orders.traded] == 0]
        firsts = field.firsts(
            place,
            np.concatenate([i, drops]),
            np.concatenate([live, np.full(len(drops), NONE)]),
            np.concatenate([lots.astype(np.int64), np.zeros(len(drops), dtype=np.int64)]),
        )
        back = -firsts.use[:, j]
        worse = np.maximum(firsts.use, 0.0) > np.maximum(place.spare, 0.0)[None, :]
        worse[:, j] = False
        good = (back > 0) & ~worse.any(axis=1)
        if not good.any():
            return None
        ratio = np.where(good, firsts.gain / np.minimum(np.maximum(back, 1e-15), over[j]), -np.inf)
        k = int(ratio.argmax())
        place = place.to(_changed(place, firsts, k))
    return None


def _changed(place: Place, firsts: Firsts, k: int) -> LotList:
    return place.with_order(int(firsts.security[k]), int(firsts.way[k]), int(firsts.lots[k]))


def mended(field: Field, place: Place, allowed: Allowed) -> Place | None:
    """A place near by that may be a plan; None without one.

    What `permits` forbids the arrays do not see, so a place may keep every limit and yet be none:
    orders that pass their target turn back, those of one side first; else one order changes.
    """
    turned = _turned_back(field, place, allowed)
    return turned or _one_changed(field, place, allowed)


def _turned_back(field: Field, place: Place, allowed: Allowed) -> Place | None:
    problem, lists = field.problem, list[LotList]()
    for first, second in ((1, -1), (-1, 1)):
        one_side = problem.turned_back(place.orders, first)
        lists += [one_side, problem.turned_back(one_side, second)]
    places = [repaired(field, place.to(orders)) for orders in lists]
    good = [near for near in places if near is not None and allowed(near.orders)]
    return max(good, key=lambda near: near.net, default=None)


def _one_changed(field: Field, place: Place, allowed: Allowed) -> Place | None:
    if not len(field.live):
        return None
    replies = field.replies(place, no_change(len(field.problem.limits)))
    gain, lots = replies.gain[0], replies.lots[0]
    firsts, _ = field.options(place, 1)
    some = np.flatnonzero(np.isfinite(gain))
    # a list is as long as there are securities: each is made when it is asked about
    best = np.argsort(-np.concatenate([gain[some], firsts.gain]), kind="stable")[:MENDED]
    lists = (
        with_reply(field, place.orders, int(some[c]), int(lots[some[c]]))
        if c < len(some)
        else _changed(place, firsts, c - len(some))
        for c in best.tolist()
    )
    near = next((orders for orders in lists if allowed(orders)), None)
    return None if near is None else place.to(near)


def singles(field: Field, place: Place, allowed: Allowed) -> Place:
    """Climb by changes of one order until none improves."""
    nothing = no_change(len(field.problem.limits))
    while True:
        if not len(field.live):
            return place
        replies = field.replies(place, nothing)
        gain, lots = replies.gain[0], replies.lots[0]
        order = np.argsort(-gain, kind="stable")
        order = order[gain[order] > LEAST_GAIN]
        better = _several(field, place, allowed, order, lots)
        better = better or _first(field, place, allowed, order, lots)
        if better is None:
            return place
        place = better


def _several(
    field: Field, place: Place, allowed: Allowed, order: IntArray, lots: IntArray
) -> Place | None:
    """Many improving changes at once, of each security the best, if they improve together."""
    count = len(order)
    while count >= MANY:
        count //= 2
        orders, done = place.orders, set[int]()
        way, lot = orders.way.copy(), orders.lots.copy()
        for at in order[:count].tolist():
            w = int(field.live[at])
            i = int(field.problem.ways.security[w])
            if i not in done:
                done.add(i)
                way[i], lot[i] = (w, int(lots[at])) if lots[at] else (NONE, 0)
        changed = LotList(way, lot)
        new = place.to(changed)
        if new.net > place.net + LEAST_GAIN and new.fits and allowed(changed):
            return new
    return None


def _first(
    field: Field, place: Place, allowed: Allowed, order: IntArray, lots: IntArray
) -> Place | None:
    """The best change that may be made."""
    for at in order[:TRIED].tolist():
        w, count = int(field.live[at]), int(lots[at])
        orders = place.with_order(int(field.problem.ways.security[w]), w if count else NONE, count)
        new = _better(place, orders, allowed)
        if new is not None:
            return new
    return None


def pairs(field: Field, place: Place, allowed: Allowed, cross: Cross) -> tuple[Place, bool]:
    """Climb by changes of two orders, and of one, until none improves.

    First changes of a few lots are tried first, then of many. Second: were all within the field?
    """
    window = NEAR_LOTS
    for _ in range(ROUNDS):
        firsts, complete = field.options(place, window)
        better = _pair_steps(field, place, allowed, (firsts, cross))
        if better is not place:
            place, window = singles(field, better, allowed), NEAR_LOTS
        elif window == OPTIONS or complete:
            return place, complete
        else:
            window = OPTIONS
    return place, False


def _pair_steps(field: Field, place: Place, allowed: Allowed, over: tuple[Firsts, Cross]) -> Place:
    """The place after the best pairs of changes of the first block that has some, each better."""
    firsts, cross = over
    size = max(1, CELLS // max(1, len(field.live)))
    for start in range(0, len(firsts.security), size):
        some = part(firsts, np.arange(start, min(start + size, len(firsts.security))))
        replies = field.replies(place, some, cross)
        best = _largest(replies.gain.ravel(), TRIED)
        moved, current = set[int](), place
        for at in best.tolist():
            k, v = divmod(at, len(field.live))
            i, j = int(some.security[k]), int(field.problem.ways.security[field.live[v]])
            if replies.gain[k, v] <= LEAST_GAIN or i in moved or j in moved:
                continue
            first = current.with_order(i, int(some.way[k]), int(some.lots[k]))
            orders = with_reply(field, first, v, int(replies.lots[k, v]))
            new = _better(current, orders, allowed)
            if new is not None:
                current = new
                moved |= {i, j}
        if current is not place:
            return current
    return place


def _better(place: Place, orders: LotList, allowed: Allowed) -> Place | None:
    """The place of a list that is better and may be a plan."""
    if not allowed(orders):
        return None
    new = place.to(orders)
    return new if new.fits and new.net > place.net + LEAST_GAIN / 2 else None


def with_reply(field: Field, orders: LotList, v: int, count: int) -> LotList:
    """A list with `count` lots of the open way v, 0 drops what its security has."""
    w = int(field.live[v])
    i = int(field.problem.ways.security[w])
    way, lots = orders.way.copy(), orders.lots.copy()
    way[i], lots[i] = (w, count) if count else (NONE, 0)
    return LotList(way, lots)


def _largest(values: FloatArray, count: int) -> IntArray:
    """Indices of about the `count` largest, best first, of equals the first."""
    if len(values) > count:
        least = np.partition(values, len(values) - count)[len(values) - count]
        some = np.flatnonzero(values >= max(least, LEAST_GAIN))
    else:
        some = np.arange(len(values))
    return np.asarray(some[np.argsort(-values[some], kind="stable")][:count])


def part(firsts: Firsts, some: IntArray) -> Firsts:
    """Some of the first changes."""
    return Firsts(
        firsts.security[some], firsts.way[some], firsts.lots[some], firsts.change[some],
        firsts.gain[some], firsts.use[some],
    )  # fmt: skip


def distinct(lists: Iterable[LotList]) -> list[LotList]:
    """The different lists, in their order."""
    return list({orders.key: orders for orders in lists}.values())
