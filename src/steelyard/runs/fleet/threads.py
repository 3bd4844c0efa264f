"""One thread of arithmetic for each worker: a fleet has an account for every core already."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from typing import Final

ONE_THREAD: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""What libraries of arithmetic read when they are loaded."""


def one_thread_each(environment: MutableMapping[str, str]) -> None:
    """One thread in this process, where they are not loaded yet, and in those that it starts."""
    environment.update(dict.fromkeys(ONE_THREAD, "1"))


def usable_cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows have no such call
        return os.cpu_count() or 1
