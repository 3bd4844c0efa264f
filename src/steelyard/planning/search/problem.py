"""The search problem as arrays: tables, account, depth, and what a row predicate forbids.

    maximise  net(x) = linear . x - x' Q x - sum of norms     over sets x of at most `depth` of m
              orders
    subject   one order per security, pair conflicts, A x <= b, row predicates

A x <= b are the linear limits: cash, and turnover, groups and gains where the strategy caps them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from steelyard.arrays import PAD, BoolArray, FloatArray, IntArray, firsts
from steelyard.ledger import NEAR, SAFETY, Account
from steelyard.modules.candidates import RowPredicate
from steelyard.modules.tables import Tables


@dataclass(frozen=True)
class Problem:
    """m orders, p linear limits, s securities.

    predicates   asked before a set may be kept: (k, d) rows -> (k,) True where it may be a plan
    """

    tables: Tables
    account: Account
    depth: int
    predicates: tuple[RowPredicate, ...] = ()

    @property
    def m(self) -> int:
        """Number of orders."""
        return len(self.tables.linear)

    @cached_property
    def limits(self) -> tuple[FloatArray, FloatArray]:
        """A (p, m) and b (p,): the same limits as `ledger.feasible`, first cash, then turnover,
        then groups, then gains, last what is due or to be invested.

        Where cash is at its floor, orders that take none are still let through, as there.
        """
        account = self.account
        rows = [-account.payment]
        # a set on its floor may seem to be under it by rounding: the ledger decides, not this
        bounds = [max(0.0, account.spendable - account.floor) + SAFETY * account.scale]
        if account.turnover_cap is not None:
            rows.append(np.abs(account.delta) / 2)
            bounds.append(account.turnover_cap + SAFETY)
        if account.group_cap is not None:
            rows += list((account.delta[:, None] * account.group_shares).T)
            bounds += list(
                np.maximum(account.group_cap, account.group_weights)
                + SAFETY
                - account.group_weights
            )
        if account.gains is not None:
            rows.append(account.gains.of)
            bounds.append(account.gains.room + SAFETY)
        if account.due is not None:
            rows.append(-account.brought)
            bounds.append(SAFETY * account.scale - account.due)
        if account.invest is not None:
            rows.append(-account.bought)
            bounds.append(NEAR - account.invest)
        return np.array(rows), np.array(bounds)

    @cached_property
    def groups(self) -> IntArray:
        """(s, g) orders of each security, PAD filled: the best of each is found in one pass."""
        counts = np.bincount(self.place)
        table = np.full((len(counts), int(counts.max(initial=1))), PAD, dtype=np.int64)
        by_security = np.argsort(self.place, kind="stable")
        nth = np.arange(self.m) - np.repeat(np.cumsum(counts) - counts, counts)
        table[self.place[by_security], nth] = by_security
        return table

    @cached_property
    def place(self) -> IntArray:
        """(m,) row of `groups` that each order stands in."""
        names = self.account.security[firsts(self.account.security)]
        return np.asarray(np.searchsorted(names, self.account.security))

    def allowed(self, rows: IntArray) -> BoolArray:
        """(k, m) orders that may still join each row by security and conflicts."""
        account, closed = self.account, np.zeros((len(rows), self.m), dtype=np.bool_)
        for column in rows.T if self.m else ():
            blocked = account.security[column][:, None] == account.security
            if account.any_conflict:
                blocked |= account.apart[column]
            closed |= blocked & (column >= 0)[:, None]
        return ~closed

    def permits(self, rows: IntArray) -> BoolArray:
        """(k,) what the row predicates say; the empty row is always permitted."""
        good = np.ones(len(rows), dtype=np.bool_)
        for predicate in self.predicates:
            good &= predicate(rows)
        return np.asarray(good | (rows < 0).all(axis=1))
