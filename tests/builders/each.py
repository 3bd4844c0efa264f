"""One test over many cases: all are tried, and all that fail are named."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from typing import Any


def each(cases: Mapping[Any, Any], check: Callable[..., None]) -> None:
    """Call `check` with every case, spread if it is a tuple; say which fail, and how.

    >>> each({"one": 1, "two": 2}, lambda number: None)
    """
    broken = []
    for name, case in cases.items():
        try:
            check(*case) if isinstance(case, tuple) else check(case)
        except Exception:  # noqa: BLE001 - whatever one case does, the others are tried
            broken.append(f"{name}: {traceback.format_exc(limit=-2)}")
    assert not broken, f"{len(broken)} of {len(cases)} cases fail\n" + "\n".join(broken)
