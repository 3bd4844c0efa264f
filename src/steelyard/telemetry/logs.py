"""One line for each module at DEBUG, to the standard logger `steelyard.modules`; it says what ran,
never with what.

    module bucket=core name=filters.eligibility outcome=ok count=3 elapsed_ms=0.412

The same values travel as `extra` of the record (`bucket`, `qualified`, `outcome`, `count`,
`elapsed_ms`), for handlers that write JSON. Of a module that failed another line has the traceback,
whose text may hold what a user typed: for DEBUG alone, as all of this.
"""

from __future__ import annotations

import json
import logging

LOGGER = logging.getLogger("steelyard.modules")


def log_module(
    bucket: str, qualified: str, outcome: str, count: int | None, seconds: float
) -> None:
    """Log that a module ran, failed or was skipped; `count` of what it returned, None = nothing."""
    elapsed_ms = round(1000 * seconds, 3)
    LOGGER.debug(
        "module bucket=%s name=%s outcome=%s count=%s elapsed_ms=%.3f",
        bucket if bucket.isidentifier() else json.dumps(bucket),
        qualified,
        outcome,
        "-" if count is None else count,
        elapsed_ms,
        extra={
            "bucket": bucket,
            "qualified": qualified,
            "outcome": outcome,
            "count": count,
            "elapsed_ms": elapsed_ms,
        },
    )


def log_failure(bucket: str, qualified: str, error: BaseException) -> None:
    """Log where a module failed, with its traceback; `error` or what it came from."""
    LOGGER.debug(
        "module bucket=%s name=%s failed",
        bucket if bucket.isidentifier() else json.dumps(bucket),
        qualified,
        exc_info=error,
        extra={"bucket": bucket, "qualified": qualified},
    )
