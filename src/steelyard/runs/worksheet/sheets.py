"""Sheets that are open: opening one takes long, so the last few stay."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from steelyard.runs.worksheet.opening import opened
from steelyard.runs.worksheet.sheet import Sheet
from steelyard.store import plans
from steelyard.store.store import Store

MOST = 8
"""Sheets: one of 50 holdings takes a few megabytes, most of them prices."""


class Sheets:
    """The sheets opened last, for any number of threads: of each plan one, opened once."""

    def __init__(self, most: int = MOST) -> None:
        """`most`: how many stay."""
        self._most = most
        self._sheets: OrderedDict[str, Sheet] = OrderedDict()
        self._lock = Lock()
        self._opening: dict[str, Lock] = {}

    def of(self, store: Store, plan_id: str) -> Sheet:
        """The sheet of a stored plan; raises as `opened`."""
        with self._lock:
            sheet = self._there(plan_id)
        if sheet is not None:
            return sheet
        whole = plans.load(store, plan_id).plan.plan_id
        with self._lock:
            own = self._opening.setdefault(whole, Lock())
        try:
            with own:
                with self._lock:
                    sheet = self._there(whole)
                if sheet is None:
                    sheet = opened(store, whole)
                    with self._lock:
                        self._sheets[whole] = sheet
                        while len(self._sheets) > self._most:
                            self._sheets.popitem(last=False)
        finally:
            with self._lock:
                self._opening.pop(whole, None)
        return sheet

    def __len__(self) -> int:
        """How many are open."""
        with self._lock:
            return len(self._sheets)

    def _there(self, plan_id: str) -> Sheet | None:
        sheet = self._sheets.get(plan_id)
        if sheet is not None:
            self._sheets.move_to_end(plan_id)
        return sheet
